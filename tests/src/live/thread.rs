use mote_device::Line;
use mote_link::device::{Closed, Device, Memory, NoMeter, Port};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Numbers of a calibration that a device in a thread has room for.
pub const CALIBRATION: usize = 104;

/// One end of a line within this process.
#[derive(Debug)]
pub struct Wire {
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
    bytes: std::vec::IntoIter<u8>,
}

impl Wire {
    /// Both ends.
    pub fn pair() -> (Self, Self) {
        let ((to_b, from_a), (to_a, from_b)) = (channel(), channel());
        let end = |to, from| Self { to, from, bytes: Vec::new().into_iter() };
        (end(to_b, from_b), end(to_a, from_a))
    }
}

impl Line for Wire {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Option<u8>> {
        loop {
            if let Some(byte) = self.bytes.next() {
                return Ok(Some(byte));
            }
            match self.from.recv_timeout(wait) {
                Ok(bytes) => self.bytes = bytes.into_iter(),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

impl Port for Wire {
    fn read(&mut self) -> Result<Option<u8>, Closed> {
        loop {
            if let Some(byte) = self.bytes.next() {
                return Ok(Some(byte));
            }
            match self.from.try_recv() {
                Ok(bytes) => self.bytes = bytes.into_iter(),
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(Closed),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        self.to.send(bytes.to_vec()).map_err(|_| Closed)
    }

    fn idle(&mut self) {
        // Waits instead of spinning; a line that is gone is found out by the next read.
        if let Ok(bytes) = self.from.recv_timeout(Duration::from_millis(100)) {
            self.bytes = bytes.into_iter();
        }
    }
}

/// A device in a thread, with memory for its slots that is given back at the end.
#[derive(Debug)]
pub struct Board(JoinHandle<[Vec<u8>; 2]>);

impl Board {
    /// Starts a device on a line, with so many bytes of arena and windows of so many values.
    pub fn start(wire: Wire, mut memory: [Vec<u8>; 2], arena_bytes: usize, width: usize) -> Self {
        Self(thread::spawn(move || {
            let mut slots = super::flash(&mut memory);
            let (mut words, mut floats) = (vec![0; arena_bytes / 4], vec![0.0; 3 * width]);
            let mut calibration = [0.0; CALIBRATION];
            let lent = Memory { words: &mut words, floats: &mut floats, calibration: &mut calibration };
            let mut device = Device::new(wire, NoMeter, "a thread", lent);
            let Err(Closed) = device.serve(&mut slots);
            memory
        }))
    }

    /// Waits until the device's line is gone; gives what its flash holds.
    ///
    /// # Panics
    /// If the device did.
    pub fn end(self) -> [Vec<u8>; 2] {
        self.0.join().expect("a device does not panic")
    }
}
