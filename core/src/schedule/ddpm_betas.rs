use super::{NoiseLevel, NoiseSchedule, VpLinear};
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

/// Terms of the series in beta below; the next one is under 1e-8 of the sum for rates up to 0.05.
const SERIES: u8 = 5;

impl DdpmBetas {
    /// `-ln alpha_bar` after `n` steps, a whole number or not.
    ///
    /// `-ln(1 - beta) = beta + beta^2 / 2 + ...`, and each power is summed over the steps as its integral from half a step before the first to half a step after the last
    /// (the midpoint rule): `n sum over p of (sum over j of a^j b^(p-j)) / (p (p + 1))` with the rates a and b at those ends. Relative error below 2e-6 for rates up to 0.05.
    fn minus_ln_alpha_bar(&self, n: f32) -> f32 {
        let slope = (self.last - self.first) / self.steps.saturating_sub(1).max(1) as f32;
        let (a, b) = (self.first - 0.5 * slope, self.first + (n - 0.5) * slope);
        let (mut powers, mut a_power, mut sum) = (1.0f32, 1.0f32, 0.0f32);
        for p in 1..=SERIES {
            a_power *= a;
            powers = b * powers + a_power;
            sum += powers / (f32::from(p) * (f32::from(p) + 1.0));
        }
        n * sum
    }
}

/// The chain as a schedule: time `i / steps` is its step i, and the sum of logarithms is continued between steps.
///
/// For rates up to 0.05; training may then draw any time, and every grid of lambda has its levels.
impl NoiseSchedule for DdpmBetas {
    fn level(&self, t: f32) -> NoiseLevel {
        let sum = self.minus_ln_alpha_bar(t * self.steps as f32);
        NoiseLevel { alpha: math::exp(-0.5 * sum), sigma: math::sqrt(-math::expm1(-sum)) }
    }

    fn level_at_lambda(&self, lambda: f32) -> NoiseLevel {
        NoiseLevel::variance_preserving(lambda)
    }

    fn time(&self, lambda: f32) -> f32 {
        // -ln alpha_bar = ln(1 + e^(-2 lambda)) grows ever faster in n, so that Newton's steps fall to the root from the end of the chain. They stop where they
        // no longer move; a hundred is beyond what any chain takes.
        let (wanted, end) = (math::ln_1p(math::exp(-2.0 * lambda)), self.steps as f32);
        let mut n = end;
        for _ in 0..100 {
            let i = n + 0.5;
            let slope = -math::ln_1p(-(self.first + (self.last - self.first) * ((i - 1.0) / (end - 1.0).max(1.0))));
            let next = (n - (self.minus_ln_alpha_bar(n) - wanted) / slope).clamp(0.0, end);
            let moved = n - next;
            n = next;
            if moved.abs() <= 1e-7 * end {
                break;
            }
        }
        n / end
    }

    fn lambda_range(&self) -> (f32, f32) {
        (-4.6, 4.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_the_chain_at_every_step() {
        for (level, i) in DdpmBetas::DEFAULT.levels().zip(1u32..) {
            let t = i as f32 / 1000.0;
            let on_schedule = DdpmBetas::DEFAULT.level(t);
            assert!((on_schedule.alpha / level.alpha - 1.0).abs() < 6e-6, "{i}: {on_schedule:?} {level:?}");
            assert!((on_schedule.sigma / level.sigma - 1.0).abs() < 2e-6, "{i}: {on_schedule:?} {level:?}");
        }
        assert_eq!(DdpmBetas::DEFAULT.level(0.0), NoiseLevel { alpha: 1.0, sigma: 0.0 });
    }

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
