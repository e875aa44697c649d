use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use flate2::read::MultiGzDecoder;
use mote_laboratory::simulation::{Kind, Plan, Report, file_bytes, join, npy_header, npy_states};

use super::{check_space, print, write_states};
use crate::data::SampleFile;

/// Arguments of `mote simulate join`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The reports say which part of the run they are and which file they wrote, so that their order does not matter; a missing \
    shard is an error. Files are looked for under the name that the shard wrote, and beside its report.\n\n\
    Example: mote simulate join shards/*.json --out all.npy"
)]
pub(in crate::commands) struct Args {
    /// What the shards printed with --json.
    #[arg(required = true, value_name = "REPORT.json")]
    reports: Vec<PathBuf>,
    /// Join the files that the shards wrote: .npy, .csv or .csv.gz, as theirs are.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON with stable field names instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut shards = Vec::new();
    for path in &args.reports {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let report: Report = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what `mote simulate --json` prints", path.display()))?;
        report.check().map_err(|line| anyhow!("{}: {line}", path.display()))?;
        shards.push(report);
    }
    let mut whole = join(&shards).map_err(|line| anyhow!(line))?;
    if let Some(out) = &args.out {
        let mut parts: Vec<_> = shards.iter().zip(&args.reports).collect();
        parts.sort_by_key(|(report, _)| report.plan.shard.index);
        let parts =
            parts.into_iter().map(|(report, path)| Part::find(report, path)).collect::<anyhow::Result<Vec<_>>>()?;
        join_files(&parts, &whole.plan, out)?;
        whole.out = Some(out.display().to_string());
    }
    print(&whole, args.json)
}

/// The file of one shard.
struct Part<'a> {
    plan: &'a Plan,
    path: PathBuf,
    file: SampleFile,
}

impl<'a> Part<'a> {
    fn find(report: &'a Report, at: &Path) -> anyhow::Result<Self> {
        let Some(out) = &report.out else {
            bail!("{}: the shard wrote no file; leave --out of `mote simulate join` out", at.display())
        };
        let beside = at.with_file_name(Path::new(out).file_name().unwrap_or_default());
        let path = [PathBuf::from(out), beside].into_iter().find(|path| path.is_file());
        let path = path.with_context(|| format!("{}: its file {out} is not there, nor beside it", at.display()))?;
        Ok(Self { plan: &report.plan, file: SampleFile::of(&path)?, path })
    }

    /// Copies the states, without what comes before them in the file.
    fn copy(&self, out: &mut dyn Write) -> io::Result<()> {
        let explain = |error: io::Error| io::Error::other(format!("{}: {error}", self.path.display()));
        let file = BufReader::new(File::open(&self.path).map_err(explain)?);
        let damaged = || explain(io::Error::other("it is not the file that the shard wrote; run the shard again"));
        if self.file == SampleFile::Npy {
            let mut states = npy_states(self.plan, file).map_err(explain)?;
            let expected = file_bytes(Kind::Npy, self.plan) - 128;
            return if io::copy(&mut states, out)? == expected { Ok(()) } else { Err(damaged()) };
        }
        let unpacked: Box<dyn Read> =
            if self.file == SampleFile::CsvGz { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let mut lines = BufReader::new(unpacked);
        let mut header = String::new();
        lines.read_line(&mut header).map_err(explain)?;
        let mut wanted = (self.plan.end_path() - self.plan.first_path()) * self.plan.saved_steps().len() as u64;
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(explain)? == 0 {
                return if wanted == 0 { Ok(()) } else { Err(damaged()) };
            }
            wanted = wanted.checked_sub(1).ok_or_else(damaged)?;
            out.write_all(&line)?;
        }
    }
}

fn join_files(parts: &[Part<'_>], whole: &Plan, out: &Path) -> anyhow::Result<()> {
    let file = SampleFile::of(out)?;
    let text = |file: SampleFile| file != SampleFile::Npy;
    if let Some(part) = parts.iter().find(|part| text(part.file) != text(file)) {
        bail!("--out {}: {} is of another kind; give --out the shards' ending", out.display(), part.path.display());
    }
    check_space(out, file, whole)?;
    write_states(out, file, |kind, out| {
        match kind {
            Kind::Npy => npy_header(whole, out)?,
            Kind::Csv => writeln!(out, "path,t,{}", whole.components.join(","))?,
        }
        parts.iter().try_for_each(|part| part.copy(out))
    })
}
