use mote_core::random::{IndependentNoise, NoiseSource as _, RecordedNoise, Span, Stream, Ziggurat};
use mote_core::sde::{AdditiveNoise, DiagonalNoise, GeometricBrownian, Ito, Sde, StratonovichForm};
use mote_core::stepper::{
    EulerMaruyama, Milstein, MilsteinDerivativeFree, Sea, Shark, Sra1, Sriw1, Stepper, StochasticHeun, integrate,
    integrate_scratch,
};
use mote_picture::{Colour, Figure, Legend, Mark, Panel, Point, Scale};

use super::Picture;
use crate::theory::Laboratory;

pub(super) const PICTURE: Picture = Picture {
    name: "convergence-orders",
    title: "Strong orders of the steppers",
    caption: "Root mean square error at t = 1 against the step, over 1,000 paths that all steppers and all steps share. Left, geometric Brownian motion, \
        against its closed form; right, dX = -sin X dt + 3 dW, whose noise is additive, against ShARK with 1,024 steps. On these axes an order is a slope; \
        dashed lines are guides of the slopes beside them. Additive noise lifts Euler-Maruyama from 1/2 to 1.",
    draw,
};

/// The error of one stepper at each length of step.
struct Errors {
    name: &'static str,
    points: Vec<Point>,
}

fn draw(laboratory: &Laboratory) -> Figure {
    let seed = laboratory.seed_of(PICTURE.name);
    let (multiplicative, additive) = strong_errors(seed);
    let panel = |title: &str, curves: &[Errors], guides: &[(usize, f64, &str, f64)]| {
        let mut marks: Vec<Mark> = guides.iter().flat_map(|&guide| slope_guide(curves, guide)).collect();
        for (i, curve) in curves.iter().enumerate() {
            marks.push(Mark::line(curve.name, Colour::nth(i), curve.points.clone()));
            marks.push(Mark::dots("", Colour::nth(i), curve.points.clone()));
        }
        Panel {
            title: title.into(),
            x: Scale::log("step dt (no unit)").between(1.0 / 800.0, 1.0 / 7.0),
            y: Scale::log("root mean square error of x at t = 1"),
            marks,
        }
    };
    let panels = vec![
        panel(
            "Multiplicative noise: dX = 0.2 X dt + 0.5 X dW",
            &multiplicative,
            &[(0, 0.5, "slope 1/2", 1.5), (3, 1.0, "slope 1", 0.6), (4, 1.5, "slope 3/2", 0.5)],
        ),
        panel(
            "Additive noise: dX = -sin X dt + 3 dW",
            &additive,
            &[(0, 1.0, "slope 1", 1.6), (3, 1.5, "slope 3/2", 0.5)],
        ),
    ];
    let figure = Figure::new("Convergence: strong error against the step", 2, panels).sized(1040, 470);
    Figure { legend: Legend::PerPanel, ..figure }
}

/// A line of a slope beside a curve, `factor` above the curve's coarse end, with its name at the fine end.
fn slope_guide(curves: &[Errors], (beside, slope, name, factor): (usize, f64, &str, f64)) -> Vec<Mark> {
    let Some(&(coarse, error)) = curves.get(beside).and_then(|curve| curve.points.first()) else { return Vec::new() };
    let fine = 1.0 / 256.0;
    let at = |dt: f64| (dt, factor * error * (dt / coarse).powf(slope));
    vec![
        Mark::line("", Colour::Grey, vec![at(coarse), at(fine)]).dashed().wide(1.25),
        Mark::text(name, Colour::Grey, at(fine)),
    ]
}

const UNIT: Span = Span { t0: 0.0, t1: 1.0 };
const PATHS: usize = 1000;
const FINEST: u32 = 1024;
const STEPS: [u32; 6] = [8, 16, 32, 64, 128, 256];
const GBM: GeometricBrownian = GeometricBrownian { growth: 0.2, volatility: 0.5 };

/// `dX = -sin X dt + 3 dW`: additive noise, strong enough that the bend of the drift is where the error comes from.
#[derive(Clone, Copy, Debug)]
struct Pendulum;

