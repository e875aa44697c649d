use super::silu_table::SILU_GAP;

/// Pre-activations are 16-bit integers that count units of `2^-10`, so they reach from -32 to 32.
pub const PRE_ACTIVATION_FRACTION_BITS: u32 = 10;

/// The function at the end of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// None: the last layer.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + e^-x)`, by table.
    Silu,
}

impl Activation {
    /// The function of a pre-activation, both in units of `2^-10`.
    #[inline]
    #[must_use]
    pub fn apply(self, pre: i32) -> i32 {
        match self {
            Self::None => pre,
            Self::Relu => pre.max(0),
            Self::Silu => silu(pre),
        }
    }
}

/// The least that SiLU gives, in units of `2^-10`.
pub(super) const SILU_MIN: i32 = -285;

/// SiLU in units of `2^-10`: `max(x, 0) - g(|x|)` with `g(u) = u / (1 + e^u)` from a table at steps of 1/64.
///
/// Error at most 0.0045 (half a table step times the slope 1/2 of g, and two roundings).
#[inline]
#[must_use]
pub fn silu(pre: i32) -> i32 {
    let step = (pre.unsigned_abs() >> 4).min(SILU_GAP.len() as u32 - 1);
    let gap = SILU_GAP.get(step as usize).map_or(0, |gap| i32::from(*gap));
    pre.max(0) - gap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silu_table_holds_the_rounded_values_of_its_formula() {
        // The last entry stands for everything past it.
        assert_eq!((SILU_GAP.len(), SILU_GAP[1023]), (1024, 0));
        assert_eq!(SILU_GAP.iter().max(), Some(&(-SILU_MIN as u16)));
        for (i, gap) in SILU_GAP.iter().enumerate() {
            let u = (i as f64 + 0.5) / 64.0;
            let exact = 1024.0 * u / (1.0 + libm::exp(u));
            assert_eq!(f64::from(*gap), libm::round(exact), "entry {i}");
        }
        // Past the table the function is below half a unit.
        assert!(1024.0 * 11.0 / (1.0 + libm::exp(11.0)) < 0.5);
    }

    #[test]
    fn silu_stays_within_its_stated_error() {
        for pre in -32768..=32767i32 {
            let x = f64::from(pre) / 1024.0;
            let exact = x / (1.0 + libm::exp(-x));
            assert!((f64::from(silu(pre)) / 1024.0 - exact).abs() < 0.0045, "{pre}");
        }
    }
}
