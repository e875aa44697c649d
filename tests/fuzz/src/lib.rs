//! What the fuzz targets share: input as a blob that passes the checks of its frame, and a run of choices after it.
//!
//! An input is a blob, then [`CHOICES`] bytes that choose what is done with it. Length and checksum are made right, since no fuzzer finds a
//! CRC, and every input would end there.

/// Bytes of an input that choose what is done.
pub const CHOICES: usize = 32;

/// Choices, taken one after the other and from the start again.
#[derive(Debug)]
pub struct Choices<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Choices<'_> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at % self.bytes.len().max(1)).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// The next number.
    pub fn half(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// The next number.
    pub fn word(&mut self) -> u32 {
        u32::from(self.half()) | u32::from(self.half()) << 16
    }

    /// Any float: numbers of every size, infinities and NaNs.
    pub fn float(&mut self) -> f32 {
        f32::from_bits(self.word())
    }
}

/// An input divided; the blob has the length and the checksum that it says.
pub fn divide(input: &[u8]) -> (Vec<u8>, Choices<'_>) {
    let (blob, bytes) = input.split_at(input.len().saturating_sub(CHOICES));
    let mut blob = blob.to_vec();
    mend(&mut blob);
    (blob, Choices { bytes, at: 0 })
}

/// Makes length and checksum right, where there is a header.
pub fn mend(blob: &mut [u8]) {
    if blob.len() < 96 {
        return;
    }
    let length = blob.len() as u32;
    blob[8..12].copy_from_slice(&length.to_le_bytes());
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&blob[..12]);
    digest.update(&blob[16..]);
    let sum = digest.finalize();
    blob[12..16].copy_from_slice(&sum.to_le_bytes());
}
