use super::increment::TWELFTH_ROOT;
use super::{NoiseSource, NormalSource, PathCell, Span, Stream, Ziggurat};
use crate::math;

/// One Brownian path from a seed, seen alike by every grid: a tree of cells, each split in two by a bridge.
///
/// The root is the whole span; a cell of level l is one of 2^l equal parts, and its halves are [`PathCell::halves`] with
/// normals that depend on the seed, the component and the cell alone. Nothing is stored and the order of questions does not
/// matter. A span's ends are moved to the nearest point of the finest level; outside the root the path stands still;
/// a span that runs backwards gives `-w` and `h`.
///
/// Cost: two normals for each level above a cell, so about 2 depth normals a component for a step of a dyadic grid, and up
/// to depth^2 for any other span. Bits: cell (l, i) of component c draws from the [`Ziggurat`] of `Stream::new(k)` with
/// `k = mix(mix(seed + c gamma) + 2^l + i)`, gamma the golden ratio's 64-bit fraction and mix the finaliser of SplitMix64;
/// the root's own pair is that of cell number 0. Source of the idea: Foster, Lyons and Oberhauser 2020; Jelinčič, Foster
/// and Kidger 2024, "Single-seed generation of Brownian paths and integrals".
#[derive(Clone, Copy, Debug)]
pub struct BrownianTree {
    seed: u64,
    span: Span,
    depth: u32,
}

impl BrownianTree {
    /// The deepest tree: its finest cells still have exact numbers in `f32`.
    pub const MAX_DEPTH: u32 = 24;

    /// The path of a seed over `span` (forwards), with finest cells of `2^-depth` of its length.
    ///
    /// `None` when the span does not run forwards or the depth is above [`MAX_DEPTH`](Self::MAX_DEPTH).
    #[must_use]
    pub fn new(seed: u64, span: Span, depth: u32) -> Option<Self> {
        (span.length() > 0.0 && depth <= Self::MAX_DEPTH).then_some(Self { seed, span, depth })
    }

    /// Two normals that belong to one number of one component.
    fn normals(&self, component: u64, number: u64) -> [f32; 2] {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let stream = mix(self.seed.wrapping_add(component.wrapping_mul(GAMMA)));
        let mut normals = Ziggurat::new(Stream::new(mix(stream.wrapping_add(number))));
        [normals.normal(), normals.normal()]
    }

    /// Cell `index` of a level.
    fn cell(&self, component: u64, level: u32, index: u32) -> PathCell {
        let length = self.span.length();
        let root = math::sqrt(length);
        let [z_w, z_h] = self.normals(component, 0);
        let mut cell = PathCell { w: root * z_w, h: root * TWELFTH_ROOT * z_h, length };
        for below in (0..level).rev() {
            // The ancestor at level - below - 1, and on which side of it the way goes down.
            let ancestor = (u64::from(index) | 1 << level) >> (below + 1);
            let (first, second) = cell.halves(self.normals(component, ancestor));
            cell = if index >> below & 1 == 0 { first } else { second };
        }
        cell
    }

    /// Everything from one point of the finest level to a later one, joined from the largest cells that fit.
    fn stretch(&self, component: u64, mut from: u32, to: u32) -> PathCell {
        let mut joined = PathCell::default();
        while from < to {
            let room = (to - from).ilog2();
            let size = from.trailing_zeros().min(room).min(self.depth);
            joined = joined.join(self.cell(component, self.depth - size, from >> size));
            from += 1 << size;
        }
        joined
    }

    /// The point of the finest level nearest to `t`.
    fn point(&self, t: f32) -> u32 {
        let cells = 1u32 << self.depth;
        ((((t - self.span.t0) / self.span.length()) * cells as f32 + 0.5) as u32).min(cells)
    }
}

