//! Frames: bytes between zeros, stuffed so that they hold none (Cheshire and Baker 1999, "Consistent overhead byte stuffing"), with a CRC-32.

use crate::status::Fault;
use cobs::{DecodeResult, DecoderState};
use crc::{CRC_32_ISO_HDLC, Crc};

/// The largest frame before stuffing.
pub const BODY_MAX: usize = 250;
/// Bytes of a body before its payload: kind, session, sequence.
const HEAD_BYTES: usize = 7;
/// Bytes of the checksum at the end of a body.
const CRC_BYTES: usize = 4;
/// The largest payload.
pub const PAYLOAD_MAX: usize = BODY_MAX - HEAD_BYTES - CRC_BYTES;
/// The largest frame on the line: a byte of stuffing, as a body is shorter than 254 bytes, and a zero on either side.
pub const FRAME_MAX: usize = BODY_MAX + 3;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// CRC-32 (ISO-HDLC, as in zip).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// Who speaks in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host asks.
    Request,
    /// The device answers the request with the same session and sequence number.
    Answer,
    /// The device says that something arrived which was no frame; nothing was asked, and the sequence number means nothing.
    Notice,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Answer => 2,
            Self::Notice => 3,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Request),
            2 => Some(Self::Answer),
            3 => Some(Self::Notice),
            _ => None,
        }
    }
}

/// A frame whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who speaks.
    pub kind: Kind,
    /// The conversation that it belongs to; the host draws its number.
    pub session: u32,
    /// The number of the request.
    pub sequence: u16,
    /// What is said, at most [`PAYLOAD_MAX`] bytes.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Writes the frame as it goes onto the line, from zero to zero, and gives its length; `None` for a payload that is too long.
    ///
    /// The zero in front ends whatever a broken frame before it left in the receiver.
    #[must_use]
    pub fn write(&self, out: &mut [u8; FRAME_MAX]) -> Option<usize> {
        let mut body = [0; BODY_MAX];
        let [s0, s1, s2, s3] = self.session.to_le_bytes();
        let [n0, n1] = self.sequence.to_le_bytes();
        let head = [self.kind.code(), s0, s1, s2, s3, n0, n1];
        let length = HEAD_BYTES + self.payload.len();
        put(&mut body, 0, &head)?;
        put(&mut body, HEAD_BYTES, self.payload)?;
        let crc = checksum(body.get(..length)?);
        put(&mut body, length, &crc.to_le_bytes())?;
        let [first, rest @ ..] = out;
        *first = 0;
        let stuffed = cobs::try_encode(body.get(..length + CRC_BYTES)?, rest.get_mut(..BODY_MAX + 1)?).ok()?;
        *rest.get_mut(stuffed)? = 0;
        Some(stuffed + 2)
    }
}

/// Copies bytes to a place; `None`, and nothing is copied, where they do not fit.
fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    let place = out.get_mut(at..)?.get_mut(..bytes.len())?;
    for (place, byte) in place.iter_mut().zip(bytes) {
        *place = *byte;
    }
    Some(())
}

/// Divides a body whose stuffing has been taken off.
fn read(body: &[u8]) -> Result<Frame<'_>, Fault> {
    let (content, crc) = body.split_last_chunk::<CRC_BYTES>().ok_or(Fault::Short)?;
    let (head, payload) = content.split_first_chunk::<HEAD_BYTES>().ok_or(Fault::Short)?;
    if checksum(content) != u32::from_le_bytes(*crc) {
        return Err(Fault::Checksum);
    }
    let [kind, s0, s1, s2, s3, n0, n1] = *head;
    Ok(Frame {
        kind: Kind::of(kind).ok_or(Fault::Kind)?,
        session: u32::from_le_bytes([s0, s1, s2, s3]),
        sequence: u16::from_le_bytes([n0, n1]),
        payload,
    })
}

/// Collects the bytes of a line, one at a time, into frames.
///
/// Whatever arrives, it waits for the next zero and no longer: a frame that is cut, too long or damaged is told once, and the frame after it
/// is read. Two zeros with nothing between are the end of one frame and the start of the next, and say nothing.
#[derive(Debug)]
pub struct Receiver {
    stuffing: DecoderState,
    body: [u8; BODY_MAX],
    used: usize,
    overlong: bool,
}

