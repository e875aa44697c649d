//! The command line: one verb a file. Standard output is data, standard error is talk; 0 is success, 1 a check that
//! failed, 2 a usage or file error.

mod chip;
mod completions;
mod demo;
mod denoise;
mod detect;
mod device;
mod distill;
mod evaluate;
mod export;
mod firmware;
mod fit;
mod frontier;
mod gallery;
mod import;
mod impute;
mod inspect;
mod output;
mod quantize;
mod report;
mod run_page;
mod sample;
mod score_1d;
mod search_plan;
mod signal_plot;
mod simulate;
mod source;
mod synth;
mod synth_check;
mod theory;
mod train;
mod verify;

use std::io;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};

/// Train a diffusion model, quantise it, and run it on a microcontroller with the same bits.
#[derive(Debug, Parser)]
#[command(name = "mote", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Start with `mote demo`: it trains on built-in digits and leaves a report in runs/demo.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Train, quantise, sample and check on a board, with a built-in data set.
    Demo(demo::Args),
    /// Train a network on a table and make its blob.
    Train(Box<train::Args>),
    /// Take a network that was trained in PyTorch, as a run like any other.
    Import(import::Args),
    /// Make a blob of a trained run, with other plans or another width of activations.
    Quantize(quantize::Args),
    /// Teach a student to sample in one, two or four evaluations.
    Distill(Box<distill::Args>),
    /// Find the best plan for a number of evaluations, without retraining.
    SearchPlan(search_plan::Args),
    /// Train over lengths and weight decays, and set quality against memorisation.
    Frontier(Box<frontier::Args>),
    /// Draw samples from a blob, with the bits that a device gives.
    Sample(sample::Args),
    /// Take the noise out of a signal, with the bits that a device gives.
    Denoise(denoise::Args),
    /// Tell which windows of a signal do not look like normal data.
    Detect(detect::Args),
    /// Fill in what is missing in a signal, with an interval for each value.
    Impute(impute::Args),
    /// Make labelled rows from labelled rows, to enlarge a small training set.
    Synth(synth::Args),
    /// Tell whether synthetic rows help a plain classifier, and whether they are copies.
    SynthCheck(synth_check::Args),
    /// Do a job on a board under QEMU: the host's bits, the board's quality, instructions and memory.
    Verify(verify::Args),
    /// Show what a blob holds and what it needs.
    Inspect(inspect::Args),
    /// Write a blob as sources for firmware, in Rust or in C.
    Export(export::Args),
    /// Propose networks and plans that a chip has room and time for, before anything is trained.
    Fit(fit::Args),
    /// Measure a run's samples, float and quantised, beside the data-to-data floor.
    Evaluate(evaluate::Args),
    /// Write everything about a run on one HTML page.
    Report(report::Args),
    /// Run a blob, or an ensemble of paths, in a firmware image under QEMU and compare the bits.
    #[command(subcommand)]
    Firmware(firmware::Verb),
    /// Use a live device over its serial port: sample, denoise, score, replace its model.
    #[command(subcommand)]
    Device(device::Verb),
    /// Put the identities of the theory to the test, each in one row of a table.
    Theory(theory::Args),
    /// Draw pictures of the theory, as SVG and PNG.
    Gallery(gallery::Args),
    /// Learn a one-dimensional law by score matching, sample it, and measure against the exact one.
    #[command(name = "score-1d")]
    Score1d(score_1d::Args),
    /// Simulate a stochastic process, and hold its moments to the theory.
    #[command(subcommand)]
    Simulate(Box<simulate::Verb>),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// A check that was run and failed: exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CheckFailed(String);

