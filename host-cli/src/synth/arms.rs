use serde::Serialize;

/// What a classifier learns from besides the real rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "set", rename_all = "kebab-case")]
pub enum ArmKind {
    /// Nothing.
    Real,
    /// The real rows shifted in each direction: what can be had without a network.
    Shifts,
    /// The same, and once more those that the classifier takes for their class.
    ShiftsAgreed,
    /// Samples of each class from pure noise.
    PureNoise,
    /// Variations of the real rows.
    Synthetic {
        /// Deviation of the noise that they start with.
        sigma: f32,
    },
    /// Variations of the real rows beside their shifts, which weigh as much as the real rows.
    SyntheticAndShifts {
        /// Deviation of the noise that they start with.
        sigma: f32,
    },
}

impl ArmKind {
    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Real => "real rows alone".into(),
            Self::Shifts => "+ shifts".into(),
            Self::ShiftsAgreed => "+ shifts + shifts that agree".into(),
            Self::PureNoise => "+ from pure noise".into(),
            Self::Synthetic { sigma } => format!("+ synthetic, sigma {sigma}"),
            Self::SyntheticAndShifts { sigma } => format!("+ shifts + synthetic, sigma {sigma}"),
        }
    }

    /// Whether it is what can be had without a network.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Shifts | Self::ShiftsAgreed)
    }

    /// Whether it is what the check is about: rows that a model varied, and nothing else.
    #[must_use]
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::Synthetic { .. })
    }
}

/// What classifiers reached with a set of rows, draw by draw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// The set.
    #[serde(flatten)]
    pub kind: ArmKind,
    /// What the set weighs beside the real rows, which weigh 1.
    pub weight: f64,
    /// Accuracy on the validation rows.
    pub validation: Vec<f64>,
    /// Accuracy on the test rows.
    pub test: Vec<f64>,
}

/// A mean of differences, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The mean.
    pub mean: f64,
    /// The deviation of the differences over the square root of their number; NaN for a single one.
    pub standard_error: f64,
}

impl Gain {
    /// The gain from `before` to `after`, draw by draw.
    #[must_use]
    pub fn between(before: &[f64], after: &[f64]) -> Self {
        let differences: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let (n, mean) = (differences.len() as f64, mean(&differences));
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self { mean, standard_error: (variance / n).sqrt() }
    }

    /// Whether it lies more than two standard errors above 0.
    #[must_use]
    pub fn is_above_chance(self) -> bool {
        self.mean > 2.0 * self.standard_error
    }
}

/// The mean of numbers.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Arm {
    /// Mean accuracy on the validation rows.
    #[must_use]
    pub fn validation_mean(&self) -> f64 {
        mean(&self.validation)
    }

    /// Mean accuracy on the test rows.
    #[must_use]
    pub fn test_mean(&self) -> f64 {
        mean(&self.test)
    }
}

/// The arm with the best mean on the validation rows among those that pass; of equals the first.
#[must_use]
pub(super) fn best(arms: &[Arm], passes: impl Fn(ArmKind) -> bool) -> Option<&Arm> {
    arms.iter()
        .filter(|arm| passes(arm.kind))
        .reduce(|best, arm| if arm.validation_mean() > best.validation_mean() + 1e-12 { arm } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_paired_and_has_the_error_of_its_mean() {
        // Differences 1, 2, 3: mean 2, deviation 1, error 1 / sqrt(3).
        let gain = Gain::between(&[5.0, 0.0, 1.0], &[6.0, 2.0, 4.0]);
        assert!((gain.mean - 2.0).abs() < 1e-12 && (gain.standard_error - 3f64.sqrt().recip()).abs() < 1e-12);
        assert!(gain.is_above_chance());
        assert!(!Gain::between(&[1.0], &[2.0]).is_above_chance());
    }

    #[test]
    fn the_choice_is_by_validation_alone() {
        let arm = |sigma, validation: f64, test: f64| Arm {
            kind: ArmKind::Synthetic { sigma },
            weight: 1.0,
            validation: vec![validation],
            test: vec![test],
        };
        let arms = [arm(0.5, 0.8, 0.9), arm(0.7, 0.9, 0.1), arm(1.0, 0.9, 0.5)];
        assert_eq!(best(&arms, ArmKind::is_candidate), Some(&arms[1]));
        assert_eq!(best(&arms, |kind| kind == ArmKind::Shifts), None);
    }
}
