use mote_core::ensemble::BLOCK;
use mote_core::random::{NormalSource as _, Span};
use mote_core::sde::{ReverseTime, Vp};
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::bimodal::{self, SCHEDULE};
use super::histogram::Histogram;
use super::paths::{curve, snapshots};
use crate::ensemble::Ensemble;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "reverse-diffusion",
    title: "Noise becomes data",
    caption: "Anderson's equation run from t = 1 back to t = 0.001 with the exact score: 10,000 paths that begin as standard normal noise, in six snapshots, \
        with the exact density of the forward process at the same time. At every time the two laws are the same, and at the end the noise has become the two humps.",
    draw,
};

const PATHS: usize = 10_000;
const STEPS: u32 = 200;
const SPAN: Span = Span { t0: 1.0, t1: 1e-3 };
const ENDS: (f64, f64) = (-3.5, 3.5);

fn draw(laboratory: &Laboratory) -> Figure {
    let forward = Vp { schedule: SCHEDULE };
    let Some(back) = ReverseTime::new(forward, bimodal::scores(BLOCK), [0.0; 2 * BLOCK]) else {
        unreachable!("there is room for a block")
    };
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: back,
        dim: 1,
        span: SPAN,
        steps: STEPS,
        seed: laboratory.seed_of(PICTURE.name),
    };
    let stops = [0, 100, 140, 165, 185, 200];
    let states = snapshots(&ensemble, PATHS, |normals, x| normals.fill(x), &stops);
    let panels = states.iter().zip(stops).map(|(x, stop)| {
        let t = if stop == STEPS { SPAN.t1 } else { SPAN.step(stop, STEPS).t0 };
        Panel {
            title: if t < 0.01 { format!("t = {t}") } else { format!("t = {t:.2}") },
            x: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
            y: Scale::linear("density (per unit of x)").between(0.0, 0.72),
            marks: vec![
                Histogram::of(x, ENDS.0, ENDS.1, 56).mark("10,000 reverse paths", Colour::Green),
                Mark::line(
                    "exact density of the forward process",
                    Colour::Black,
                    curve(ENDS.0, ENDS.1, bimodal::density(t)),
                ),
            ],
        }
    });
    Figure::new("Reverse diffusion: noise back to a bimodal law, exact score", 3, panels.collect()).sized(1080, 290)
}
