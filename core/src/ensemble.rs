//! Ensembles: many independent paths of one process, in blocks that any machine can run in any order.
//!
//! A block is one state of [`BLOCK`] paths, all paths of a component together: component c of path p is number
//! `c BLOCK + p`. It draws from a [`BoxMuller`] of its own: lane l of block b takes the seed's stream after l + 1 long jumps
//! (2^96 draws each) and b jumps (2^64 draws each), so that no block shares a draw with another or with a sample. Path k
//! of an ensemble is path `k % BLOCK` of block `k / BLOCK`, whatever the size of the ensemble.
//!
//! ```
//! use mote_core::ensemble::{BLOCK, BlockSequence};
//! use mote_core::random::{IndependentNoise, Span};
//! use mote_core::sde::OrnsteinUhlenbeck;
//! use mote_core::stepper::{EulerMaruyama, integrate, integrate_scratch};
//!
//! let mut ou = OrnsteinUhlenbeck { rate: 2.0, mean: 0.0, diffusion: 1.0 };
//! let mut noise = IndependentNoise::new(BlockSequence::new(7).next_normals());
//! let mut x = [3.0; BLOCK];
//! let mut scratch = [0.0; integrate_scratch::<EulerMaruyama, OrnsteinUhlenbeck>(BLOCK)];
//! integrate(&EulerMaruyama, &mut ou, Span { t0: 0.0, t1: 5.0 }, 1000, &mut noise, &mut x, &mut scratch);
//! let mean = x.iter().sum::<f32>() / BLOCK as f32;
//! assert!(mean.abs() < 5.0 * (0.25 / BLOCK as f32).sqrt());
//! ```

use crate::random::{BoxMuller, Lanes, Stream};

/// Paths in a block.
pub const BLOCK: usize = 256;

/// The normals of the blocks of a seed, in order.
#[derive(Clone, Debug)]
pub struct BlockSequence {
    next: Lanes,
}

impl BlockSequence {
    /// The blocks 0, 1, 2 and so on of a seed; costs sixteen long jumps.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::starting_at(seed, 0)
    }

    /// The blocks `first`, `first + 1` and so on of a seed; costs `first` jumps of all lanes more.
    #[must_use]
    pub fn starting_at(seed: u64, first: u32) -> Self {
        let mut lane = Stream::new(seed);
        let mut next = Lanes::new(core::iter::repeat_with(|| {
            lane.long_jump();
            lane.clone()
        }));
        for _ in 0..first {
            next.jump();
        }
        Self { next }
    }

    /// The normals of the next block; costs one jump of all lanes, which vectorises.
    pub fn next_normals(&mut self) -> BoxMuller {
        let lanes = self.next.clone();
        self.next.jump();
        BoxMuller::from_lanes(lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{LANES, NormalSource};

    #[test]
    fn a_block_is_the_same_wherever_the_sequence_starts() {
        let mut all = BlockSequence::new(5);
        for block in 0..4 {
            let mut alone = BlockSequence::starting_at(5, block).next_normals();
            let mut normals = all.next_normals();
            for _ in 0..40 {
                assert_eq!(normals.normal(), alone.normal());
            }
        }
    }

    #[test]
    fn lanes_of_a_block_are_a_long_jump_apart_and_blocks_a_jump() {
        let mut lane = Stream::new(8);
        let streams: [Stream; LANES] = core::array::from_fn(|_| {
            lane.long_jump();
            let mut stream = lane.clone();
            stream.jump();
            stream.jump();
            stream
        });
        let mut expected = BoxMuller::new(&streams);
        let mut block = BlockSequence::starting_at(8, 2).next_normals();
        for _ in 0..100 {
            assert_eq!(block.normal(), expected.normal());
        }
    }

    #[test]
    fn outputs_are_stable() {
        // The same bits came from the contract followed word by word in numpy's float32. They change only with the lane map.
        let bits = [0, 1, 300].map(|block| BlockSequence::starting_at(7, block).next_normals().normal().to_bits());
        assert_eq!(bits, [0xc003_a19e, 0xbed7_d6ed, 0xbee6_6838]);
    }
}
