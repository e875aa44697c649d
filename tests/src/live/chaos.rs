use mote_core::random::Stream;
use mote_device::Line;
use rand_core::Rng as _;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// What a line did to frames, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoilt {
    /// Frames that went in.
    pub frames: u32,
    /// Frames that never came out.
    pub lost: u32,
    /// Frames that came out twice.
    pub repeated: u32,
    /// Frames that came out after ones that went in later.
    pub delayed: u32,
    /// Frames that came out with bits changed or bytes missing.
    pub damaged: u32,
}

impl Spoilt {
    /// Adds what another line did.
    pub fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.delayed += other.delayed;
        self.damaged += other.damaged;
    }
}

/// One direction of a line that spoils a share of the frames that pass.
#[derive(Debug)]
struct Way {
    random: Stream,
    /// Of 256 frames, how many have each of four things done to them.
    share: u32,
    /// Frames that wait, and for how many others.
    held: Vec<(u32, Vec<u8>)>,
    spoilt: Spoilt,
}

impl Way {
    /// What comes out when a frame goes in.
    fn pass(&mut self, frame: Vec<u8>) -> Vec<u8> {
        self.spoilt.frames += 1;
        let mut out = Vec::new();
        let draw = self.random.next_u32() & 0xff;
        match draw.checked_div(self.share).unwrap_or(4) {
            0 => self.spoilt.lost += 1,
            1 => {
                self.spoilt.repeated += 1;
                out.extend([frame.as_slice(), &frame].concat());
            }
            2 => {
                self.spoilt.delayed += 1;
                self.held.push((1 + self.random.next_u32() % 6, frame));
            }
            3 => {
                self.spoilt.damaged += 1;
                out.extend(self.damage(frame));
            }
            _ => out.extend(frame),
        }
        for (left, held) in &mut self.held {
            *left -= 1;
            if *left == 0 {
                out.extend_from_slice(held);
            }
        }
        self.held.retain(|(left, _)| *left > 0);
        out
    }

    /// Changes a bit or takes bytes away, between the zeros, so that the frame cannot be whole.
    fn damage(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let inside = frame.len() - 2;
        let at = 1 + self.random.next_u32() as usize % inside;
        match self.random.next_u32() % 3 {
            0 => frame[at] ^= 1 << (self.random.next_u32() % 8),
            // Cut short, the last zero too: the next frame's first one ends it.
            1 => frame.truncate(at.max(2)),
            _ => {
                frame.remove(at);
            }
        }
        frame
    }
}

/// A line that loses, repeats, delays, reorders and damages frames both ways, the same ones for the same seed.
#[derive(Debug)]
pub struct Chaos<L> {
    line: L,
    there: Way,
    back: Way,
    /// The start of a frame from the device.
    partial: Vec<u8>,
    arrived: VecDeque<u8>,
}

impl<L: Line> Chaos<L> {
    /// Spoils, of 256 frames in each direction, `share` in each of four ways.
    pub fn new(line: L, seed: u64, share: u32) -> Self {
        let way = |k| Way { random: Stream::nth(seed, k), share, held: Vec::new(), spoilt: Spoilt::default() };
        Self { line, there: way(0), back: way(1), partial: Vec::new(), arrived: VecDeque::new() }
    }

    /// What was done to frames on their way to the device, and on their way back.
    pub fn spoilt(&self) -> (Spoilt, Spoilt) {
        (self.there.spoilt, self.back.spoilt)
    }

    /// The line below.
    pub fn into_inner(self) -> L {
        self.line
    }
}

impl<L: Line> Line for Chaos<L> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = self.there.pass(bytes.to_vec());
        self.line.send(&bytes)
    }

    fn receive(&mut self, wait: Duration) -> io::Result<Option<u8>> {
        while self.arrived.is_empty() {
            let Some(byte) = self.line.receive(wait)? else { return Ok(None) };
            self.partial.push(byte);
            // A frame goes from zero to zero.
            if byte == 0 && self.partial.len() > 1 {
                let frame = std::mem::take(&mut self.partial);
                self.arrived.extend(self.back.pass(frame));
            }
        }
        Ok(self.arrived.pop_front())
    }
}
