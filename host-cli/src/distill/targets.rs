//! From the teacher's states to what the student's network is to give.

use mote_core::sampler::{Ddim, PlanBuilder, Row};
use mote_core::schedule::NoiseLevel;
use rayon::prelude::*;

use super::Trajectories;
use crate::network::{FloatNetwork, Shape, Workspace, hash, write_time_features};
use crate::noise::Noising;

/// Keeps the draws of trajectories apart from other uses of a seed.
const PICKS: u64 = 0x6469_7374;

/// The student's sampler: DDIM over its levels.
#[must_use]
pub fn student_rows(noising: &Noising, levels: &[NoiseLevel]) -> Vec<Row> {
    let solver = Ddim { eta: 0.0 };
    (0..levels.len()).filter_map(|i| solver.row(i, levels, noising.prediction)).collect()
}

/// Inputs and targets of the student, for each of its levels.
#[derive(Clone, Debug)]
pub struct Targets {
    dim: usize,
    classes: Vec<Option<u16>>,
    levels: Vec<LevelTargets>,
}

#[derive(Clone, Debug)]
struct LevelTargets {
    time: f32,
    features: Vec<f32>,
    /// c_in x of every trajectory.
    inputs: Vec<f32>,
    outputs: Vec<f32>,
}

impl Targets {
    /// At level i with the row `m = p x + q F`, `x' = a x + b m`, the output that leads from the teacher's state x to its next
    /// one is `F = (x' - (a + b p) x) / (b q)`.
    ///
    /// # Panics
    /// If the trajectories were not cut at these levels.
    #[must_use]
    pub fn new(paths: &Trajectories, noising: &Noising, levels: &[NoiseLevel], shape: &Shape) -> Self {
        assert_eq!(paths.states.len(), levels.len() + 1, "states at each level and at the end");
        let frequencies = shape.frequencies();
        let of = |(i, row): (usize, Row)| {
            let level = levels[i];
            let (from, to) = (&paths.states[i], &paths.states[i + 1]);
            let [b, ..] = row.b;
            let outputs = from.iter().zip(to).map(|(x, next)| (next - (row.a + b * row.p) * x) / (b * row.q)).collect();
            let scale = noising.input_scale(level);
            let time = noising.conditioning(level);
            let mut features = vec![0.0; shape.features];
            write_time_features(&frequencies, time, &mut features);
            LevelTargets { time, features, inputs: from.iter().map(|x| x * scale).collect(), outputs }
        };
        let levels = student_rows(noising, levels).into_iter().enumerate().map(of).collect();
        Self { dim: paths.dim, classes: paths.classes.clone(), levels }
    }

    /// Number of trajectories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Splits off the last trajectories, `count` of them.
    #[must_use]
    pub fn split_off(&mut self, count: usize) -> Self {
        let at = self.len() - count.min(self.len());
        let classes = self.classes.split_off(at);
        let split = |level: &mut LevelTargets| LevelTargets {
            time: level.time,
            features: level.features.clone(),
            inputs: level.inputs.split_off(at * self.dim),
            outputs: level.outputs.split_off(at * self.dim),
        };
        Self { dim: self.dim, classes, levels: self.levels.iter_mut().map(split).collect() }
    }

    /// The batch of a step, a function of seed and step alone: rows of the network's whole input (data, time features, class and
    /// a 1), and the outputs; the levels take turns.
    #[must_use]
    pub fn batch(&self, shape: &Shape, seed: u64, step: u64, rows: usize) -> (Vec<f32>, Vec<f32>) {
        let picks = (0..rows).map(|row| {
            let word = hash(&[seed, PICKS, step, row as u64]);
            (row % self.levels.len(), (((word >> 32) * self.len() as u64) >> 32) as usize)
        });
        self.rows(shape, picks)
    }

    /// The mean squared error of a network's output over every trajectory at every level.
    #[must_use]
    pub fn loss(&self, network: &FloatNetwork) -> f64 {
        let total: f64 = self.levels.iter().map(|level| self.squared_error(network, level)).sum();
        total / (self.levels.len() * self.len() * self.dim) as f64
    }

    fn squared_error(&self, network: &FloatNetwork, level: &LevelTargets) -> f64 {
        let biases = network.level_biases(level.time);
        let pairs = level.inputs.par_chunks(self.dim).zip(level.outputs.par_chunks(self.dim)).zip(&self.classes);
        // Collected before they are added: the order of the sum must not depend on threads.
        let errors: Vec<f64> = pairs
            .map_init(
                || (Workspace::default(), vec![0.0; self.dim]),
                |(workspace, out), ((x, wanted), class)| {
                    network.forward(x, &biases, *class, workspace, out);
                    out.iter().zip(wanted).map(|(o, w)| f64::from(o - w).powi(2)).sum()
                },
            )
            .collect();
        errors.iter().sum()
    }

    fn rows(&self, shape: &Shape, picks: impl Iterator<Item = (usize, usize)>) -> (Vec<f32>, Vec<f32>) {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (level, k) in picks {
            let LevelTargets { features, inputs: x, outputs: f, .. } = &self.levels[level];
            let place = k * self.dim..(k + 1) * self.dim;
            inputs.extend_from_slice(&x[place.clone()]);
            inputs.extend_from_slice(features);
            let first = inputs.len();
            inputs.resize(first + shape.classes + 1, 0.0);
            inputs[first + shape.classes] = 1.0;
            if let (Some(class), 1..) = (self.classes[k], shape.classes) {
                inputs[first + usize::from(class)] = 1.0;
            }
            outputs.extend_from_slice(&f[place]);
        }
        (inputs, outputs)
    }
}

