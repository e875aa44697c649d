use mote_core::random::Span;
use mote_core::sde::OrnsteinUhlenbeck;
use mote_core::stepper::ExactOu;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::paths::{curve, paths};
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "ou-paths",
    title: "Ornstein-Uhlenbeck paths forget where they began",
    caption: "Four paths of dX = -X dt + 0.7 dW from each of five starts, with their means x0 e^(-t). After about three units of time \
        nothing of the start is left, and all paths wander in the stationary law, of which two standard deviations are shaded.",
    draw,
};

fn draw(laboratory: &Laboratory) -> Figure {
    const EACH: usize = 4;
    let ou = OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 0.7 };
    let starts = [3.0f32, 1.5, 0.0, -1.5, -3.0];
    let span = Span { t0: 0.0, t1: 5.0 };
    let all: Vec<f32> = starts.iter().flat_map(|x0| [*x0; EACH]).collect();
    let paths = paths(&ExactOu, ou, (span, 200), laboratory.seed_of(PICTURE.name), &all);
    let width = 2.0 * f64::from(ou.stationary_variance()).sqrt();
    let mut marks =
        vec![Mark::band("2 stationary deviations", Colour::Grey, vec![(0.0, -width, width), (5.0, -width, width)])];
    for (i, paths) in paths.chunks(EACH).enumerate() {
        marks.push(Mark::bundle("", Colour::nth(i), paths.to_vec()).opacity(0.45));
    }
    for (i, x0) in starts.into_iter().enumerate() {
        let mean = curve(0.0, 5.0, |t| ou.mean_at(x0, t as f32).into());
        marks.push(Mark::line(&format!("from x = {x0}"), Colour::nth(i), mean).wide(2.5));
    }
    let panel = Panel {
        title: String::new(),
        x: Scale::linear("time t (in units of 1 / rate)").between(0.0, 5.0),
        y: Scale::linear("state x (no unit)").between(-4.0, 4.0),
        marks,
    };
    Figure::new("Ornstein-Uhlenbeck: paths and means from five starts", 1, vec![panel]).sized(900, 460)
}
