use crate::report::{self, Source};
use crate::{
    Board, EnsembleReport, Error, Image, JobReport, LayerCount, Report, Request, ensemble, job, kernels, record,
};
use mote_experiments as experiments;
use std::ffi::OsString;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs};
use wait_timeout::ChildExt;

/// Runs an image with a model in its partition, or with its built-in one, and reads its records.
///
/// The emulator is the board's program on the path, or the one that its variable names (`MOTE_QEMU` for Arm's boards). It is stopped when the
/// time is up.
///
/// # Errors
/// [`Error`] says what is missing, or what the device said when it gave up.
pub fn run(image: &Image, model: Option<&Path>, request: &Request, limit: Duration) -> Result<Report, Error> {
    run_words(image, model, &request.words(), limit)
}

/// Runs an image as [`run`] does, with the request as words, whatever they say.
///
/// # Errors
/// As [`run`].
pub fn run_words(image: &Image, model: Option<&Path>, words: &[String], limit: Duration) -> Result<Report, Error> {
    let report = report::read(&output(image, model, words, limit)?)?;
    match model {
        Some(path) if report.model.source == Source::BuiltIn => Err(Error::NotAModel { path: path.to_owned() }),
        _ => Ok(report),
    }
}

/// Runs the image of ensembles and reads its records.
///
/// # Errors
/// As [`run`].
pub fn run_ensemble(image: &Image, request: &experiments::Request, limit: Duration) -> Result<EnsembleReport, Error> {
    let words: Vec<_> = request.to_string().split(' ').map(str::to_owned).collect();
    run_ensemble_words(image, &words, limit)
}

/// Runs the image of ensembles as [`run_ensemble`] does, with the request as words, whatever they say.
///
/// # Errors
/// As [`run`].
pub fn run_ensemble_words(image: &Image, words: &[String], limit: Duration) -> Result<EnsembleReport, Error> {
    ensemble::read(&output(image, None, words, limit)?)
}

/// Runs the image of kernels on a file that [`doubled`](crate::doubled) made of a model, and reads its records.
///
/// # Errors
/// As [`run`].
pub fn run_kernels(image: &Image, doubled: &Path, limit: Duration) -> Result<Vec<LayerCount>, Error> {
    kernels::read(&output(image, Some(doubled), &[], limit)?)
}

/// Runs the image of jobs on a file that [`Job::behind`](crate::Job::behind) made, and reads its records.
///
/// # Errors
/// As [`run`].
pub fn run_job(image: &Image, partition: &Path, limit: Duration) -> Result<JobReport, Error> {
    job::read(&output(image, Some(partition), &[], limit)?)
}

/// Runs the image of kernels as [`run_kernels`] does, without counting, and logs to a file where every run of instructions within some addresses starts,
/// in QEMU's format `exec`.
///
/// # Errors
/// As [`run`].
pub fn trace_kernels(
    image: &Image,
    doubled: &Path,
    addresses: &[Range<u64>],
    log: &Path,
    limit: Duration,
) -> Result<(), Error> {
    let mut command = command(image, Some(doubled), &[], NO_SERIAL)?;
    let addresses: Vec<_> = addresses.iter().map(|range| format!("{:#x}..{:#x}", range.start, range.end - 1)).collect();
    // Runs that were joined would be logged once.
    command.args(["-d", "exec,nochain", "-dfilter", &addresses.join(",")]).arg("-D").arg(log);
    output_of(image, command, limit).map(drop)
}

/// Runs an image and gives the lines that it printed, counting instructions.
fn output(image: &Image, model: Option<&Path>, words: &[String], limit: Duration) -> Result<String, Error> {
    let mut command = command(image, model, words, NO_SERIAL)?;
    command.args(counting(image.board()));
    output_of(image, command, limit)
}

