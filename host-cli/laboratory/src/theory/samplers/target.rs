//! Data with an exact score: mixtures of equal isotropic normals, scaled to unit variance and centred.

use mote_core::random::{NormalSource, Stream, StreamSequence, Ziggurat};
use mote_core::score::Component;
use rand_core::Rng as _;
use rayon::prelude::*;

/// A mixture: its centres and the deviation that they share.
pub(super) struct Target {
    pub centres: Vec<Vec<f32>>,
    pub deviation: f32,
}

impl Target {
    /// Centres and deviation as given, moved to mean 0 and scaled to unit mean variance a component.
    pub fn new(centres: &[Vec<f64>], deviation: f64) -> Self {
        let (count, dim) = (centres.len() as f64, centres[0].len());
        let mean: Vec<f64> = (0..dim).map(|i| centres.iter().map(|centre| centre[i]).sum::<f64>() / count).collect();
        let square: f64 = centres.iter().flat_map(|c| c.iter().zip(&mean).map(|(x, m)| (x - m) * (x - m))).sum();
        let scale = (square / (count * dim as f64) + deviation * deviation).sqrt();
        let scaled = |centre: &Vec<f64>| centre.iter().zip(&mean).map(|(x, m)| ((x - m) / scale) as f32).collect();
        Self { centres: centres.iter().map(scaled).collect(), deviation: (deviation / scale) as f32 }
    }

    pub fn dim(&self) -> usize {
        self.centres[0].len()
    }

    pub fn components(&self) -> Vec<Component<'_>> {
        self.centres.iter().map(|mean| Component { weight: 1.0, mean, deviation: self.deviation }).collect()
    }

    /// Independent draws, one after another.
    pub fn draw(&self, count: usize, seed: u64) -> Vec<f32> {
        let mut noise = Ziggurat::new(Stream::new(seed));
        let mut choice = Stream::new(!seed);
        let mut out = Vec::with_capacity(count * self.dim());
        for _ in 0..count {
            // The high half of a product with a 32-bit draw: even to 3e-8.
            let centre = (u64::from(choice.next_u32()) * self.centres.len() as u64) >> 32;
            out.extend(self.centres[centre as usize].iter().map(|x| x + self.deviation * noise.normal()));
        }
        out
    }
}

/// Unit vectors, uniform on the sphere.
pub(super) fn directions(dim: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut noise = Ziggurat::new(Stream::new(seed));
    let mut direction = || {
        let v: Vec<f32> = (0..dim).map(|_| noise.normal()).collect();
        let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.into_iter().map(|x| x / length).collect()
    };
    (0..count).map(|_| direction()).collect()
}

/// A set's projections on each direction, sorted: as integers that have the order of the floats, which sort faster.
pub(super) fn projections(points: &[f32], dim: usize, directions: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let key = |x: f32| {
        let bits = x.to_bits() as i32;
        bits ^ ((bits >> 31) as u32 >> 1) as i32
    };
    let value = |key: i32| f32::from_bits((key ^ ((key >> 31) as u32 >> 1) as i32) as u32);
    directions
        .par_iter()
        .map(|u| {
            let project = |x: &[f32]| key(x.iter().zip(u).map(|(x, u)| x * u).sum());
            let mut keys: Vec<i32> = points.chunks_exact(dim).map(project).collect();
            keys.sort_unstable();
            keys.into_iter().map(value).collect()
        })
        .collect()
}

/// Sliced Wasserstein-2 distance of two sets of the same size from their sorted projections, averaged over all ranks and directions.
pub(super) fn sliced_w2(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let gap = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
    let sums: Vec<f64> =
        a.par_iter().zip(b).map(|(a, b)| a.iter().zip(b).map(gap).sum::<f64>() / a.len() as f64).collect();
    (sums.iter().sum::<f64>() / sums.len() as f64).sqrt()
}

/// One stream for each sample.
pub(super) fn streams(count: usize, seed: u64) -> Vec<Stream> {
    let mut sequence = StreamSequence::starting_at(seed, 0);
    (0..count).map(|_| sequence.next_stream()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_unit_variance_and_the_distance_is_that_of_sorted_values() {
        let target = Target::new(&[vec![1.0, 5.0], vec![3.0, 5.0]], 0.5);
        // Deviations 1 and 0 around the mean: (1 + 0) / 2 + 0.25 = 0.75.
        assert!((f64::from(target.deviation) - 0.5 / 0.75f64.sqrt()).abs() < 1e-6);
        assert_eq!((target.centres[0][0], target.centres[0][1]), (-(1.0 / 0.75f64.sqrt()) as f32, 0.0));
        let one = vec![vec![1.0f32]];
        let (a, b) = (projections(&[3.0, -1.0, -2.0], 1, &one), projections(&[0.5, 3.5, -2.0], 1, &one));
        assert_eq!(a, [[-2.0, -1.0, 3.0]]);
        // (0 + 1.5^2 + 0.5^2) / 3.
        assert!((sliced_w2(&a, &b) - (2.5f64 / 3.0).sqrt()).abs() < 1e-7);
    }
}
