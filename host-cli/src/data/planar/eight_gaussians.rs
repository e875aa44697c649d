use std::f64::consts::PI;

use super::Planar;

/// Eight normal laws of deviation 1/8, their centres evenly on the unit circle, each as likely: the set of Grathwohl et al. 2019
/// (deviation .5 on a circle of radius 4), divided by 4.
pub(super) const SET: Planar = Planar {
    name: "eight-gaussians",
    classes: &["0", "45", "90", "135", "180", "225", "270", "315"],
    draw: |draws, _| {
        let mode = draws.below(8);
        let (sin, cos) = (f64::from(mode) * PI / 4.0).sin_cos();
        ([cos + 0.125 * draws.normal(), sin + 0.125 * draws.normal()], mode)
    },
};
