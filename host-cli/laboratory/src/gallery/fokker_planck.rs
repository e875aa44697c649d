use mote_core::fokker_planck::{Ito, UniformGrid, step};
use mote_core::random::{NormalSource as _, Span};
use mote_core::sde::{DoubleWell, OverdampedLangevin, Potential as _};
use mote_core::stepper::Shark;
use mote_picture::{Colour, Figure, Heat, Legend, Mark, Panel, Point, Scale};

use super::Picture;
use super::histogram::Histogram;
use super::paths::{curve, snapshots};
use crate::ensemble::Ensemble;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "fokker-planck",
    title: "A density in a double well, by its equation and by paths",
    caption: "The density of dX = -U' dt + 0.9 dW in the double well U = (x^2 - 1)^2, from a normal law on the hill: solved by Chang and Cooper's scheme (left) and \
        counted over 20,000 paths stepped by ShARK (right). Below, the two on one pair of axes, early and late, with Boltzmann's law. \
        The wells fill at once; the balance between them comes slowly, since a path must climb the hill.",
    draw,
};

const WELL: DoubleWell = DoubleWell { barrier: 1.0, half_distance: 1.0 };
const NOISE: f32 = 0.9;
const START: (f32, f32) = (0.25, 0.3);
const SPAN: Span = Span { t0: 0.0, t1: 3.0 };
const ENDS: (f64, f64) = (-2.0, 2.0);
const CELLS: usize = 120;
/// Steps of the equation and of the paths alike.
const STEPS: u32 = 300;
/// Times shown, and the two that are shown below.
const COLUMNS: u32 = 60;
const EARLY: usize = 4;
const PATHS: usize = 20_000;

fn draw(laboratory: &Laboratory) -> Figure {
    let solved = solved().unwrap_or_default();
    let counted: Vec<Vec<f64>> = states(laboratory.seed_of(PICTURE.name))
        .iter()
        .map(|x| Histogram::of(x, ENDS.0, ENDS.1, CELLS / 2).heights().to_vec())
        .collect();
    let times = (f64::from(SPAN.t0), f64::from(SPAN.t1));
    let map = |title: &str, columns: &[Vec<f64>]| {
        let label = "density (per unit of x)".into();
        // The last column belongs to the end of the span, where nothing follows.
        let columns = columns[..columns.len().min(COLUMNS as usize)].to_vec();
        Panel {
            title: title.into(),
            x: Scale::linear("time t (no unit)").between(times.0, times.1),
            y: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
            marks: vec![Mark::heat(Heat { x: times, y: ENDS, columns, range: (0.0, 1.4), label })],
        }
    };
    let boltzmann = boltzmann();
    let law = |column: usize| {
        let t = times.1 * column as f64 / f64::from(COLUMNS);
        let mut marks = Vec::new();
        if let (Some(paths), Some(equation)) = (counted.get(column), solved.get(column)) {
            let edges = (0..=paths.len()).map(|i| ENDS.0 + (ENDS.1 - ENDS.0) * i as f64 / paths.len() as f64);
            marks.push(Mark::steps("paths", Colour::Sky, edges.collect(), paths.clone()));
            marks.push(Mark::line("equation", Colour::Blue, centres(equation)));
        }
        marks.push(Mark::line("Boltzmann's law", Colour::Black, boltzmann.clone()).dashed().wide(1.5));
        Panel {
            title: format!("t = {t}"),
            x: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
            y: Scale::linear("density (per unit of x)").between(0.0, 1.4),
            marks,
        }
    };
    let panels =
        vec![map("Fokker-Planck equation", &solved), map("20,000 paths", &counted), law(EARLY), law(COLUMNS as usize)];
    let figure = Figure::new("Fokker-Planck: a density in a double well", 2, panels).sized(1000, 330);
    Figure { legend: Legend::PerPanel, ..figure }
}

fn drift(x: f32) -> f32 {
    let mut slope = [0.0];
    { WELL }.gradient(&[x], &mut slope);
    -slope[0]
}

/// The density on the grid at the start and after each of the columns.
fn solved() -> Result<Vec<Vec<f64>>, mote_core::fokker_planck::StepError> {
    let grid = UniformGrid::new(ENDS.0 as f32, ENDS.1 as f32, CELLS)?;
    let process = Ito { drift: |x, _| drift(x), diffusion: |_, _| NOISE };
    let mut density = vec![0.0; CELLS];
    let mut scratch = vec![[0.0; 2]; CELLS];
    grid.set(&mut density, |x| (-0.5 * ((x - START.0) / START.1).powi(2)).exp())?;
    let mut columns = vec![density.iter().map(|p| f64::from(*p)).collect()];
    for i in 0..STEPS {
        let part = SPAN.step(i, STEPS);
        step(&grid, &process, part.t0, part.length(), &mut density, &mut scratch)?;
        if (i + 1) % (STEPS / COLUMNS) == 0 {
            columns.push(density.iter().map(|p| f64::from(*p)).collect());
        }
    }
    Ok(columns)
}

/// The paths' states at the same times.
fn states(seed: u64) -> Vec<Vec<f32>> {
    let sde = OverdampedLangevin { potential: WELL, noise: NOISE };
    let ensemble = Ensemble { stepper: Shark, sde, dim: 1, span: SPAN, steps: STEPS, seed };
    let stops: Vec<u32> = (0..=COLUMNS).map(|column| column * (STEPS / COLUMNS)).collect();
    let start = |normals: &mut mote_core::random::BoxMuller, x: &mut [f32]| {
        normals.fill(x);
        x.iter_mut().for_each(|x| *x = START.0 + START.1 * *x);
    };
    snapshots(&ensemble, PATHS, start, &stops)
}

/// A density's values over the centres of their cells.
fn centres(density: &[f64]) -> Vec<Point> {
    let width = (ENDS.1 - ENDS.0) / density.len() as f64;
    density.iter().enumerate().map(|(i, p)| (ENDS.0 + (i as f64 + 0.5) * width, *p)).collect()
}

/// `exp(-2 U / noise^2)`, scaled to an area of 1.
fn boltzmann() -> Vec<Point> {
    let weight = |x: f64| (-2.0 * f64::from(WELL.energy(x as f32)) / f64::from(NOISE).powi(2)).exp();
    let shape = curve(ENDS.0, ENDS.1, weight);
    let area: f64 = shape.windows(2).map(|pair| 0.5 * (pair[0].1 + pair[1].1) * (pair[1].0 - pair[0].0)).sum();
    shape.into_iter().map(|(x, p)| (x, p / area)).collect()
}
