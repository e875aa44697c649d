//! Integrals in double precision, the yardstick of what the library computes in single precision.

/// The integral of `f` from `from` to `to` by the trapezoid rule in `cells` cells.
///
/// For a smooth integrand that vanishes at both ends the error falls faster than any power of the cell's length: below 1e-12 of the
/// integral where a cell is at most a third of the narrowest bell's deviation (Trefethen and Weideman 2014).
pub(super) fn integral((from, to): (f64, f64), cells: u32, f: impl Fn(f64) -> f64) -> f64 {
    let cell = (to - from) / f64::from(cells);
    let inner: f64 = (1..cells).map(|i| f(from + cell * f64::from(i))).sum();
    cell * (inner + 0.5 * (f(from) + f(to)))
}

/// The derivative of `f` at `x` by central differences over `2 step` to either side, with an error of order `step^4`.
pub(super) fn slope(x: f64, step: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(x + step) - f(x - step)) - (f(x + 2.0 * step) - f(x - 2.0 * step))) / (12.0 * step)
}

/// The density of N(mean, variance) at `x`.
pub(super) fn normal_density(x: f64, mean: f64, variance: f64) -> f64 {
    (-0.5 * (x - mean).powi(2) / variance).exp() / (std::f64::consts::TAU * variance).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_integrates_to_one_and_a_cubic_has_its_slope() {
        assert!((integral((-9.0, 9.0), 60, |x| normal_density(x, 0.3, 1.0)) - 1.0).abs() < 1e-13);
        assert!((slope(2.0, 0.1, |x| x.powi(3)) - 12.0).abs() < 1e-12);
    }
}
