use super::{Colour, Heat};

/// A place in the units of a panel's axes.
pub type Point = (f64, f64);

/// What a mark looks like, apart from its colour.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Points joined in order; a value that is not finite breaks the line.
    Line(Vec<Point>),
    /// Many lines of one kind.
    Bundle(Vec<Vec<Point>>),
    /// (x, low, high), filled between.
    Band(Vec<(f64, f64, f64)>),
    /// Heights over the cells between neighbouring edges, as filled steps from 0.
    Steps {
        /// Ends of the cells, ascending, one more than heights.
        edges: Vec<f64>,
        /// Height of each cell.
        heights: Vec<f64>,
    },
    /// Points on their own.
    Dots(Vec<Point>),
    /// (x, y, error): points with bars of one error up and down.
    Bars(Vec<(f64, f64, f64)>),
    /// Colours on a grid, with a bar that explains them.
    Heat(Heat),
    /// Words to the left of a place.
    Text(Point, String),
}

/// How lines are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour, and that of any fill.
    pub colour: Colour,
    /// Width in pixels of the screen; of dots, the radius.
    pub width: f64,
    /// From 0 (unseen) to 1.
    pub opacity: f64,
    /// Dashes instead of a whole line.
    pub dashed: bool,
}

/// Something drawn in a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Its name in the legend; an empty one is left out, and a name that is there already is not said twice.
    pub name: String,
    /// What is drawn.
    pub shape: Shape,
    /// How.
    pub stroke: Stroke,
}

impl Mark {
    fn new(name: &str, shape: Shape, colour: Colour, width: f64, opacity: f64) -> Self {
        Self { name: name.into(), shape, stroke: Stroke { colour, width, opacity, dashed: false } }
    }

    /// A curve.
    #[must_use]
    pub fn line(name: &str, colour: Colour, points: Vec<Point>) -> Self {
        Self::new(name, Shape::Line(points), colour, 2.0, 1.0)
    }

    /// Many thin, half transparent curves.
    #[must_use]
    pub fn bundle(name: &str, colour: Colour, paths: Vec<Vec<Point>>) -> Self {
        Self::new(name, Shape::Bundle(paths), colour, 0.75, 0.35)
    }

    /// A shaded region.
    #[must_use]
    pub fn band(name: &str, colour: Colour, points: Vec<(f64, f64, f64)>) -> Self {
        Self::new(name, Shape::Band(points), colour, 1.0, 0.18)
    }

    /// A histogram's steps, shaded.
    #[must_use]
    pub fn steps(name: &str, colour: Colour, edges: Vec<f64>, heights: Vec<f64>) -> Self {
        Self::new(name, Shape::Steps { edges, heights }, colour, 1.0, 0.35)
    }

    /// Points.
    #[must_use]
    pub fn dots(name: &str, colour: Colour, points: Vec<Point>) -> Self {
        Self::new(name, Shape::Dots(points), colour, 3.0, 1.0)
    }

    /// Points with error bars: (x, y, error).
    #[must_use]
    pub fn bars(name: &str, colour: Colour, points: Vec<(f64, f64, f64)>) -> Self {
        Self::new(name, Shape::Bars(points), colour, 3.0, 1.0)
    }

    /// Colours on a grid.
    #[must_use]
    pub fn heat(heat: Heat) -> Self {
        Self::new("", Shape::Heat(heat), Colour::Black, 1.0, 1.0)
    }

    /// Words to the left of a place.
    #[must_use]
    pub fn text(words: &str, colour: Colour, at: Point) -> Self {
        Self::new("", Shape::Text(at, words.into()), colour, 1.0, 1.0)
    }

    /// The same mark in dashes.
    #[must_use]
    pub fn dashed(mut self) -> Self {
        self.stroke.dashed = true;
        self
    }

    /// The same mark of another width in pixels.
    #[must_use]
    pub fn wide(mut self, width: f64) -> Self {
        self.stroke.width = width;
        self
    }

    /// The same mark with another opacity.
    #[must_use]
    pub fn opacity(mut self, opacity: f64) -> Self {
        self.stroke.opacity = opacity;
        self
    }

    /// Every place that an axis without given ends must hold.
    pub(super) fn places(&self) -> Vec<Point> {
        match &self.shape {
            Shape::Line(points) | Shape::Dots(points) => points.clone(),
            Shape::Bundle(paths) => paths.concat(),
            Shape::Band(points) => points.iter().flat_map(|&(x, low, high)| [(x, low), (x, high)]).collect(),
            Shape::Bars(points) => points.iter().flat_map(|&(x, y, e)| [(x, y - e), (x, y), (x, y + e)]).collect(),
            Shape::Steps { edges, heights } => {
                let tops = heights.iter().zip(edges.windows(2));
                tops.flat_map(|(&height, ends)| [(ends[0], 0.0), (ends[0], height), (ends[1], height)]).collect()
            }
            Shape::Text(at, _) => vec![*at],
            Shape::Heat(heat) => vec![(heat.x.0, heat.y.0), (heat.x.1, heat.y.1)],
        }
    }
}
