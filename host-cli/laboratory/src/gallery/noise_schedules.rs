use mote_core::schedule::{Cosine, Edm, NoiseLevel, NoiseSchedule as _, Schedule, VpLinear};
use mote_picture::{Colour, Figure, Mark, Panel, Scale};

use super::Picture;
use super::paths::curve;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "noise-schedules",
    title: "Signal, noise and their ratio under three schedules",
    caption: "The scales of signal, alpha, and noise, sigma, of a state x = alpha x0 + sigma eps, and the power ratio alpha^2 / sigma^2 of the two \
        in decibels, for data of unit variance. Linear rate and cosine keep alpha^2 + sigma^2 at 1; EDM keeps the signal and lets the noise grow \
        to 80. At 0 dB signal and noise are equal. The linear rate destroys the signal early, the cosine spends its time in between, and EDM's ratio is a \
        straight line.",
    draw,
};

fn draw(_: &Laboratory) -> Figure {
    let schedules = [
        ("VP, linear rate", Schedule::VpLinear(VpLinear::DEFAULT), Colour::Blue),
        ("VP, cosine", Schedule::Cosine(Cosine::DEFAULT), Colour::Vermilion),
        ("EDM", Schedule::Edm(Edm::DEFAULT), Colour::Green),
    ];
    let panel = |title: &str, y: Scale, of: fn(NoiseLevel) -> f64| Panel {
        title: title.into(),
        x: Scale::linear("diffusion time t (no unit)").between(0.0, 1.0),
        y,
        marks: schedules
            .iter()
            .map(|(name, schedule, colour)| {
                // The cosine is cut off just before the end, where alpha is held; t = 0 has no noise, and no ratio.
                Mark::line(name, *colour, curve(1e-3, 0.999, |t| of(schedule.level(t as f32))))
            })
            .collect(),
    };
    let decibel = |level: NoiseLevel| 20.0 * f64::from(level.lambda()) * std::f64::consts::LOG10_E;
    let panels = vec![
        panel("Signal", Scale::linear("alpha (no unit)").between(0.0, 1.05), |level| level.alpha.into()),
        panel("Noise", Scale::log("sigma (deviations of the data)").between(1e-3, 100.0), |level| level.sigma.into()),
        panel("Signal to noise", Scale::linear("power SNR alpha^2 / sigma^2 (dB)").between(-60.0, 60.0), decibel),
    ];
    Figure::new("Noise schedules: signal, noise and their ratio", 3, panels).sized(1080, 340)
}
