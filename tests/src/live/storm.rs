use mote_core::random::Stream;
use mote_link::VERSION;
use mote_link::frame::{FRAME_MAX, Frame, Kind, PAYLOAD_MAX};
use mote_link::message::{self, Judging, Request};
use rand_core::Rng as _;

/// Frames that are nearly right, one after another, the same for the same seed.
#[derive(Debug)]
pub struct Storm {
    random: Stream,
    session: u32,
    sequence: u16,
    /// Bytes of the largest window or part of an update.
    largest: u32,
}

impl Storm {
    /// Starts a storm of frames of every length.
    pub fn new(seed: u64) -> Self {
        Self { random: Stream::new(seed), session: 0, sequence: 0, largest: 230 }
    }

    /// Starts a storm of short frames, for a slow line.
    pub fn of_short_frames(seed: u64) -> Self {
        Self { largest: 16, ..Self::new(seed) }
    }

    fn below(&mut self, end: u32) -> u32 {
        self.random.next_u32() % end
    }

    /// Numbers at the edges of their ranges, and others.
    fn number(&mut self) -> u32 {
        match self.below(4) {
            0 => self.below(4),
            1 => u32::MAX - self.below(4),
            2 => 1 << self.below(32),
            _ => self.below(2000),
        }
    }

    /// The payload of a request of any kind.
    fn payload(&mut self) -> Vec<u8> {
        let bytes: Vec<u8> = (0..self.below(self.largest)).map(|_| self.random.next_u32() as u8).collect();
        let class = if self.below(2) == 0 { None } else { Some(self.number() as u16) };
        let float = f32::from_bits(self.random.next_u32());
        let request = match self.below(25) {
            0 => Request::Hello { version: if self.below(4) == 0 { self.number() as u16 } else { VERSION } },
            1 => Request::Model,
            2 => Request::Plan { number: self.number() as u16 },
            3 => Request::Sample {
                plan: self.below(3) as u16,
                seed: self.random.next_u64(),
                number: self.number(),
                class,
                guidance: class.map(|_| float),
            },
            4 => Request::Window { from: self.number() as u16, values: &bytes },
            5 => Request::Window { from: 0, values: &bytes[..bytes.len().min(8)] },
            6 => Request::Denoise { noise: float, class },
            7 => Request::Score { noise: float.abs(), seed: self.random.next_u64(), class },
            8 => Request::Progress,
            9 => Request::Values { from: self.number() as u16 },
            10 => Request::Cancel,
            11 => Request::SelfTest,
            12 => Request::Counters,
            13 => Request::Boot,
            14 => Request::Select { slot: self.number() as u8 },
            15 => Request::UpdateBegin { bytes: self.number(), crc: self.random.next_u32() },
            16 => Request::UpdateWrite { offset: self.number(), bytes: &bytes },
            17 => Request::UpdateVerify,
            18 => Request::UpdateCommit,
            19 => Request::UpdateAbort,
            // Now and then one that makes sense for a model of two components.
            20 => Request::Detector {
                judging: if self.below(2) == 0 { Judging::Pattern } else { Judging::Sensors },
                seeds: self.below(70) as u8,
                channels: self.below(4) as u16,
                threshold: float,
                levels: &[0, 1, 2, 200][..self.below(5) as usize],
            },
            21 => Request::Calibration { from: self.number() as u16, values: &bytes },
            22 => Request::Calibration { from: 0, values: &[0; 4 * 13] },
            23 => Request::Calibration { from: 13, values: &[0; 4 * 13] },
            _ => Request::Detect,
        };
        let mut room = [0; PAYLOAD_MAX + 16];
        postcard::to_slice(&request, &mut room).map_or(bytes.clone(), |payload| payload.to_vec())
    }

    /// A greeting as it should be, so that what follows it is a request of the session.
    fn greeting(&mut self) -> Vec<u8> {
        (self.session, self.sequence) = (self.random.next_u32(), 0);
        let mut room = [0; FRAME_MAX];
        let hello = Request::Hello { version: VERSION };
        let length = message::write(Kind::Request, self.session, 0, &hello, &mut room).expect("it fits");
        room[..length].to_vec()
    }

    /// The next bytes: something that is no frame, or one that says what makes little sense, now and then after a greeting.
    pub fn next_frame(&mut self) -> Vec<u8> {
        let greeting = if self.below(8) == 0 { self.greeting() } else { Vec::new() };
        let mut payload = self.payload();
        // Half of the payloads are changed before their checksum is made, so that what is behind it is reached.
        if self.below(2) == 0 && !payload.is_empty() {
            let at = self.below(payload.len() as u32) as usize;
            match self.below(3) {
                0 => payload[at] ^= 1 << self.below(8),
                1 => payload.truncate(at),
                _ => payload[at] = self.random.next_u32() as u8,
            }
        }
        payload.truncate(PAYLOAD_MAX);
        let sequence = match self.below(8) {
            0 => self.sequence,
            1 => self.number() as u16,
            _ => self.sequence.wrapping_add(1),
        };
        let kind = if self.below(32) == 0 { Kind::Answer } else { Kind::Request };
        let mut room = [0; FRAME_MAX];
        let frame = Frame { kind, session: self.session, sequence, payload: &payload };
        let length = frame.write(&mut room).expect("the payload was cut to fit");
        let whole = room[..length].to_vec();
        let sent = self.damage(whole.clone());
        if sent == whole && kind == Kind::Request && sequence == self.sequence.wrapping_add(1) {
            self.sequence = sequence;
        }
        [greeting, sent].concat()
    }

    /// Bytes of a frame as a bad line might deliver them, or whole.
    fn damage(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = self.below(bytes.len() as u32) as usize;
        match self.below(12) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(..at)),
            3 => bytes = [bytes.as_slice(), &bytes].concat(),
            4 => bytes[at] = 0,
            5 => bytes.insert(at, self.random.next_u32() as u8),
            // Longer than any frame.
            6 if self.below(8) == 0 => bytes = vec![1 + self.below(255) as u8; 300 + self.below(300) as usize],
            7 => bytes = (0..self.below(40)).map(|_| self.random.next_u32() as u8).collect(),
            _ => {}
        }
        bytes
    }
}
