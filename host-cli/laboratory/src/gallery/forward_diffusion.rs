use mote_core::random::Span;
use mote_core::schedule::NoiseSchedule as _;
use mote_core::sde::Vp;
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::bimodal::{self, SCHEDULE};
use super::histogram::Histogram;
use super::paths::{curve, normal_density, snapshots};
use crate::ensemble::Ensemble;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "forward-diffusion",
    title: "Data become noise",
    caption: "Forward diffusion of a law of two humps under the variance-preserving process with linear rate: 20,000 paths in six snapshots, with the \
        exact density and the standard normal. alpha_bar, over each, is the share of the variance that is still signal. The law starts with variance 1 \
        and keeps it; by alpha_bar = 0.29 hardly anything of the two humps is left to see.",
    draw,
};

const PATHS: usize = 20_000;
const STEPS: u32 = 200;
const ENDS: (f64, f64) = (-3.5, 3.5);

fn draw(laboratory: &Laboratory) -> Figure {
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: Vp { schedule: SCHEDULE },
        dim: 1,
        span: Span { t0: 0.0, t1: 1.0 },
        steps: STEPS,
        seed: laboratory.seed_of(PICTURE.name),
    };
    let stops = [0, 20, 40, 70, 120, 200];
    let states = snapshots(&ensemble, PATHS, bimodal::draw, &stops);
    let panels = states.iter().zip(stops).map(|(x, stop)| {
        let t = stop as f32 / STEPS as f32;
        let alpha = SCHEDULE.level(t).alpha;
        Panel {
            title: format!("t = {t}, alpha_bar = {}", share(alpha * alpha)),
            x: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
            y: Scale::linear("density (per unit of x)").between(0.0, 0.72),
            marks: vec![
                Histogram::of(x, ENDS.0, ENDS.1, 56).mark("20,000 paths", Colour::Blue),
                Mark::line("exact density", Colour::Black, curve(ENDS.0, ENDS.1, bimodal::density(t))),
                Mark::line(
                    "standard normal",
                    Colour::Vermilion,
                    curve(ENDS.0, ENDS.1, |x| normal_density(x, 0.0, 1.0)),
                )
                .dashed()
                .wide(1.5),
            ],
        }
    });
    Figure::new("Forward diffusion of a bimodal law", 3, panels.collect()).sized(1080, 290)
}

/// A share with two figures that count.
fn share(value: f32) -> String {
    if value >= 0.01 { format!("{value:.2}") } else { format!("{value:.1e}") }
}
