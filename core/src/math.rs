//! Elementary functions in `f32`, the same bits on every target.
//!
//! This is the only file that names a mathematics library. The functions come from the `libm`
//! crate, compiled into the program, and never from the platform: the platform's `exp`, `ln`
//! and others differ from libm's in the last bit for up to a tenth of all arguments.
//!
//! [`exp`], [`ln`], [`expm1`], [`ln_1p`], [`atan2`] and [`sqrt`] work in `f32` and integers alone.
//! [`sin`] and [`cos`] compute in double precision inside, which a single-precision chip emulates
//! in software; they are for building schedules on the host and stay off the device's path.
//!
//! # Feature `micromath`
//!
//! Off by default. It replaces `exp` and `ln`, and only these, by the approximations of the
//! `micromath` crate, with a relative error of up to 2.5e-3 for `exp` and an absolute error of up
//! to 1e-4 for `ln`. A build with the feature gives other bits than a build without it.

#[cfg(any(mote_soft_float, test))]
mod product;

/// The exponential, `e^x`.
///
/// Error below 1 ulp. Overflows to infinity above 88.72, underflows to zero below -103.97.
#[cfg(not(feature = "micromath"))]
#[inline]
#[must_use]
pub fn exp(x: f32) -> f32 {
    libm::expf(x)
}

/// The exponential, `e^x`, approximated with a relative error of up to 2.5e-3.
#[cfg(feature = "micromath")]
#[inline]
#[must_use]
pub fn exp(x: f32) -> f32 {
    micromath::F32(x).exp().0
}

/// The natural logarithm.
///
/// Error below 1 ulp. Negative infinity at zero, NaN below zero.
#[cfg(not(feature = "micromath"))]
#[inline]
#[must_use]
pub fn ln(x: f32) -> f32 {
    libm::logf(x)
}

/// The natural logarithm of a positive normal number, approximated with an absolute error of up to
/// 1e-4; meaningless for other arguments.
#[cfg(feature = "micromath")]
#[inline]
#[must_use]
pub fn ln(x: f32) -> f32 {
    // Below 1 micromath inverts by an approximation of its own, which puts its error at 0.12.
    if x < 1.0 { -micromath::F32(1.0 / x).ln().0 } else { micromath::F32(x).ln().0 }
}

/// `e^x - 1`, without cancellation for small `x`.
///
/// Error below 1 ulp.
#[inline]
#[must_use]
pub fn expm1(x: f32) -> f32 {
    libm::expm1f(x)
}

/// `ln(1 + x)`, without cancellation for small `x`.
///
/// Error below 1 ulp.
#[inline]
#[must_use]
pub fn ln_1p(x: f32) -> f32 {
    libm::log1pf(x)
}

/// The angle in radians, from -pi to pi, between the positive x axis and the point (x, y).
#[inline]
#[must_use]
pub fn atan2(y: f32, x: f32) -> f32 {
    libm::atan2f(y, x)
}

/// The sine of an angle in radians; double precision inside, so not for the device's path.
#[inline]
#[must_use]
pub fn sin(x: f32) -> f32 {
    libm::sinf(x)
}

/// The cosine of an angle in radians; double precision inside, so not for the device's path.
#[inline]
#[must_use]
pub fn cos(x: f32) -> f32 {
    libm::cosf(x)
}

/// `value as f32 * scale`, rounded once: by the float unit, or in integers where floats are software. The bits are the same.
///
/// For `0 < |value| < 2^24` and a scale and a product that are normal numbers.
#[inline]
#[must_use]
pub(crate) fn scaled(value: i32, scale: f32) -> f32 {
    #[cfg(mote_soft_float)]
    return product::product(value, scale);
    #[cfg(not(mote_soft_float))]
    return value as f32 * scale;
}