#[cfg(test)]
mod tests {
    use mote_core::schedule::{Cosine, Edm, Schedule};
    use mote_core::score::{Denoiser, Prediction};

    use super::super::{Walk, trajectories};
    use super::*;
    use crate::denoiser::FloatDenoiser;
    use crate::recipe::NetworkRecipe;

    /// A denoiser that gives planted outputs, one a call.
    struct Planted<'o>(std::slice::Iter<'o, f32>);

    impl Denoiser for Planted<'_> {
        fn predict(&mut self, _: usize, _: Option<u16>, _: &[f32], out: &mut [f32]) {
            out.fill_with(|| *self.0.next().expect("an output"));
        }
    }

    fn network(classes: usize) -> FloatNetwork {
        let recipe = NetworkRecipe { hidden: vec![16], class_conditional: classes > 0, ..NetworkRecipe::default() };
        FloatNetwork::initial(recipe.shape(2, classes), 4).unwrap()
    }

    #[test]
    fn a_student_that_gives_its_targets_lands_where_the_teacher_passes() {
        use mote_core::random::{StreamSequence, Ziggurat};
        use mote_core::sampler::{Plan, Run, SampleOptions, Workspace, start_scale};
        for (schedule, prediction) in [
            (Schedule::Cosine(Cosine::DEFAULT), Prediction::V),
            (Schedule::Cosine(Cosine::DEFAULT), Prediction::X0),
            (Schedule::Edm(Edm::DEFAULT), Prediction::EdmF { sigma_data: 1.0 }),
        ] {
            let noising = Noising { schedule, prediction, sigma_data: 1.0 };
            let plan: crate::plan::PlanSpec = "ddim:3:[-3.5,-0.5,1]".parse().unwrap();
            let levels = plan.levels(&noising);
            let teacher = network(3);
            let walk = Walk { steps: 12, guidance: None, seed: 9 };
            let classes = vec![Some(2), None, Some(0)];
            let paths = trajectories(&teacher, &noising, &levels, &walk, classes);
            let targets = Targets::new(&paths, &noising, &levels, teacher.shape());
            let rows = student_rows(&noising, &levels);
            let mut streams = StreamSequence::new(9);
            for k in 0..3 {
                let outputs: Vec<f32> =
                    targets.levels.iter().flat_map(|level| &level.outputs[2 * k..2 * k + 2]).copied().collect();
                let mut planted = Planted(outputs.iter());
                let mut noise = Ziggurat::new(streams.next_stream());
                let mut floats = [0.0; Workspace::len(2, 1, false)];
                let workspace = Workspace::new(2, 1, false, &mut floats).unwrap();
                let plan = Plan::new(&rows, start_scale(&levels, 1.0));
                let mut run = Run::start(plan, SampleOptions::default(), workspace, &mut noise);
                for state in &paths.states {
                    for (got, wanted) in run.state().iter().zip(&state[2 * k..2 * k + 2]) {
                        assert!((got - wanted).abs() < 2e-4 * (1.0 + wanted.abs()), "{prediction:?}: {got} {wanted}");
                    }
                    run.step(&mut planted, &mut noise);
                }
            }
        }
    }

    #[test]
    fn inputs_and_classes_are_what_the_sampler_will_show_the_network() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let levels = "ddim:2:[-4,0]".parse::<crate::plan::PlanSpec>().unwrap().levels(&noising);
        let teacher = network(3);
        let walk = Walk { steps: 5, guidance: Some(1.5), seed: 1 };
        let paths = trajectories(&teacher, &noising, &levels, &walk, vec![Some(1), None]);
        let targets = Targets::new(&paths, &noising, &levels, teacher.shape());
        // The loss of the teacher itself, computed through the denoiser that samples: the same inputs, levels and classes.
        let mut denoiser = FloatDenoiser::new(&teacher, &noising, &levels);
        let mut sum = 0.0;
        for (i, level) in targets.levels.iter().enumerate() {
            for (k, class) in paths.classes.iter().enumerate() {
                let mut out = [0.0; 2];
                denoiser.predict(i, *class, &paths.states[i][2 * k..2 * k + 2], &mut out);
                let wanted = &level.outputs[2 * k..2 * k + 2];
                sum += out.iter().zip(wanted).map(|(o, w)| f64::from(o - w).powi(2)).sum::<f64>();
            }
        }
        assert!((targets.loss(&teacher) - sum / 8.0).abs() < 1e-6 * (1.0 + sum), "{sum}");
        // Rows: two data, the time features, three classes, a 1.
        let (rows, outputs) = targets.batch(teacher.shape(), 3, 0, 4);
        let depth = 2 + teacher.shape().features + 4;
        assert_eq!((rows.len(), outputs.len()), (4 * depth, 8));
        for row in rows.chunks_exact(depth) {
            let tail = &row[depth - 4..];
            assert!(tail == [0.0, 1.0, 0.0, 1.0] || tail == [0.0, 0.0, 0.0, 1.0], "{tail:?}");
        }
    }

    #[test]
    fn trajectories_do_not_depend_on_how_many_there_are() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let levels = "ddim:2:[-4,0]".parse::<crate::plan::PlanSpec>().unwrap().levels(&noising);
        let walk = Walk { steps: 5, guidance: None, seed: 1 };
        let few = trajectories(&network(0), &noising, &levels, &walk, vec![None; 2]);
        let many = trajectories(&network(0), &noising, &levels, &walk, vec![None; 5]);
        for (few, many) in few.states.iter().zip(&many.states) {
            assert_eq!(few[..], many[..4]);
        }
    }
}
