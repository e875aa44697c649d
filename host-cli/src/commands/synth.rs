//! `mote synth`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mote_core::model::{Model, Role};
use mote_core::sampler::Digest;
use mote_picture::{GridStyle, Tiles, grid_png};
use npyz::WriterBuilder as _;
use serde::Serialize;

use super::output::Format;
use super::source::{Source, class, parse};
use super::synth_check::MakingArgs;
use crate::data::{Header, LoadOptions, Missing, SampleFile, Samples, load, write_csv, write_samples};
use crate::files::write_atomically;
use crate::inspection::BlobText;
use crate::jobs::ladder;
use crate::recipe::Recipe;
use crate::run::Prepared;
use crate::synth::{Layout, Limits, Logistic, Maker, NEAR_DUPLICATE, Nearness, Rows, Start, levels_from};

/// The most rows that are made for each real one.
const FROM_EACH: usize = 1000;
/// The most rows that the classifier learns from, and up to how many it learns from their shifts too.
const CLASSIFIER_ROWS: usize = 4000;
const SHIFTED_ROWS: usize = 500;
/// Tiles of a class in a picture: real ones, a gap, synthetic ones.
const SHOWN: (usize, usize) = (4, 8);

/// Arguments of `mote synth`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each synthetic row starts from a real one of its class, shifted a little, takes noise of deviation --sigma and comes down the model's levels again, with the \
    bits that a device gives. Rows whose class a plain classifier of the real rows doubts are made anew. `mote synth-check` tells whether they help.\n\nExamples:\n  mote synth runs/windows --per-class 200 --out more.csv\n  mote synth runs/windows --data few.csv --label state --class idle,run --append --out enlarged.csv"
)]
pub(super) struct Args {
    /// A blob, or the folder of a run; the network must have classes.
    model: PathBuf,
    /// Labelled rows to start from: .csv, .csv.gz or .npy. Default: the training rows of the run.
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// Column with the class labels, by name or number from 1.
    #[arg(long, value_name = "COLUMN", requires = "data")]
    label: Option<String>,
    /// What to do with rows that have empty cells, NaN or infinities.
    #[arg(long, value_enum, requires = "data")]
    missing: Option<Missing>,
    /// Whether the first line of a CSV names the columns.
    #[arg(long, value_enum, requires = "data")]
    header: Option<Header>,
    /// Classes to make rows of, by name or number. Default: all.
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true, value_name = "CLASS,..")]
    class: Vec<String>,
    /// Synthetic rows of each class.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    per_class: u32,
    /// Noise that rows start with, in training deviations: more leaves less of the row.
    #[arg(long, default_value_t = 0.7, allow_negative_numbers = true)]
    sigma: f32,
    #[command(flatten)]
    making: MakingArgs,
    /// Where the rows go, with their classes in the last column: .csv or .csv.gz; .npy with the classes in a file of their own; `-` is CSV on standard output.
    #[arg(long, default_value = "-", value_name = "FILE")]
    out: PathBuf,
    /// Write the real rows too, before the synthetic ones.
    #[arg(long)]
    append: bool,
    /// A PNG with a line of images for each class: real ones, then synthetic ones.
    #[arg(long, value_name = "FILE.png")]
    grid: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// Real rows, in the data's own units.
struct Real {
    rows: Rows,
    held_out: Rows,
    label: String,
    columns: Vec<String>,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    sigma: f32,
    levels: usize,
    blob_bytes: usize,
    digest: String,
    /// Candidates that the classifier took for another class.
    refused: usize,
    classes: Vec<ClassReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copies: Option<Nearness>,
}