impl NoiseSource for BrownianTree {
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>) {
        let (from, to) = (self.point(span.t0), self.point(span.t1));
        let sign = if to < from { -1.0 } else { 1.0 };
        let mut areas = h.unwrap_or(&mut []).iter_mut();
        for (component, w) in (0..).zip(w) {
            let cell = self.stretch(component, from.min(to), from.max(to));
            *w = sign * cell.w;
            if let Some(h) = areas.next() {
                *h = cell.h;
            }
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const SPAN: Span = Span { t0: 0.0, t1: 2.0 };

    fn read(tree: &mut BrownianTree, t0: f32, t1: f32) -> PathCell {
        let (mut w, mut h) = ([0.0], [0.0]);
        tree.increment(Span { t0, t1 }, &mut w, Some(&mut h));
        PathCell { w: w[0], h: h[0], length: (t1 - t0).abs() }
    }

    #[test]
    fn every_grid_sees_one_path_in_any_order() {
        let mut tree = BrownianTree::new(9, SPAN, 10).unwrap();
        let whole = read(&mut tree, 0.0, 2.0);
        for cells in [1u32, 2, 8, 64, 1024] {
            let mut pieces: Vec<_> = (0..cells).rev().map(|i| SPAN.step(i, cells)).collect();
            let read: Vec<_> = pieces.drain(..).map(|span| read(&mut tree, span.t0, span.t1)).collect();
            let joined = read.iter().rev().fold(PathCell::default(), |a, b| a.join(*b));
            assert!((joined.w - whole.w).abs() < 2e-6 && (joined.h - whole.h).abs() < 2e-6, "{joined:?} {whole:?}");
        }
        let mut joined = PathCell::default();
        for ends in [0.0, 0.3125, 0.328_125, 1.75, 2.0].windows(2) {
            joined = joined.join(read(&mut tree, ends[0], ends[1]));
        }
        assert!((joined.w - whole.w).abs() < 2e-6 && (joined.h - whole.h).abs() < 2e-6);
        let backwards = read(&mut tree, 2.0, 0.0);
        assert_eq!((backwards.w, backwards.h), (-whole.w, whole.h));
    }

    #[test]
    fn a_deeper_tree_of_the_same_seed_is_the_same_path() {
        let (mut shallow, mut deep) = (BrownianTree::new(4, SPAN, 4).unwrap(), BrownianTree::new(4, SPAN, 20).unwrap());
        for i in 0..16 {
            let span = SPAN.step(i, 16);
            assert_eq!(read(&mut shallow, span.t0, span.t1), read(&mut deep, span.t0, span.t1));
        }
    }

    #[test]
    fn covariance_is_the_shorter_time_and_components_are_independent() {
        // W at t = .5, 1, 2 over 20,000 components: Cov(W_s, W_t) = min(s, t), standard error
        // sqrt((s t + min^2) / n); 5 of them. Neighbouring components: standard error t / sqrt(n).
        let n = 20_000;
        let times = [0.5f32, 1.0, 2.0];
        let mut tree = BrownianTree::new(77, SPAN, 3).unwrap();
        let paths = times.map(|t1| {
            let mut w = std::vec![0.0; n];
            tree.increment(Span { t0: 0.0, t1 }, &mut w, None);
            w
        });
        for (a, s) in paths.iter().zip(times.map(f64::from)) {
            for (b, t) in paths.iter().zip(times.map(f64::from)) {
                let covariance = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() / n as f64;
                let error = ((s * t + s.min(t).powi(2)) / n as f64).sqrt();
                assert!((covariance - s.min(t)).abs() < 5.0 * error, "{s} {t}: {covariance}");
            }
            let neighbours = a.windows(2).map(|p| f64::from(p[0]) * f64::from(p[1])).sum::<f64>() / n as f64;
            assert!(neighbours.abs() < 5.0 * s / (n as f64).sqrt(), "{s}: {neighbours}");
        }
    }

    #[test]
    fn quadratic_variation_of_the_finest_grid_is_the_time() {
        // Over T with n cells: mean T, standard deviation sqrt(2 T^2 / n); 5 of them.
        let mut tree = BrownianTree::new(5, SPAN, 12).unwrap();
        let n = 1 << 12;
        let variation: f64 =
            (0..n).map(|i| SPAN.step(i, n)).map(|span| f64::from(read(&mut tree, span.t0, span.t1).w).powi(2)).sum();
        assert!((variation - 2.0).abs() < 5.0 * (2.0 * 4.0 / f64::from(n)).sqrt(), "{variation}");
    }

    #[test]
    fn paths_are_stable() {
        // A regression golden, not a yardstick: it changes only with the bit contract.
        let mut tree = BrownianTree::new(0, SPAN, 10).unwrap();
        let bits = [(0.0, 2.0), (0.5, 0.75), (1.0, 1.001_953_1)].map(|(t0, t1)| {
            let cell = read(&mut tree, t0, t1);
            (cell.w.to_bits(), cell.h.to_bits())
        });
        let expected = [(1_065_440_494, 1_059_846_535), (1_065_728_064, 3_184_781_552), (1_029_669_072, 991_494_890)];
        assert_eq!(bits, expected);
    }

    #[test]
    fn it_refuses_what_has_no_cells() {
        assert!(BrownianTree::new(0, Span { t0: 1.0, t1: 1.0 }, 3).is_none());
        assert!(BrownianTree::new(0, Span { t0: 0.0, t1: f32::NAN }, 3).is_none());
        assert!(BrownianTree::new(0, SPAN, 25).is_none());
    }
}
