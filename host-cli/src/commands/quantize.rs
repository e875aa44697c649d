//! `mote quantize`

use std::path::PathBuf;

use anyhow::Context as _;
use mote_core::model::Model;
use mote_core::network::WeightLayout;
use serde::Serialize;

use super::output::Format as OutputFormat;
use super::source::FloatRun;
use crate::evaluation::Draw;
use crate::files::write_atomically;
use crate::inspection::bytes;
use crate::jobs::calibrated_start;
use crate::plan::{LevelSet, PlanSpec};
use crate::quantize::{
    ActivationBits, BlobDetails, CalibrationOptions, Candidate, FineTuning, Format, FormatCost, Integers, Quantized,
    SignalTable, WeightBits, Yardstick, choose, costs_to_text, export, fine_tune,
};
use crate::run::{Prepared, RunFolder};

/// Arguments of `mote quantize`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints how far quantisation noise lies below the signal, for each noise level and layer, and writes the blob. With --choose, \
    quantises to every format, measures each against float samples from the same noise, and writes the smallest that keeps quality.\n\n\
    Examples:\n  mote quantize runs/digits --plan dpm++2m:10 --plan ddpm:50 --out digits.mote\n  \
    mote quantize runs/digits --choose --fine-tune 2000\n  \
    mote quantize runs/digits --weight-bits 4 --fine-tune 2000 --out small.mote"
)]
pub(super) struct Args {
    /// Folder of a trained run.
    run: PathBuf,
    /// A sampler for the blob, SAMPLER:STEPS[:GRID]; give it several times for several. Default: the recipe's.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<PlanSpec>,
    /// Width of weight codes; those of 4 bits lie two to a byte.
    #[arg(long, value_enum, default_value = "8", conflicts_with = "choose")]
    weight_bits: WeightBits,
    /// Width of activation codes. Default: the recipe's.
    #[arg(long, value_enum, conflicts_with = "choose")]
    activation_bits: Option<ActivationBits>,
    /// Order of the weights: row-pairs for cores that load a word at a time, rows for a Cortex-M55's vectors. The bits are the same.
    #[arg(long, value_enum, default_value = "row-pairs")]
    layout: Layout,
    /// Take the scale, mean and variance of the error out by the tables, for 2 more bytes an output and level; 4-bit weights always do.
    #[arg(long, conflicts_with = "choose")]
    correction: bool,
    /// Train the codes for so many steps to answer as the float network does; with --choose, those of 4 bits.
    #[arg(long, value_name = "STEPS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    fine_tune: u64,
    /// Measure every format and write the smallest that keeps quality.
    #[arg(long, group = "measuring")]
    choose: bool,
    /// Measure the format that is written against float samples from the same noise.
    #[arg(long, group = "measuring")]
    measure: bool,
    /// How much more sliced W2 than float still keeps quality, in per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 3.0, requires = "measuring")]
    limit: f64,
    /// Guidance weight of the samples that are measured, for a model with classes.
    #[arg(long, value_name = "WEIGHT", requires = "measuring")]
    guidance: Option<f32>,
    /// Seed of the samples that are measured.
    #[arg(long, default_value_t = 7, requires = "measuring")]
    seed: u64,
    /// Trajectories of each plan that the scales are calibrated on.
    #[arg(long, default_value_t = CalibrationOptions::default().samples, value_parser = clap::value_parser!(u16).range(8..))]
    calibration_samples: u16,
    /// Where the blob goes. Default: model.mote in the run's folder.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: OutputFormat,
}

/// Names of [`WeightLayout`] at the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    Rows,
    RowPairs,
}

impl From<Layout> for WeightLayout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Rows => Self::Rows,
            Layout::RowPairs => Self::RowPairs,
        }
    }
}

