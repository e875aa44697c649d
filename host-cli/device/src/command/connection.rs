use super::blob;
use crate::{Client, Error, Line, Patience, Place};
use anyhow::Result;
use mote_core::model::Model;
use mote_qemu::{BOARDS, Board};
use std::path::PathBuf;
use std::time::Duration;

/// Bytes of working memory in an emulated board's image, at least; models of later updates may need more than the first.
const ARENA_BYTES: usize = 16 * 1024;

/// Where the device is; one of these.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Connection {
    /// A serial port, such as /dev/ttyACM0 or COM3.
    #[arg(long, conflicts_with_all = ["tcp", "unix", "board"])]
    port: Option<String>,
    /// Bits in a second on the serial port.
    #[arg(long, default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(300..))]
    baud: u32,
    /// A socket, HOST:PORT, as of QEMU's `-serial tcp:HOST:PORT,server=on`.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["unix", "board"])]
    tcp: Option<String>,
    /// A socket in the file system.
    #[arg(long, value_name = "PATH", conflicts_with = "board")]
    unix: Option<PathBuf>,
    /// A board that QEMU emulates for as long as this command runs.
    #[arg(long, value_parser = board)]
    board: Option<Board>,
    /// The model in the emulated board's flash at the start: a blob, or the folder of a run.
    #[arg(long, value_name = "BLOB", requires = "board")]
    model: Option<PathBuf>,
    /// Seconds to wait for an answer before asking again; after thirty times the device is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    timeout: f64,
}

fn board(name: &str) -> Result<Board, String> {
    let names = || BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", ");
    mote_qemu::find(name).ok_or_else(|| format!("the boards are {}", names()))
}

fn seconds(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value| (0.001..=600.0).contains(value));
    value.ok_or_else(|| "a number of seconds from 0.001 to 600".to_owned())
}

impl Connection {
    fn place(&self) -> Result<Place> {
        if let Some(board) = self.board {
            let model = self.model.as_deref().map(blob).transpose()?;
            let parsed = model.as_deref().map(Model::parse).transpose().map_err(Error::from)?;
            let needed = parsed.map_or(0, |model| model.arena_bytes_anywhere());
            // A small chip has no more than what its own model needs.
            let least = if board.ram.bytes < 0x1_0000 { 4096 } else { ARENA_BYTES };
            let arena_bytes = needed.max(least).next_multiple_of(1024) as u32;
            return Ok(Place::Emulated { board: Box::new(board), model, arena_bytes });
        }
        #[cfg(unix)]
        if let Some(path) = &self.unix {
            return Ok(Place::Unix(path.clone()));
        }
        Ok(match (&self.tcp, &self.port) {
            (Some(address), _) => Place::Tcp(address.clone()),
            (None, Some(port)) => Place::Serial { port: port.clone(), baud: self.baud },
            (None, None) => anyhow::bail!("say where the device is, by --port, --tcp, --unix or --board"),
        })
    }

    /// Opens the line, greets the device, and does something with it.
    pub fn with<T>(&self, work: impl FnOnce(&mut Client<Box<dyn Line>>) -> Result<T>) -> Result<T> {
        let place = self.place()?;
        let (line, _board) = place.open()?;
        let patience = Patience { answer: Duration::from_secs_f64(self.timeout), ..Patience::default() };
        let mut device = Client::greet(line, &place.name(), patience)?;
        let result = work(&mut device);
        let tally = device.tally();
        if tally.sent > tally.requests {
            eprintln!("{} of {} frames were sent again: {tally}", tally.sent - tally.requests, tally.sent);
        }
        result
    }
}