/// Training that was stopped by Ctrl-C: exit code 130.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Interrupted(String);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let result = match cli.verb {
        Verb::Demo(args) => demo::run(&args),
        Verb::Train(args) => train::run(&args),
        Verb::Distill(args) => distill::run(&args),
        Verb::SearchPlan(args) => search_plan::run(&args),
        Verb::Frontier(args) => frontier::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Quantize(args) => quantize::run(&args),
        Verb::Sample(args) => sample::run(&args),
        Verb::Denoise(args) => denoise::run(&args),
        Verb::Detect(args) => detect::run(&args),
        Verb::Impute(args) => impute::run(&args),
        Verb::Synth(args) => synth::run(&args),
        Verb::SynthCheck(args) => synth_check::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Fit(args) => fit::run(&args),
        Verb::Evaluate(args) => evaluate::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Firmware(verb) => firmware::run(&verb),
        Verb::Device(verb) => device::run(&verb),
        Verb::Theory(args) => theory::run(&args),
        Verb::Gallery(args) => gallery::run(&args),
        Verb::Score1d(args) => score_1d::run(&args),
        Verb::Simulate(verb) => simulate::run(&verb),
        Verb::Completions(args) => completions::run::<Cli>(&args),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    // `mote ... | head` closes the pipe early; that is no error.
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", one_line(&error));
    if error.is::<CheckFailed>() {
        ExitCode::from(1)
    } else if error.is::<Interrupted>() {
        ExitCode::from(130)
    } else {
        ExitCode::from(2)
    }
}

/// Help and version as they are; a wrong argument as one line.
fn usage(error: &clap::Error) -> ExitCode {
    // Lets `mote --help | head` close the pipe early.
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(2)
        }
        _ => {
            eprintln!("{}", usage_line(&error.to_string(), nearest_subcommand(error).as_deref()));
            ExitCode::from(2)
        }
    }
}

/// What else could have been meant, where a subcommand is unknown and clap finds none similar enough to name.
fn nearest_subcommand(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return None;
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let mut command = Cli::command();
    // The verbs that were understood lead to the command whose subcommand it should have been.
    for word in std::env::args().skip(1).take_while(|word| word != unknown) {
        command = command.find_subcommand(word).cloned().unwrap_or(command);
    }
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let nearest = names.iter().max_by(|a, b| {
        let likeness = |name: &str| strsim::jaro_winkler(name, unknown);
        likeness(a).total_cmp(&likeness(b))
    })?;
    Some(format!("the nearest is '{nearest}'; there are {}", names.join(", ")))
}

/// What clap says over several lines, without the usage, on one.
fn usage_line(text: &str, hint: Option<&str>) -> String {
    let mut line = String::new();
    let said = text.split("\n\n").filter(|part| !part.starts_with("Usage:") && !part.starts_with("For more"));
    for part in said {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        line += if line.is_empty() { "" } else { "; " };
        line += part.strip_prefix("tip: ").unwrap_or(&part);
    }
    if let Some(hint) = hint {
        line = line + "; " + hint;
    }
    line + "; --help has more"
}

/// An error and its causes on one line; a cause that its consequence already quotes is not said twice.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_wrong_argument_is_one_line_that_keeps_what_helps() {
        let line = |arguments: &[&str]| {
            let error = Cli::try_parse_from(["mote"].iter().chain(arguments)).unwrap_err();
            usage_line(&error.to_string(), None)
        };
        assert_eq!(
            line(&["sample", "m", "--coun", "3"]),
            "error: unexpected argument '--coun' found; a similar argument exists: '--count'; --help has more"
        );
        assert_eq!(
            line(&["sample"]),
            "error: the following required arguments were not provided: <MODEL>; --help has more"
        );
        assert_eq!(
            line(&["train", "--schedule", "cos"]),
            "error: invalid value 'cos' for '--schedule <SCHEDULE>' [possible values: cosine, vp-linear, edm, sub-vp, ve-geometric, flow, \
            ddpm-linear, zero-terminal]; a similar value exists: 'cosine'; --help has more"
        );
    }

    #[test]
    fn causes_are_said_once_and_on_one_line() {
        let inner = io::Error::other("disk\n  full");
        let error = anyhow::Error::new(inner).context("cannot write x: disk full").context("training");
        assert_eq!(one_line(&error), "training: cannot write x: disk full");
    }
}
