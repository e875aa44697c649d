//! Brownian increments over an interval, and where they come from.

use super::NormalSource;
use crate::math;

/// An interval of diffusion time; a negative length runs backwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Where it starts.
    pub t0: f32,
    /// Where it ends.
    pub t1: f32,
}

impl Span {
    /// `t1 - t0`, negative when time runs backwards.
    #[inline]
    #[must_use]
    pub fn length(self) -> f32 {
        self.t1 - self.t0
    }

    /// The part of a grid of `steps` equal steps from point `step` to the next; the grid ends at `t1` exactly.
    ///
    /// A `step` at or past the end gives an empty span at `t1`.
    #[inline]
    #[must_use]
    pub fn step(self, step: u32, steps: u32) -> Self {
        let point = |i: u32| if i >= steps { self.t1 } else { self.t0 + self.length() * (i as f32 / steps as f32) };
        Self { t0: point(step), t1: point(step.saturating_add(1)) }
    }
}

/// What Brownian motion did over a span, one number a component: all that a stepper sees of the noise.
///
/// `w = W(t1) - W(t0) ~ N(0, |dt|)`, and `h`, independent of it, is the space-time Lévy area over the length,
/// `h = (1/dt) int (W(s) - W(t0) - (s - t0)/dt w) ds ~ N(0, |dt|/12)`. Along one path run backwards `w` changes its sign
/// and `h` does not. Source: Foster, Lyons and Oberhauser 2020, "An optimal polynomial approximation of Brownian motion".
#[derive(Clone, Copy, Debug)]
pub struct Increment<'a> {
    /// The increment of each component.
    pub w: &'a [f32],
    /// The area of each component; empty if the stepper does not use it.
    pub h: &'a [f32],
}

/// A source of Brownian increments over intervals.
pub trait NoiseSource {
    /// Writes the increment over `span` to `w`, and its area to `h` if asked; both have one number a component.
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>);
}

impl<N: NoiseSource + ?Sized> NoiseSource for &mut N {
    #[inline]
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>) {
        (**self).increment(span, w, h);
    }
}

/// Fresh noise for each span, whatever was asked before: right as long as no stretch of time is asked for twice.
///
/// Draws the increments of all components in order and then, if asked, their areas.
#[derive(Clone, Debug)]
pub struct IndependentNoise<N> {
    normals: N,
}

impl<N: NormalSource> IndependentNoise<N> {
    /// Increments made of the normals of `normals`.
    #[must_use]
    pub const fn new(normals: N) -> Self {
        Self { normals }
    }
}

impl<N: NormalSource> NoiseSource for IndependentNoise<N> {
    #[inline(always)]
    fn increment(&mut self, span: Span, w: &mut [f32], h: Option<&mut [f32]>) {
        let length = span.length().abs();
        self.normals.fill_scaled(math::sqrt(length), w);
        if let Some(h) = h {
            self.normals.fill_scaled(math::sqrt(length / 12.0), h);
        }
    }
}

/// One component of Brownian motion over a stretch of time: its increment, its area, its length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathCell {
    /// The increment, N(0, length).
    pub w: f32,
    /// The space-time Lévy area over the length, N(0, length/12), independent of the increment.
    pub h: f32,
    /// The length of time, not negative.
    pub length: f32,
}

impl PathCell {
    /// The cell of two neighbours, `self` first.
    ///
    /// With lengths a and b, `w = w1 + w2` and `h = (a h1 + b h2 + (b w1 - a w2) / 2) / (a + b)`, from adding up the
    /// integral of the path; for a = b it is `(h1 + h2) / 2 + (w1 - w2) / 4`. Joining with an empty cell changes nothing.
    #[inline]
    #[must_use]
    pub fn join(self, next: Self) -> Self {
        let (a, b) = (self.length, next.length);
        if b <= 0.0 {
            return self;
        }
        if a <= 0.0 {
            return next;
        }
        let area = a * self.h + b * next.h + 0.5 * (b * self.w - a * next.w);
        Self { w: self.w + next.w, h: area / (a + b), length: a + b }
    }

    /// Two halves that join to this cell, with the law that Brownian motion has given the cell, from two normals.
    ///
    /// With L the length, `r ~ N(0, L/4)` and `e ~ N(0, L/12)`: `w1 = w/2 + 3h/2 + r/2` and `h1 = h/4 - r/4 + e/2`; the
    /// second half has the rest of w, and `h2 = h/4 - r/4 - e/2`. It follows from the joint normal law of (w1 - w2, h1 + h2,
    /// h1 - h2), which is independent of w. Source: Foster, Lyons and Oberhauser 2020.
    #[inline]
    #[must_use]
    pub fn halves(self, normals: [f32; 2]) -> (Self, Self) {
        let [z_gap, z_area] = normals;
        let root = math::sqrt(self.length);
        let r = 0.5 * root * z_gap;
        let e = root * z_area * TWELFTH_ROOT;
        let first = Self {
            w: 0.5 * self.w + 1.5 * self.h + 0.5 * r,
            h: 0.25 * (self.h - r) + 0.5 * e,
            length: 0.5 * self.length,
        };
        let second = Self { w: self.w - first.w, h: 0.25 * (self.h - r) - 0.5 * e, length: 0.5 * self.length };
        (first, second)
    }
}

