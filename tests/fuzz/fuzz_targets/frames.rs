//! Any bytes on a device's line: as they are, and, after a byte of length each, as payloads of frames whose checksum is right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mote_link::device::{Closed, Device, Memory, NoMeter, Port};
use mote_link::frame::{FRAME_MAX, Frame, Kind, PAYLOAD_MAX, Receiver, checksum};
use mote_link::message::{self, Answer};
use mote_link::slots::{EmulatedFlash, SlotHeader};
use mote_link::status::Fault;

/// A model with two plans.
static BLOB: &[u8] = include_bytes!("../../../firmware-sim/models/built-in.mote");

/// A slot's memory, at an address that a model may lie at.
#[repr(align(16))]
struct Slot([u8; 4096]);

fuzz_target!(|input: &[u8]| {
    serve(input.to_vec());
    let mut line = Vec::new();
    let (mut rest, mut sequence) = (input, 0u16);
    while let Some((length, after)) = rest.split_first() {
        let (payload, after) = after.split_at(after.len().min(usize::from(*length)).min(PAYLOAD_MAX));
        let mut room = [0; FRAME_MAX];
        let frame = Frame { kind: Kind::Request, session: 1, sequence, payload };
        let length = frame.write(&mut room).expect("it fits");
        line.extend_from_slice(&room[..length]);
        (rest, sequence) = (after, sequence.wrapping_add(1));
    }
    serve(line);
});

fn serve(line: Vec<u8>) {
    let mut first = Slot([0xff; 4096]);
    let mut second = Slot([0xff; 4096]);
    let header = SlotHeader { sequence: 1, bytes: BLOB.len() as u32, crc: checksum(BLOB) };
    let slot = [&header.to_bytes()[..], &header.switch(), BLOB].concat();
    first.0[..slot.len()].copy_from_slice(&slot);
    let mut slots = [EmulatedFlash::new(&mut first.0, 512), EmulatedFlash::new(&mut second.0, 512)];
    let (mut words, mut floats, mut calibration) = ([0; 256], [0.0; 48], [0.0; 104]);
    let memory = Memory { words: &mut words, floats: &mut floats, calibration: &mut calibration };
    let mut device = Device::new(Line { bytes: line.into_iter(), receiver: Receiver::new() }, NoMeter, "fuzz", memory);
    let Err(Closed) = device.serve(&mut slots);
}

/// The input comes in; everything that goes out must be a whole frame that says something.
struct Line {
    bytes: std::vec::IntoIter<u8>,
    receiver: Receiver,
}

impl Port for Line {
    fn read(&mut self) -> Result<Option<u8>, Closed> {
        self.bytes.next().map(Some).ok_or(Closed)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        assert!(bytes.len() > 2 && bytes.len() <= FRAME_MAX);
        for byte in bytes {
            let Some(frame) = self.receiver.push(*byte) else { continue };
            let frame = frame.expect("a whole frame");
            let says = match frame.kind {
                Kind::Answer => message::read::<Answer<'_>>(frame.payload).is_some(),
                Kind::Notice => message::read::<Fault>(frame.payload).is_some(),
                Kind::Request => false,
            };
            assert!(says);
        }
        Ok(())
    }
}
