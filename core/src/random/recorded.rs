use core::num::NonZeroUsize;

use super::{NoiseSource, PathCell, Span};

/// A stored Brownian path on a uniform grid, given back over any span made of whole cells.
///
/// Coarse and fine steps over it see one path, which is what measuring a strong error needs. A span's ends are moved to the
/// nearest points of the grid; outside the stored span the path stands still. A span that runs backwards gives `-w` and `h`.
///
/// Cost: one [`PathCell::join`] a cell and component.
#[derive(Clone, Copy, Debug)]
pub struct RecordedNoise<'a> {
    span: Span,
    cells: usize,
    dim: NonZeroUsize,
    w: &'a [f32],
    h: &'a [f32],
}

impl<'a> RecordedNoise<'a> {
    /// A path of `dim` components over `span` (forwards), from its increments and areas: cell by cell, components inside.
    ///
    /// `None` when dim is 0, the lengths differ or are no whole number of cells, or the span does not run forwards.
    #[must_use]
    pub fn new(span: Span, dim: usize, w: &'a [f32], h: &'a [f32]) -> Option<Self> {
        let dim = NonZeroUsize::new(dim)?;
        let cells = w.len() / dim;
        let fits = w.len() == h.len() && cells > 0 && w.len() % dim == 0 && span.length() > 0.0;
        fits.then_some(Self { span, cells, dim, w, h })
    }

    /// Draws a path of `dim` components from `source` into `w` and `h`, and gives it as a source; conditions as in
    /// [`new`](Self::new).
    #[must_use]
    pub fn record<N: NoiseSource + ?Sized>(
        source: &mut N,
        span: Span,
        dim: usize,
        w: &'a mut [f32],
        h: &'a mut [f32],
    ) -> Option<Self> {
        let shape = RecordedNoise::new(span, dim, w, h)?;
        let (cells, width) = (u32::try_from(shape.cells).ok()?, shape.dim.get());
        for (i, (w, h)) in (0..cells).zip(w.chunks_exact_mut(width).zip(h.chunks_exact_mut(width))) {
            source.increment(span.step(i, cells), w, Some(h));
        }
        Self::new(span, dim, w, h)
    }

    /// The grid point nearest to `t`.
    fn point(&self, t: f32) -> usize {
        let cells = (t - self.span.t0) / self.span.length() * self.cells as f32;
        // The cast saturates: before the start it gives 0.
        ((cells + 0.5) as usize).min(self.cells)
    }
}

impl NoiseSource for RecordedNoise<'_> {
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>) {
        let (from, to) = (self.point(span.t0), self.point(span.t1));
        let sign = if to < from { -1.0 } else { 1.0 };
        let cells = from.min(to)..from.max(to);
        let stored = cells.start * self.dim.get()..cells.end * self.dim.get();
        let rows = self.w.get(stored.clone()).unwrap_or(&[]).chunks_exact(self.dim.get());
        let areas = self.h.get(stored).unwrap_or(&[]).chunks_exact(self.dim.get());
        w.fill(0.0);
        let Some(h) = h else {
            for row in rows {
                for (w, stored) in w.iter_mut().zip(row) {
                    *w += stored;
                }
            }
            return w.iter_mut().for_each(|w| *w *= sign);
        };
        h.fill(0.0);
        // Lengths count cells: the rule for joining depends on their ratio alone.
        for (done, (row, areas)) in rows.zip(areas).enumerate() {
            for (((w, h), stored_w), stored_h) in w.iter_mut().zip(h.iter_mut()).zip(row).zip(areas) {
                let before = PathCell { w: *w, h: *h, length: done as f32 };
                let joined = before.join(PathCell { w: *stored_w, h: *stored_h, length: 1.0 });
                (*w, *h) = (joined.w, joined.h);
            }
        }
        w.iter_mut().for_each(|w| *w *= sign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{IndependentNoise, Stream, Ziggurat};

    const SPAN: Span = Span { t0: 0.5, t1: 1.5 };

    #[test]
    fn every_grid_sees_one_path() {
        let (mut w, mut h) = ([0.0; 128], [0.0; 128]);
        let mut fresh = IndependentNoise::new(Ziggurat::new(Stream::new(1)));
        let mut noise = RecordedNoise::record(&mut fresh, SPAN, 2, &mut w, &mut h).unwrap();
        let (mut whole_w, mut whole_h) = ([0.0; 2], [0.0; 2]);
        noise.increment(SPAN, &mut whole_w, Some(&mut whole_h));
        // Uneven pieces of whole cells (1/64 each).
        let ends = [0.5, 0.53125, 0.75, 1.25, 1.265_625, 1.5];
        let mut joined = [PathCell::default(); 2];
        for pair in ends.windows(2) {
            let (mut w, mut h, mut alone) = ([0.0; 2], [0.0; 2], [0.0; 2]);
            noise.increment(Span { t0: pair[0], t1: pair[1] }, &mut w, Some(&mut h));
            noise.increment(Span { t0: pair[0], t1: pair[1] }, &mut alone, None);
            assert_eq!(w, alone);
            for i in 0..2 {
                joined[i] = joined[i].join(PathCell { w: w[i], h: h[i], length: pair[1] - pair[0] });
            }
        }
        for i in 0..2 {
            assert!((joined[i].w - whole_w[i]).abs() < 2e-6 && (joined[i].h - whole_h[i]).abs() < 2e-6);
        }
    }

    #[test]
    fn backwards_the_increment_changes_sign_and_the_area_does_not() {
        let (w, h) = ([1.0, 2.0, -4.0], [0.5, 0.25, 1.0]);
        let mut noise = RecordedNoise::new(Span { t0: 0.0, t1: 3.0 }, 1, &w, &h).unwrap();
        let mut read = |t0, t1| {
            let (mut w, mut h) = ([0.0], [0.0]);
            noise.increment(Span { t0, t1 }, &mut w, Some(&mut h));
            (w[0], h[0])
        };
        let (forwards, backwards) = (read(0.0, 2.0), read(2.0, 0.0));
        assert_eq!(forwards, (3.0, 0.375 - 0.25));
        assert_eq!(backwards, (-3.0, 0.375 - 0.25));
    }

    #[test]
    fn it_refuses_what_is_not_a_grid_and_stands_still_outside() {
        assert!(RecordedNoise::new(SPAN, 0, &[], &[]).is_none());
        assert!(RecordedNoise::new(SPAN, 2, &[0.0; 3], &[0.0; 3]).is_none());
        assert!(RecordedNoise::new(SPAN, 1, &[0.0; 3], &[0.0; 2]).is_none());
        assert!(RecordedNoise::new(Span { t0: 1.0, t1: 0.0 }, 1, &[0.0], &[0.0]).is_none());
        let mut noise = RecordedNoise::new(SPAN, 1, &[7.0], &[1.0]).unwrap();
        for span in [Span { t0: -9.0, t1: 0.4 }, Span { t0: 1.6, t1: f32::INFINITY }] {
            let mut w = [1.0];
            noise.increment(span, &mut w, None);
            assert_eq!(w, [0.0]);
        }
    }
}
