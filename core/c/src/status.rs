//! What a call comes to.

use core::ffi::{CStr, c_char};
use mote_core::model::ParseError;

/// What a call comes to. Everything but `MOTE_STATUS_OK` is a refusal: nothing was computed, and no output was written unless
/// the function says so.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoteStatus {
    /// All went well.
    Ok = 0,
    /// A pointer is null.
    NullPointer = 1,
    /// A pointer is not at the multiple that is asked of it: 8 for objects, requests and digests, 4 for arenas and floats, 16 for blobs.
    Misaligned = 2,
    /// Two areas of memory that must be apart overlap.
    Overlap = 3,
    /// A length goes past the end of the address space.
    LengthOutOfRange = 4,
    /// A buffer holds fewer values than the model's.
    BufferTooShort = 5,
    /// The object holds no model: it was not parsed, or parsing failed.
    NoModel = 6,
    /// The object holds no session: it was not bound, or binding failed.
    NoSession = 7,
    /// No sample is in the making: none was started, or something else used the arena since.
    NoSample = 8,
    /// The arena has fewer bytes than the model needs.
    ArenaTooSmall = 9,
    /// The model has no such plan.
    UnknownPlan = 10,
    /// The model has no such class.
    ClassOutOfRange = 11,
    /// The model has no such noise level.
    LevelOutOfRange = 12,
    /// A guidance weight that is not finite, or that comes without a class.
    GuidanceNotAllowed = 13,
    /// A request has flags that this version does not know.
    UnknownFlags = 14,
    /// The model is not made for this: it denoises and does not sample.
    WrongRole = 15,
    /// The self-test gave other bits than the model says.
    SelfTestFailed = 16,
    /// The bytes are no blob: they do not start with `MOTE`.
    NotABlob = 32,
    /// The blob is of a version that this library does not read.
    UnsupportedVersion = 33,
    /// The blob has fewer bytes than its header says, or than a header has.
    Truncated = 34,
    /// The blob has more bytes than its header says.
    TrailingBytes = 35,
    /// The blob's checksum does not match: it is damaged.
    ChecksumMismatch = 36,
    /// A field of the blob has a value that is not allowed.
    FieldNotAllowed = 37,
    /// The blob's counts do not add up to its length.
    SectionsMismatch = 38,
    /// A byte between two sections of the blob is not zero.
    PaddingNotZero = 39,
    /// Weights of the blob could overflow the sums that kernels rely on.
    SumsOverflow = 40,
    /// The blob is refused for another reason.
    Refused = 41,
}

impl MoteStatus {
    /// Success or refusal.
    pub(crate) fn of(result: Result<(), Self>) -> Self {
        match result {
            Ok(()) => Self::Ok,
            Err(status) => status,
        }
    }
}

impl From<ParseError> for MoteStatus {
    // Inlined where an error is made, it leaves a number of it.
    #[inline(always)]
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::TooShort { .. } => Self::Truncated,
            ParseError::NotAModel => Self::NotABlob,
            ParseError::Version(_) => Self::UnsupportedVersion,
            ParseError::Length { stated, actual } if actual < stated as usize => Self::Truncated,
            ParseError::Length { .. } => Self::TrailingBytes,
            ParseError::Checksum { .. } => Self::ChecksumMismatch,
            ParseError::Value { .. } => Self::FieldNotAllowed,
            ParseError::Sections { .. } => Self::SectionsMismatch,
            ParseError::Padding { .. } => Self::PaddingNotZero,
            ParseError::SumBound { .. } => Self::SumsOverflow,
            _ => Self::Refused,
        }
    }
}

/// The name of a status as it stands in this header, or `MOTE_STATUS_UNKNOWN` for any other number. The text is static and ends in a
/// zero byte.
#[unsafe(no_mangle)]
pub extern "C" fn mote_status_name(status: i32) -> *const c_char {
    let name: &'static CStr = match status {
        0 => c"MOTE_STATUS_OK",
        1 => c"MOTE_STATUS_NULL_POINTER",
        2 => c"MOTE_STATUS_MISALIGNED",
        3 => c"MOTE_STATUS_OVERLAP",
        4 => c"MOTE_STATUS_LENGTH_OUT_OF_RANGE",
        5 => c"MOTE_STATUS_BUFFER_TOO_SHORT",
        6 => c"MOTE_STATUS_NO_MODEL",
        7 => c"MOTE_STATUS_NO_SESSION",
        8 => c"MOTE_STATUS_NO_SAMPLE",
        9 => c"MOTE_STATUS_ARENA_TOO_SMALL",
        10 => c"MOTE_STATUS_UNKNOWN_PLAN",
        11 => c"MOTE_STATUS_CLASS_OUT_OF_RANGE",
        12 => c"MOTE_STATUS_LEVEL_OUT_OF_RANGE",
        13 => c"MOTE_STATUS_GUIDANCE_NOT_ALLOWED",
        14 => c"MOTE_STATUS_UNKNOWN_FLAGS",
        15 => c"MOTE_STATUS_WRONG_ROLE",
        16 => c"MOTE_STATUS_SELF_TEST_FAILED",
        32 => c"MOTE_STATUS_NOT_A_BLOB",
        33 => c"MOTE_STATUS_UNSUPPORTED_VERSION",
        34 => c"MOTE_STATUS_TRUNCATED",
        35 => c"MOTE_STATUS_TRAILING_BYTES",
        36 => c"MOTE_STATUS_CHECKSUM_MISMATCH",
        37 => c"MOTE_STATUS_FIELD_NOT_ALLOWED",
        38 => c"MOTE_STATUS_SECTIONS_MISMATCH",
        39 => c"MOTE_STATUS_PADDING_NOT_ZERO",
        40 => c"MOTE_STATUS_SUMS_OVERFLOW",
        41 => c"MOTE_STATUS_REFUSED",
        _ => c"MOTE_STATUS_UNKNOWN",
    };
    name.as_ptr()
}
