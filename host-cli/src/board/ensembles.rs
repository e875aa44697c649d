//! An ensemble on a board under QEMU, beside the host.

use std::time::Duration;

use mote_core::ensemble::BLOCK;
use mote_core::sampler::Digest;
use mote_core::sde::Sde;
use mote_core::stepper::Stepper;
use mote_laboratory::ensemble::{Ensemble, at};
use mote_qemu::experiments::{Experiment, Noise, Pairing, ROOM, Request, Task};
use mote_qemu::{EnsembleReport, Error, Image, run_ensemble};

use super::PATIENCE;

/// Instructions that QEMU does in a second, with room to spare on a slow machine.
const INSTRUCTIONS_PER_SECOND: u64 = 10_000_000;
/// Instructions of a path's step by the costliest stepper, with room to spare; a tree takes as many for each of its levels.
const INSTRUCTIONS_A_STEP: u64 = 1000;
/// Instructions of a jump to the next block, with room to spare.
const INSTRUCTIONS_A_JUMP: u64 = 4000;

/// What the board made of an ensemble, and the digests of the same on the host.
#[derive(Clone, Debug)]
pub struct ComparedEnsemble {
    /// What the board printed.
    pub report: EnsembleReport,
    /// The digest by the host's portable code.
    pub host_digest: u64,
    /// The digest by the laboratory's code for the processor's widest vectors, which knows the noise of blocks alone.
    pub vector_digest: Option<u64>,
}

impl ComparedEnsemble {
    /// Whether every bit is equal.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.report.digest == self.host_digest && self.vector_digest.is_none_or(|digest| digest == self.host_digest)
    }
}

/// Runs an experiment on a board, its instructions counted, and on the host.
///
/// # Errors
/// [`Error`] with the way out, or the device's own words.
pub fn compare_ensemble(image: &Image, experiment: &Experiment) -> Result<ComparedEnsemble, Error> {
    let request = Request { experiment: *experiment, task: Task::Bench, values: false };
    let report = run_ensemble(image, &request, time_limit(experiment))?;
    let vector_digest = match experiment.noise {
        Noise::Blocks => experiment.pair(Vectors { experiment }),
        Noise::Ziggurat | Noise::Tree => None,
    };
    Ok(ComparedEnsemble { report, host_digest: portable_digest(experiment), vector_digest })
}

/// Time for the blocks, the block that is counted first, and the jumps to them.
fn time_limit(experiment: &Experiment) -> Duration {
    let path_steps = (experiment.paths() + BLOCK as u64).saturating_mul(experiment.steps.into());
    let levels = match experiment.noise {
        Noise::Tree => 1 + u64::from(experiment.steps.ilog2()),
        Noise::Blocks | Noise::Ziggurat => 1,
    };
    let jumps = INSTRUCTIONS_A_JUMP.saturating_mul(2 * u64::from(experiment.first));
    let instructions = path_steps.saturating_mul(INSTRUCTIONS_A_STEP * levels).saturating_add(jumps);
    PATIENCE + Duration::from_secs(instructions / INSTRUCTIONS_PER_SECOND)
}

fn portable_digest(experiment: &Experiment) -> u64 {
    let mut digest = Digest::new();
    let mut room = vec![0.0; ROOM];
    for (_, mut noise) in experiment.blocks() {
        digest.update(experiment.run(&mut noise, &mut room));
    }
    digest.finish()
}

/// An experiment by the laboratory.
struct Vectors<'e> {
    experiment: &'e Experiment,
}

impl Pairing for Vectors<'_> {
    type Output = u64;

    fn run<P, S>(self, stepper: P, sde: S) -> u64
    where
        P: Stepper<S> + Copy + Sync,
        S: Sde + Clone + Sync,
    {
        let Experiment { steps, start, seed, first, blocks, .. } = *self.experiment;
        let ensemble = Ensemble { stepper, sde, dim: 1, span: self.experiment.span(), steps, seed };
        let keep = |kept: &mut Vec<f32>, _: usize, x: &[f32]| kept.extend_from_slice(x);
        let finals = ensemble.map(first..first + blocks, at(start), &[steps], Vec::new, keep);
        let mut digest = Digest::new();
        finals.iter().for_each(|block| digest.update(block));
        digest.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_qemu::experiments::{Method, Process};

    #[test]
    fn portable_and_vector_code_agree_for_every_pair() {
        for process in Process::ALL {
            for method in Method::ALL.into_iter().filter(|method| method.fits(&process)) {
                let experiment =
                    Experiment { process, method, steps: 20, seed: 3, first: 14, blocks: 4, ..Experiment::default() };
                let vectors = experiment.pair(Vectors { experiment: &experiment });
                assert_eq!(vectors, Some(portable_digest(&experiment)), "{experiment:?}");
            }
        }
    }
}
