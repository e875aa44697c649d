//! `mote search-plan`

use std::path::PathBuf;

use anyhow::bail;
use indicatif::ProgressBar;
use serde::Serialize;

use super::output::Format;
use super::source::FloatRun;
use crate::evaluation::{Assessment, Draw, float_samples};
use crate::metrics::{DIRECTION_SEED, DIRECTIONS, MetricError, Points, energy_distance, frechet_distance, sliced_w2};
use crate::noise::Noising;
use crate::plan::{LevelSet, PlanSpec};
use crate::run::{Prepared, RunFolder};
use crate::search::{RefineOptions, Scored, candidates, ranked, refine};

/// Arguments of `mote search-plan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The float network draws the samples; they are compared with the training rows, never with the test rows, so that `mote evaluate` stays \
    an honest judge of what was found. `mote quantize RUN --plan PLAN` puts a plan into a blob.\n\n\
    Example: mote search-plan runs/digits --evaluations 10"
)]
pub(super) struct Args {
    /// Folder of a trained run.
    run: PathBuf,
    /// Network evaluations for one sample.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=200))]
    evaluations: u16,
    /// What to make small: a distance between samples and training rows, or how far samples end from where the probability flow, followed finely, leads from
    /// the same noise.
    #[arg(long, value_enum, default_value_t = Criterion::SlicedW2)]
    by: Criterion,
    /// Search among the samplers that draw noise too.
    #[arg(long)]
    stochastic: bool,
    /// Samples that a plan is scored on.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(100..=20_000))]
    samples: u32,
    /// Passes over the levels of the best plans; 0 keeps to the named grids.
    #[arg(long, default_value_t = 6)]
    passes: usize,
    /// How many of the best plans have their levels moved.
    #[arg(long, default_value_t = 2)]
    refine: usize,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    format: Format,
}

/// What a plan is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Criterion {
    /// Energy distance to the training rows.
    Energy,
    /// Sliced W2 distance to the training rows.
    SlicedW2,
    /// Fréchet distance to the training rows.
    Frechet,
    /// Root mean square distance to the end of the finely followed probability flow.
    Flow,
}

/// A plan as the table shows it.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    plan: String,
    evaluations: usize,
    score: f64,
    /// The score on other noise, for the plans that were looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<f64>,
}

/// What the search found.
#[derive(Debug, Serialize)]
struct Found {
    by: Criterion,
    best: String,
    plans: Vec<Line>,
}

/// Steps of DPM-Solver++(2M) that stand for the probability flow itself.
const FINE: &str = "dpm++2m:200";

struct Scorer<'a> {
    float: &'a FloatRun,
    noising: Noising,
    assessment: Assessment,
    by: Criterion,
    samples: u32,
}

