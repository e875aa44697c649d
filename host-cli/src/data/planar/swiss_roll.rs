use std::f64::consts::PI;

use super::Planar;

/// A spiral seen from above: (t cos t, t sin t) / 10 with t uniform in (3 pi / 2, 9 pi / 2), plus normal noise of deviation
/// .1. The first and third coordinates of scikit-learn's `make_swiss_roll` with noise 1, as in Grathwohl et al. 2019, divided by 10.
pub(super) const SET: Planar = Planar {
    name: "swiss-roll",
    classes: &[],
    draw: |draws, _| {
        let t = 1.5 * PI * (1.0 + 2.0 * draws.unit());
        ([0.1 * t * t.cos() + 0.1 * draws.normal(), 0.1 * t * t.sin() + 0.1 * draws.normal()], 0)
    },
};