impl Sde for Pendulum {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = -x.sin();
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(3.0);
    }
}
impl Ito for Pendulum {}
impl DiagonalNoise for Pendulum {}
impl AdditiveNoise for Pendulum {}

/// Strong errors at t = 1 along shared paths: on geometric Brownian motion, and under additive noise.
fn strong_errors(seed: u64) -> (Vec<Errors>, Vec<Errors>) {
    let numbers = PATHS * FINEST as usize;
    let (mut w, mut h) = (vec![0.0; numbers], vec![0.0; numbers]);
    let mut fresh = IndependentNoise::new(Ziggurat::new(Stream::new(seed)));
    let Some(mut noise) = RecordedNoise::record(&mut fresh, UNIT, PATHS, &mut w, &mut h) else {
        unreachable!("the path has {FINEST} whole cells")
    };
    let mut total = vec![0.0; PATHS];
    noise.increment(UNIT, &mut total, None);
    let exact: Vec<f32> = total.iter().map(|w| GBM.path(1.0, 1.0, *w)).collect();
    let stratonovich = StratonovichForm::new(GBM, vec![0.0; 2 * PATHS]);
    let multiplicative = vec![
        errors("Euler-Maruyama", &EulerMaruyama, GBM, noise, &exact),
        errors("Milstein", &Milstein, GBM, noise, &exact),
        errors("Milstein without derivative", &MilsteinDerivativeFree, GBM, noise, &exact),
        errors("stochastic Heun", &StochasticHeun, stratonovich, noise, &exact),
        errors("SRIW1", &Sriw1, GBM, noise, &exact),
    ];
    let fine = ends(&Shark, &mut Pendulum, noise, FINEST);
    let additive = vec![
        errors("Euler-Maruyama", &EulerMaruyama, Pendulum, noise, &fine),
        errors("SEA", &Sea, Pendulum, noise, &fine),
        errors("SRA1", &Sra1, Pendulum, noise, &fine),
        errors("ShARK", &Shark, Pendulum, noise, &fine),
    ];
    (multiplicative, additive)
}

fn errors<P: Stepper<S>, S: Sde>(
    name: &'static str,
    stepper: &P,
    mut sde: S,
    noise: RecordedNoise<'_>,
    truth: &[f32],
) -> Errors {
    let error = |steps| {
        let ends = ends(stepper, &mut sde, noise, steps);
        let squares = ends.iter().zip(truth).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        (1.0 / f64::from(steps), (squares.sum::<f64>() / truth.len() as f64).sqrt())
    };
    Errors { name, points: STEPS.map(error).to_vec() }
}

/// All paths' states at t = 1, from 1, in so many steps.
fn ends<P: Stepper<S>, S: Sde>(stepper: &P, sde: &mut S, mut noise: RecordedNoise<'_>, steps: u32) -> Vec<f32> {
    let mut x = vec![1.0; PATHS];
    let mut scratch = vec![0.0; integrate_scratch::<P, S>(PATHS)];
    integrate(stepper, sde, UNIT, steps, &mut noise, &mut x, &mut scratch);
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_have_the_slopes_that_the_guides_say() {
        // Orders as published (Kloeden and Platen 1992; Rößler 2010; Foster et al. 2024), over the three finest octaves. A slope
        // scatters by 0.033 at most over seeds (24 of them); the limit is 4.5 of that, 1e-5 two-sided.
        let (multiplicative, additive) = strong_errors(2024);
        let slopes = |curves: &[Errors]| -> Vec<f64> {
            let ends = curves.iter().map(|curve| (curve.points[2], curve.points[5]));
            ends.map(|(coarse, fine)| (coarse.1 / fine.1).ln() / (coarse.0 / fine.0).ln()).collect()
        };
        let orders = |measured: Vec<f64>, expected: &[f64]| {
            assert_eq!(measured.len(), expected.len());
            for (slope, order) in measured.iter().zip(expected) {
                assert!((slope - order).abs() < 0.15, "{measured:?} for {expected:?}");
            }
        };
        orders(slopes(&multiplicative), &[0.5, 1.0, 1.0, 1.0, 1.5]);
        orders(slopes(&additive), &[1.0, 1.0, 1.5, 1.5]);
    }
}
