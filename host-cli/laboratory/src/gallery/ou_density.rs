use mote_core::random::Span;
use mote_core::sde::OrnsteinUhlenbeck;
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::histogram::Histogram;
use super::paths::{curve, normal_density, snapshots};
use crate::ensemble::{Ensemble, at};
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "ou-density",
    title: "An Ornstein-Uhlenbeck density relaxes",
    caption: "Histograms of 20,000 paths of dX = -X dt + 0.7 dW, all from x = 3, at five times, stepped by Euler-Maruyama with dt = 0.01; \
        the lines are the closed form, normal at every time. The law moves to 0 and spreads until it is the stationary one, dashed.",
    draw,
};

fn draw(laboratory: &Laboratory) -> Figure {
    const ENDS: (f64, f64) = (-2.0, 3.5);
    let ou = OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 0.7 };
    let ensemble = Ensemble {
        stepper: EulerMaruyama,
        sde: ou,
        dim: 1,
        span: Span { t0: 0.0, t1: 4.0 },
        steps: 400,
        seed: laboratory.seed_of(PICTURE.name),
    };
    let stops = [10, 30, 70, 150, 400];
    let states = snapshots(&ensemble, 20_000, at(3.0), &stops);
    let (mut steps, mut lines) = (Vec::new(), Vec::new());
    for (i, (x, stop)) in states.iter().zip(stops).enumerate() {
        let t = stop as f32 / 100.0;
        let (mean, deviation) = (f64::from(ou.mean_at(3.0, t)), f64::from(ou.variance(t)).sqrt());
        steps.push(Histogram::of(x, ENDS.0, ENDS.1, 110).mark(&format!("t = {t}"), Colour::nth(i)).opacity(0.25));
        let theory = curve(ENDS.0, ENDS.1, |x| normal_density(x, mean, deviation));
        lines.push(Mark::line("", Colour::nth(i), theory));
    }
    lines.push(Mark::line("closed form", Colour::Grey, Vec::new()));
    let deviation = f64::from(ou.stationary_variance()).sqrt();
    let stationary = curve(ENDS.0, ENDS.1, |x| normal_density(x, 0.0, deviation));
    lines.push(Mark::line("stationary law", Colour::Black, stationary).dashed());
    steps.append(&mut lines);
    let panel = Panel {
        title: String::new(),
        x: Scale::linear("state x (no unit)").between(ENDS.0, ENDS.1),
        y: Scale::linear("density (per unit of x)").between(0.0, 2.1),
        marks: steps,
    };
    Figure::new("Ornstein-Uhlenbeck: the density relaxes to its stationary law", 1, vec![panel]).sized(900, 460)
}