#[derive(Serialize)]
struct ClassReport {
    class: String,
    real: usize,
    synthetic: usize,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    args.making.check()?;
    let source = Source::find(&args.model)?;
    let blob = source.bytes()?;
    let model = parse(&source.path, &blob)?;
    if model.role() != Role::Sampler {
        bail!(
            "{}: the network slides over a signal, and synthetic rows are whole windows; train without --sliding",
            source.path.display()
        );
    }
    if model.classes() == 0 {
        bail!(
            "{}: the model has no classes, so it cannot make rows of one; train with --class-conditional and a --label column",
            source.path.display()
        );
    }
    let levels = levels(&model, args.sigma)?;
    let sigma = levels.first().map_or(0.0, |level| level.noise.relative_sigma());
    let text = BlobText::of(&model);
    let layout = layout(&model, &text);
    if args.grid.is_some() && !matches!(layout, Layout::Image { .. }) {
        bail!("--grid: the model's rows are not images; leave --grid out");
    }
    if args.out.as_os_str() != "-" {
        SampleFile::of(&args.out)?; // before the work, not after
    }
    let names = class_names(&text, &model);
    let real = real_rows(args, &source, &model, &names)?;
    let classes = wanted(args, &model, &text.classes, &names, &real.rows)?;

    let limits = Limits::of(&real.rows, layout);
    let scaled = |rows: &Rows| {
        let mut rows = rows.clone();
        model.scale(&mut rows.values);
        rows
    };
    let own = scaled(&real.rows);
    let classifier = classifier(&own, layout, args.making.shift, model.classes())?.filter(|_| args.making.agree > 0.0);
    let maker = Maker {
        model: &model,
        levels,
        eta: args.making.eta,
        seed: args.making.seed,
        start: Start::Rows,
        layout,
        shift: args.making.shift,
        limits: &limits,
        agreement: classifier.as_ref().map(|classifier| (classifier, args.making.agree)),
    };
    let made = maker.make(&own, &classes, args.per_class as usize);
    let mut digest = Digest::new();
    digest.update(&made.states);
    let held_out = scaled(&real.held_out);
    let measurable = own.len() >= 2 && held_out.len() >= 2 && !made.scaled.is_empty();
    let report = Report {
        sigma,
        levels: maker.levels.len(),
        blob_bytes: blob.len(),
        digest: format!("{:016x}", digest.finish()),
        refused: made.refused,
        classes: classes
            .iter()
            .map(|class| ClassReport {
                class: names[usize::from(*class)].clone(),
                real: real.rows.of_class(*class).len(),
                synthetic: made.rows.of_class(*class).len(),
            })
            .collect(),
        copies: measurable.then(|| Nearness::measure(&made.scaled, &own, &held_out)).transpose()?,
    };
    say(&report, args.per_class as usize);
    if let (Some(path), Layout::Image { height, width }) = (&args.grid, layout) {
        let png = grid(&real.rows, &made.rows, &classes, (height, width))?;
        write_atomically(path, |out| out.write_all(&png))?;
    }
    let mut written = if args.append { real.rows.clone() } else { Rows { dim: real.rows.dim, ..Rows::default() } };
    made.rows.iter().for_each(|(row, class)| written.push(row, class));
    let labels: Vec<String> = written.labels.iter().map(|class| names[usize::from(*class)].clone()).collect();
    let samples = Samples { columns: &real.columns, values: &written.values, labels: Some((&real.label, &labels)) };
    if args.out.as_os_str() == "-" {
        return if args.format.is_json() {
            args.format.print(&report, table)
        } else {
            Ok(write_csv(&mut std::io::stdout().lock(), &samples)?)
        };
    }
    write_samples(&args.out, &samples)?;
    if SampleFile::of(&args.out)? == SampleFile::Npy {
        write_labels(&args.out.with_extension("labels.npy"), &written.labels)?;
    }
    args.format.print(&report, table)
}

/// The levels from a deviation down, if the model has it.
fn levels(model: &Model<'_>, sigma: f32) -> anyhow::Result<Vec<mote_core::job::Level>> {
    let all = ladder(model);
    let (Some(high), Some(low)) = (all.first(), all.last()) else {
        bail!("the model has no noise levels to come down")
    };
    let (high, low) = (high.noise.relative_sigma(), low.noise.relative_sigma());
    if !(low..=high).contains(&sigma) {
        bail!(
            "--sigma {sigma}: the model's levels are from {low:.3} to {high:.3}; take one of these, or train with other --plan or --noise-range"
        );
    }
    Ok(levels_from(model, sigma))
}

