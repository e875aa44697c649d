//! First weights, a pure function of the seed.

use super::{Dense, FloatNetwork, Shape, ShapeError};

/// Mixes words into one: SplitMix64's finaliser (Steele, Lea and Flood 2014), chained.
///
/// Stateless, so that what step k draws does not depend on what was drawn before it.
pub(crate) fn hash(words: &[u64]) -> u64 {
    let mut state = 0_u64;
    for &word in words {
        state = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// The top 24 bits of a word as a number strictly between 0 and 1.
pub(crate) fn unit(word: u64) -> f64 {
    ((word >> 40) as f64 + 0.5) / f64::from(1 << 24)
}

/// Numbers of a sequence that is spread evenly over 0 to 1 whatever its length: the multiples of the golden ratio, from a start, without their whole parts.
pub(crate) fn spread(start: f64, number: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    (start + number as f64 * GOLDEN).fract()
}

/// Keeps the draws of the first weights apart from those of training.
const PURPOSE: u64 = 0x696e_6974_6961_6c00;

impl FloatNetwork {
    /// A network with weights and biases uniform in ±1/sqrt(fan-in), as in LeCun et al. (1998) and
    /// PyTorch's `Linear`; the fan-in counts time features and classes. Depends on `seed` alone.
    ///
    /// # Errors
    /// The shape's own, from [`Shape::validate`].
    pub fn initial(shape: Shape, seed: u64) -> Result<Self, ShapeError> {
        shape.validate()?;
        let layers = (0..shape.layer_count())
            .map(|layer| {
                let mut dense = Dense::zeros(&shape, layer);
                let fan_in = dense.cols + dense.features() + dense.classes();
                let bound = 1.0 / (fan_in as f64).sqrt();
                let mut index = 0;
                for values in [&mut dense.weight, &mut dense.level, &mut dense.class, &mut dense.bias] {
                    for value in values {
                        let u = unit(hash(&[seed, PURPOSE, layer as u64, index]));
                        *value = (bound * (2.0 * u - 1.0)) as f32;
                        index += 1;
                    }
                }
                dense
            })
            .collect();
        Ok(Self::assemble(shape, layers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Conditioning};

    #[test]
    fn hash_chains_the_splitmix64_finaliser() {
        // First outputs of SplitMix64 with seed 1234567, from the Rosetta Code page on the generator;
        // its state after n steps is seed + n times the golden ratio word.
        let seed = 1_234_567_u64;
        assert_eq!(hash(&[seed]), 6_457_827_717_110_365_317);
        let second = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        assert_eq!(hash(&[second]), 3_203_168_211_198_807_973);
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    }

    #[test]
    fn first_weights_are_uniform_and_depend_on_the_seed_alone() {
        let shape = Shape {
            dim_in: 64,
            dim_out: 64,
            hidden: vec![128; 3],
            activation: Activation::Relu,
            residual: false,
            features: 16,
            max_frequency: 1000.0,
            own_frequencies: Vec::new(),
            classes: 0,
            conditioning: Conditioning::FirstLayer,
        };
        let a = FloatNetwork::initial(shape.clone(), 7).unwrap();
        assert_eq!(a, FloatNetwork::initial(shape.clone(), 7).unwrap());
        assert_ne!(a, FloatNetwork::initial(shape, 8).unwrap());
        // First layer: fan-in 64 + 16 = 80. A uniform variable on ±b has variance b^2/3, and the mean of
        // n = 8192 squares has standard deviation b^2 sqrt(4/45/n); five of them: false alarm 6e-7.
        let weight = &a.layers()[0].weight;
        let bound = 1.0 / 80_f64.sqrt();
        assert!(weight.iter().all(|w| f64::from(w.abs()) <= bound));
        let n = weight.len() as f64;
        let mean_square = weight.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / n;
        let tolerance = 5.0 * bound * bound * (4.0 / 45.0 / n).sqrt();
        assert!((mean_square - bound * bound / 3.0).abs() < tolerance);
    }
}
