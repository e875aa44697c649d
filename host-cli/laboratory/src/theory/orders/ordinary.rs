//! Orders of the steppers without noise, on an equation with a closed form.

use mote_core::random::{IndependentNoise, Span, Stream, Ziggurat};
use mote_core::stepper::{EulerOde, Heun, RungeKutta4, Stepper, integrate, integrate_scratch};

use super::equations::Swing;
use super::slope::{Measured, order};
use crate::theory::{Laboratory, Row};

/// Starting points. The equation is linear, so that the relative error of the step is the same from all, and their mean halves the
/// rounding at every fourth of them.
const STARTS: usize = 4096;

/// The relative error at time 2.5, averaged over starts from 1 to 2.
fn measure<P: Stepper<Swing>>(stepper: &P) -> f64 {
    let span = Span { t0: 0.0, t1: 2.5 };
    let truth = (1.5 * 2.5f64.sin()).exp();
    let starts: Vec<f32> = (0..STARTS).map(|i| 1.0 + i as f32 / STARTS as f32).collect();
    let mut scratch = vec![0.0; integrate_scratch::<P, Swing>(STARTS)];
    // Nothing is drawn from it.
    let mut noise = IndependentNoise::new(Ziggurat::new(Stream::new(0)));
    let grids = (2..=9).map(|k| 1u32 << k).map(|steps| {
        let mut x = starts.clone();
        integrate(stepper, &mut Swing, span, steps, &mut noise, &mut x, &mut scratch);
        let relative = |(x, start): (&f32, &f32)| f64::from(*x) / (f64::from(*start) * truth) - 1.0;
        let error = x.iter().zip(&starts).map(relative).sum::<f64>() / STARTS as f64;
        // What is common to all starts: the times and coefficients, rounded.
        Measured { steps, error: error.abs(), floor: 1.0 / f64::from(1u32 << 24) }
    });
    order(&grids.collect::<Vec<_>>())
}

fn row<P: Stepper<Swing>>(name: &'static str, stepper: &P, what: &str) -> Vec<Row> {
    let statement = format!("order of {what} on x' = 3/2 x cos t");
    vec![Row::order(name, statement, f64::from(P::ORDER), measure(stepper))]
}

pub(super) fn euler(_: &Laboratory) -> Vec<Row> {
    row("order-euler", &EulerOde, "Euler's step")
}

pub(super) fn heun(_: &Laboratory) -> Vec<Row> {
    row("order-heun", &Heun, "Heun's step")
}

pub(super) fn runge_kutta4(_: &Laboratory) -> Vec<Row> {
    row("order-runge-kutta-4", &RungeKutta4, "the classical Runge-Kutta step")
}
