//! The law that the pictures of diffusion start from: two narrow humps of unit variance in all.

use mote_core::ensemble::BLOCK;
use mote_core::random::{BoxMuller, NormalSource as _};
use mote_core::schedule::{NoiseSchedule as _, Schedule, VpLinear};
use mote_core::score::{Component, GaussianMixture, PerComponent};

use super::paths::normal_density;

/// Distance of each hump from 0.
const MEAN: f32 = 0.95;
/// Its standard deviation, so that `MEAN^2 + DEVIATION^2 = 1`.
const DEVIATION: f32 = 0.312_25;

const COMPONENTS: [Component<'static>; 2] = [
    Component { weight: 0.5, mean: &[-MEAN], deviation: DEVIATION },
    Component { weight: 0.5, mean: &[MEAN], deviation: DEVIATION },
];

/// The schedule of all these pictures.
pub(super) const SCHEDULE: VpLinear = VpLinear::DEFAULT;

/// The exact score of one scalar state.
pub(super) type ExactScore = (GaussianMixture<'static>, Schedule);

/// The exact score of the law under the schedule.
pub(super) fn score() -> ExactScore {
    (GaussianMixture { components: &COMPONENTS }, Schedule::VpLinear(SCHEDULE))
}

/// The same for `dim` paths at once.
pub(super) fn scores(dim: usize) -> PerComponent<ExactScore> {
    PerComponent { score: score(), dim }
}

/// Draws a block of states from the law: the sign of one normal chooses the hump.
pub(super) fn draw(normals: &mut BoxMuller, x: &mut [f32]) {
    let mut signs = [0.0; BLOCK];
    for x in x.chunks_mut(BLOCK) {
        let signs = &mut signs[..x.len()];
        normals.fill(signs);
        normals.fill(x);
        for (x, sign) in x.iter_mut().zip(signs) {
            *x = MEAN.copysign(*sign) + DEVIATION * *x;
        }
    }
}

/// The exact density at time t: each hump is `N(+-alpha m, alpha^2 s^2 + sigma^2)`.
pub(super) fn density(t: f32) -> impl Fn(f64) -> f64 {
    let level = SCHEDULE.level(t);
    let (mean, deviation) = (f64::from(level.alpha * MEAN), f64::from(level.state_deviation(DEVIATION)));
    move |x| 0.5 * (normal_density(x, -mean, deviation) + normal_density(x, mean, deviation))
}
