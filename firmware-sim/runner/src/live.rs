use crate::emulator::{command, counting, drain, missing};
use crate::{Error, Image, record};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest that the emulator may take to open the serial port.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at whether it has.
const PAUSE: Duration = Duration::from_millis(5);

/// An emulated board that runs until this is dropped, with its serial port as a connection.
#[derive(Debug)]
pub struct Live {
    child: Child,
    output: Option<JoinHandle<Vec<u8>>>,
    message: Option<JoinHandle<Vec<u8>>>,
}

impl Live {
    /// Starts an image of `mote-serve`, with the bytes of a file at the start of its model partition, and opens its serial port.
    ///
    /// # Errors
    /// [`Error`] when the emulator is missing, or ends before the port is open.
    pub fn start(image: &Image, partition: Option<&Path>) -> Result<(Self, TcpStream), Error> {
        let program = || PathBuf::from(image.board().emulator.program);
        let cannot = |source| missing(image.board(), program(), source);
        // The emulator calls here, so no port has to be guessed.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let port = listener.local_addr().map_err(cannot)?.port();
        let line = format!("socket,id=line,host=127.0.0.1,port={port},nodelay=on");
        let mut command = command(image, partition, &[], &["-chardev", &line, "-serial", "chardev:line"])?;
        let mut child = command.args(counting(image.board())).spawn().map_err(cannot)?;
        let (output, message) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let mut live = Self { child, output: Some(output), message: Some(message) };
        let start = Instant::now();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).and_then(|()| stream.set_nodelay(true)).map_err(cannot)?;
                    return Ok((live, stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(cannot(error)),
            }
            if live.child.try_wait().map_err(cannot)?.is_some() || start.elapsed() > PATIENCE {
                let message = live.end();
                return Err(Error::NoPort { seconds: PATIENCE.as_secs(), message });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Stops the board and gives its last words: what the image or the emulator said of an error, or nothing.
    pub fn end(&mut self) -> String {
        // Either may fail only where the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let text = |pipe: &mut Option<JoinHandle<Vec<u8>>>| {
            let bytes = pipe.take().and_then(|pipe| pipe.join().ok()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        let (output, message) = (text(&mut self.output), text(&mut self.message));
        record::device_error(&output).map_or(message, |error| error.text)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}