fn output_of(image: &Image, mut command: Command, limit: Duration) -> Result<String, Error> {
    let program = PathBuf::from(command.get_program());
    let cannot = |source| missing(image.board(), program.clone(), source);
    let child = command.spawn().map_err(cannot)?;
    let Ended { status, output, message } = wait(child, limit).map_err(cannot)?;
    let Some(status) = status else {
        let last = output.lines().last().unwrap_or("none").to_owned();
        return Err(Error::TimedOut { seconds: limit.as_secs(), last });
    };
    if !status.success() {
        return Err(match (record::device_error(&output), status.code()) {
            (Some(error), Some(code)) => Error::Device { code, kind: error.kind, text: error.text },
            _ => Error::Emulator { status, message: message.trim().to_owned() },
        });
    }
    Ok(output)
}

/// The first line of what a board's emulator says of its version, so that one knows early whether it is there.
///
/// # Errors
/// [`Error::Qemu`] when it cannot be started.
pub fn emulator_version(board: &Board) -> Result<String, Error> {
    let program = program(board);
    let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|source| missing(board, program, source))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

fn program(board: &Board) -> PathBuf {
    env::var_os(board.emulator.variable).map_or_else(|| board.emulator.program.into(), PathBuf::from)
}

pub(crate) fn missing(board: &Board, program: PathBuf, source: io::Error) -> Error {
    Error::Qemu { program, package: board.emulator.package, variable: board.emulator.variable, source }
}

/// What the emulator's command line says of a serial port that is not used.
const NO_SERIAL: &[&str] = &["-serial", "none"];

/// How the emulator counts: each instruction takes the same time.
pub(crate) fn counting(board: &Board) -> [String; 2] {
    ["-icount".to_owned(), format!("shift={},align=off,sleep=off", board.icount_shift)]
}

/// The emulator's command line; `serial` is what it says of the serial port.
pub(crate) fn command(
    image: &Image,
    model: Option<&Path>,
    words: &[String],
    serial: &[&str],
) -> Result<Command, Error> {
    let board = image.board();
    let mut command = Command::new(program(board));
    command
        .args(board.emulator.flags)
        .args(["-M", board.machine, "-display", "none", "-monitor", "none"])
        .args(serial)
        // The records have standard output for themselves.
        .args(["-chardev", "stdio,id=records,mux=off,signal=off"]);
    // The first word is the program's name.
    let mut semihosting = "enable=on,target=native,chardev=records,arg=mote".to_owned();
    for word in words {
        semihosting.push_str(",arg=");
        semihosting.push_str(&word.replace(',', ",,"));
    }
    command.args(["-semihosting-config", &semihosting]);
    if let Some(path) = model {
        let length = fs::metadata(path).map_err(|source| Error::File { path: path.to_owned(), source })?.len();
        if length > u64::from(board.model.bytes) {
            let path = path.to_owned();
            return Err(Error::TooLong { path, bytes: length, board: board.name, room: board.model.bytes });
        }
        let mut device = OsString::from("loader,file=");
        device.push(doubled_commas(path));
        device.push(format!(",addr={:#x},force-raw=on", board.model.origin));
        command.arg("-device").arg(device);
    }
    command.arg("-kernel").arg(image.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// A path inside an option of QEMU's, where a comma ends the value.
fn doubled_commas(path: &Path) -> OsString {
    path.to_str().map_or_else(|| path.as_os_str().to_owned(), |text| text.replace(',', ",,").into())
}

/// How a process ended: no status if it had to be stopped.
struct Ended {
    status: Option<ExitStatus>,
    output: String,
    message: String,
}

/// Waits for a process, but no longer than the limit, while threads empty its pipes.
fn wait(mut child: Child, limit: Duration) -> io::Result<Ended> {
    let (output, message) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = child.wait_timeout(limit)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let text = |pipe: JoinHandle<Vec<u8>>| String::from_utf8_lossy(&pipe.join().unwrap_or_default()).replace('\r', "");
    Ok(Ended { status, output: text(output), message: text(message) })
}

pub(crate) fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is worth having.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}
