use mote_core::sde::{AdditiveNoise, DiagonalNoise, Ito, Sde};

/// An equation with additive noise behind a pointer, so that a stepper is compiled once for all of them. A call serves a whole block.
pub struct Erased<'a>(Box<dyn CloneSde<'a> + 'a>);

/// What [`Erased`] needs of an equation.
trait CloneSde<'a>: AdditiveNoise + Sync {
    fn boxed(&self) -> Box<dyn CloneSde<'a> + 'a>;
}

impl<'a, S: AdditiveNoise + Clone + Sync + 'a> CloneSde<'a> for S {
    fn boxed(&self) -> Box<dyn CloneSde<'a> + 'a> {
        Box::new(self.clone())
    }
}

impl<'a> Erased<'a> {
    pub fn new(sde: impl AdditiveNoise + Clone + Sync + 'a) -> Self {
        Self(Box::new(sde))
    }
}

impl Clone for Erased<'_> {
    fn clone(&self) -> Self {
        Self((*self.0).boxed())
    }
}

impl Sde for Erased<'_> {
    fn drift(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        self.0.drift(t, x, out);
    }

    fn diffusion(&mut self, t: f32, x: &[f32], out: &mut [f32]) {
        self.0.diffusion(t, x, out);
    }
}

impl Ito for Erased<'_> {}
impl DiagonalNoise for Erased<'_> {}
impl AdditiveNoise for Erased<'_> {}
