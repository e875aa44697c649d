use super::{NoiseLevel, VpLinear};
use crate::math;

/// The rates of a discrete chain, `x_i = sqrt(1 - beta_i) x_(i-1) + sqrt(beta_i) z` for i from 1 to `steps`, with `beta_i`
/// linear in i (Ho, Jain and Abbeel 2020, section 4).
///
/// Given the data `x_0`, `x_i` is normal with `alpha_bar_i = alpha^2 = (1 - beta_1) ... (1 - beta_i)` and `sigma^2 = 1 - alpha_bar_i`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DdpmBetas {
    /// `beta_1`, positive.
    pub first: f32,
    /// `beta_steps`, below 1.
    pub last: f32,
    /// Number of steps.
    pub steps: u32,
}

impl DdpmBetas {
    /// 1e-4 to 0.02 in 1,000 steps, as published.
    pub const DEFAULT: Self = Self { first: 1e-4, last: 0.02, steps: 1000 };

    /// The chain of a rate that is spread over `steps` steps, from `beta_min / steps` to `beta_max / steps`.
    ///
    /// The rates add up to the integral of beta over [0, 1] exactly, so that `ln alpha_bar` of the whole chain lies below the schedule's by
    /// `sum beta_i^2 / 2 + O(1 / steps^2)`, which is of first order in `1 / steps` (Song et al. 2021, appendix B).
    #[must_use]
    pub fn of_rate(rate: VpLinear, steps: u32) -> Self {
        let n = steps as f32;
        Self { first: rate.beta_min / n, last: rate.beta_max / n, steps }
    }

    /// `beta_i` of step i, counted from 1.
    #[must_use]
    pub fn beta(&self, i: u32) -> f32 {
        let last = self.steps.saturating_sub(1).max(1) as f32;
        self.first + (self.last - self.first) * (i.saturating_sub(1) as f32 / last)
    }

    /// Takes `x` over step i of the chain, `sqrt(1 - beta_i) x + sqrt(beta_i) z`, with one standard normal of `normals` a component.
    pub fn step(&self, i: u32, normals: &[f32], x: &mut [f32]) {
        let beta = self.beta(i);
        let (kept, fresh) = (math::sqrt(1.0 - beta), math::sqrt(beta));
        for (x, z) in x.iter_mut().zip(normals) {
            *x = kept * *x + fresh * z;
        }
    }

    /// The levels after the steps 1, 2 and so on.
    ///
    /// The product is a compensated sum of logarithms, so that the relative errors of alpha and sigma stay below 1e-6.
    pub fn levels(&self) -> impl Iterator<Item = NoiseLevel> + use<> {
        let betas = *self;
        (1..=betas.steps).scan((0.0f32, 0.0f32), move |(log, lost), i| {
            let next = math::ln_1p(-betas.beta(i)) - *lost;
            let total = *log + next;
            *lost = (total - *log) - next;
            *log = total;
            Some(NoiseLevel { alpha: math::exp(0.5 * total), sigma: math::sqrt(-math::expm1(total)) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_the_product_in_double_precision() {
        for betas in [DdpmBetas::DEFAULT, DdpmBetas::of_rate(VpLinear::DEFAULT, 40)] {
            let (mut product, mut count) = (1.0f64, 0);
            for (level, i) in betas.levels().zip(1..) {
                product *= 1.0 - f64::from(betas.beta(i));
                assert!((f64::from(level.alpha) / product.sqrt() - 1.0).abs() < 1e-6, "{i}");
                assert!((f64::from(level.sigma) / (1.0 - product).sqrt() - 1.0).abs() < 1e-6, "{i}");
                count += 1;
            }
            assert_eq!(count, betas.steps);
        }
    }

    #[test]
    fn a_path_of_the_chain_is_the_sum_of_its_noises() {
        // From 0 the noise of step j comes out times sqrt(beta_j) and the sqrt(1 - beta_i) of the steps after it.
        let betas = DdpmBetas { first: 0.1, last: 0.3, steps: 3 };
        let (z, mut x) = ([[1.0f32], [-2.0], [0.5]], [0.0]);
        for (i, z) in (1..).zip(&z) {
            betas.step(i, z, &mut x);
        }
        let expected = (0.1f64 * 0.8 * 0.7).sqrt() - 2.0 * (0.2f64 * 0.7).sqrt() + 0.5 * 0.3f64.sqrt();
        assert!((f64::from(x[0]) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_published_chain_ends_where_it_is_known_to() {
        // The reference implementation's alphas_cumprod[999] is 4.0358e-5 (the product of 1 - linspace(1e-4, .02, 1000)).
        let alpha = DdpmBetas::DEFAULT.levels().last().unwrap().alpha;
        assert!((alpha * alpha / 4.0358e-5 - 1.0).abs() < 1e-4, "{}", alpha * alpha);
        assert_eq!(DdpmBetas::DEFAULT.beta(1), 1e-4);
        assert_eq!(DdpmBetas::DEFAULT.beta(1000), 0.02);
    }
}
