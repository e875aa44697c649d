//! The table of `mote theory`, without the rest of the command: quick to build, for `cargo xtask mutants`.

use std::process::ExitCode;

use clap::Parser as _;
use mote_laboratory::theory::{Laboratory, select, table};

#[derive(clap::Parser)]
struct Arguments {
    /// Seed of the table; several run it once for each
    #[arg(long, default_value = "1")]
    seed: Vec<u64>,
    /// A chapter, or part of a row's name
    #[arg(long)]
    only: Vec<String>,
    /// Print a line of JSON for each seed: the seed and the names of the rows that fail
    #[arg(long)]
    failures: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all rows hold.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let selected = select(&arguments.only)?;
    let pool = rayon::ThreadPoolBuilder::new().build()?;
    let mut all_hold = true;
    for &seed in &arguments.seed {
        let laboratory = Laboratory { seed };
        let report = if arguments.failures {
            table::print(&laboratory, &pool, &selected, &mut std::io::sink())?
        } else {
            table::print(&laboratory, &pool, &selected, &mut std::io::stdout().lock())?
        };
        if arguments.failures {
            println!("{}", serde_json::json!({ "seed": seed, "failures": report.failures() }));
        }
        all_hold &= report.failed == 0;
    }
    Ok(all_hold)
}
