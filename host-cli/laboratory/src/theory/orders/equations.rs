//! The equations that steppers are measured on.

use mote_core::sde::{AdditiveNoise, DiagonalNoise, DiffusionSlope, Ito, NoiseFree, Sde};

/// A pendulum without mass, kicked: `dX = -sin X dt + noise dW`. Additive noise and a drift that bends, so that no stepper does
/// better than its order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pendulum {
    /// Strength of the noise.
    pub noise: f32,
}

impl Sde for Pendulum {
    fn drift(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = -mote_core::math::sin(*x);
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(self.noise);
    }
}
impl Ito for Pendulum {}
impl DiagonalNoise for Pendulum {}
impl AdditiveNoise for Pendulum {}

/// The pendulum under noise that depends on its angle: `dX = -sin X dt + (1 + sin X / 2) dW` (Itô).
#[derive(Clone, Copy, Debug)]
pub(super) struct RattledPendulum;

impl Sde for RattledPendulum {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        Pendulum { noise: 0.0 }.drift(t, x, out);
    }
    fn diffusion(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = 1.0 + 0.5 * mote_core::math::sin(*x);
        }
    }
}
impl Ito for RattledPendulum {}
impl DiagonalNoise for RattledPendulum {}
impl DiffusionSlope for RattledPendulum {
    fn diffusion_slope(&mut self, _t: f32, x: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = 0.5 * mote_core::math::cos(*x);
        }
    }
}

/// `x' = 3/2 x cos t`, whose solution is `x0 e^(3/2 sin t)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swing;

impl Sde for Swing {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        let rate = 1.5 * mote_core::math::cos(t);
        for (out, x) in out.iter_mut().zip(x) {
            *out = rate * x;
        }
    }
    fn diffusion(&mut self, _t: f32, _x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
    }
}
impl Ito for Swing {}
impl DiagonalNoise for Swing {}
impl AdditiveNoise for Swing {}
impl NoiseFree for Swing {}
