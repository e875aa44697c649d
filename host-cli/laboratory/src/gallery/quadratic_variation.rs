use mote_core::random::{BrownianTree, NoiseSource as _, Span};
use mote_picture::{Colour, Figure, Mark, Panel, Point, Scale};

use super::Picture;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "quadratic-variation",
    title: "Quadratic variation of a Brownian and of a smooth path",
    caption: "The sum of squared increments over [0, 1], cut into n equal parts, for six Brownian paths. It tends to the length of time, 1, with a \
        spread of sqrt(2 / n), shaded twice as wide. The sum of a smooth path falls as 1 / n, to nothing: Itô's calculus has its extra term because \
        Brownian motion does not do that.",
    draw,
};

const SPAN: Span = Span { t0: 0.0, t1: 1.0 };
const DEPTH: u32 = 14;
const PATHS: usize = 6;

fn draw(laboratory: &Laboratory) -> Figure {
    let brownian = brownian(laboratory.seed_of(PICTURE.name));
    let smooth: Vec<Point> = (0..=DEPTH).map(|level| smooth(1 << level)).collect();
    let spread = |n: f64| 2.0 * (2.0 / n).sqrt();
    let band = || -> Vec<_> {
        let sizes = (0..=4 * DEPTH).map(|quarter| 2f64.powf(f64::from(quarter) / 4.0));
        sizes.map(|n| (n, (1.0 - spread(n)).max(0.0), 1.0 + spread(n))).collect()
    };
    let marks = || {
        vec![
            Mark::band("expected: 1, give or take 2 sqrt(2 / n)", Colour::Orange, band()),
            Mark::bundle("six Brownian paths", Colour::Blue, brownian.clone()).opacity(0.7).wide(1.25),
            Mark::dots("", Colour::Blue, brownian.concat()).wide(2.0),
            Mark::line("smooth path x = sin(pi t / 2)", Colour::Vermilion, smooth.clone()),
            Mark::dots("", Colour::Vermilion, smooth.clone()).wide(2.5),
        ]
    };
    let sizes = || Scale::log("number of parts n").between(1.0, f64::from(1 << DEPTH));
    let panels = vec![
        Panel {
            title: "Equal steps: the Brownian sums settle at 1".into(),
            x: sizes(),
            y: Scale::linear("sum of squared increments (x squared)").between(0.0, 4.0),
            marks: marks(),
        },
        Panel {
            title: "Equal factors: the smooth sum falls as 1 / n".into(),
            x: sizes(),
            y: Scale::log("sum of squared increments (x squared)").between(5e-5, 8.0),
            marks: marks(),
        },
    ];
    Figure::new("Quadratic variation against the number of parts", 2, panels).sized(960, 380)
}

/// The sum for each path at 1, 2, 4 and so on parts.
fn brownian(seed: u64) -> Vec<Vec<Point>> {
    let Some(mut tree) = BrownianTree::new(seed, SPAN, DEPTH) else { return Vec::new() };
    let finest = 1u32 << DEPTH;
    let mut increments: Vec<[f32; PATHS]> = Vec::new();
    for i in 0..finest {
        let mut w = [0.0; PATHS];
        tree.increment(SPAN.step(i, finest), &mut w, None);
        increments.push(w);
    }
    let sum = |path: usize, parts: usize| -> f64 {
        let parts = increments.chunks(increments.len() / parts);
        parts.map(|part| part.iter().map(|w| f64::from(w[path])).sum::<f64>().powi(2)).sum()
    };
    let sums = |path| (0..=DEPTH).map(|level| (f64::from(1 << level), sum(path, 1 << level))).collect();
    (0..PATHS).map(sums).collect()
}

fn smooth(parts: u32) -> Point {
    let at = |i: u32| (f64::from(i) / f64::from(parts) * std::f64::consts::FRAC_PI_2).sin();
    (f64::from(parts), (0..parts).map(|i| (at(i + 1) - at(i)).powi(2)).sum())
}
