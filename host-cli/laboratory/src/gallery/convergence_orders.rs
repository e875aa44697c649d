use mote_core::stepper::{EulerMaruyama, Milstein, MilsteinDerivativeFree, Sea, Shark, Sra1, Sriw1, StochasticHeun};
use mote_picture::{Colour, Figure, Legend, Mark, Panel, Point, Scale};

use super::Picture;
use crate::theory::Laboratory;
use crate::theory::orders::slope::Measured;
use crate::theory::orders::strong::{GBM, errors_on_gbm, errors_on_pendulum, stratonovich};

pub(super) const PICTURE: Picture = Picture {
    name: "convergence-orders",
    title: "Strong orders of the steppers",
    caption: "Root mean square error at t = 1 against the step, over 4,096 paths that all steppers and all steps share. Left, geometric Brownian motion, \
        against its closed form; right, dX = -sin X dt + 3 dW, whose noise is additive, against SRA1 or ShARK with 1,024 steps. On these axes an order is a slope; \
        dashed lines are guides of the slopes beside them. Additive noise lifts Euler-Maruyama from 1/2 to 1.",
    draw,
};

/// The error of one stepper at each length of step.
struct Errors {
    name: &'static str,
    points: Vec<Point>,
}

impl Errors {
    /// The errors that rounding does not hide.
    fn of(name: &'static str, grids: &[Measured]) -> Self {
        let shown = grids.iter().filter(|grid| grid.counts());
        Self { name, points: shown.map(|grid| (1.0 / f64::from(grid.steps), grid.error)).collect() }
    }
}

fn draw(laboratory: &Laboratory) -> Figure {
    let seed = laboratory.seed_of(PICTURE.name);
    let multiplicative = [
        Errors::of("Euler-Maruyama", &errors_on_gbm(seed, &EulerMaruyama, || GBM)),
        Errors::of("Milstein", &errors_on_gbm(seed, &Milstein, || GBM)),
        Errors::of("Milstein without derivative", &errors_on_gbm(seed, &MilsteinDerivativeFree, || GBM)),
        Errors::of("stochastic Heun", &errors_on_gbm(seed, &StochasticHeun, stratonovich)),
        Errors::of("SRIW1", &errors_on_gbm(seed, &Sriw1, || GBM)),
    ];
    let additive = [
        Errors::of("Euler-Maruyama", &errors_on_pendulum(seed, &EulerMaruyama, &Shark)),
        Errors::of("SEA", &errors_on_pendulum(seed, &Sea, &Shark)),
        Errors::of("SRA1", &errors_on_pendulum(seed, &Sra1, &Shark)),
        Errors::of("ShARK", &errors_on_pendulum(seed, &Shark, &Sra1)),
    ];
    let panel = |title: &str, finest: f64, curves: &[Errors], guides: &[(usize, f64, &str, f64)]| {
        let mut marks: Vec<Mark> = guides.iter().flat_map(|&guide| slope_guide(curves, guide)).collect();
        for (i, curve) in curves.iter().enumerate() {
            marks.push(Mark::line(curve.name, Colour::nth(i), curve.points.clone()));
            marks.push(Mark::dots("", Colour::nth(i), curve.points.clone()));
        }
        Panel {
            title: title.into(),
            x: Scale::log("step dt (no unit)").between(finest, 1.0 / 7.0),
            y: Scale::log("root mean square error of x at t = 1"),
            marks,
        }
    };
    let panels = vec![
        panel(
            "Multiplicative noise: dX = 0.5 X dt + 0.5 X dW",
            1.0 / 4000.0,
            &multiplicative,
            &[(0, 0.5, "slope 1/2", 1.5), (3, 1.0, "slope 1", 0.6), (4, 1.5, "slope 3/2", 0.5)],
        ),
        panel(
            "Additive noise: dX = -sin X dt + 3 dW",
            1.0 / 400.0,
            &additive,
            &[(0, 1.0, "slope 1", 1.6), (3, 1.5, "slope 3/2", 0.5)],
        ),
    ];
    let figure = Figure::new("Convergence: strong error against the step", 2, panels).sized(1040, 470);
    Figure { legend: Legend::PerPanel, ..figure }
}

/// A line of a slope beside a curve, `factor` above the curve's coarse end, with its name at the fine end.
fn slope_guide(curves: &[Errors], (beside, slope, name, factor): (usize, f64, &str, f64)) -> Vec<Mark> {
    let curve = curves.get(beside).map_or(&[][..], |curve| &curve.points);
    let (Some(&(coarse, error)), Some(&(fine, _))) = (curve.first(), curve.last()) else { return Vec::new() };
    let at = |dt: f64| (dt, factor * error * (dt / coarse).powf(slope));
    vec![
        Mark::line("", Colour::Grey, vec![at(coarse), at(fine)]).dashed().wide(1.25),
        Mark::text(name, Colour::Grey, at(fine)),
    ]
}
