//! Error bars from draws about an estimate.

use super::draws::{mean, quantile};

/// Places draws about an estimate: each draw's difference from the mean of the draws, times `factor`, on the estimate.
///
/// The estimate is the mean of the law that is drawn from, so the mean of a few draws only adds an error of its own to it.
pub fn place_about(estimates: &[Vec<f32>], draws: &mut [Vec<Vec<f32>>], factor: f32) {
    for (estimate, draws) in estimates.iter().zip(draws) {
        for (index, center) in estimate.iter().enumerate() {
            let drawn: Vec<f32> = draws.iter().map(|draw| draw[index]).collect();
            let middle = mean(&drawn);
            draws.iter_mut().zip(drawn).for_each(|(draw, x)| draw[index] = center + factor * (x - middle));
        }
    }
}

/// The ends of the interval of each value that holds a share of its draws.
#[must_use]
pub fn bounds(draws: &[Vec<Vec<f32>>], coverage: f64) -> [Vec<Vec<f32>>; 2] {
    let ends = |draws: &Vec<Vec<f32>>| -> (Vec<f32>, Vec<f32>) {
        let length = draws.first().map_or(0, Vec::len);
        (0..length).map(|index| ends_of(draws.iter().map(|draw| draw[index]), coverage)).unzip()
    };
    let (low, high) = draws.iter().map(ends).unzip();
    [low, high]
}

fn ends_of(drawn: impl Iterator<Item = f32>, coverage: f64) -> (f32, f32) {
    let mut drawn: Vec<f32> = drawn.collect();
    drawn.sort_unstable_by(f32::total_cmp);
    (quantile(&drawn, 0.5 - coverage / 2.0), quantile(&drawn, 0.5 + coverage / 2.0))
}

/// The factor by which draws, placed about their estimates, have to be spread so that intervals hold the truth as often as they say: the share `coverage` of
/// the factors that single values ask for, since an interval grows in proportion. None where nothing is known.
#[must_use]
pub fn covering_factor(
    truth: &[Vec<f32>],
    estimates: &[Vec<f32>],
    placed: &[Vec<Vec<f32>>],
    coverage: f64,
) -> Option<f32> {
    let [low, high] = bounds(placed, coverage);
    let values = |pieces: &[Vec<f32>]| pieces.iter().flatten().copied().collect::<Vec<f32>>();
    let (truth, estimates, low, high) = (values(truth), values(estimates), values(&low), values(&high));
    let mut asked: Vec<f32> = truth
        .iter()
        .zip(&estimates)
        .zip(low.iter().zip(&high))
        .map(|((truth, estimate), (low, high))| {
            let miss = truth - estimate;
            let reach = if miss > 0.0 { high - estimate } else { low - estimate };
            // Draws that are all on one side of their mean reach nothing on the other.
            if miss == 0.0 || miss.is_nan() { miss.abs() } else { (miss / reach).max(0.0) }
        })
        .filter(|factor| !factor.is_nan())
        .collect();
    asked.sort_unstable_by(f32::total_cmp);
    let place = (coverage * asked.len() as f64).ceil() as usize;
    asked.get(place.max(1) - 1).copied().filter(|factor| factor.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};

    #[test]
    fn draws_are_placed_about_the_estimate_and_spread() {
        let mut draws = vec![vec![vec![1.0, f32::NAN], vec![5.0, f32::NAN]]];
        place_about(&[vec![10.0, f32::NAN]], &mut draws, 0.5);
        assert_eq!((draws[0][0][0], draws[0][1][0]), (9.0, 11.0));
        assert!(draws[0][0][1].is_nan());
        let [low, high] = bounds(&draws, 0.9);
        assert_eq!((low[0][0], high[0][0]), (9.0, 11.0));
    }

    #[test]
    fn draws_that_are_too_narrow_are_spread_by_what_they_lack() {
        // The truth has deviation 1 about the estimates, the draws .5: a factor of 2. 5,000 values of 39 draws, so that 5% and 95% are the second and the 38th.
        // The quantile of 5,000 has a standard error of 2%, and the spread of 39 draws' ends about their own adds nothing to the middle.
        let mut noise = Ziggurat::new(Stream::new(6));
        let mut normals = |deviation: f32| -> Vec<f32> { (0..5000).map(|_| deviation * noise.normal()).collect() };
        let (truth, estimates) = (vec![normals(1.0)], vec![vec![0.0; 5000]]);
        let mut draws = vec![(0..39).map(|_| normals(0.5)).collect::<Vec<_>>()];
        place_about(&estimates, &mut draws, 1.0);
        let factor = covering_factor(&truth, &estimates, &draws, 0.9).unwrap();
        assert!((factor - 2.0).abs() < 0.2, "{factor}");
        // And spread so, 90% lie inside: by definition of the factor, but for one value.
        place_about(&estimates, &mut draws, factor);
        let [low, high] = bounds(&draws, 0.9);
        let inside = (0..5000).filter(|i| (low[0][*i]..=high[0][*i]).contains(&truth[0][*i])).count();
        assert!(inside.abs_diff(4500) <= 2, "{inside}");
        assert_eq!(covering_factor(&[vec![f32::NAN]], &[vec![0.0]], &[vec![vec![0.0]]], 0.9), None);
    }
}
