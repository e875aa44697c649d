//! The ziggurat's tables, `core/src/random/tables.rs`.
//!
//! Everything is solved here, in `f64`, from the equations of Marsaglia and Tsang (2000); `libm`
//! and not the platform does the mathematics, so that every machine writes the same file.

use std::fmt::Write as _;

const LAYERS: usize = 256;

/// The resolution of a value within its layer: 24 bits and a sign.
const VALUE_RANGE: f64 = 16_777_216.0;

/// The text of the file.
pub fn render() -> String {
    Ziggurat::solve(LAYERS).render()
}

/// The unnormalised normal density.
fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

/// The edges of a ziggurat of equal layers under [`density`].
struct Ziggurat {
    /// Where the tail starts, r.
    tail_start: f64,
    /// The area of every layer, v.
    area: f64,
    /// The right edges of the layers from the base up, then 0: the base strip of layer 0 is as wide
    /// as if it were a rectangle, v / f(r); layer 1 ends at r.
    edges: Vec<f64>,
}

impl Ziggurat {
    /// Finds the r for which the top of the last of `layers` layers meets f(0) = 1.
    fn solve(layers: usize) -> Self {
        let (mut low, mut high) = (2.0, 5.0);
        loop {
            let middle = 0.5 * (low + high);
            // Two neighbouring f64 enclose the root.
            if middle <= low || middle >= high {
                return Self::with_tail_start(high, layers).0;
            }
            // An r too small makes layers too large, which pass the top.
            if Self::with_tail_start(middle, layers).1 > 1.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    /// The ziggurat of a trial r, and the height that its layers reach.
    fn with_tail_start(r: f64, layers: usize) -> (Self, f64) {
        let tail = libm::sqrt(std::f64::consts::FRAC_PI_2) * libm::erfc(r * std::f64::consts::FRAC_1_SQRT_2);
        let area = r * density(r) + tail;
        let mut edges = vec![area / density(r), r];
        let mut height = density(r) + area / r;
        for _ in 2..layers {
            if height >= 1.0 {
                return (Self::new(r, area, edges), f64::INFINITY);
            }
            let edge = libm::sqrt(-2.0 * libm::log(height));
            height += area / edge;
            edges.push(edge);
        }
        edges.push(0.0);
        (Self::new(r, area, edges), height)
    }

    fn new(tail_start: f64, area: f64, edges: Vec<f64>) -> Self {
        Self { tail_start, area, edges }
    }

    /// The tables as source text.
    fn render(&self) -> String {
        let mut text = format!(
            "\
//! Ziggurat tables for the standard normal, {LAYERS} layers.
//!
//! Written by `cargo xtask tables`; a test compares. Do not edit.
//!
//! r = {:?}, v = {:?}, both solved in f64.

/// A layer, from the base strip up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {{
    /// Values of smaller magnitude lie under the density: 2^24 x_(i+1) / x_i, rounded down to even.
    pub limit: u32,
    /// From a value to the normal: x_i / 2^24.
    pub scale: f32,
}}

const fn layer(limit: u32, scale: f32) -> Layer {{
    Layer {{ limit, scale }}
}}

/// Where the tail starts, r.
pub(super) const TAIL_START: f32 = {:?};

/// The layers.
#[rustfmt::skip]
pub(super) static LAYERS: [Layer; {LAYERS}] = [
",
            self.tail_start, self.area, self.tail_start as f32,
        );
        for pair in self.edges.windows(2) {
            let (edge, next) = (pair[0], pair[1]);
            let limit = 2 * (0.5 * VALUE_RANGE * next / edge) as u32;
            let scale = (edge / VALUE_RANGE) as f32;
            writeln!(text, "    layer({limit}, {scale:e}),").expect("a String takes any text");
        }
        write!(
            text,
            "\
];

/// The density exp(-x^2/2) at the layers' lower edges, then at the top.
#[rustfmt::skip]
pub(super) static DENSITIES: [f32; {}] = [
",
            LAYERS + 1
        )
        .expect("a String takes any text");
        // The base strip starts at zero, not at its pretended edge.
        let heights = std::iter::once(0.0).chain(self.edges[1..].iter().map(|x| density(*x)));
        let heights: Vec<String> = heights.map(|y| format!("{:?}", y as f32)).collect();
        for line in heights.chunks(6) {
            writeln!(text, "    {},", line.join(", ")).expect("a String takes any text");
        }
        text + "];\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    #[test]
    fn constants_are_the_published_ones() {
        // r as in Julia's test suite (stdlib/Random/test), which has it to 78 digits; v follows from
        // it in 50-digit arithmetic. Marsaglia and Tsang (2000) print the same r, and v with its
        // 11th and 12th digits wrong.
        let ziggurat = Ziggurat::solve(256);
        assert_near(ziggurat.tail_start, 3.654_152_885_361_009, 1e-15);
        assert_near(ziggurat.area, 0.004_928_673_233_974_655, 1e-17);
        // 128 layers: r as in Boost (random/normal_distribution.hpp), v likewise from it.
        let ziggurat = Ziggurat::solve(128);
        assert_near(ziggurat.tail_start, 3.442_619_855_896_652, 1e-15);
        assert_near(ziggurat.area, 0.009_912_563_035_336_46, 1e-17);
    }

    #[test]
    fn layers_have_equal_area_and_fill_the_density() {
        let ziggurat = Ziggurat::solve(LAYERS);
        assert_eq!(ziggurat.edges.len(), LAYERS + 1);
        for pair in ziggurat.edges[1..].windows(2) {
            assert_near(pair[0] * (density(pair[1]) - density(pair[0])), ziggurat.area, 1e-13);
        }
    }
}
