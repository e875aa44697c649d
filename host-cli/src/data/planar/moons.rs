use std::f64::consts::PI;

use super::Planar;

/// Two half circles that reach into each other: (cos t, sin t) and (1 - cos t, 1/2 - sin t), t in (0, pi), plus normal noise of
/// deviation .1: scikit-learn's `make_moons`, as in Grathwohl et al. 2019.
///
/// Rows take the moons in turn, and as `make_moons` steps t evenly, t runs through the sequence of the golden ratio: any stretch of rows has
/// as many of each moon and covers both arcs evenly.
pub(super) const SET: Planar = Planar {
    name: "moons",
    classes: &["upper", "lower"],
    draw: |draws, row| {
        let turn = f64::from(row / 2) * GOLDEN + draws.offset;
        let t = PI * turn.fract();
        let moon = (row % 2) as u16;
        let [x, y] = if moon == 0 { [t.cos(), t.sin()] } else { [1.0 - t.cos(), 0.5 - t.sin()] };
        ([x + 0.1 * draws.normal(), y + 0.1 * draws.normal()], moon)
    },
};

/// The golden ratio less 1: its multiples, less their whole parts, leave no gap and form no clump (Kronecker's sequence).
const GOLDEN: f64 = 0.618_033_988_749_894_8;