/// The square root, rounded correctly; NaN below zero.
///
/// IEEE 754 fixes every bit of the result, so an ARM chip with a floating-point unit may use its
/// own instruction (14 cycles on a Cortex-M4).
#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
#[allow(unsafe_code)]
#[inline]
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    let mut bits = x.to_bits();
    // The compiler offers an `asm!` operand in a floating-point register only to targets with
    // double precision, so the block borrows s0 and gives it back.
    // SAFETY: `eabihf` means that the target passes `f32` in the registers of its floating-point
    // unit, so the unit and these instructions exist. The block writes its two operands alone: s0
    // leaves as it came, neither memory nor stack is touched, and nothing traps. The exception
    // flags that the root may set are clobbers, as `preserves_flags` is absent.
    unsafe {
        core::arch::asm!(
            "vmov {saved}, s0",
            "vmov s0, {bits}",
            "vsqrt.f32 s0, s0",
            "vmov {bits}, s0",
            "vmov s0, {saved}",
            saved = out(reg) _,
            bits = inout(reg) bits,
            options(pure, nomem, nostack),
        );
    }
    f32::from_bits(bits)
}

/// The square root, rounded correctly; NaN below zero.
///
/// IEEE 754 fixes every bit of the result. The intrinsic, other than libm's block of assembly, can be vectorised.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline(always)]
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    use core::arch::x86_64::{_mm_cvtss_f32, _mm_set_ss, _mm_sqrt_ss};
    // SAFETY: every x86-64 processor has SSE, which is all that these need.
    unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) }
}

/// The square root, rounded correctly; NaN below zero.
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))))]
#[inline]
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    libm::sqrtf(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments over the range that schedules and normals use, both signs where `signed`.
    fn grid(signed: bool) -> impl Iterator<Item = f32> {
        (1..4000).map(move |i| {
            let magnitude = 1e-6 * libm::exp(f64::from(i) * 0.0045);
            let sign = if signed && i % 2 == 1 { -1.0 } else { 1.0 };
            (sign * magnitude) as f32
        })
    }

    /// The largest error in units of the last place against the double-precision function.
    fn worst_ulp(f: fn(f32) -> f32, exact: fn(f64) -> f64, xs: impl Iterator<Item = f32>) -> f64 {
        xs.map(|x| {
            let truth = exact(f64::from(x));
            let ulp = f64::from((truth as f32).abs().next_up()) - f64::from((truth as f32).abs());
            (f64::from(f(x)) - truth).abs() / ulp
        })
        .fold(0.0, f64::max)
    }

    #[cfg(not(feature = "micromath"))]
    #[test]
    fn functions_are_within_their_stated_error() {
        let moderate = || grid(true).filter(|x| x.abs() < 80.0);
        assert!(worst_ulp(exp, libm::exp, moderate()) < 1.0);
        assert!(worst_ulp(expm1, libm::expm1, moderate()) < 1.0);
        assert!(worst_ulp(ln, libm::log, grid(false)) < 1.0);
    }

    #[test]
    fn trigonometric_functions_are_within_two_ulp() {
        assert!(worst_ulp(ln_1p, libm::log1p, grid(false)) < 2.0);
        assert!(worst_ulp(|x| atan2(x, 0.7), |x| libm::atan2(x, f64::from(0.7f32)), grid(true)) < 2.0);
        assert!(worst_ulp(sin, libm::sin, grid(true)) < 2.0);
        assert!(worst_ulp(cos, libm::cos, grid(true)) < 2.0);
    }

    #[test]
    fn sqrt_is_correctly_rounded() {
        // The root of an f32 taken in f64 and rounded is the correctly rounded root, since
        // 53 >= 2 * 24 + 2 (Figueroa 1995, "When is double rounding innocuous?").
        let subnormal = (1..200u32).map(|i| f32::from_bits(i * 41_943));
        for x in grid(false).chain(subnormal) {
            assert_eq!(sqrt(x).to_bits(), (f64::from(x).sqrt() as f32).to_bits());
        }
        assert_eq!(sqrt(-0.0).to_bits(), (-0.0_f32).to_bits());
        assert!(sqrt(-1.0).is_nan());
    }

    #[cfg(feature = "micromath")]
    #[test]
    fn approximations_are_within_their_stated_error() {
        for x in grid(true).filter(|x| x.abs() < 80.0) {
            let truth = libm::exp(f64::from(x));
            assert!((f64::from(exp(x)) / truth - 1.0).abs() < 2.5e-3, "exp({x})");
        }
        for x in grid(false) {
            let truth = libm::log(f64::from(x));
            assert!((f64::from(ln(x)) - truth).abs() < 1e-4, "ln({x})");
        }
    }
}
