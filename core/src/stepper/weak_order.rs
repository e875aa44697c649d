//! Weak orders without chance: on linear equations one step's moments, by quadrature over its noise, give those of any number of steps.

use std::vec::Vec;

use super::*;
use crate::sde::{GeometricBrownian, OrnsteinUhlenbeck, StratonovichForm};

/// Least-squares slope of log2(error) over halvings of the step.
fn slope(errors: &[f64]) -> f64 {
    let middle = (errors.len() - 1) as f64 / 2.0;
    let (mut top, mut bottom) = (0.0, 0.0);
    for (i, e) in errors.iter().enumerate() {
        top -= (i as f64 - middle) * e.abs().log2();
        bottom += (i as f64 - middle).powi(2);
    }
    top / bottom
}

fn check(name: &str, order: f32, errors: &[f64]) {
    let (measured, order) = (slope(errors), f64::from(order));
    std::println!("{name}: {measured:.3} {errors:?}");
    assert!((order - 0.1..=order + 0.25).contains(&measured), "{name}: {measured} for {order}; {errors:?}");
}

/// The state after one step of `dt` from `x` with the noise `(w, h)`.
fn stepped<S: Sde, P: Stepper<S>>(stepper: &P, sde: &mut S, dt: f32, (w, h): (f32, f32), x: f32) -> f64 {
    let (mut x, mut scratch) = ([x], [0.0; 8]);
    stepper.step(sde, Span { t0: 0.0, t1: dt }, &Increment { w: &[w], h: &[h] }, &mut x, &mut scratch);
    f64::from(x[0])
}

/// Mean and mean square of one step from x, by the trapezoid rule over +-8 deviations of w and h, which is exact to rounding
/// for polynomials.
fn moments<S: Sde, P: Stepper<S>>(stepper: &P, sde: &mut S, dt: f32, x: f32) -> (f64, f64) {
    let points = || (-16..=16).map(|i| 0.5 * i as f32);
    let weight = |z: f32| 0.5 * f64::from(-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let (mut mean, mut square) = (0.0, 0.0);
    for z in points() {
        for y in points() {
            let moved = stepped(stepper, sde, dt, (z * dt.sqrt(), y * (dt / 12.0).sqrt()), x);
            mean += weight(z) * weight(y) * moved;
            square += weight(z) * weight(y) * moved * moved;
        }
    }
    (mean, square)
}

#[test]
fn moments_of_geometric_brownian_motion_converge_at_the_weak_order() {
    // A step multiplies x by a random factor R, so that E[X_n] = E[R]^n; the truth is e^growth and e^(2 growth + volatility^2).
    const GBM: GeometricBrownian = GeometricBrownian { growth: 0.8, volatility: 0.6 };
    fn one<S: Sde, P: Stepper<S>>(name: &str, stepper: &P, mut sde: S, order: f32) {
        let (growth, volatility) = (f64::from(GBM.growth), f64::from(GBM.volatility));
        // Rounding of the coefficients leaves 2e-8 a step, so that the grids of order 2 end earlier.
        let coarsest = if order > 1.5 { 8 } else { 16 };
        let errors: Vec<_> = [coarsest, 2 * coarsest, 4 * coarsest, 8 * coarsest]
            .map(|steps| {
                let (mean, square) = moments(stepper, &mut sde, 1.0 / steps as f32, 1.0);
                (mean.powi(steps) - growth.exp(), square.powi(steps) - (2.0 * growth + volatility * volatility).exp())
            })
            .to_vec();
        let (of_mean, of_square): (Vec<_>, Vec<_>) = errors.into_iter().unzip();
        check(&std::format!("{name}, mean"), order, &of_mean);
        check(&std::format!("{name}, mean square"), order, &of_square);
    }
    fn stated<P: Stepper<S>, S: Sde>(_: &P, _: &S) -> f32 {
        P::WEAK_ORDER
    }
    one("Euler-Maruyama", &EulerMaruyama, GBM, stated(&EulerMaruyama, &GBM));
    one("Milstein", &Milstein, GBM, stated(&Milstein, &GBM));
    one("Milstein without derivative", &MilsteinDerivativeFree, GBM, stated(&MilsteinDerivativeFree, &GBM));
    let stratonovich = StratonovichForm::new(GBM, [0.0; 2]);
    one("stochastic Heun", &StochasticHeun, stratonovich, stated(&StochasticHeun, &stratonovich));
    // The diffusion is linear, where SRIW1 does better than its 1.5.
    one("SRIW1", &Sriw1, GBM, 2.0);
}

/// Mean and variance after so many steps from 1; a step that is linear in (x, w, h) is known by four of its values.
fn ou_law<P: Stepper<OrnsteinUhlenbeck>>(stepper: &P, mut ou: OrnsteinUhlenbeck, dt: f32, steps: u32) -> (f64, f64) {
    let mut at = |x, w, h| stepped(stepper, &mut ou, dt, (w, h), x);
    let rest = at(0.0, 0.0, 0.0);
    let [decay, on_w, on_h] = [at(1.0, 0.0, 0.0), at(0.0, 1.0, 0.0), at(0.0, 0.0, 1.0)].map(|value| value - rest);
    let noise = (on_w * on_w + on_h * on_h / 12.0) * f64::from(dt);
    (0..steps).fold((1.0, 0.0), |(mean, variance), _| (rest + decay * mean, decay * decay * variance + noise))
}

const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 1.0, mean: -1.0, diffusion: 1.5 };

