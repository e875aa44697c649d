//! `mote distill`

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::bail;
use mote_core::sampler::{Ddim, Sampler};
use mote_core::schedule::NoiseSchedule;

use super::Interrupted;
use super::quantize::{make_blob, summary};
use super::source::FloatRun;
use crate::checkpoint::save_state;
use crate::distill::{Student, StudentOptions, Targets, Walk, trajectories};
use crate::files::write_atomically;
use crate::noise::Noising;
use crate::plan::PlanSpec;
use crate::quantize::CalibrationOptions;
use crate::recipe::DistillationRecipe;
use crate::run::{Prepared, RunError, RunFolder};
use crate::training_run::{Metric, Progress, interrupt_switch, write_metrics};

/// Arguments of `mote distill`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The student has the teacher's shape and starts from its weights; it learns to land in one step where the teacher's walk along the \
    probability flow passes. It becomes a run of its own, with a blob, for `mote sample`, `evaluate`, `quantize` and `report`. A \
    stopped distillation leaves nothing behind.\n\nExample: mote distill runs/digits --evaluations 2 --out runs/digits-2"
)]
pub(super) struct Args {
    /// Folder of the teacher's run.
    run: PathBuf,
    /// Evaluations of the student for one sample: as many noise levels, even in the schedule's own time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=16))]
    evaluations: u16,
    /// The student's noise levels instead, as a ddim plan: ddim:2:[-4.6,0.5], by ln(alpha/sigma) from the noisiest.
    #[arg(long, value_name = "PLAN", conflicts_with = "evaluations")]
    plan: Option<PlanSpec>,
    /// Training steps.
    #[arg(long, default_value_t = StudentOptions::default().steps, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Samples in a step.
    #[arg(long, default_value_t = StudentOptions::default().batch as u32, value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: u32,
    /// Largest learning rate.
    #[arg(long, default_value_t = StudentOptions::default().learning_rate)]
    learning_rate: f32,
    /// Walks of the teacher to learn from.
    #[arg(long, default_value_t = 32_768, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    trajectories: u32,
    /// Evaluations of the teacher in each walk.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    teacher_steps: u16,
    /// Guidance weight that the student takes over, so that it is guided in one evaluation.
    #[arg(long, allow_negative_numbers = true)]
    guidance: Option<f32>,
    /// Seed of noise and batches.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder of the student's run.
    #[arg(long)]
    out: PathBuf,
    /// Begin again where the folder holds a run already.
    #[arg(long)]
    force: bool,
}

/// Steps between two lines of the metrics.
const METRICS_EVERY: u64 = 200;

/// Keeps the teacher's noise apart from that of samples.
const WALKS: u64 = 0x7761_6c6b_7300_0000;

