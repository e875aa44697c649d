//! Grids: which noise levels a sampler visits, from the noisiest to the cleanest.

use super::NoiseSchedule;
use crate::math;

/// Fills `lambdas` with values uniform in lambda from `noisiest` to `cleanest`, both ends included.
///
/// A grid of one holds `noisiest`. Source: Lu et al. 2022 (the logSNR-uniform grid).
pub fn uniform_lambda(noisiest: f32, cleanest: f32, lambdas: &mut [f32]) {
    let last = lambdas.len().saturating_sub(1).max(1) as f32;
    for (i, lambda) in lambdas.iter_mut().enumerate() {
        *lambda = noisiest + (cleanest - noisiest) * (i as f32 / last);
    }
}

/// Fills `lambdas` with Karras' grid: `sigma^(1/rho)` uniform between the ends, both included.
///
/// Written for relative noise `sigma / alpha = e^(-lambda)`, so that it serves every schedule. `rho = 7` is the
/// published choice. Source: Karras et al. 2022, equation 5.
pub fn karras(noisiest: f32, cleanest: f32, rho: f32, lambdas: &mut [f32]) {
    let last = lambdas.len().saturating_sub(1).max(1) as f32;
    let (high, low) = (math::exp(-noisiest / rho), math::exp(-cleanest / rho));
    for (i, lambda) in lambdas.iter_mut().enumerate() {
        *lambda = -rho * math::ln(high + (low - high) * (i as f32 / last));
    }
}

/// Fills `lambdas` with the grid of a straight flow: `t` uniform between the ends, both included, where relative noise is
/// `sigma / alpha = t / (1 - t)`.
///
/// Its steps are even in the share of noise, so that more of them fall where noise prevails than on the other grids.
/// Source: Lipman et al. 2023 (Euler steps of the flow are DDIM steps on this grid).
pub fn uniform_flow(noisiest: f32, cleanest: f32, lambdas: &mut [f32]) {
    let last = lambdas.len().saturating_sub(1).max(1) as f32;
    let time = |lambda: f32| 1.0 / (1.0 + math::exp(lambda));
    let (start, end) = (time(noisiest), time(cleanest));
    for (i, lambda) in lambdas.iter_mut().enumerate() {
        let t = start + (end - start) * (i as f32 / last);
        *lambda = math::ln((1.0 - t) / t);
    }
}

/// Fills `lambdas` with levels uniform in the schedule's own time, both ends included.
///
/// Source: Song, Meng and Ermon 2021 (their linear sub-sequence of times).
pub fn uniform_time(schedule: &dyn NoiseSchedule, noisiest: f32, cleanest: f32, lambdas: &mut [f32]) {
    let last = lambdas.len().saturating_sub(1).max(1) as f32;
    let (start, end) = (schedule.time(noisiest), schedule.time(cleanest));
    for (i, lambda) in lambdas.iter_mut().enumerate() {
        *lambda = schedule.level(start + (end - start) * (i as f32 / last)).lambda();
    }
}

/// Fills `lambdas` with levels uniform in the schedule's own time from `start`, whose steps end at time 0: `start (1 - i / n)`.
///
/// From time 1 the first level is the schedule's last, pure noise (lambda of minus infinity) on a schedule that ends so, and the step to the data is as long as the
/// others. Source: Lin et al. 2024, section 3.3 (trailing steps).
pub fn trailing_time(schedule: &dyn NoiseSchedule, start: f32, lambdas: &mut [f32]) {
    let n = lambdas.len().max(1) as f32;
    for (i, lambda) in lambdas.iter_mut().enumerate() {
        *lambda = schedule.level(start * ((n - i as f32) / n)).lambda();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Edm, Flow, ZeroTerminal};
    use super::*;

    #[test]
    fn all_grids_keep_their_ends_and_fall_in_noise() {
        for fill in [
            |l: &mut [f32]| uniform_lambda(-4.4, 6.2, l),
            |l: &mut [f32]| karras(-4.4, 6.2, 7.0, l),
            |l: &mut [f32]| uniform_flow(-4.4, 6.2, l),
            |l: &mut [f32]| uniform_time(&Edm { sigma_min: 0.001, sigma_max: 100.0 }, -4.4, 6.2, l),
        ] {
            let mut lambdas = [0.0; 18];
            fill(&mut lambdas);
            assert!((lambdas[0] + 4.4).abs() < 1e-5 && (lambdas[17] - 6.2).abs() < 1e-4);
            assert!(lambdas.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn the_flow_grid_is_even_in_the_share_of_noise() {
        let mut lambdas = [0.0; 5];
        uniform_flow(-3.0, 3.0, &mut lambdas);
        let share = |lambda: f32| 1.0 / (1.0 + f64::from(lambda).exp());
        let step = (share(3.0) - share(-3.0)) / 4.0;
        for (i, lambda) in lambdas.iter().enumerate() {
            assert!((share(*lambda) - (share(-3.0) + step * i as f64)).abs() < 1e-6);
        }
    }

    #[test]
    fn trailing_times_start_at_pure_noise_and_lead_to_the_data_in_even_steps() {
        // Lin et al. 2024, table 2: of 1,000 steps, five trailing ones are 1000, 800, 600, 400, 200.
        let mut lambdas = [0.0; 5];
        for schedule in [&ZeroTerminal::DEFAULT as &dyn NoiseSchedule, &Flow] {
            trailing_time(schedule, 1.0, &mut lambdas);
            assert_eq!(lambdas[0], f32::NEG_INFINITY);
            for (lambda, t) in lambdas.iter().zip([1.0, 0.8, 0.6, 0.4, 0.2]) {
                assert!((schedule.time(*lambda) - t).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn karras_matches_the_published_formula() {
        // sigma_i = (80^(1/7) + i/17 (0.002^(1/7) - 80^(1/7)))^7 at i = 9, evaluated in double precision: 1.5017.
        let mut lambdas = [0.0; 18];
        karras(-(80f32.ln()), -(0.002f32.ln()), 7.0, &mut lambdas);
        let expected =
            (80f64.powf(1.0 / 7.0) + 9.0 / 17.0 * (0.002f64.powf(1.0 / 7.0) - 80f64.powf(1.0 / 7.0))).powi(7);
        assert!(((-lambdas[9]).exp() as f64 / expected - 1.0).abs() < 1e-5);
    }
}