/// What the verb prints.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    format: Format,
    fine_tuned: u64,
    blob_bytes: usize,
    /// Whether what was written keeps quality; absent where nothing was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    keeps_quality: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    costs: Vec<Vec<FormatCost>>,
    signal: SignalTable,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let mut float = FloatRun::open(&folder)?;
    if !args.plans.is_empty() {
        float.recipe.blob.plans.clone_from(&args.plans);
    }
    if let Some(bits) = args.activation_bits {
        float.recipe.blob.activation_bits = bits;
    }
    if args.guidance.is_some() && float.network.shape().classes == 0 {
        anyhow::bail!("--guidance: the model has no classes; leave the flag out, or train with --class-conditional");
    }
    let calibration = CalibrationOptions { samples: args.calibration_samples, ..Default::default() };
    let mut work = Work { set: float.levels()?, float: &float, calibration, layout: args.layout.into() };
    let (made, costs, keeps_quality) = if args.choose {
        let (made, costs, keeps) = work.choose(args)?;
        (made, costs, Some(keeps))
    } else {
        let format = Format {
            weight_bits: args.weight_bits,
            activation_bits: float.recipe.blob.activation_bits,
            correction: args.correction || args.weight_bits == WeightBits::Four,
        };
        let made = work.make_calibrated(format, args.fine_tune)?;
        let costs = if args.measure { vec![work.measure(args, &made)?] } else { Vec::new() };
        let keeps = args.measure.then(|| costs.iter().flatten().all(|cost| cost.keeps));
        (made, costs, keeps)
    };
    warn(&made.quantized);
    let noising = float.recipe.noise.noising();
    let signal = SignalTable::measure(&float.network, &made.quantized, &noising, &work.set, &calibration)?;
    let out = args.out.clone().unwrap_or_else(|| folder.model());
    write_atomically(&out, |file| file.write_all(&made.quantized.blob))?;
    let blob_bytes = made.quantized.blob.len();
    let (format, fine_tuned) = (made.format, made.fine_tuned);
    let report = Report { format, fine_tuned, blob_bytes, keeps_quality, costs, signal };
    args.output.print(&report, |report| {
        let mut text = String::new();
        if !report.costs.is_empty() {
            text = costs_to_text(&report.costs) + "\n";
        }
        text + &report.signal.to_text()
    })?;
    eprintln!("wrote {}: {}, {}", out.display(), description(format, fine_tuned), summary(&made.quantized)?);
    Ok(())
}

/// What every candidate is made of.
struct Work<'a> {
    float: &'a FloatRun,
    set: LevelSet,
    calibration: CalibrationOptions,
    layout: WeightLayout,
}

