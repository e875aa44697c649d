use super::{DiffusionSlope, Sde, Stratonovich};

/// An Itô equation rewritten in Stratonovich's sense: the same process, with the drift `f - g g' / 2`.
#[derive(Clone, Copy, Debug)]
pub struct StratonovichForm<S, R> {
    sde: S,
    room: R,
}

impl<S: DiffusionSlope, R: AsMut<[f32]>> StratonovichForm<S, R> {
    /// Numbers to lend for each component of the state.
    pub const ROOM_PER_DIM: usize = 2;

    /// The other form of `sde`, with [`ROOM_PER_DIM`](Self::ROOM_PER_DIM) numbers a component to work in (a slice that is lent, or an
    /// array); a state too long for
    /// `room` drifts to NaN.
    #[must_use]
    pub fn new(sde: S, room: R) -> Self {
        Self { sde, room }
    }
}

impl<S: DiffusionSlope, R: AsMut<[f32]>> Sde for StratonovichForm<S, R> {
    #[inline(always)]
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        let Some((g, slope)) = self.room.as_mut().split_at_mut_checked(x.len()) else { return out.fill(f32::NAN) };
        let Some(slope) = slope.get_mut(..x.len()) else { return out.fill(f32::NAN) };
        self.sde.drift(t, x, out);
        self.sde.diffusion(t, x, g);
        self.sde.diffusion_slope(t, x, slope);
        for ((out, g), slope) in out.iter_mut().zip(g.iter()).zip(slope.iter()) {
            *out -= 0.5 * g * slope;
        }
    }

    #[inline(always)]
    fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        self.sde.diffusion(t, x, out);
    }
}

impl<S: DiffusionSlope, R: AsMut<[f32]>> Stratonovich for StratonovichForm<S, R> {}
