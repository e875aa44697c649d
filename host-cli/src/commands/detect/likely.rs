//! Windows judged by how probable the run's float network finds them.

use anyhow::{Context as _, bail};
use mote_core::model::Model;
use mote_core::random::Stream;
use mote_core::schedule::NoiseLevel;
use rayon::prelude::*;

use super::Args;
use super::judge::{cut, normal_windows};
use crate::commands::source::{FloatRun, Source};
use crate::jobs::quantile;
use crate::likelihood::{NetworkMean, Probes, ladder, log_density};
use crate::run::WindowSummary;

/// The most values of a window: each is a direction along which the network is differentiated.
const VALUES_MAX: usize = 64;
/// Steps of the probability flow.
const STEPS: usize = 24;
/// Up to so many values the divergence is exact; beyond, the mean over so many directions of random signs, the same for every window.
const EXACT: usize = 16;
const DIRECTIONS: usize = 8;

/// The density of windows by the probability flow.
pub(super) struct Likelihood {
    float: FloatRun,
    levels: Vec<NoiseLevel>,
    /// A score that normal windows seldom pass.
    pub threshold: f32,
    /// Windows that it was found on.
    pub normal: usize,
}

impl Likelihood {
    /// Takes the network of a run, and calibrates on normal windows.
    pub fn of(args: &Args, source: &Source, model: &Model<'_>, window: &WindowSummary) -> anyhow::Result<Self> {
        let run = source
            .run
            .as_ref()
            .context("--likelihood runs the float network, which a blob does not hold: name the folder of a run")?;
        if window.sliding {
            bail!(
                "--likelihood is for networks that see a whole window; train one without --sliding, or leave the flag out"
            );
        }
        let values = window.length * window.channels.len();
        if values > VALUES_MAX {
            bail!(
                "--likelihood: windows of {values} values, and at most {VALUES_MAX} are possible; train on shorter windows, or leave the flag out"
            );
        }
        let float = FloatRun::open(run)?;
        let levels = ladder(&float.recipe.noise.noising(), 2 * STEPS);
        let mut made = Self { float, levels, threshold: 0.0, normal: 0 };
        let normal = normal_windows(args, source, model, window, window.length)?;
        let mut usual: Vec<f32> = made.scores(&normal).into_iter().filter(|score| !score.is_nan()).collect();
        if usual.is_empty() {
            bail!(
                "no normal window is whole, and a window with a missing value has no likelihood; name others with --normal"
            );
        }
        usual.sort_unstable_by(f32::total_cmp);
        (made.threshold, made.normal) = (quantile(&usual, args.quantile), usual.len());
        Ok(made)
    }

    /// `-ln p(x)` of each window in the scale of training, in nats; NaN for one with a missing value.
    pub fn scores(&self, windows: &[Vec<f32>]) -> Vec<f32> {
        let noising = self.float.recipe.noise.noising();
        let network = NetworkMean::new(&self.float.network, &noising, &self.levels);
        let score = |window: &Vec<f32>| {
            if window.iter().any(|x| x.is_nan()) {
                return f32::NAN;
            }
            let probes = if window.len() <= EXACT { Probes::Exact } else { Probes::Signs(DIRECTIONS) };
            let (mut network, mut random) = (network.clone(), Stream::new(0));
            let density = log_density(&mut network, &self.levels, noising.sigma_data, window, probes, 1, &mut random);
            -density.log_density as f32
        };
        windows.par_iter().map(score).collect()
    }

    /// Cuts signals into windows and scores them.
    pub fn of_pieces(&self, model: &Model<'_>, pieces: &[Vec<f32>], values: usize) -> Vec<f32> {
        self.scores(&cut(model, pieces, values))
    }
}
