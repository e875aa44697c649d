/// An activation code in working memory: a half-word where a core multiplies two of them at once, a word where it multiplies one.
#[cfg(not(mote_wide_lanes))]
pub type Lane = i16;
/// An activation code in working memory: a half-word where a core multiplies two of them at once, a word where it multiplies one.
#[cfg(mote_wide_lanes)]
pub type Lane = i32;

/// A code as a word.
#[inline]
#[allow(clippy::useless_conversion, reason = "a lane is a word already on some cores")]
pub(super) fn widened(code: Lane) -> i32 {
    i32::from(code)
}
