use super::{DiffusionSlope, Sde, Stratonovich};

/// An Itô equation rewritten in Stratonovich's sense: the same process, with the drift `f - g g' / 2`.
#[derive(Debug)]
pub struct StratonovichForm<'a, S> {
    sde: S,
    room: &'a mut [f32],
}

impl<'a, S: DiffusionSlope> StratonovichForm<'a, S> {
    /// Numbers to lend for each component of the state.
    pub const ROOM_PER_DIM: usize = 2;

    /// The other form of `sde`, with [`ROOM_PER_DIM`](Self::ROOM_PER_DIM) numbers a component to work in; a state too long for
    /// `room` drifts to NaN.
    #[must_use]
    pub fn new(sde: S, room: &'a mut [f32]) -> Self {
        Self { sde, room }
    }
}

impl<S: DiffusionSlope> Sde for StratonovichForm<'_, S> {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        let Some((g, slope)) = self.room.split_at_mut_checked(x.len()) else { return out.fill(f32::NAN) };
        let Some(slope) = slope.get_mut(..x.len()) else { return out.fill(f32::NAN) };
        self.sde.drift(t, x, out);
        self.sde.diffusion(t, x, g);
        self.sde.diffusion_slope(t, x, slope);
        for ((out, g), slope) in out.iter_mut().zip(g.iter()).zip(slope.iter()) {
            *out -= 0.5 * g * slope;
        }
    }

    fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        self.sde.diffusion(t, x, out);
    }
}

impl<S: DiffusionSlope> Stratonovich for StratonovichForm<'_, S> {}
