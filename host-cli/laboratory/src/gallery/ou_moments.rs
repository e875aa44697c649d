use mote_core::random::Span;
use mote_core::sde::OrnsteinUhlenbeck;
use mote_core::stepper::EulerMaruyama;
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::paths::{curve, snapshots};
use crate::ensemble::{Ensemble, at};
use crate::statistics::{Estimate, mean, variance};
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "ou-moments",
    title: "Mean and variance of Ornstein-Uhlenbeck against theory",
    caption: "Mean and variance of 200 paths of dX = -X dt + 0.7 dW from each of three starts, with bars of two standard errors, beside the closed forms. \
        The means decay with the rate 1; the variance does not depend on the start, grows twice as fast towards its limit, \
        and begins with the slope of Brownian motion. About one bar in twenty misses its line; bars of one start lie together, since they follow the same paths.",
    draw,
};

const PATHS: usize = 200;
const STEPS: u32 = 400;

fn draw(laboratory: &Laboratory) -> Figure {
    let ou = OrnsteinUhlenbeck { rate: 1.0, mean: 0.0, diffusion: 0.7 };
    let stops: Vec<u32> = (1..=16).map(|i| i * STEPS / 16).collect();
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for (i, x0) in [2.0f32, 0.5, -1.0].into_iter().enumerate() {
        let ensemble = Ensemble {
            stepper: EulerMaruyama,
            sde: ou,
            dim: 1,
            span: Span { t0: 0.0, t1: 4.0 },
            steps: STEPS,
            seed: laboratory.seed_of(&format!("{} from {x0}", PICTURE.name)),
        };
        let states = snapshots(&ensemble, PATHS, at(x0), &stops);
        // Side by side, so that bars of different starts do not cover each other.
        let aside = 0.05 * (i as f64 - 1.0);
        let bars = |of: &dyn Fn(&[f32]) -> Estimate, aside: f64| {
            let times = stops.iter().map(|stop| 4.0 * f64::from(*stop) / f64::from(STEPS) + aside);
            let estimates = states.iter().map(|x| of(x));
            times.zip(estimates).map(|(t, e)| (t, e.value, 2.0 * e.standard_error)).collect()
        };
        let name = format!("from x = {x0}");
        let colour = Colour::nth(i);
        means.push(
            Mark::line("closed form", Colour::Black, curve(0.0, 4.1, |t| ou.mean_at(x0, t as f32).into())).wide(1.5),
        );
        means.push(Mark::bars(&name, colour, bars(&|x| mean(x.iter().map(|x| f64::from(*x))), 0.0)));
        variances.push(Mark::bars(&name, colour, bars(&|x| variance(x.iter().map(|x| f64::from(*x))), aside)));
    }
    variances.insert(
        0,
        Mark::line("closed form", Colour::Black, curve(0.0, 4.1, |t| ou.variance(t as f32).into())).wide(1.5),
    );
    let time = || Scale::linear("time t (in units of 1 / rate)").between(0.0, 4.1);
    let panels = vec![
        Panel {
            title: "Mean".into(),
            x: time(),
            y: Scale::linear("mean of x (no unit)").between(-1.25, 2.25),
            marks: means,
        },
        Panel {
            title: "Variance (dots moved aside by 0.05 to be seen)".into(),
            x: time(),
            y: Scale::linear("variance of x (x squared)").between(0.0, 0.4),
            marks: variances,
        },
    ];
    Figure::new("Ornstein-Uhlenbeck: mean and variance of 200 paths, with 2 standard errors", 2, panels)
        .sized(1000, 370)
}
