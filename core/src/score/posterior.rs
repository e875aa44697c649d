use super::Linear;
use crate::schedule::NoiseLevel;

/// The law of the state at a cleaner level given the one at a noisier level and the data, `q(x_p | x_t, x_0)`: normal in each
/// component, and the step of DDPM's ancestral sampler once a network stands for the data.
///
/// With `a = alpha_t / alpha_p` and `b = sigma_t^2 - a^2 sigma_p^2`, the forward step's scale and variance (`sqrt(1 - beta)` and `beta` in a
/// variance-preserving chain), the mean is `(a sigma_p^2 x_t + alpha_p b x_0) / sigma_t^2` and the variance `b sigma_p^2 / sigma_t^2`.
/// Written in `r = (sigma_p / alpha_p) / (sigma_t / alpha_t)`, where `b = sigma_t^2 (1 - r^2)`. Source: Ho, Jain and Abbeel 2020,
/// equations 6, 7, 11 and 12.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    /// Coefficient of the noisier state in the mean, beside the data.
    pub state: f32,
    /// Coefficient of the data in the mean.
    pub data: f32,
    /// The mean in terms of the state (`x`) and of the noise in it (`f`): `(x_t - b / sigma_t eps) / a`.
    pub epsilon_form: Linear,
    /// The variance.
    pub variance: f32,
}

impl Posterior {
    /// The posterior at `to` given the state at the noisier level `from`, for alpha and sigma of both above 0.
    #[must_use]
    pub fn between(from: NoiseLevel, to: NoiseLevel) -> Self {
        let r = to.relative_sigma() / from.relative_sigma();
        let fresh = (1.0 - r) * (1.0 + r);
        let a = from.alpha / to.alpha;
        Self {
            state: r * to.sigma / from.sigma,
            data: to.alpha * fresh,
            epsilon_form: Linear { x: 1.0 / a, f: -from.sigma * fresh / a },
            variance: to.sigma * to.sigma * fresh,
        }
    }

    /// The mean for a state and the data.
    #[must_use]
    pub fn mean(&self, x: f32, x0: f32) -> f32 {
        self.state * x + self.data * x0
    }

    /// The mean for a state and the noise in it.
    #[must_use]
    pub fn mean_of_epsilon(&self, x: f32, epsilon: f32) -> f32 {
        self.epsilon_form.at(x, epsilon)
    }

    /// The weight w of `KL(q(x_p | x_t, x_0) || N(mean of a predicted eps, variance)) = w (eps - predicted eps)^2`:
    /// `b^2 / (2 variance a^2 sigma_t^2)` (Ho et al. 2020, equation 12).
    #[must_use]
    pub fn kl_weight(&self) -> f32 {
        self.epsilon_form.f * self.epsilon_form.f / (2.0 * self.variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::DdpmBetas;

    #[test]
    fn a_chain_has_the_published_coefficients() {
        // Ho et al. 2020, equations 7, 11 and 12, in double precision.
        let betas = DdpmBetas::DEFAULT;
        let mut levels = betas.levels().enumerate();
        let (_, mut to) = levels.next().unwrap();
        let mut bar = 1.0 - f64::from(betas.beta(1));
        for (k, from) in levels {
            let beta = f64::from(betas.beta(k as u32 + 1));
            let next = bar * (1.0 - beta);
            let got = Posterior::between(from, to);
            // r comes within 1e-3 of 1, so that 1 - r^2 keeps three digits fewer than r.
            let close = |got: f32, expected: f64| assert!((f64::from(got) / expected - 1.0).abs() < 1e-3, "{k}");
            close(got.state, (1.0 - beta).sqrt() * (1.0 - bar) / (1.0 - next));
            close(got.data, bar.sqrt() * beta / (1.0 - next));
            close(got.variance, beta * (1.0 - bar) / (1.0 - next));
            close(got.epsilon_form.x, 1.0 / (1.0 - beta).sqrt());
            close(got.epsilon_form.f, -beta / (1.0 - next).sqrt() / (1.0 - beta).sqrt());
            let variance = beta * (1.0 - bar) / (1.0 - next);
            close(got.kl_weight(), beta * beta / (2.0 * variance * (1.0 - beta) * (1.0 - next)));
            (bar, to) = (next, from);
        }
    }

    #[test]
    fn both_forms_of_the_mean_agree_off_the_variance_preserving_curve() {
        let (from, to) = (NoiseLevel { alpha: 0.7, sigma: 2.0 }, NoiseLevel { alpha: 0.9, sigma: 0.8 });
        let posterior = Posterior::between(from, to);
        let (x0, epsilon) = (-0.6f32, 1.1);
        let x = from.alpha * x0 + from.sigma * epsilon;
        assert!((posterior.mean(x, x0) - posterior.mean_of_epsilon(x, epsilon)).abs() < 1e-6);
    }
}
