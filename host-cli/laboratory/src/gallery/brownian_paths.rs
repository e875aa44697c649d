use mote_core::random::Span;
use mote_core::sde::Brownian;
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::paths::{curve, paths};
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "brownian-paths",
    title: "Brownian motion in its envelope",
    caption: "Forty paths of Brownian motion from 0, with one and two standard deviations, sqrt(t), shaded. \
        At any one time about 68% of the paths are in the inner region and 95% in the outer. The envelope is steepest at the start, \
        where the slope of the root has no bound: a path has no slope.",
    draw,
};

fn draw(laboratory: &Laboratory) -> Figure {
    const PATHS: usize = 40;
    let span = Span { t0: 0.0, t1: 1.0 };
    let seed = laboratory.seed_of(PICTURE.name);
    let paths = paths(&EulerMaruyama, Brownian { scale: 1.0 }, (span, 200), seed, &[0.0; PATHS]);
    // Squares of t, so that the steep start of the root is round.
    let envelope = |width: f64| curve(0.0, 1.0, |s| width * s).into_iter().map(|(s, y)| (s * s, -y, y)).collect();
    let edge = |width: f64| curve(0.0, 1.0, |s| width * s).into_iter().map(|(s, y)| (s * s, y)).collect();
    let mut marks = vec![
        Mark::band("within 2 sqrt(t)", Colour::Orange, envelope(2.0)).opacity(0.16),
        Mark::band("within sqrt(t)", Colour::Vermilion, envelope(1.0)).opacity(0.2),
        Mark::bundle("40 paths", Colour::Blue, paths).opacity(0.45),
    ];
    for width in [-2.0, 2.0] {
        marks.push(Mark::line("", Colour::Orange, edge(width)).wide(1.5));
    }
    for width in [-1.0, 1.0] {
        marks.push(Mark::line("", Colour::Vermilion, edge(width)).wide(1.5));
    }
    let panel = Panel {
        title: String::new(),
        x: Scale::linear("time t (no unit)").between(0.0, 1.0),
        y: Scale::linear("state x (no unit)"),
        marks,
    };
    Figure::new("Brownian motion: paths and their sqrt(t) envelope", 1, vec![panel]).sized(900, 460)
}
