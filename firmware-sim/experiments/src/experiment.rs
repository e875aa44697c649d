use core::fmt;

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{BrownianTree, IndependentNoise, Span, StreamSequence, Ziggurat};
use mote_core::sde::{Sde, Vp};
use mote_core::stepper::{Sriw1, Stepper, integrate, integrate_scratch};

use crate::{BlockNoise, Method, Noise, Pairing, Process};

/// Numbers to lend for running a block: its states and the scratch of the hungriest stepper.
pub const ROOM: usize = BLOCK + integrate_scratch::<Sriw1, Vp>(BLOCK);

/// Blocks of independent paths of a scalar process, all from one value, stepped over a grid from time 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experiment {
    /// The process.
    pub process: Process,
    /// The stepper.
    pub method: Method,
    /// Where the increments come from.
    pub noise: Noise,
    /// Equal steps, at least 1; for a tree a power of two, as its cells are.
    pub steps: u32,
    /// The time at the end, positive.
    pub horizon: f32,
    /// Where every path starts.
    pub start: f32,
    /// Seed of all paths.
    pub seed: u64,
    /// Number of the first block.
    pub first: u32,
    /// How many blocks, of [`BLOCK`] paths each.
    pub blocks: u32,
}

impl Default for Experiment {
    /// Block 0 of seed 0: Ornstein and Uhlenbeck's process from 1 to time 1 in 64 steps of Euler and Maruyama's.
    fn default() -> Self {
        let [process, ..] = Process::ALL;
        Self {
            process,
            method: Method::EulerMaruyama,
            noise: Noise::Blocks,
            steps: 64,
            horizon: 1.0,
            start: 1.0,
            seed: 0,
            first: 0,
            blocks: 1,
        }
    }
}

/// Why an experiment cannot be run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unfit {
    /// The stepper is none for the process's noise.
    Method {
        /// The stepper.
        method: Method,
        /// The process.
        process: Process,
    },
    /// A parameter is no finite number, or not positive where it must be.
    Parameters(Process),
    /// There is nothing to do: no step or no block.
    Empty,
    /// The horizon is not a positive finite number, or the start not finite.
    Span,
    /// A tree's cells are powers of two and these steps are none, or more than a tree has.
    TreeSteps(u32),
    /// The block numbers would pass 2^32.
    Numbers,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method { method, process } => {
                write!(f, "stepper {} does not fit the noise of {}; these do:", method.name(), process.name())?;
                let mut comma = "";
                for fitting in Method::ALL.into_iter().filter(|method| method.fits(process)) {
                    write!(f, "{comma} {}", fitting.name())?;
                    comma = ",";
                }
                Ok(())
            }
            Self::Parameters(process) => write!(
                f,
                "process {}: parameters are finite numbers, half-distance above 0, 0 <= beta-min <= beta-max",
                process.name()
            ),
            Self::Empty => f.write_str("steps and blocks are at least 1"),
            Self::Span => f.write_str("horizon is a finite number above 0, start a finite number"),
            Self::TreeSteps(steps) => write!(
                f,
                "steps={steps}: noise=tree takes a power of two up to {}, as a tree's cells are halves of halves",
                1 << BrownianTree::MAX_DEPTH
            ),
            Self::Numbers => f.write_str("block + blocks: block numbers end at 4294967295"),
        }
    }
}

impl core::error::Error for Unfit {}

impl Experiment {
    /// The time that is stepped over.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { t0: 0.0, t1: self.horizon }
    }

    /// Paths of all blocks.
    #[must_use]
    pub fn paths(&self) -> u64 {
        u64::from(self.blocks) * BLOCK as u64
    }

    /// Whether it can be run.
    ///
    /// # Errors
    /// [`Unfit`] says what does not fit.
    pub fn check(&self) -> Result<(), Unfit> {
        if !self.method.fits(&self.process) {
            return Err(Unfit::Method { method: self.method, process: self.process });
        }
        if !self.process.is_sound() {
            return Err(Unfit::Parameters(self.process));
        }
        if self.steps == 0 || self.blocks == 0 {
            return Err(Unfit::Empty);
        }
        if !(self.horizon > 0.0 && self.horizon.is_finite() && self.start.is_finite()) {
            return Err(Unfit::Span);
        }
        let halves = self.steps.is_power_of_two() && self.steps.trailing_zeros() <= BrownianTree::MAX_DEPTH;
        if self.noise == Noise::Tree && !halves {
            return Err(Unfit::TreeSteps(self.steps));
        }
        self.first.checked_add(self.blocks).map(|_| ()).ok_or(Unfit::Numbers)
    }

    /// Its blocks in order; costs a jump for each block before the first.
    #[must_use]
    pub fn blocks(&self) -> Blocks {
        let source = match self.noise {
            Noise::Blocks => Source::Blocks(BlockSequence::starting_at(self.seed, self.first)),
            Noise::Ziggurat => Source::Ziggurat(StreamSequence::starting_at(self.seed, self.first)),
            Noise::Tree => Source::Tree { seed: self.seed, span: self.span(), depth: self.steps.trailing_zeros() },
        };
        Blocks { source, next: self.first, end: self.first.saturating_add(self.blocks) }
    }

    /// Runs one block along its noise, in `room` of at least [`ROOM`] numbers, and gives the final states.
    ///
    /// Empty where the room is too short or stepper and process do not fit.
    pub fn run<'r>(&self, noise: &mut BlockNoise, room: &'r mut [f32]) -> &'r [f32] {
        let Some((x, scratch)) = room.split_at_mut_checked(BLOCK) else { return &[] };
        x.fill(self.start);
        let block = Block { experiment: self, noise, x, scratch };
        if self.pair(block).is_some() { x } else { &[] }
    }
}

/// One block at work.
struct Block<'b> {
    experiment: &'b Experiment,
    noise: &'b mut BlockNoise,
    x: &'b mut [f32],
    scratch: &'b mut [f32],
}

impl Pairing for Block<'_> {
    type Output = ();

    #[inline(never)]
    fn run<P, S>(self, stepper: P, mut sde: S)
    where
        P: Stepper<S> + Copy + Sync,
        S: Sde + Clone + Sync,
    {
        const { assert!(BLOCK + integrate_scratch::<P, S>(BLOCK) <= ROOM, "the room is too short for a stepper") };
        let Experiment { steps, .. } = *self.experiment;
        integrate(&stepper, &mut sde, self.experiment.span(), steps, self.noise, self.x, self.scratch);
    }
}

/// The noise of the blocks that are still to be run, in order.
#[derive(Clone, Debug)]
pub struct Blocks {
    source: Source,
    next: u32,
    end: u32,
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is no heap to box into")]
enum Source {
    Blocks(BlockSequence),
    Ziggurat(StreamSequence),
    Tree { seed: u64, span: Span, depth: u32 },
}

impl Iterator for Blocks {
    /// A block's number and its noise.
    type Item = (u32, BlockNoise);

    fn next(&mut self) -> Option<(u32, BlockNoise)> {
        if self.next >= self.end {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let noise = match &mut self.source {
            Source::Blocks(blocks) => BlockNoise::Blocks(IndependentNoise::new(blocks.next_normals())),
            Source::Ziggurat(streams) => {
                BlockNoise::Ziggurat(IndependentNoise::new(Ziggurat::new(streams.next_stream())))
            }
            Source::Tree { seed, span, depth } => {
                BlockNoise::Tree(BrownianTree::new(seed.wrapping_add(u64::from(number)), *span, *depth)?)
            }
        };
        Some((number, noise))
    }
}
