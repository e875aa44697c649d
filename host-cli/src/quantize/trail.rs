//! What a network is asked and what it answers along the samplers' own trajectories.

use mote_core::model::Model;
use mote_core::network::Network;
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use mote_core::sampler::{HISTORY_MAX, Plan, Run, SampleOptions, Workspace};
use mote_core::score::Denoiser;
use rayon::prelude::*;

use crate::denoiser::FloatDenoiser;
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;

/// Guidance weight of the guided turns.
const GUIDANCE: f32 = 2.0;
/// Evaluations kept of each plan, so that long plans do not fill the memory.
const KEPT: usize = 1 << 14;

/// One evaluation of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Number of the noise level.
    pub level: usize,
    /// The class, if any.
    pub class: Option<u16>,
    /// The state.
    pub x: Vec<f32>,
    /// The float network's output.
    pub out: Vec<f32>,
}

/// Evaluations along trajectories.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// In the order of plans, trajectories and steps.
    pub evaluations: Vec<Evaluation>,
}

/// The options of trajectory `number`: classes in turn, the last turn being that of no class, and every second round guided.
#[must_use]
pub fn turn(number: usize, classes: usize) -> SampleOptions {
    let mut options = SampleOptions::default();
    let turn = number % (classes + 1);
    options.class = (turn < classes).then_some(turn as u16);
    options.guidance = (turn < classes && number / (classes + 1) % 2 == 1).then_some(GUIDANCE);
    options
}

/// Runs numbered trajectories of a plan through denoisers that remember, and gives these back in order.
///
/// `make` is given the number of the first trajectory of each. The division into tasks is fixed, so that the result does not
/// depend on threads.
pub(super) fn along<D: Denoiser + Send>(
    plan: Plan<'_>,
    (dim, classes): (usize, usize),
    streams: &[(usize, Stream)],
    make: impl Fn(usize) -> D + Sync,
) -> Vec<D> {
    streams
        .par_chunks(16)
        .map(|chunk| {
            let mut denoiser = make(chunk[0].0);
            let mut floats = vec![0.0; Workspace::len(dim, HISTORY_MAX, true)];
            for (number, stream) in chunk {
                let mut noise = Ziggurat::new(stream.clone());
                let workspace = Workspace::new(dim, HISTORY_MAX, true, &mut floats).expect("measured above");
                Run::start(plan, turn(*number, classes), workspace, &mut noise).finish(&mut denoiser, &mut noise);
            }
            denoiser
        })
        .collect()
}

/// Asks the float network, keeps what it says, and goes where the driver leads.
struct Recorder<'n, D> {
    float: FloatDenoiser<'n>,
    driver: Option<D>,
    stride: usize,
    count: usize,
    kept: Vec<Evaluation>,
}

impl<D: Denoiser> Denoiser for Recorder<'_, D> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.float.predict(level, class, x, out);
        if self.count.is_multiple_of(self.stride) {
            self.kept.push(Evaluation { level, class, x: x.to_vec(), out: out.to_vec() });
        }
        self.count += 1;
        if let Some(driver) = &mut self.driver {
            driver.predict(level, class, x, out);
        }
    }
}

/// A quantised network that owns its lanes.
struct Lanes<'n, 'a>(&'n Network<'a>, Vec<i16>);

impl Denoiser for Lanes<'_, '_> {
    fn predict(&mut self, level: usize, class: Option<u16>, x: &[f32], out: &mut [f32]) {
        self.0.forward(level, class, x, &mut self.1, out);
    }
}

impl Trail {
    /// Runs `samples` trajectories of every plan and keeps the float network's evaluations. The trajectories are the float network's
    /// own, or those of `driver`.
    #[must_use]
    pub fn follow(
        network: &FloatNetwork,
        noising: &Noising,
        set: &LevelSet,
        driver: Option<&Model<'_>>,
        samples: u16,
        seed: u64,
    ) -> Self {
        let (dim, classes) = (network.shape().dim_in, network.shape().classes);
        let mut sequence = StreamSequence::new(seed);
        let streams: Vec<_> = (0..usize::from(samples)).map(|number| (number, sequence.next_stream())).collect();
        let mut evaluations = Vec::new();
        for built in &set.plans {
            let plan = Plan::new(&built.rows, built.start_scale);
            // A stride without a common divisor with the steps, so that every level is met as often.
            let mut stride = (built.rows.len() * streams.len()).div_ceil(KEPT).max(1);
            while stride > 1 && divides_both(stride, built.rows.len()) {
                stride += 1;
            }
            let recorder = |first: usize| {
                let driver = driver.map(|model| {
                    let lanes = vec![0; Network::lanes(model.network().width())];
                    Lanes(model.network(), lanes)
                });
                let float = FloatDenoiser::new(network, noising, &set.levels);
                Recorder { float, driver, stride, count: first * built.rows.len(), kept: Vec::new() }
            };
            let parts = along(plan, (dim, classes), &streams, recorder);
            evaluations.extend(parts.into_iter().flat_map(|recorder| recorder.kept));
        }
        let mut float = FloatDenoiser::new(network, noising, &set.levels);
        evaluations.extend(set.probes.iter().map(|probe| {
            let mut out = vec![0.0; network.shape().dim_out];
            float.predict(probe.level, probe.class, &probe.x, &mut out);
            Evaluation { level: probe.level, class: probe.class, x: probe.x.clone(), out }
        }));
        Self { evaluations }
    }

    /// The outputs of a quantised network at the evaluations, in order.
    #[must_use]
    pub fn answers(&self, model: &Model<'_>) -> Vec<Vec<f32>> {
        self.map(|| {
            let mut lanes = vec![0; Network::lanes(model.network().width())];
            move |met: &Evaluation, out: &mut [f32]| {
                model.network().forward(met.level, met.class, &met.x, &mut lanes, out);
            }
        })
    }

    /// What a function of an evaluation writes in place of its output, in order; `make` prepares one for each task.
    pub fn map<F: FnMut(&Evaluation, &mut [f32])>(&self, make: impl Fn() -> F + Sync) -> Vec<Vec<f32>> {
        self.evaluations
            .par_chunks(256)
            .flat_map_iter(|chunk| {
                let mut run = make();
                chunk
                    .iter()
                    .map(move |met| {
                        let mut out = vec![0.0; met.out.len()];
                        run(met, &mut out);
                        out
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn divides_both(stride: usize, rows: usize) -> bool {
    (2..=stride).any(|d| stride.is_multiple_of(d) && rows.is_multiple_of(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_visit_every_class_no_class_and_guidance() {
        let turns: Vec<_> = (0..6).map(|number| turn(number, 2)).map(|o| (o.class, o.guidance)).collect();
        let guided = Some(GUIDANCE);
        let expected =
            [(Some(0), None), (Some(1), None), (None, None), (Some(0), guided), (Some(1), guided), (None, None)];
        assert_eq!(turns, expected);
        assert!((0..9).all(|number| turn(number, 0) == SampleOptions::default()));
    }
}
