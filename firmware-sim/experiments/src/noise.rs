use mote_core::random::{BoxMuller, BrownianTree, IndependentNoise, NoiseSource, Span, Stream, Ziggurat};

/// Where the increments come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// `blocks`: the streams and the generator of ensembles ([`mote_core::ensemble`]).
    Blocks,
    /// `ziggurat`: block b draws from the ziggurat of the seed's stream jumped b times, as sample b does.
    Ziggurat,
    /// `tree`: block b sees the Brownian tree of `seed + b`, its grid being the steps'.
    Tree,
}

impl Noise {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Blocks, Self::Ziggurat, Self::Tree];

    /// The source of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noise| noise.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Ziggurat => "ziggurat",
            Self::Tree => "tree",
        }
    }
}

/// The increments of one block.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is no heap to box into")]
pub enum BlockNoise {
    /// [`Noise::Blocks`]
    Blocks(IndependentNoise<BoxMuller>),
    /// [`Noise::Ziggurat`]
    Ziggurat(IndependentNoise<Ziggurat<Stream>>),
    /// [`Noise::Tree`]
    Tree(BrownianTree),
}

impl NoiseSource for BlockNoise {
    // Once for all steppers: inlined into each, three sources would fill the flash.
    #[inline(never)]
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>) {
        match self {
            Self::Blocks(noise) => noise.increment(span, w, h),
            Self::Ziggurat(noise) => noise.increment(span, w, h),
            Self::Tree(noise) => noise.increment(span, w, h),
        }
    }
}
