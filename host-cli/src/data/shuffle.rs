//! The small seeded generator behind shuffled splits and metric directions.

/// SplitMix64: a 64-bit counter with an avalanche function on top.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; constants as in Vigna's
/// `splitmix64.c`. Statistical use only: nothing that a board must repeat is drawn from it.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A uniform number in (0, 1], a multiple of 2^-53.
    pub fn next_unit(&mut self) -> f64 {
        ((self.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform integer below `bound` (which must be positive), free of bias: Lemire, "Fast random integer generation in an
    /// interval", ACM TOMACS 29 (2019).
    fn next_below(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }
}

/// A random order of 0..`count`, each order equally likely (Fisher and Yates), the same for the same seed.
pub fn permutation(count: usize, seed: u64) -> Vec<usize> {
    let mut random = SplitMix64::new(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.next_below(last as u64 + 1) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_the_published_numbers() {
        // Seed 1234567, from splitmix64.c (Vigna), as listed on Rosetta Code, "Pseudo-random numbers/Splitmix64".
        let mut random = SplitMix64::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected, std::array::from_fn(|_| random.next_u64()));
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = permutation(1000, 7);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
        assert!(permutation(0, 7).is_empty());
    }

    #[test]
    fn the_six_orders_of_three_are_equally_likely() {
        // Chi-square, 5 degrees of freedom, 60,000 draws; the .9999 quantile is 25.74.
        let mut counts = std::collections::HashMap::new();
        for seed in 0..60_000u64 {
            *counts.entry(permutation(3, seed)).or_insert(0.0) += 1.0;
        }
        let statistic: f64 = counts.values().map(|n: &f64| (n - 1e4).powi(2) / 1e4).sum();
        assert_eq!(counts.len(), 6);
        assert!(statistic < 25.74, "{statistic}");
    }
}