fn layout(model: &Model<'_>, text: &BlobText) -> Layout {
    match (model.image(), &text.window) {
        (Some((height, width)), _) => Layout::Image { height: height.into(), width: width.into() },
        (None, Some(window)) if window.length * window.channels.len() == model.dim_out() => {
            Layout::Series { times: window.length, channels: window.channels.len() }
        }
        _ => Layout::Plain,
    }
}

/// The names of a model's classes; their numbers where it has none.
fn class_names(text: &BlobText, model: &Model<'_>) -> Vec<String> {
    match text.classes.len() == model.classes() {
        true => text.classes.clone(),
        false => (0..model.classes()).map(|number| number.to_string()).collect(),
    }
}

/// The rows to start from: those of a file, or the training rows of the run.
fn real_rows(args: &Args, source: &Source, model: &Model<'_>, names: &[String]) -> anyhow::Result<Real> {
    if let Some(path) = &args.data {
        let options = LoadOptions {
            label: args.label.clone(),
            missing: args.missing.unwrap_or_default(),
            header: args.header.unwrap_or_default(),
        };
        let table = load(path, &options)?;
        table.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        let labels = table.labels.as_ref().with_context(|| {
            format!(
                "{path} has no labels, and synthetic rows need a class to start from; name their column with --label"
            )
        })?;
        if table.dim != model.dim_out() {
            bail!(
                "{path}: rows of {} values, and the model's have {}; give rows like those that it was trained on",
                table.dim,
                model.dim_out()
            );
        }
        let code = |name: &String| {
            names.iter().position(|own| own == name).map(|code| code as u16).with_context(|| {
                format!("{path}: class {name} is none of the model's ({}); leave its rows out", names.join(", "))
            })
        };
        let codes: Vec<u16> = labels.names.iter().map(code).collect::<anyhow::Result<_>>()?;
        let labels: Vec<u16> = labels.codes.iter().map(|label| codes[usize::from(*label)]).collect();
        let rows = Rows { dim: table.dim, values: table.values, labels };
        let label = args.label.clone().filter(|label| label.parse::<usize>().is_err()).unwrap_or("class".into());
        return Ok(Real { held_out: Rows { dim: rows.dim, ..Rows::default() }, rows, label, columns: table.columns });
    }
    let run = source.run.as_ref().with_context(|| {
        format!("{} is a blob on its own; say by --data and --label what rows to start from", args.model.display())
    })?;
    let recipe = Recipe::read(&run.recipe())?;
    let data = Prepared::load(&recipe.data)?;
    let labels = |labels: &Option<Vec<u16>>| labels.clone().unwrap_or_default();
    let (rows, left_out) = Rows::whole(data.dim(), &data.raw_train, &labels(&data.train_labels));
    if left_out > 0 {
        eprintln!("{left_out} windows with missing values are left out");
    }
    if data.dim() != model.dim_out() || data.summary.classes != names {
        bail!(
            "{}: the run's data are no longer those that it was trained on; bring them back, or say --data",
            run.root().display()
        );
    }
    let mut held_out = data.validation.clone();
    data.summary.scaling.invert(&mut held_out);
    held_out.extend(&data.raw_test);
    let none = vec![0; held_out.len() / data.dim()];
    let label = recipe.data.label.filter(|label| label.parse::<usize>().is_err()).unwrap_or("class".into());
    Ok(Real { rows, held_out: Rows::whole(data.dim(), &held_out, &none).0, label, columns: data.summary.columns })
}

/// The classes to make rows of, each with rows to start from.
fn wanted(args: &Args, model: &Model<'_>, said: &[String], names: &[String], rows: &Rows) -> anyhow::Result<Vec<u16>> {
    let mut classes: Vec<u16> = match args.class.is_empty() {
        true => (0..model.classes() as u16).collect(),
        false => args.class.iter().map(|name| class(model, said, name)).collect::<anyhow::Result<_>>()?,
    };
    classes.sort_unstable();
    classes.dedup();
    for class in &classes {
        let (name, there) = (&names[usize::from(*class)], rows.of_class(*class).len());
        if there == 0 {
            bail!("class {name} has no rows to start from; bring some, or say by --class which classes to make");
        }
        if args.per_class as usize > FROM_EACH * there {
            bail!(
                "--per-class {}: class {name} has {there} real rows, and more than {FROM_EACH} from each would be much of the same; ask for at most {}",
                args.per_class,
                FROM_EACH * there
            );
        }
    }
    Ok(classes)
}

