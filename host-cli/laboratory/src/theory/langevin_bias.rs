//! The bias that ShARK's steps leave in the rows on Langevin motion, worked out without chance.

use mote_core::random::Increment;
use mote_core::sde::Sde;
use mote_core::stepper::Stepper;

use super::*;

/// One step of length dt on a given noise.
fn stepped<S: Sde>(sde: &mut S, dt: f32, x: &[f32], w: &[f32], h: &[f32]) -> Vec<f32>
where
    Shark: Stepper<S>,
{
    let mut x = x.to_vec();
    let mut scratch = vec![0.0; x.len() * <Shark as Stepper<S>>::SCRATCH_PER_DIM];
    Shark.step(sde, Span { t0: 0.0, t1: dt }, &Increment { w, h }, &mut x, &mut scratch);
    x
}

/// Variance of the position, covariance and variance of the velocity, after steps of 1/64 from rest at 0: a linear equation's
/// step is linear in the state and the noise, so that its covariance goes from step to step by a matrix.
fn moments<P: Potential + Copy>(potential: P, steps: u32) -> [f64; 3] {
    let mut sde = UnderdampedLangevin { potential, friction: FRICTION, noise: NOISE };
    let dt = 1.0 / 64.0;
    let mut column = |x: [f32; 2], w: f32, h: f32| {
        let x = stepped(&mut sde, dt, &x, &[0.0, w], &[0.0, h]);
        [f64::from(x[0]), f64::from(x[1])]
    };
    let state = [column([1.0, 0.0], 0.0, 0.0), column([0.0, 1.0], 0.0, 0.0)];
    let noise = [(column([0.0; 2], 1.0, 0.0), 1.0 / 64.0), (column([0.0; 2], 0.0, 1.0), 1.0 / 768.0)];
    let [mut qq, mut qv, mut vv] = [0.0; 3];
    for _ in 0..steps {
        let [[a, b], [c, d]] = state;
        let next = [
            a * a * qq + 2.0 * a * c * qv + c * c * vv,
            a * b * qq + (a * d + b * c) * qv + c * d * vv,
            b * b * qq + 2.0 * b * d * qv + d * d * vv,
        ];
        [qq, qv, vv] = next;
        for ([q, v], variance) in noise {
            [qq, qv, vv] = [qq + variance * q * q, qv + variance * q * v, vv + variance * v * v];
        }
    }
    [qq, qv, vv]
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn steps_of_the_spring_and_the_free_particle_are_off_by_less_than_a_twentieth_of_a_standard_error() {
    let rows = |rows: Vec<Row>| rows.into_iter().map(|row| (row.name, row.predicted)).collect::<Vec<_>>();
    let laboratory = Laboratory { seed: 0 };
    let [qq, qv, vv] = moments(Quadratic { stiffness: 2.0 }, 12 * 64);
    // Standard errors of normal variances and covariances: v sqrt(2 / n), sqrt(v v' / n).
    let (n, m) = (f64::from(1 << 15), f64::from(1 << 17));
    let spring = [(vv, vv * (2.0 / n).sqrt()), (2.0 * qq, 2.0 * qq * (2.0 / n).sqrt()), (qv, (qq * vv / n).sqrt())];
    let [qq, qv, vv] = moments(Flat, 64);
    let free = [(qq, qq * (2.0 / m).sqrt()), (qv, ((qq * vv + qv * qv) / m).sqrt())];
    let expected = rows(spring_rows(&laboratory)).into_iter().chain(rows(free_particle(&laboratory)));
    for ((value, error), (name, predicted)) in spring.into_iter().chain(free).zip(expected) {
        println!("{name}: {value} for {predicted}, {:.4} standard errors", (value - predicted) / error);
        assert!((value - predicted).abs() < error / 20.0, "{name}: {value} for {predicted}");
    }
}

/// The mean of a function over ShARK's own law in the double well at rest: what it tends to under the step's transition,
/// `u(x) <- E[u(x')]`, by Gauss and Hermite's rule over w and h.
fn at_rest(of: impl Fn(f64) -> f64) -> f64 {
    // Five points are exact for polynomials up to degree 9 of a normal number (Abramowitz and Stegun, table 25.10, times sqrt 2).
    const NODES: [(f64, f64); 5] = [
        (-2.856_970_013_872_806, 0.011_257_411_327_720_69),
        (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
        (0.0, 0.533_333_333_333_333_3),
        (1.355_626_179_974_266, 0.222_075_922_005_612_6),
        (2.856_970_013_872_806, 0.011_257_411_327_720_69),
    ];
    // Points 1/40 apart on +-4, where Boltzmann's law is below 1e-80.
    const POINTS: usize = 321;
    let place = |i: usize| (i as f64 - 160.0) / 40.0;
    let mut sde = OverdampedLangevin { potential: DoubleWell { barrier: 1.0, half_distance: 1.0 }, noise: 1.5 };
    let dt = 1.0 / 256.0;
    // For every point and every pair of nodes: six neighbouring points and Lagrange's weights.
    let mut transitions = Vec::new();
    for i in 0..POINTS {
        for (w, weight_w) in NODES {
            for (h, weight_h) in NODES {
                let [w, h] = [w * (1f64 / 256.0).sqrt(), h * (1f64 / 3072.0).sqrt()];
                let x = stepped(&mut sde, dt, &[place(i) as f32], &[w as f32], &[h as f32])[0];
                let position = (f64::from(x) * 40.0 + 160.0).clamp(0.0, 320.0);
                let first = (position as usize).saturating_sub(2).min(POINTS - 6);
                let weights: [f64; 6] = std::array::from_fn(|j| {
                    let others = (0..6).filter(|k| *k != j);
                    others.map(|k| (position - (first + k) as f64) / (j as f64 - k as f64)).product::<f64>()
                });
                transitions.push((i, first, weights.map(|weight| weight * weight_w * weight_h)));
            }
        }
    }
    let mut u: Vec<_> = (0..POINTS).map(|i| of(place(i))).collect();
    for _ in 0..12 * 256 {
        let mut next = vec![0.0; POINTS];
        for (i, first, weights) in &transitions {
            next[*i] += weights.iter().zip(&u[*first..]).map(|(weight, u)| weight * u).sum::<f64>();
        }
        u = next;
    }
    u[200]
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn steps_of_the_double_well_are_off_by_less_than_a_twentieth_of_a_standard_error() {
    let law = Boltzmann::new();
    let n = f64::from(1 << 14);
    let check = |name: &str, of: &dyn Fn(f64) -> f64| {
        let (value, predicted) = (at_rest(of), law.mean(of));
        let error = ((law.mean(|x| of(x).powi(2)) - predicted * predicted) / n).sqrt();
        println!("{name}: {value} for {predicted}, {:.4} standard errors", (value - predicted) / error);
        assert!((value - predicted).abs() < error / 20.0, "{name}: {value} for {predicted}");
    };
    // From the start at 1, so that what is left of it counts too.
    check("mean", &|x| x);
    check("second moment", &|x| x * x);
    check("virial", &|x| x * slope_of_well(x));
}