/// Trajectories kept apart to watch the loss on, one in this many.
const HELD_OUT: usize = 16;

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let mut float = FloatRun::open_sampler(&folder)?;
    let noising = float.recipe.noise.noising();
    let classes = float.network.shape().classes;
    if args.guidance.is_some_and(|weight| !weight.is_finite()) {
        bail!("--guidance must be a finite number");
    }
    if args.guidance.is_some() && classes == 0 {
        bail!("--guidance: {} has no classes; train with --class-conditional and labels", args.run.display());
    }
    let plan = match &args.plan {
        Some(plan) if plan.sampler() != ddim() => {
            bail!("--plan {plan}: a student is sampled by ddim; give ddim:2:[-4.6,0.5] or the like")
        }
        Some(plan) => plan.clone(),
        None => even_plan(&noising, usize::from(args.evaluations))?,
    };
    let levels = plan.levels(&noising);
    if RunFolder::open(&args.out).is_ok() {
        if !args.force {
            return Err(RunError::Exists { path: args.out.clone() }.into());
        }
        if args.out.canonicalize()? == args.run.canonicalize()? {
            bail!("--out {}: the student would take its teacher's place; choose another folder", args.out.display());
        }
    }
    let options = StudentOptions {
        steps: args.steps,
        batch: args.batch as usize,
        learning_rate: args.learning_rate,
        seed: args.seed,
    };
    // Options are refused before the teacher's long walks, not after.
    let mut student = Student::new(&float.network, &options)?;
    let switch = interrupt_switch()?;

    // Classes in the shares of the training rows, as samples are asked for; one in ten without, so that the student has an
    // unconditional network too.
    let data = Prepared::load(&float.recipe.data)?;
    let mix = data.class_mix().filter(|_| classes > 0);
    let class = |k: u32| mix.as_ref().filter(|_| k % 10 != 9).map(|mix| mix.class(k));
    let count = args.trajectories as usize;
    eprintln!("walking the teacher {count} times in {} steps", args.teacher_steps);
    let walk = Walk { steps: usize::from(args.teacher_steps), guidance: args.guidance, seed: args.seed ^ WALKS };
    let paths = trajectories(&float.network, &noising, &levels, &walk, (0..args.trajectories).map(class).collect());
    let mut targets = Targets::new(&paths, &noising, &levels, float.network.shape());
    let held_out = targets.split_off((count / HELD_OUT).max(1));

    let progress = Progress::new(options.steps, 0);
    let (mut metrics, mut sum, mut since) = (Vec::new(), 0.0, 0u64);
    let started = std::time::Instant::now();
    for step in 1..=options.steps {
        if switch.load(Ordering::SeqCst) {
            progress.abandon();
            return Err(Interrupted(format!("stopped at step {step} of {}; nothing was written", options.steps)).into());
        }
        sum += student.step(&targets)?;
        since += 1;
        progress.at(step, sum / since as f64);
        if step.is_multiple_of(METRICS_EVERY) || step == options.steps {
            let seconds = started.elapsed().as_secs_f64();
            let validation_loss = student.loss(&held_out);
            metrics.push(Metric { step, loss: sum / since as f64, validation_loss, seconds });
            (sum, since) = (0.0, 0);
        }
    }
    progress.finish();

    float.network = student.network();
    float.recipe.blob.plans = vec![plan];
    float.recipe.distillation = Some(DistillationRecipe {
        teacher: args.run.display().to_string(),
        teacher_steps: args.teacher_steps,
        trajectories: args.trajectories,
        steps: options.steps,
        batch: options.batch,
        learning_rate: options.learning_rate,
        guidance: args.guidance,
        seed: args.seed,
    });
    let (quantized, _) = make_blob(&float, &CalibrationOptions::default())?;
    // Only now is an earlier run in the folder replaced, so that a stopped or failed distillation loses nothing.
    let out = RunFolder::create(&args.out, args.force)?;
    float.summary.write(&out)?;
    save_state(&out.checkpoint(), &student.state(&float.recipe.training))?;
    write_metrics(&out.metrics(), &metrics)?;
    write_atomically(&out.model(), |file| file.write_all(&quantized.blob))?;
    // Last, since a folder with a recipe is a run.
    float.recipe.write(&out.recipe())?;
    eprintln!("wrote {}: {}", out.model().display(), summary(&quantized)?);
    Ok(())
}

fn ddim() -> Sampler {
    Sampler::Ddim(Ddim { eta: 0.0 })
}

/// DDIM over levels even in the schedule's own time, from the noisiest that samplers begin at.
fn even_plan(noising: &Noising, evaluations: usize) -> anyhow::Result<PlanSpec> {
    let (noisiest, _) = noising.schedule.lambda_range();
    let lambda = |i: usize| match i {
        0 => noisiest,
        i => noising.schedule.level(1.0 - i as f32 / evaluations as f32).lambda(),
    };
    let lambdas: Vec<String> = (0..evaluations).map(|i| format!("{:.3}", lambda(i))).collect();
    Ok(format!("ddim:{evaluations}:[{}]", lambdas.join(",")).parse()?)
}
