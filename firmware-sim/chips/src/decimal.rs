use core::fmt;

/// A value with three places after the point, rounded to nearest and held within 2^31 thousandths: the formatting of floats in `core` would take
/// more flash than the sampler, and can panic.
pub(crate) struct Thousandths(pub(crate) f32);

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = self.0 * 1000.0;
        let half = if scaled < 0.0 { -0.5 } else { 0.5 };
        let count = (scaled + half) as i32;
        let (sign, size) = (if count < 0 { "-" } else { "" }, count.unsigned_abs());
        write!(f, "{sign}{}.{:03}", size / 1000, size % 1000)
    }
}
