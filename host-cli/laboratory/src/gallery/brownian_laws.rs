use mote_core::random::Span;
use mote_core::sde::Brownian;
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::histogram::Histogram;
use super::paths::{curve, normal_density, snapshots};
use crate::ensemble::{Ensemble, at};
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "brownian-laws",
    title: "The law of Brownian motion at four times",
    caption: "Histograms of 20,000 paths of Brownian motion from 0 at four times, with the normal density of variance t. \
        Each panel has twice the variance of the one before; the area under every curve is 1, so that the law gets lower as it gets wider.",
    draw,
};

fn draw(laboratory: &Laboratory) -> Figure {
    const PATHS: usize = 20_000;
    const ENDS: (f64, f64) = (-4.5, 4.5);
    // Eight steps a unit of time: the steps are exact in law.
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: Brownian { scale: 1.0 },
        dim: 1,
        span: Span { t0: 0.0, t1: 2.0 },
        steps: 16,
        seed: laboratory.seed_of(PICTURE.name),
    };
    let states = snapshots(&ensemble, PATHS, at(0.0), &[2, 4, 8, 16]);
    let panels = states.iter().zip([0.25f64, 0.5, 1.0, 2.0]).map(|(x, t)| Panel {
        title: format!("t = {t}, standard deviation sqrt(t) = {:.2}", t.sqrt()),
        x: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
        y: Scale::linear("density (per unit of x)").between(0.0, 0.88),
        marks: vec![
            Histogram::of(x, ENDS.0, ENDS.1, 60).mark("20,000 paths", Colour::Blue),
            Mark::line(
                "normal density N(0, t)",
                Colour::Vermilion,
                curve(ENDS.0, ENDS.1, |x| normal_density(x, 0.0, t.sqrt())),
            ),
        ],
    });
    Figure::new("Brownian motion: its law at four times", 2, panels.collect()).sized(900, 290)
}