impl Receiver {
    /// A receiver that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { stuffing: DecoderState::Idle, body: [0; BODY_MAX], used: 0, overlong: false }
    }

    /// Takes a byte; a zero ends a frame, or tells why what came before it is none.
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame<'_>, Fault>> {
        let unstuffed = self.stuffing.feed(byte);
        if let Ok(DecodeResult::DataContinue(byte)) = unstuffed {
            match self.body.get_mut(self.used) {
                Some(place) => {
                    *place = byte;
                    self.used += 1;
                }
                None => self.overlong = true,
            }
        }
        if byte != 0 {
            return None;
        }
        let (used, overlong) = (self.used, self.overlong);
        (self.used, self.overlong) = (0, false);
        if overlong {
            return Some(Err(Fault::Long));
        }
        match unstuffed {
            Ok(DecodeResult::DataComplete) => Some(read(self.body.get(..used).unwrap_or_default())),
            // A zero after a zero.
            Ok(_) => None,
            Err(_) => Some(Err(Fault::Stuffing)),
        }
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn written(frame: &Frame<'_>) -> Vec<u8> {
        let mut out = [0xaa; FRAME_MAX];
        let length = frame.write(&mut out).unwrap();
        out[..length].to_vec()
    }

    /// The only thing that a receiver says over these bytes.
    fn said(receiver: &mut Receiver, bytes: &[u8]) -> Vec<Result<Vec<u8>, Fault>> {
        let mut said = Vec::new();
        for byte in bytes {
            if let Some(event) = receiver.push(*byte) {
                said.push(event.map(|frame| frame.payload.to_vec()));
            }
        }
        said
    }

    #[test]
    fn a_frame_is_the_bytes_of_the_specification() {
        // The worked example of docs/protocol.md, whose checksum and stuffing were computed by Python's zlib and by hand.
        let frame = Frame { kind: Kind::Request, session: 0x0403_0201, sequence: 5, payload: &[0, 1] };
        assert_eq!(written(&frame), [0, 7, 1, 1, 2, 3, 4, 5, 1, 6, 1, 0x90, 0x05, 0x8a, 0x99, 0]);
        let mut receiver = Receiver::new();
        let last = written(&frame).into_iter().filter_map(|byte| receiver.push(byte).map(|f| f.map(|f| f.sequence)));
        assert_eq!(last.collect::<Vec<_>>(), [Ok(5)]);
    }

    #[test]
    fn every_length_of_payload_arrives_and_holds_no_zero_on_the_line() {
        for fill in [0u8, 1, 0xff] {
            for length in 0..=PAYLOAD_MAX {
                let payload: Vec<u8> = (0..length).map(|i| if i % 7 == 3 { 0 } else { fill }).collect();
                let frame = Frame { kind: Kind::Answer, session: 0, sequence: 0, payload: &payload };
                let bytes = written(&frame);
                assert!(bytes.len() <= FRAME_MAX && bytes[1..bytes.len() - 1].iter().all(|byte| *byte != 0));
                assert_eq!(said(&mut Receiver::new(), &bytes), [Ok(payload)]);
            }
        }
        let payload = [0; PAYLOAD_MAX + 1];
        let frame = Frame { kind: Kind::Answer, session: 0, sequence: 0, payload: &payload };
        assert_eq!(frame.write(&mut [0; FRAME_MAX]), None);
    }

    #[test]
    fn what_is_no_frame_is_told_once_and_the_next_frame_is_read() {
        let whole = written(&Frame { kind: Kind::Request, session: 9, sequence: 1, payload: b"hello" });
        let mut flipped = whole.clone();
        flipped[9] ^= 0x20;
        let cases: [(&[u8], Fault); 5] = [
            (&whole[..whole.len() - 3], Fault::Stuffing),
            (&flipped, Fault::Checksum),
            (&[0, 1, 1, 1, 0], Fault::Short),
            (&[1; 300], Fault::Long),
            (&[9, 9, 9], Fault::Stuffing),
        ];
        for (broken, fault) in cases {
            let line = [broken, &whole].concat();
            assert_eq!(said(&mut Receiver::new(), &line), [Err(fault), Ok(b"hello".to_vec())], "{fault:?}");
        }
    }

    #[test]
    fn a_kind_that_nobody_knows_is_a_fault_by_name() {
        let mut body = std::vec![4u8, 0, 0, 0, 0, 0, 0];
        body.extend(checksum(&body).to_le_bytes());
        assert_eq!(read(&body), Err(Fault::Kind));
    }

    #[test]
    fn the_polynomial_is_the_catalogued_one() {
        // The catalogue's check value: CRC-32/ISO-HDLC of the nine bytes "123456789".
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }
}
