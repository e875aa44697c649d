/// A damped particle in a spring under white noise: `dq = v dt`, `dv = -friction v dt - stiffness q dt + noise dW`.
///
/// Closed forms of mean and covariance, without a spring too. Source: Chandrasekhar 1943, "Stochastic problems in physics and
/// astronomy", chapter II.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oscillator {
    /// Rate at which velocity is lost, positive.
    pub friction: f64,
    /// Second derivative of the energy, not negative.
    pub stiffness: f64,
    /// Strength of the noise.
    pub noise: f64,
}

type Matrix = [[f64; 2]; 2];

impl Oscillator {
    /// `e^(A t)` of the matrix `A = [[0, 1], [-stiffness, -friction]]`, row by row.
    pub fn propagator(&self, t: f64) -> Matrix {
        let half = 0.5 * self.friction;
        let square = half * half - self.stiffness;
        // e^(-half t) times the cosine and the sine over the frequency, of an imaginary frequency where it is overdamped.
        let (c, s) = if square > 0.0 {
            let rate = square.sqrt();
            let slow = (-self.stiffness / (half + rate) * t).exp();
            let fast = (-(half + rate) * t).exp();
            (0.5 * (slow + fast), slow * -f64::exp_m1(-2.0 * rate * t) / (2.0 * rate))
        } else if square < 0.0 {
            let (rate, decay) = ((-square).sqrt(), (-half * t).exp());
            (decay * (rate * t).cos(), decay * (rate * t).sin() / rate)
        } else {
            let decay = (-half * t).exp();
            (decay, decay * t)
        };
        [[c + half * s, s], [-self.stiffness * s, c - half * s]]
    }

    /// The mean at t from that at 0.
    pub fn mean(&self, start: [f64; 2], t: f64) -> [f64; 2] {
        self.propagator(t).map(|row| row[0] * start[0] + row[1] * start[1])
    }

    /// The covariance at t from that at 0.
    pub fn covariance(&self, start: Matrix, t: f64) -> Matrix {
        let temperature = self.noise * self.noise / (2.0 * self.friction);
        let move_on = |m: Matrix| {
            let e = self.propagator(t);
            let entry = |i: usize, j: usize| {
                (0..2).map(|k| (0..2).map(|l| e[i][k] * m[k][l] * e[j][l]).sum::<f64>()).sum::<f64>()
            };
            [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
        };
        if self.stiffness > 0.0 {
            // What the start has beyond the stationary law dies out.
            let stationary = [[temperature / self.stiffness, 0.0], [0.0, temperature]];
            let gap = |i: usize, j: usize| start[i][j] - stationary[i][j];
            let moved = move_on([[gap(0, 0), gap(0, 1)], [gap(1, 0), gap(1, 1)]]);
            return std::array::from_fn(|i| std::array::from_fn(|j| stationary[i][j] + moved[i][j]));
        }
        let x = self.friction * t;
        let lost = -f64::exp_m1(-x);
        let both = temperature / self.friction * lost * lost;
        let noise = [
            [temperature / (self.friction * self.friction) * spread(x), both],
            [both, temperature * -f64::exp_m1(-2.0 * x)],
        ];
        let moved = move_on(start);
        std::array::from_fn(|i| std::array::from_fn(|j| noise[i][j] + moved[i][j]))
    }
}

/// `2x - 3 + 4 e^-x - e^-2x`, which begins as 2x^3 / 3, by its series where it would cancel.
fn spread(x: f64) -> f64 {
    if x > 0.5 {
        return 2.0 * x - 3.0 + 4.0 * (-x).exp() - (-2.0 * x).exp();
    }
    let (mut power, mut double, mut sum) = (1.0, 1.0, 0.0);
    for n in 1..=24 {
        power *= -x / f64::from(n);
        double *= 2.0;
        if n >= 3 {
            sum += power * (4.0 - double);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moment equations m' = A m, S' = A S + S A^T + diag(0, noise^2) by RK4.
    fn integrate(of: &Oscillator, mean: [f64; 2], spread: Matrix, end: f64) -> [f64; 5] {
        let slope = |y: [f64; 5]| {
            let [q, v, qq, qv, vv] = y;
            let (k, g) = (of.stiffness, of.friction);
            [v, -k * q - g * v, 2.0 * qv, vv - k * qq - g * qv, -2.0 * (k * qv + g * vv) + of.noise * of.noise]
        };
        let ahead = |y: [f64; 5], k: [f64; 5], h: f64| std::array::from_fn(|i| y[i] + h * k[i]);
        let mut y = [mean[0], mean[1], spread[0][0], spread[0][1], spread[1][1]];
        let (n, h) = (4000, end / 4000.0);
        for _ in 0..n {
            let k1 = slope(y);
            let k2 = slope(ahead(y, k1, h / 2.0));
            let k3 = slope(ahead(y, k2, h / 2.0));
            let k4 = slope(ahead(y, k3, h));
            y = std::array::from_fn(|i| y[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
        }
        y
    }

    #[test]
    fn closed_forms_solve_the_moment_equations_free_and_under_over_and_critically_damped() {
        for (friction, stiffness) in [(1.0, 0.0), (0.3, 0.0), (0.5, 4.0), (5.0, 1.0), (2.0, 1.0), (1.0, 1e-3)] {
            let of = Oscillator { friction, stiffness, noise: 1.3 };
            let (mean, spread) = ([0.7, -1.1], [[0.4, 0.1], [0.1, 0.9]]);
            for t in [0.0, 0.01, 0.4, 3.0] {
                let expected = integrate(&of, mean, spread, t);
                let (m, s) = (of.mean(mean, t), of.covariance(spread, t));
                for (found, expected) in [m[0], m[1], s[0][0], s[0][1], s[1][1]].iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{of:?} {t}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn long_times_reach_equipartition_and_free_particles_diffuse() {
        let of = Oscillator { friction: 3.0, stiffness: 2.0, noise: 1.5 };
        let s = of.covariance([[0.0; 2]; 2], 1e4);
        let temperature = 2.25 / 6.0;
        assert!(
            (2.0 * s[0][0] - temperature).abs() < 1e-12
                && (s[1][1] - temperature).abs() < 1e-12
                && s[0][1].abs() < 1e-12
        );
        // Einstein's relation: D = temperature / friction.
        let free = Oscillator { stiffness: 0.0, ..of }.covariance([[0.0; 2]; 2], 1e6);
        assert!((free[0][0] / (2.0 * temperature / 3.0 * 1e6) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_series_meets_the_formula() {
        for x in [0.3f64, 0.5] {
            let formula = 2.0 * x - 3.0 + 4.0 * (-x).exp() - (-2.0 * x).exp();
            assert!((spread(x) - formula).abs() < 2e-15);
        }
        assert!((spread(1e-6) / (2e-18 / 3.0) - 1.0).abs() < 1e-6);
    }
}
