use statrs::distribution::{ContinuousCDF, Normal};

use super::Law;

/// The covariance of X and T(X), where T is the increasing map that takes the law of X to another: `Cov(X, G^-1(F(X)))`.
///
/// It is the largest covariance that the two laws allow (Hoeffding 1940). By the trapezoid rule over nine deviations of each part of the first
/// law, whose parts need a deviation above 0; the quantiles by bisection. Error about 1e-6 of the deviations.
pub(super) fn monotone_covariance(first: &Law, second: &Law) -> f64 {
    const NODES: i32 = 300;
    let step = 9.0 / f64::from(NODES);
    let (mut sum, mut mass) = (0.0, 0.0);
    for part in &first.parts {
        for i in -NODES..=NODES {
            let z = f64::from(i) * step;
            let weight = part.weight * (-0.5 * z * z).exp();
            let x = f64::from(part.mean) + f64::from(part.deviation) * z;
            sum += weight * (x - first.mean()) * (image(first, second, x) - second.mean());
            mass += weight;
        }
    }
    sum / mass
}

/// The quantile of the second law at the first's probability of `x`.
fn image(first: &Law, second: &Law, x: f64) -> f64 {
    let [below, above] = tails(first, x);
    let reach = |part: &super::Part| (f64::from(part.mean), 40.0 * f64::from(part.deviation));
    let mut low = second.parts.iter().map(reach).map(|(m, r)| m - r).fold(f64::INFINITY, f64::min);
    let mut high = second.parts.iter().map(reach).map(|(m, r)| m + r).fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        // By the smaller tail, which has all its digits.
        let [left, right] = tails(second, middle);
        if if below < above { left < below } else { right > above } { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The probabilities below and above `x`.
fn tails(law: &Law, x: f64) -> [f64; 2] {
    let normal = Normal::standard();
    law.parts.iter().fold([0.0, 0.0], |[below, above], part| {
        let z = (x - f64::from(part.mean)) / f64::from(part.deviation);
        [below + part.weight * normal.cdf(z), above + part.weight * normal.sf(z)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Part;

    fn law(parts: &[(f64, f32, f32)]) -> Law {
        Law { parts: parts.iter().map(|&(weight, mean, deviation)| Part { weight, mean, deviation }).collect() }
    }

    #[test]
    fn between_normal_laws_the_map_is_linear() {
        // T(x) = 5 + (3/2) (x - 1), so that the covariance is the product of the deviations.
        let covariance = monotone_covariance(&law(&[(1.0, 1.0, 2.0)]), &law(&[(1.0, 5.0, 3.0)]));
        assert!((covariance - 6.0).abs() < 1e-6, "{covariance}");
    }

    #[test]
    fn a_law_covaries_with_itself_by_its_variance_and_with_a_scaled_self_by_the_scale() {
        let two = law(&[(0.3, -2.0, 0.25), (0.7, 1.0, 0.5)]);
        let half = law(&[(0.3, -1.0, 0.125), (0.7, 0.5, 0.25)]);
        assert!((monotone_covariance(&two, &two) - two.variance()).abs() < 1e-6);
        assert!((monotone_covariance(&two, &half) - 0.5 * two.variance()).abs() < 1e-6);
    }

    #[test]
    fn far_apart_modes_keep_to_their_sides_of_a_normal_law() {
        // Modes too narrow to see turn a standard normal into its sign: E[z sign z] = sqrt(2 / pi).
        let covariance = monotone_covariance(&law(&[(1.0, 0.0, 1.0)]), &law(&[(0.5, -1.0, 1e-6), (0.5, 1.0, 1e-6)]));
        assert!((covariance - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-3, "{covariance}");
    }
}