impl Work<'_> {
    fn integers(&self, format: Format, steps: u64) -> anyhow::Result<Integers> {
        let noising = self.float.recipe.noise.noising();
        let network = &self.float.network;
        let integers = Integers::round(network, &noising, &self.set, format, &self.calibration)?;
        if steps == 0 {
            return Ok(integers);
        }
        let every = (steps / 5).max(1);
        let tuning = FineTuning::of_steps(steps);
        let (mut sum, mut count) = (0.0, 0.0);
        Ok(fine_tune(network, &integers, &noising, &self.set, &self.calibration, &tuning, |step, loss| {
            (sum, count) = (sum + loss, count + 1.0);
            if step.is_multiple_of(every) {
                eprintln!("fine-tuning: step {step} of {steps}, squared error {:.6}", sum / count);
                (sum, count) = (0.0, 0.0);
            }
        })?)
    }

    fn finish(&self, mut integers: Integers, correction: bool, fine_tuned: u64) -> anyhow::Result<Candidate> {
        integers.format.correction = correction;
        let format = integers.format;
        let quantized = self.blob_of(integers, fine_tuned)?;
        Ok(Candidate { format, fine_tuned, quantized })
    }

    fn blob_of(&self, integers: Integers, fine_tuned: u64) -> anyhow::Result<Quantized> {
        let FloatRun { recipe, summary, network } = self.float;
        let text = summary.blob_text(recipe, &description(integers.format, fine_tuned));
        let details = BlobDetails {
            scaling: &summary.scaling,
            image: summary.image,
            layout: self.layout,
            text: &text,
            self_test_seed: recipe.training.seed,
        };
        Ok(export(network, integers, &recipe.noise.noising(), &self.set, &self.calibration, &details)?)
    }

    fn make(&self, format: Format, fine_tuned: u64) -> anyhow::Result<Candidate> {
        self.finish(self.integers(format, fine_tuned)?, format.correction, fine_tuned)
    }

    /// [`make`](Self::make), and once more where gaps are drawn, with what the draws of the first start from calibrated.
    fn make_calibrated(&mut self, format: Format, fine_tuned: u64) -> anyhow::Result<Candidate> {
        let made = self.make(format, fine_tuned)?;
        if self.calibrate_gaps(&made)? { self.make(format, fine_tuned) } else { Ok(made) }
    }

    /// Sets what draws start from, of a model that fills gaps; false for another.
    fn calibrate_gaps(&mut self, made: &Candidate) -> anyhow::Result<bool> {
        let Some(gaps) = &mut self.set.gaps else { return Ok(false) };
        let data = Prepared::load(&self.float.recipe.data)?;
        let model = Model::parse(&made.quantized.blob)?;
        let held_out = &data.gaps.context("the recipe speaks of gaps and the data hold none")?.held_out;
        eprintln!("drawing gaps of the validation part, so that intervals hold what they say");
        let (scale, share) = calibrated_start(&model, held_out, 0.9);
        eprintln!("draws start from {scale:.2} of the noise; intervals of 90% hold {:.1}% there", 100.0 * share);
        gaps.start_scale = scale;
        Ok(true)
    }

    /// What to measure by, and the float samples of every plan.
    fn yardstick(&self, args: &Args) -> anyhow::Result<(Yardstick, Vec<Vec<f32>>)> {
        let data = Prepared::load(&self.float.recipe.data)?;
        let draw = Draw { seed: args.seed, guidance: args.guidance, ..Draw::default() };
        let yardstick = Yardstick::new(&data, draw)?;
        let floats = yardstick.float_pools(&self.float.network, &self.float.recipe.noise.noising(), &self.set);
        Ok((yardstick, floats))
    }

    /// What one format costs with every plan.
    fn measure(&self, args: &Args, candidate: &Candidate) -> anyhow::Result<Vec<FormatCost>> {
        let (yardstick, floats) = self.yardstick(args)?;
        yardstick.measure(candidate, &floats, args.limit / 100.0)
    }

    /// Measures every format; the one to write, all costs, and whether it keeps quality.
    fn choose(&self, args: &Args) -> anyhow::Result<(Candidate, Vec<Vec<FormatCost>>, bool)> {
        let (yardstick, floats) = self.yardstick(args)?;
        let (mut candidates, mut costs) = (Vec::new(), Vec::new());
        for weight_bits in [WeightBits::Eight, WeightBits::Four] {
            let tuned = (weight_bits == WeightBits::Four && args.fine_tune > 0).then_some(args.fine_tune);
            for activation_bits in [ActivationBits::Eight, ActivationBits::Auto] {
                for steps in std::iter::once(0).chain(tuned) {
                    let format = Format { weight_bits, activation_bits, correction: false };
                    let integers = self.integers(format, steps)?;
                    for correction in [false, true] {
                        let candidate = self.finish(integers.clone(), correction, steps)?;
                        eprintln!("measuring {}", description(candidate.format, steps));
                        costs.push(yardstick.measure(&candidate, &floats, args.limit / 100.0)?);
                        candidates.push(candidate);
                    }
                }
            }
        }
        let chosen = choose(&costs);
        if chosen.is_none() {
            eprintln!(
                "warning: no format keeps quality within {}%; wrote 8-bit weights and activations, see what each costs",
                args.limit
            );
        }
        Ok((candidates.swap_remove(chosen.unwrap_or(0)), costs, chosen.is_some()))
    }
}

/// A format in words, for people and for the blob.
fn description(format: Format, fine_tuned: u64) -> String {
    if fine_tuned == 0 { format.to_string() } else { format!("{format}, fine-tuned {fine_tuned} steps") }
}

fn warn(quantized: &Quantized) {
    for warning in &quantized.warnings {
        eprintln!("warning: {warning}");
    }
}

/// Quantises a run by its recipe.
pub(super) fn make_blob(float: &FloatRun, calibration: &CalibrationOptions) -> anyhow::Result<(Quantized, LevelSet)> {
    let layout = WeightLayout::default();
    let mut work = Work { set: float.levels()?, float, calibration: *calibration, layout };
    let made = work.make_calibrated(float.recipe.blob.activation_bits.into(), 0)?;
    warn(&made.quantized);
    Ok((made.quantized, work.set))
}

/// A blob in one line.
pub(super) fn summary(quantized: &Quantized) -> anyhow::Result<String> {
    let model = Model::parse(&quantized.blob)?;
    let plans: Vec<_> = model.plans().map(|plan| plan.name.to_string()).collect();
    let for_what = match plans.is_empty() {
        true => format!("{} noise levels", model.network().levels().len()),
        false => format!("plans {}", plans.join(", ")),
    };
    Ok(format!("{}, {} of working memory, {for_what}", bytes(quantized.blob.len()), bytes(model.arena_bytes())))
}
