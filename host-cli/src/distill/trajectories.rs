//! What a student learns from: the teacher's way from noise to data, cut at the student's noise levels.

use mote_core::random::{StreamSequence, Ziggurat};
use mote_core::sampler::{DpmSolver2M, Plan, PlanBuilder, Row, Run, SampleOptions, Workspace, start_scale};
use mote_core::schedule::{NoiseLevel, NoiseSchedule, karras};
use rayon::prelude::*;

use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;

/// Exponent of the teacher's grid.
const RHO: f32 = 4.0;

/// Teacher's levels nearer than this in lambda to one of the student's give way to it.
const APART: f32 = 0.02;

/// The teacher's states at each of the student's levels, and at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories {
    /// Length of a state.
    pub dim: usize,
    /// The class of each trajectory.
    pub classes: Vec<Option<u16>>,
    /// For each level of the student, and last for the data, the state of every trajectory, one after another.
    pub states: Vec<Vec<f32>>,
}

/// How the teacher walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walk {
    /// Evaluations of the teacher from noise to data, besides those at the student's own levels.
    pub steps: usize,
    /// Guidance weight that the student takes over; none for the classes as learned.
    pub guidance: Option<f32>,
    /// Seed of the noise.
    pub seed: u64,
}

/// Walks the teacher by DPM-Solver++(2M) from noise to data, once for each entry of `classes`.
///
/// `levels` are the student's, from the noisiest to the cleanest; the first is where the walk starts. Costs
/// `steps + levels` evaluations a trajectory, twice that with guidance. Trajectory k depends on the seed, k and its class alone.
#[must_use]
pub fn trajectories(
    teacher: &FloatNetwork,
    noising: &Noising,
    levels: &[NoiseLevel],
    walk: &Walk,
    classes: Vec<Option<u16>>,
) -> Trajectories {
    let (all, marks) = merged(noising, levels, walk.steps);
    let solver = DpmSolver2M { eta: 0.0 };
    let rows: Vec<Row> = (0..all.len()).filter_map(|i| solver.row(i, &all, noising.prediction)).collect();
    let plan = Plan::new(&rows, start_scale(&all, noising.sigma_data));
    let denoiser = FloatDenoiser::new(teacher, noising, &all);
    let dim = teacher.shape().dim_in;
    let mut sequence = StreamSequence::new(walk.seed);
    let streams: Vec<_> = classes.iter().map(|_| sequence.next_stream()).collect();
    let history = solver.history();
    let paths: Vec<Vec<f32>> = streams
        .into_par_iter()
        .zip(&classes)
        .map_init(
            || denoiser.clone(),
            |denoiser, (stream, class)| {
                let mut options = SampleOptions::default();
                options.class = *class;
                options.guidance = walk.guidance.filter(|_| class.is_some());
                let guided = options.guidance.is_some();
                let mut floats = vec![0.0; Workspace::len(dim, history, guided)];
                let workspace = Workspace::new(dim, history, guided, &mut floats).expect("measured above");
                let mut noise = Ziggurat::new(stream);
                let mut run = Run::start(plan, options, workspace, &mut noise);
                let mut path = Vec::with_capacity((marks.len() + 1) * dim);
                for row in 0..rows.len() {
                    if marks.contains(&row) {
                        path.extend_from_slice(run.state());
                    }
                    run.step(denoiser, &mut noise);
                }
                path.extend_from_slice(run.state());
                path
            },
        )
        .collect();
    let states = (0..=marks.len())
        .map(|place| paths.iter().flat_map(|path| &path[place * dim..(place + 1) * dim]).copied().collect())
        .collect();
    Trajectories { dim, classes, states }
}

/// The teacher's levels with the student's among them, and where those are.
fn merged(noising: &Noising, levels: &[NoiseLevel], steps: usize) -> (Vec<NoiseLevel>, Vec<usize>) {
    let noisiest = levels.first().map_or(0.0, |level| level.lambda());
    let (_, cleanest) = noising.schedule.lambda_range();
    let mut lambdas = vec![0.0; steps];
    karras(noisiest, cleanest, RHO, &mut lambdas);
    let far = |lambda: &f32| levels.iter().all(|level| (level.lambda() - lambda).abs() > APART);
    let mut all: Vec<NoiseLevel> =
        lambdas.into_iter().filter(far).map(|lambda| noising.schedule.level_at_lambda(lambda)).collect();
    all.extend_from_slice(levels);
    all.sort_by(|a, b| a.lambda().total_cmp(&b.lambda()));
    let marks = levels.iter().filter_map(|level| all.iter().position(|other| other == level)).collect();
    (all, marks)
}
