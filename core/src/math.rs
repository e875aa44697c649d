//! Elementary functions in single precision.

/// e to the power x.
#[must_use]
pub fn exp(x: f32) -> f32 {
    libm::expf(x)
}
/// e to the power x, less 1.
#[must_use]
pub fn expm1(x: f32) -> f32 {
    libm::expm1f(x)
}
/// Natural logarithm.
#[must_use]
pub fn ln(x: f32) -> f32 {
    libm::logf(x)
}
/// Natural logarithm of 1 + x.
#[must_use]
pub fn ln_1p(x: f32) -> f32 {
    libm::log1pf(x)
}
/// Square root.
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    libm::sqrtf(x)
}
/// Sine.
#[must_use]
pub fn sin(x: f32) -> f32 {
    libm::sinf(x)
}
/// Cosine.
#[must_use]
pub fn cos(x: f32) -> f32 {
    libm::cosf(x)
}
/// Angle of the point (x, y).
#[must_use]
pub fn atan2(y: f32, x: f32) -> f32 {
    libm::atan2f(y, x)
}
