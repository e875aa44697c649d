use super::{ARENA, ROOM, WIDTH, tiny};
use mote_device::{Draw, slot_image};
use mote_link::VERSION;
use mote_link::device::{Closed, Device, Memory, NoMeter, Port};
use mote_link::frame::{FRAME_MAX, Kind, Receiver};
use mote_link::message::{self, Answer, Request, values};
use mote_tests::live::{CALIBRATION, Host, Storm, bits, flash, memory};

/// Frames between two checks that the device still does what it should.
const BETWEEN_CHECKS: u64 = 10_000;

/// How many frames: a million in release, and in debug form where `MOTE_LONG` is set.
fn frames() -> u64 {
    if cfg!(debug_assertions) && std::env::var_os("MOTE_LONG").is_none() { 20_000 } else { 1_000_000 }
}

/// A line on which a storm comes in, and now and then a host that asks for a sample.
struct Sky {
    storm: Storm,
    frames: u64,
    total: u64,
    coming: std::vec::IntoIter<u8>,
    /// What a host still has to ask, last first; and empty turns before it does.
    questions: Vec<Vec<u8>>,
    pause: u32,
    receiver: Receiver,
    /// Answers and notices, each a whole frame.
    heard: u64,
    /// Values that came of the samples.
    samples: Vec<Vec<f32>>,
    checks: u32,
}

/// What a check asks for: a sample of this model from the start.
const DRAW: Draw = Draw { plan: 1, seed: 11, number: 2, class: None, guidance: None };

impl Sky {
    /// A host's questions, as a new session. The storm may have replaced the model by nothing else, as no update of it can pass.
    fn ask(&mut self) {
        self.checks += 1;
        let Draw { plan, seed, number, class, guidance } = DRAW;
        let questions = [
            Request::Hello { version: VERSION },
            Request::Sample { plan, seed, number, class, guidance },
            Request::Values { from: 0 },
        ];
        let session = 0xffff_0000 + self.checks;
        let frames = (0..).zip(questions).map(|(sequence, question)| {
            let mut frame = [0; FRAME_MAX];
            let length = message::write(Kind::Request, session, sequence, &question, &mut frame).unwrap();
            frame[..length].to_vec()
        });
        self.questions = frames.collect();
        self.questions.reverse();
    }
}

impl Port for Sky {
    fn read(&mut self) -> Result<Option<u8>, Closed> {
        if let Some(byte) = self.coming.next() {
            return Ok(Some(byte));
        }
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(None);
        }
        if let Some(question) = self.questions.pop() {
            // Turns enough for the sample that may have been asked for before.
            self.pause = 100;
            self.coming = question.into_iter();
            return Ok(None);
        }
        if self.frames == self.total {
            return Err(Closed);
        }
        self.frames += 1;
        self.coming = self.storm.next_frame().into_iter();
        if self.frames.is_multiple_of(BETWEEN_CHECKS) {
            self.ask();
        }
        Ok(None)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        assert!(bytes.first() == Some(&0) && bytes.last() == Some(&0) && bytes.len() <= FRAME_MAX);
        for byte in bytes {
            let Some(frame) = self.receiver.push(*byte) else { continue };
            let frame = frame.expect("a device sends whole frames");
            self.heard += 1;
            match frame.kind {
                Kind::Answer => {
                    let answer = message::read::<Answer<'_>>(frame.payload).expect("an answer");
                    if let (Answer::Values { values: bytes, .. }, 0xffff_0000..) = (answer, frame.session) {
                        self.samples.push(values(bytes).collect());
                    }
                }
                Kind::Notice => {
                    message::read::<mote_link::status::Fault>(frame.payload).expect("a fault");
                }
                Kind::Request => panic!("a device asks nothing"),
            }
        }
        Ok(())
    }
}

#[test]
fn no_storm_of_frames_hangs_a_device_or_changes_what_it_samples() {
    let (blob, total) = (tiny(), frames());
    let sky = Sky {
        storm: Storm::new(2026),
        frames: 0,
        total,
        coming: Vec::new().into_iter(),
        questions: Vec::new(),
        pause: 0,
        receiver: Receiver::new(),
        heard: 0,
        samples: Vec::new(),
        checks: 0,
    };
    let mut flash_memory = memory(ROOM, &slot_image(&blob).unwrap());
    let mut slots = flash(&mut flash_memory);
    let (mut words, mut floats) = (vec![0; ARENA / 4], vec![0.0; 3 * WIDTH]);
    let mut calibration = [0.0; CALIBRATION];
    let lent = Memory { words: &mut words, floats: &mut floats, calibration: &mut calibration };
    let mut device = Device::new(sky, NoMeter, "a test", lent);
    let Err(Closed) = device.serve(&mut slots);
    let (sky, counters) = device.end();
    println!("{total} frames: {} answers and notices, {counters:?}", sky.heard);
    assert_eq!(u64::from(sky.checks), total / BETWEEN_CHECKS);
    assert_eq!(sky.samples.len(), sky.checks as usize);
    for sample in &sky.samples {
        assert_eq!(bits(sample), Host(&blob).sample(&DRAW));
    }
    // Every frame that arrived, and everything that was none, was said something about.
    let faults = counters.faults.iter().sum::<u32>();
    assert_eq!(sky.heard, u64::from(counters.frames + faults - counters.faults[4]));
    let counted = [counters.requests, counters.refused, counters.repeated, counters.samples, counters.windows];
    assert!(counted.iter().all(|count| u64::from(*count) > total / 10_000), "{counters:?}");
    // All but the hardware's.
    assert!(counters.faults.iter().take(5).all(|count| *count > 0), "{counters:?}");
}
