//! The two checksums of the format, each from its polynomial.

use std::sync::LazyLock;

/// What each byte contributes to a reflected CRC with this (bit-reversed) polynomial.
fn table(polynomial: u64) -> [u64; 256] {
    let mut table = [0; 256];
    for (byte, entry) in (0u64..).zip(&mut table) {
        *entry = (0..8).fold(byte, |crc, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 });
    }
    table
}

fn reflected<'a>(table: &[u64; 256], start: u64, bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(start, |crc, byte| crc >> 8 ^ table[usize::from(crc as u8 ^ byte)]) ^ start
}

/// CRC-32/ISO-HDLC: polynomial 04c11db7, reflected, all ones before and after.
pub fn crc32<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u32 {
    static TABLE: LazyLock<[u64; 256]> = LazyLock::new(|| table(0xedb8_8320));
    reflected(&TABLE, 0xffff_ffff, bytes.into_iter()) as u32
}

/// CRC-64/XZ: polynomial 42f0e1eba9ea3693, reflected, all ones before and after.
pub fn crc64<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u64 {
    static TABLE: LazyLock<[u64; 256]> = LazyLock::new(|| table(0xc96c_5795_d787_0f42));
    reflected(&TABLE, u64::MAX, bytes.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_the_catalogued_check_values() {
        // The check values of the CRC RevEng catalogue: the nine bytes "123456789".
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc64(b"123456789"), 0x995d_c9bb_df19_39fa);
    }
}