#[test]
fn mean_and_variance_of_ornstein_uhlenbeck_converge_at_the_weak_order() {
    // Uhlenbeck and Ornstein 1930: from 1, mean -1 + 2 / e and variance 1.5^2 (1 - 1 / e^2) / 2 at time 1.
    fn one<P: Stepper<OrnsteinUhlenbeck>>(name: &str, stepper: &P, order: f32) {
        let (of_mean, of_variance): (Vec<_>, Vec<_>) = [4u32, 8, 16, 32]
            .map(|steps| {
                let (mean, variance) = ou_law(stepper, OU, 1.0 / steps as f32, steps);
                (mean + 1.0 - 2.0 * (-1.0f64).exp(), variance - 1.125 * (1.0 - (-2.0f64).exp()))
            })
            .into_iter()
            .unzip();
        check(&std::format!("{name}, mean"), order, &of_mean);
        check(&std::format!("{name}, variance"), order, &of_variance);
    }
    one("Euler-Maruyama, additive", &EulerMaruyama, <EulerMaruyama as Stepper<OrnsteinUhlenbeck>>::WEAK_ORDER);
    one("SEA", &Sea, <Sea as Stepper<OrnsteinUhlenbeck>>::WEAK_ORDER);
    one("SRA1", &Sra1, <Sra1 as Stepper<OrnsteinUhlenbeck>>::WEAK_ORDER);
    one("ShARK", &Shark, <Shark as Stepper<OrnsteinUhlenbeck>>::WEAK_ORDER);
}

#[test]
fn the_exact_step_has_no_weak_error_at_any_step() {
    assert_eq!(<ExactOu as Stepper<OrnsteinUhlenbeck>>::WEAK_ORDER, f32::INFINITY);
    for (dt, steps) in [(0.25, 1), (0.25, 4), (1.0, 3), (4.0, 2)] {
        let t = f64::from(dt) * f64::from(steps);
        let (mean, variance) = ou_law(&ExactOu, OU, dt, steps);
        // A few roundings of numbers of size 1 a step.
        assert!((mean + 1.0 - 2.0 * (-t).exp()).abs() < 1e-6, "{dt} {steps}: {mean}");
        assert!((variance - 1.125 * (1.0 - (-2.0 * t).exp())).abs() < 1e-6, "{dt} {steps}: {variance}");
    }
}