/// A plain classifier of the real rows, and of their shifts where these are few; none where there is only one class.
fn classifier(rows: &Rows, layout: Layout, shift: f32, classes: usize) -> anyhow::Result<Option<Logistic>> {
    if rows.labels.iter().all(|label| Some(label) == rows.labels.first()) {
        return Ok(None);
    }
    let every = rows.len().div_ceil(CLASSIFIER_ROWS).max(1);
    let known = rows.gather(&(0..rows.len()).step_by(every).collect::<Vec<_>>());
    let mut shifts = Rows { dim: rows.dim, ..Rows::default() };
    if rows.len() <= SHIFTED_ROWS {
        for by in layout.shifts(shift) {
            known.iter().for_each(|(row, class)| shifts.push(&layout.shifted(row, by), class));
        }
    }
    let weight = known.len() as f64 / shifts.len().max(1) as f64;
    Ok(Some(Logistic::fit(&[(&known, 1.0), (&shifts, weight)], classes, 1.0)?))
}

fn say(report: &Report, per_class: usize) {
    let made: usize = report.classes.iter().map(|class| class.synthetic).sum();
    eprintln!(
        "{made} rows from noise of {:.3} training deviations down {} levels, digest {}; {} candidates were taken for another class and made anew",
        report.sigma, report.levels, report.digest, report.refused
    );
    for class in report.classes.iter().filter(|class| class.synthetic < per_class) {
        eprintln!(
            "warning: class {}: {} rows of {per_class}; the rest was taken for other classes, as a smaller --sigma or --agree would change",
            class.class, class.synthetic
        );
    }
    if let Some(near) = report.copies.as_ref().filter(|near| near.near_duplicates > 0) {
        eprintln!(
            "warning: {} of {} rows are within {NEAR_DUPLICATE} training deviations of a real one; a larger --sigma moves them on",
            near.near_duplicates, near.rows
        );
    }
}

fn table(report: &Report) -> String {
    let mut out = format!("{:<20}{:>12}{:>12}\n", "class", "real", "synthetic");
    for class in &report.classes {
        let _ = writeln!(out, "{:<20}{:>12}{:>12}", class.class, class.real, class.synthetic);
    }
    if let Some(near) = &report.copies {
        let _ = writeln!(
            out,
            "distance to the nearest real row, in training deviations: median {:.3} (held-out rows {:.3}); {:.1}% are nearer than the 1st percentile of held-out rows, {} nearer than {NEAR_DUPLICATE}",
            near.median,
            near.held_out_median,
            100.0 * near.share_below,
            near.near_duplicates
        );
    }
    out
}

fn write_labels(path: &Path, labels: &[u16]) -> anyhow::Result<()> {
    Ok(write_atomically(path, |out| {
        let options = npyz::WriteOptions::<i32>::new().default_dtype().shape(&[labels.len() as u64]);
        let mut writer = options.writer(out).begin_nd()?;
        writer.extend(labels.iter().map(|label| i32::from(*label)))?;
        writer.finish()
    })?)
}

/// A line of tiles for each class: real rows, a gap, synthetic rows.
fn grid(real: &Rows, made: &Rows, classes: &[u16], (height, width): (usize, usize)) -> anyhow::Result<Vec<u8>> {
    let values = real.values.iter();
    let range = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let mut shown = Vec::new();
    let blank = vec![range.0; real.dim];
    for class in classes {
        let mut tiles = |rows: &Rows, count: usize| {
            let own = rows.of_class(*class);
            let tiles = (0..count).flat_map(|k| own.get(k).map_or(&blank[..], |row| rows.row(*row)));
            shown.extend(tiles.copied().collect::<Vec<f32>>());
        };
        tiles(real, SHOWN.0);
        tiles(&Rows { dim: real.dim, ..Rows::default() }, 1);
        tiles(made, SHOWN.1);
    }
    let style = GridStyle { columns: SHOWN.0 + 1 + SHOWN.1, range, scale: 4 };
    Ok(grid_png(&Tiles { values: &shown, height, width }, &style)?)
}
