//! Itô's calculus: sums that tend to stochastic integrals, and the generator of his lemma.

/// In whose sense `int y dW` is meant: where in each cell of a sum the integrand is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Itô's: at the cell's beginning, before its noise is known; the integral has mean zero.
    Ito,
    /// Stratonovich's: the mean of both ends; the ordinary chain rule holds.
    Stratonovich,
}

impl Sense {
    /// One cell's share of a sum that tends to `int y dW`, from the integrand at both of its ends and the increment `w`.
    #[inline(always)]
    #[must_use]
    pub fn term(self, before: f32, after: f32, w: f32) -> f32 {
        match self {
            Self::Ito => before * w,
            Self::Stratonovich => 0.5 * (before + after) * w,
        }
    }
}

/// The generator `phi' f + phi'' g^2 / 2`: the rate at which the mean of `phi(X)` grows where `dX = f dt + g dW` (Itô).
///
/// By Itô's lemma `d phi(X) = (phi' f + phi'' g^2 / 2) dt + phi' g dW`; by Dynkin's formula the derivative of `E[phi(X)]` is
/// the mean of the generator. Sources: Itô 1951, "On a formula concerning stochastic differentials"; Dynkin 1965, "Markov
/// Processes".
#[inline(always)]
#[must_use]
pub fn generator(slope: f32, curvature: f32, drift: f32, diffusion: f32) -> f32 {
    slope * drift + 0.5 * curvature * diffusion * diffusion
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_w_dw_over_three_steps_of_a_walk() {
        // The walk 0, 1, -1, 2. By hand: 0*1 + 1*(-2) + (-1)*3 = -5, and the mean of both ends gives 2^2 / 2.
        let walk = [0.0f32, 1.0, -1.0, 2.0];
        let sum = |sense: Sense| walk.windows(2).map(|w| sense.term(w[0], w[1], w[1] - w[0])).sum::<f32>();
        assert_eq!((sum(Sense::Ito), sum(Sense::Stratonovich)), (-5.0, 2.0));
    }

    #[test]
    fn the_generator_kills_the_scale_function_of_brownian_motion_with_drift() {
        // phi = e^(-2 f x / g^2) solves phi' f + phi'' g^2 / 2 = 0: its slope is -a phi and its curvature a^2 phi, a = 2 f / g^2.
        let (f, g) = (1.5f32, 2.0f32);
        let a = 2.0 * f / (g * g);
        assert_eq!(generator(-a, a * a, f, g), 0.0);
        // And the mean of X^2 grows by g^2 from rest at 0.
        assert_eq!(generator(0.0, 2.0, f, g), g * g);
    }
}
