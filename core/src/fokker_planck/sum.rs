/// A running sum in two floats, whose relative error hardly grows with the number of terms.
///
/// Error for n terms of one sign: 1 ulp plus `n 2^-47`, relative; Neumaier's sum, which adds up the lost parts in one
/// float, has `n^2` there. Source: Joldes, Muller and Popescu 2017, algorithm 4 (a double word plus a word).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CompensatedSum {
    sum: f32,
    lost: f32,
}

impl CompensatedSum {
    pub(super) fn add(&mut self, term: f32) {
        let sum = self.sum + term;
        // The smaller of the two loses its low bits; this recovers them exactly.
        let lost = if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        let lost = lost + self.lost;
        self.sum = sum + lost;
        self.lost = lost - (self.sum - sum);
    }

    pub(super) fn total(self) -> f32 {
        self.sum + self.lost
    }
}

impl FromIterator<f32> for CompensatedSum {
    fn from_iter<I: IntoIterator<Item = f32>>(terms: I) -> Self {
        let mut sum = Self::default();
        for term in terms {
            sum.add(term);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_beside_a_large_one_are_not_lost() {
        // 2^24 + 1000 terms of 1: a plain f32 sum stays at 2^24.
        let terms = core::iter::once(16_777_216.0).chain(core::iter::repeat_n(1.0, 1000));
        assert_eq!(terms.clone().sum::<f32>(), 16_777_216.0);
        assert_eq!(terms.collect::<CompensatedSum>().total(), 16_778_216.0);
    }

    #[test]
    fn a_large_term_that_cancels_leaves_the_small_ones() {
        // Neumaier's own example, on which Kahan's sum gives 0.
        let sum: CompensatedSum = [1.0, 1e30, 1.0, -1e30].into_iter().collect();
        assert_eq!(sum.total(), 2.0);
    }
}
