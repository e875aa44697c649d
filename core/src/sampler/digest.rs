use crc::{CRC_64_XZ, Crc, NoTable};

const CRC: Crc<u64, NoTable> = Crc::<u64, NoTable>::new(&CRC_64_XZ);

/// A fingerprint of float values: CRC-64/XZ over their little-endian bits, in order.
///
/// Every NaN counts as the same bits (`7fc00000`), since targets differ in which NaN they make.
///
/// ```
/// use mote_core::sampler::Digest;
/// let mut digest = Digest::new();
/// digest.update(&[1.0, -0.5]);
/// let whole = digest.finish();
/// let mut parts = Digest::new();
/// parts.update(&[1.0]);
/// parts.update(&[-0.5]);
/// assert_eq!(whole, parts.finish());
/// ```
#[derive(Clone)]
pub struct Digest(crc::Digest<'static, u64, NoTable>);

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub fn new() -> Self {
        static STATIC_CRC: Crc<u64, NoTable> = CRC;
        Self(STATIC_CRC.digest())
    }

    /// Adds values at the end.
    pub fn update(&mut self, values: &[f32]) {
        for value in values {
            let bits = if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() };
            self.0.update(&bits.to_le_bytes());
        }
    }

    /// The fingerprint of everything added.
    #[must_use]
    pub fn finish(self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Digest({:016x})", self.0.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_is_the_catalogued_one() {
        // The catalogue's check value: CRC-64/XZ of the nine bytes "123456789".
        assert_eq!(CRC.checksum(b"123456789"), 0x995d_c9bb_df19_39fa);
    }
}
