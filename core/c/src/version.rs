//! What the library is, and the fingerprint of values.

use crate::MoteStatus;
use crate::memory::Area;
use core::ffi::c_char;
use mote_core::sampler::Digest;

/// The version of the blob's format that this library reads.
pub const MOTE_FORMAT_VERSION: u32 = 1;

/// The library's version, as in `0.1.0`. The text is static and ends in a zero byte.
#[unsafe(no_mangle)]
pub extern "C" fn mote_version() -> *const c_char {
    let text = concat!(env!("CARGO_PKG_VERSION"), "\0");
    #[cfg(feature = "panic-on-purpose")]
    assert!(core::hint::black_box(text.len()) > 99, "on purpose");
    text.as_ptr().cast()
}

/// The fingerprint of `count` values, as self-tests have it: CRC-64/XZ over their little-endian bits, every NaN counted as the
/// same bits. Equal digests mean equal bits, but for an accident of 1 in 2^64.
///
/// # Safety
///
/// `values` points to `count` floats and `digest` to a number to be written, or either is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mote_digest(values: *const f32, count: usize, digest: *mut u64) -> MoteStatus {
    let checked = || Area::of(values, count)?.apart_from(Area::of(digest, 1)?);
    if let Err(status) = checked() {
        return status;
    }
    let mut found = Digest::new();
    // SAFETY: not null, aligned and within the address space by the check; the caller promises that they are there.
    found.update(unsafe { core::slice::from_raw_parts(values, count) });
    // SAFETY: the same, for one number, which is apart from the values.
    unsafe { digest.write(found.finish()) };
    MoteStatus::Ok
}
