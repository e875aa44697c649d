//! Random directions to project on.

use crate::data::SplitMix64;

/// `count` directions, uniform on the unit sphere of `dim` dimensions, the same for the same seed.
///
/// Normals by Box and Muller (1958), each direction divided by its length. The seed of direction k is drawn from a generator at
/// `seed`, so the first directions stay the same when more are asked for.
pub(super) fn directions(dim: usize, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut seeds = SplitMix64::new(seed);
    (0..count).map(|_| direction(dim, seeds.next_u64())).collect()
}

fn direction(dim: usize, seed: u64) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    let mut normals = Vec::with_capacity(dim + 1);
    while normals.len() < dim {
        let radius = (-2.0 * random.next_unit().ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * random.next_unit()).sin_cos();
        normals.extend([radius * cos, radius * sin]);
    }
    normals.truncate(dim);
    let length = normals.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        normals.iter_mut().for_each(|x| *x /= length);
        normals
    } else {
        direction(dim, random.next_u64()) // both uniforms were 1: as rare as 2^-53
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_length_one_and_no_preference() {
        // E[u u'] = I / dim. Each of the 10 distinct entries has a standard error below sqrt(3 / (24 n)) = .0025 (dim 4: the variance
        // of u_i^2 is 3/24 - 1/16, that of u_i u_j is 1/24); .012 is 4.8 of them, a false alarm in 6e5 trials of all.
        let n = 20_000;
        let all = directions(4, n, 5);
        assert_eq!(all.len(), n);
        let mut moment = [[0.0; 4]; 4];
        for u in &all {
            let length: f64 = u.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-12);
            for (i, row) in moment.iter_mut().enumerate() {
                for (j, entry) in row.iter_mut().enumerate() {
                    *entry += u[i] * u[j] / n as f64;
                }
            }
        }
        for (i, row) in moment.iter().enumerate() {
            for (j, entry) in row.iter().enumerate() {
                let expected = if i == j { 0.25 } else { 0.0 };
                assert!((entry - expected).abs() < 0.012, "{i} {j} {entry}");
            }
        }
    }

    #[test]
    fn more_directions_begin_with_the_same_ones() {
        assert_eq!(directions(3, 9, 1)[..4], directions(3, 4, 1));
        assert_ne!(directions(3, 4, 1), directions(3, 4, 2));
        assert!(directions(1, 8, 1).iter().all(|u| u[0].abs() == 1.0));
    }
}