impl Scorer<'_> {
    fn draw(&self, plan: &PlanSpec, seed: u64) -> anyhow::Result<Vec<f32>> {
        let set = LevelSet::build(std::slice::from_ref(plan), &self.noising)?;
        let mix = self.assessment.class_mix();
        let draw = Draw { seed, ..Draw::default() };
        let count = self.samples as usize;
        Ok(float_samples(&self.float.network, &self.noising, &set, &set.plans[0], (mix.as_ref(), draw), count))
    }

    /// The score of a plan on the noise of a seed; not a number where samples are none.
    fn score(&self, plan: &PlanSpec, seed: u64, fine: Option<&[f32]>) -> anyhow::Result<f64> {
        let values = self.draw(plan, seed)?;
        if values.iter().any(|x| !x.is_finite()) {
            return Ok(f64::NAN);
        }
        let against = |distance: fn(&Points, &Points) -> Result<f64, MetricError>| {
            self.assessment.against_training(values.clone(), distance)
        };
        Ok(match self.by {
            Criterion::Energy => against(energy_distance)?,
            Criterion::SlicedW2 => against(|a, b| sliced_w2(a, b, DIRECTIONS, DIRECTION_SEED))?,
            Criterion::Frechet => against(frechet_distance)?,
            Criterion::Flow => {
                let fine = fine.unwrap_or(&[]);
                let sum: f64 = values.iter().zip(fine).map(|(a, b)| f64::from(a - b).powi(2)).sum();
                (sum / values.len() as f64).sqrt()
            }
        })
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let float = FloatRun::open_sampler(&folder)?;
    let noising = float.recipe.noise.noising();
    if float.recipe.distillation.is_some() {
        bail!("{} is a student: it knows the levels of its own plan only; search with its teacher", args.run.display());
    }
    let assessment = Assessment::new(&Prepared::load(&float.recipe.data)?)?;
    let plans = candidates(usize::from(args.evaluations), &noising, args.stochastic);
    if plans.is_empty() {
        bail!("no sampler takes {} evaluations on this schedule; give another number", args.evaluations);
    }
    let scorer = Scorer { float: &float, noising, assessment, by: args.by, samples: args.samples };
    // Found on one noise, confirmed on another.
    let (seed, other) = (args.seed, args.seed ^ 0x636f_6e66_6972_6d00);
    let fine = |seed| match args.by {
        Criterion::Flow => scorer.draw(&FINE.parse()?, seed).map(Some),
        _ => anyhow::Ok(None),
    };
    let (fine_here, fine_there) = (fine(seed)?, fine(other)?);
    let mut failure = None;
    let mut score = |plan: &PlanSpec, seed: u64, fine: Option<&[f32]>| match scorer.score(plan, seed, fine) {
        Ok(score) => score,
        Err(error) => {
            failure.get_or_insert(error);
            f64::NAN
        }
    };
    let options = RefineOptions { passes: args.passes, seed };
    let rounds = if args.passes == 0 { 0 } else { args.refine.min(plans.len()) };
    let most = plans.len() + rounds * options.scores(usize::from(args.evaluations));
    eprintln!(
        "scoring {} plans and at most {} variations, on {} samples each",
        plans.len(),
        most - plans.len(),
        args.samples
    );
    let bar = ProgressBar::new(most as u64);
    let mut scored = |plan: &PlanSpec| {
        bar.inc(1);
        score(plan, seed, fine_here.as_deref())
    };
    let mut all = ranked(plans, &mut scored);
    let refined: Vec<(Scored, Scored)> =
        all.drain(..rounds).map(|named| (refine(named.clone(), &noising, &options, &mut scored), named)).collect();
    bar.finish_and_clear();
    let mut line = |Scored { plan, score: found }: Scored, again: bool| Line {
        name: plan.name(),
        plan: plan.to_string(),
        evaluations: plan.evaluations(&noising),
        score: found,
        confirmed: again.then(|| score(&plan, other, fine_there.as_deref())),
    };
    let mut lines: Vec<Line> =
        refined.into_iter().flat_map(|(refined, named)| [refined, named]).map(|scored| line(scored, true)).collect();
    lines.sort_by(|a, b| a.confirmed.unwrap_or(f64::NAN).total_cmp(&b.confirmed.unwrap_or(f64::NAN)));
    lines.dedup_by(|a, b| a.plan == b.plan);
    lines.extend(all.into_iter().map(|scored| line(scored, false)));
    if let Some(error) = failure {
        return Err(error);
    }
    let found =
        Found { by: args.by, best: lines.first().map(|line| line.plan.clone()).unwrap_or_default(), plans: lines };
    args.format.print(&found, to_text)
}

fn to_text(found: &Found) -> String {
    let width = found.plans.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let mut text = format!("{:width$}  {:>5} {:>9} {:>10}\n", "", "eval.", "score", "confirmed");
    for Line { name, evaluations, score, confirmed, .. } in &found.plans {
        let confirmed = confirmed.map_or(String::new(), |score| format!("{score:.5}"));
        text += &format!("{name:width$}  {evaluations:>5} {score:>9.5} {confirmed:>10}\n");
    }
    text += &format!("\nbest: {}\n", found.best);
    text
}