/// The deviation of the area over a unit of time, 1/sqrt(12).
pub(super) const TWELFTH_ROOT: f32 = 0.288_675_13;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, Ziggurat};

    #[test]
    fn a_grid_covers_its_span_without_gaps() {
        for span in [Span { t0: 0.1, t1: 1.7 }, Span { t0: 1.0, t1: -0.3 }] {
            for steps in [1, 3, 7, 1000] {
                assert_eq!(span.step(0, steps).t0, span.t0);
                assert_eq!(span.step(steps - 1, steps).t1, span.t1);
                for i in 1..steps {
                    assert_eq!(span.step(i - 1, steps).t1, span.step(i, steps).t0);
                }
            }
            assert_eq!(span.step(9, 9).length(), 0.0);
        }
    }

    #[test]
    fn joining_agrees_with_the_integral_of_a_polygon() {
        // A polygon has area zero on each of its pieces, so that the area of the whole follows from its corners alone:
        // int W ds by the trapezoid rule, less the half of w.
        let pieces = [(0.25, 1.0), (0.5, -2.0), (0.125, 0.75), (1.0, 0.5)];
        let mut cell = PathCell::default();
        let (mut integral, mut position, mut length) = (0.0f64, 0.0f64, 0.0f64);
        for (a, w) in pieces {
            cell = cell.join(PathCell { w: w as f32, h: 0.0, length: a as f32 });
            integral += a * (position + 0.5 * w);
            position += w;
            length += a;
        }
        assert!((f64::from(cell.w) - position).abs() < 1e-6);
        assert!((f64::from(cell.h) - (integral / length - 0.5 * position)).abs() < 1e-6);
        assert!((f64::from(cell.length) - length).abs() < 1e-6);
    }

    #[test]
    fn joining_is_associative() {
        let cell = |w, h, length| PathCell { w, h, length };
        let (a, b, c) = (cell(1.0, 0.3, 0.5), cell(-0.7, 0.1, 2.0), cell(0.2, -0.4, 0.25));
        let (left, right) = (a.join(b).join(c), a.join(b.join(c)));
        assert!((left.w - right.w).abs() < 1e-6 && (left.h - right.h).abs() < 1e-6);
    }

    #[test]
    fn halves_join_to_their_cell() {
        let mut normals = Ziggurat::new(Stream::new(3));
        for _ in 0..1000 {
            let cell = PathCell { w: normals.normal(), h: normals.normal(), length: 0.7 };
            let (a, b) = cell.halves([normals.normal(), normals.normal()]);
            let whole = a.join(b);
            assert!((whole.w - cell.w).abs() < 1e-6 && (whole.h - cell.h).abs() < 1e-6, "{whole:?} {cell:?}");
        }
    }

    #[test]
    fn halves_of_a_random_cell_are_independent_with_brownian_variances() {
        // (w1, h1, w2, h2) of a cell of length 2 is N(0, diag(1, 1/12, 1, 1/12)). All ten second moments of n draws:
        // standard error sqrt(2/n) v on the diagonal and sqrt(v v' / n) beside it; 5 of them, false alarm 6e-6 in all.
        let mut normals = Ziggurat::new(Stream::new(11));
        let n = 100_000;
        let mut moments = [[0.0f64; 4]; 4];
        for _ in 0..n {
            let cell = PathCell {
                w: math::sqrt(2.0) * normals.normal(),
                h: math::sqrt(2.0 / 12.0) * normals.normal(),
                length: 2.0,
            };
            let (a, b) = cell.halves([normals.normal(), normals.normal()]);
            let state = [a.w, a.h, b.w, b.h].map(f64::from);
            for (row, x) in moments.iter_mut().zip(state) {
                for (m, y) in row.iter_mut().zip(state) {
                    *m += x * y / f64::from(n);
                }
            }
        }
        let variance = [1.0, 1.0 / 12.0, 1.0, 1.0 / 12.0];
        for i in 0..4 {
            for j in 0..=i {
                let (expected, factor) = if i == j { (variance[i], 2.0) } else { (0.0, 1.0) };
                let error = (factor * variance[i] * variance[j] / f64::from(n)).sqrt();
                assert!((moments[i][j] - expected).abs() < 5.0 * error, "({i}, {j}): {}", moments[i][j]);
            }
        }
    }

    #[test]
    fn independent_noise_has_the_stated_variances_in_both_directions() {
        for span in [Span { t0: 0.0, t1: 0.5 }, Span { t0: 2.0, t1: 1.5 }] {
            let n = 40_000usize;
            let (mut w, mut h) = (std::vec![0.0; n], std::vec![0.0; n]);
            IndependentNoise::new(Ziggurat::new(Stream::new(5))).increment(span, &mut w, Some(&mut h));
            let moment = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() / n as f64
            };
            // Five standard errors: false alarm 6e-7 each.
            let error = 5.0 / (n as f64).sqrt();
            assert!((moment(&w, &w) / 0.5 - 1.0).abs() < error * 2f64.sqrt());
            assert!((moment(&h, &h) * 24.0 - 1.0).abs() < error * 2f64.sqrt());
            assert!(moment(&w, &h).abs() < error * (0.5f64 / 24.0).sqrt());
        }
    }
}
