use crate::{Error, slot_image};
use mote_qemu::{Board, Image, Live, Program};
use serialport::SerialPort;
use std::io::{self, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Bytes to a device and back.
pub trait Line {
    /// Sends bytes.
    ///
    /// # Errors
    /// When the line is broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The next byte, or `None` when none came in this time, which is above zero.
    ///
    /// # Errors
    /// When the line is broken.
    fn receive(&mut self, wait: Duration) -> io::Result<Option<u8>>;
}

impl<L: Line + ?Sized> Line for Box<L> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).send(bytes)
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Option<u8>> {
        (**self).receive(wait)
    }
}

/// A stream that can be told how long to wait.
trait Timed: Read + Write {
    fn wait(&mut self, time: Duration) -> io::Result<()>;
}

impl Timed for TcpStream {
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

#[cfg(unix)]
impl Timed for UnixStream {
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

impl Timed for Box<dyn SerialPort> {
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        self.set_timeout(time).map_err(io::Error::from)
    }
}

/// A stream, read by the piece and handed out by the byte.
struct Buffered<S> {
    stream: S,
    bytes: [u8; 512],
    next: usize,
    end: usize,
}

impl<S: Timed> Buffered<S> {
    fn new(stream: S) -> Self {
        Self { stream, bytes: [0; 512], next: 0, end: 0 }
    }
}

impl<S: Timed> Line for Buffered<S> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Option<u8>> {
        if self.next == self.end {
            // Less than a millisecond is no time at all for some systems.
            self.stream.wait(wait.max(Duration::from_millis(1)))?;
            (self.next, self.end) = match self.stream.read(&mut self.bytes) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other end has closed it")),
                Ok(count) => (0, count),
                Err(error) if is_time_out(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
        }
        self.next += 1;
        Ok(self.bytes.get(self.next - 1).copied())
    }
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Where a device is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A serial port of this machine.
    Serial {
        /// Its path or name.
        port: String,
        /// Bits in a second.
        baud: u32,
    },
    /// A socket, `host:port`, as QEMU's `-serial tcp:...,server=on` opens.
    Tcp(String),
    /// A socket in the file system.
    #[cfg(unix)]
    Unix(PathBuf),
    /// An emulated board, started for this and stopped when its [`EmulatedBoard`] is dropped.
    Emulated {
        /// Which.
        board: Box<Board>,
        /// The blob in its first slot at the start, or none.
        model: Option<Vec<u8>>,
        /// Bytes of working memory for its models.
        arena_bytes: u32,
    },
}

/// An emulated board, which runs as long as this is kept.
#[derive(Debug)]
pub struct EmulatedBoard {
    _live: Live,
    /// The file that was loaded into its flash.
    _file: Option<tempfile::NamedTempFile>,
}

impl Place {
    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Serial { port, .. } => port.clone(),
            Self::Tcp(address) => address.clone(),
            #[cfg(unix)]
            Self::Unix(path) => path.display().to_string(),
            Self::Emulated { board, .. } => format!("{} in QEMU", board.name),
        }
    }

    /// Opens the line, and starts the board where it is emulated.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or why there is no emulated board.
    pub fn open(&self) -> Result<(Box<dyn Line>, Option<EmulatedBoard>), Error> {
        let unreachable = |source| Error::Unreachable { place: self.name(), source };
        match self {
            Self::Serial { port, baud } => {
                let port = serialport::new(port, *baud).open().map_err(io::Error::from).map_err(unreachable)?;
                Ok((Box::new(Buffered::new(port)), None))
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).map_err(unreachable)?;
                stream.set_nodelay(true).map_err(unreachable)?;
                Ok((Box::new(Buffered::new(stream)), None))
            }
            #[cfg(unix)]
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(unreachable)?;
                Ok((Box::new(Buffered::new(stream)), None))
            }
            Self::Emulated { board, model, arena_bytes } => {
                let image = Image::of(Program::Serve { arena_bytes: Some(*arena_bytes) }, board)?;
                let file = model.as_ref().map(|blob| slot_file(blob)).transpose()?;
                let (live, stream) = Live::start(&image, file.as_ref().map(tempfile::NamedTempFile::path))?;
                Ok((Box::new(Buffered::new(stream)), Some(EmulatedBoard { _live: live, _file: file })))
            }
        }
    }
}

/// A slot as a file that the emulator loads.
fn slot_file(blob: &[u8]) -> Result<tempfile::NamedTempFile, Error> {
    let mut file = tempfile::NamedTempFile::new().map_err(Error::Temporary)?;
    file.write_all(&slot_image(blob)?).map_err(Error::Temporary)?;
    Ok(file)
}
