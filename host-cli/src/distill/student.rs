//! Fitting the student.

use crate::network::FloatNetwork;
use crate::train::{Fit, TrainError, TrainingOptions, TrainingState};

use super::Targets;

/// How a student learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudentOptions {
    /// Number of steps; the learning rate reaches its end there.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// Largest learning rate.
    pub learning_rate: f32,
    /// Seed of the batches.
    pub seed: u64,
}

impl Default for StudentOptions {
    fn default() -> Self {
        Self { steps: 16_000, batch: 256, learning_rate: 2e-3, seed: 0 }
    }
}

/// A student on its way.
#[derive(Debug)]
pub struct Student {
    fit: Fit,
    options: StudentOptions,
    step: u64,
}

impl Student {
    /// A student with its teacher's weights.
    ///
    /// # Errors
    /// [`TrainError`]: an option.
    pub fn new(teacher: &FloatNetwork, options: &StudentOptions) -> Result<Self, TrainError> {
        let training = TrainingOptions {
            steps: options.steps,
            batch: options.batch,
            learning_rate: options.learning_rate,
            // The trajectories are as many as one likes, so that nothing can be learnt by heart.
            weight_decay: 0.0,
            seed: options.seed,
            ..TrainingOptions::default()
        };
        Ok(Self { fit: Fit::from_network(teacher, training)?, options: *options, step: 0 })
    }

    /// Takes one step on targets drawn from seed and step; returns its loss, the mean squared error of an output.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is not finite.
    pub fn step(&mut self, targets: &Targets) -> Result<f64, TrainError> {
        let (input, target) = targets.batch(self.fit.shape(), self.options.seed, self.step, self.options.batch);
        self.step += 1;
        self.fit.step(&input, &target)
    }

    /// The loss of the averaged weights on all of some targets.
    #[must_use]
    pub fn loss(&self, targets: &Targets) -> f64 {
        targets.loss(&self.network())
    }

    /// The student with the average of its weights.
    #[must_use]
    pub fn network(&self) -> FloatNetwork {
        self.fit.ema_network()
    }

    /// The student as a checkpoint holds it. It is not for going on from: the optimiser's moments are left out.
    #[must_use]
    pub fn state(&self, options: &TrainingOptions) -> TrainingState {
        TrainingState::of_network(&self.network(), self.step, options.clone())
    }
}
