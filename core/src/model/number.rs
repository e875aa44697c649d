//! What is asked of the floats in a blob.

use super::error::{ParseError, Part};

/// Refuses infinities and NaN.
pub(super) fn finite<E: From<ParseError>>(part: Part, field: &'static str, value: f32) -> Result<(), E> {
    // On bits: one shift and one comparison, which matters in a parser of this many floats.
    if value.to_bits() << 1 < f32::INFINITY.to_bits() << 1 { Ok(()) } else { Err(refuse(part, field, value)) }
}

/// Refuses what is not finite or not above 0.
pub(super) fn positive<E: From<ParseError>>(part: Part, field: &'static str, value: f32) -> Result<(), E> {
    // Finite and above zero are the patterns from the smallest number's, 1, to the largest one's.
    if value.to_bits().wrapping_sub(1) < f32::MAX.to_bits() { Ok(()) } else { Err(refuse(part, field, value)) }
}

#[inline(always)]
fn refuse<E: From<ParseError>>(part: Part, field: &'static str, value: f32) -> E {
    E::from(ParseError::Value { part, field, value: value.to_bits() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_judged_as_their_own_methods_do() {
        let ends = [0.0, f32::MIN_POSITIVE, f32::from_bits(1), 1.0, f32::MAX, f32::INFINITY, f32::NAN];
        for value in ends.into_iter().flat_map(|end| [end, -end]) {
            assert_eq!(finite::<ParseError>(Part::Scaling, "", value).is_ok(), value.is_finite(), "{value}");
            let allowed = value.is_finite() && value > 0.0;
            assert_eq!(positive::<ParseError>(Part::Scaling, "", value).is_ok(), allowed, "{value}");
        }
    }
}
