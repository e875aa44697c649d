use super::Planar;

/// Uniform over the eight squares of side 1 of one colour in \[-2, 2\]^2: those where floor(x) + floor(y) is even. Half the size of the
/// checkerboard of Grathwohl et al. 2019.
pub(super) const SET: Planar = Planar {
    name: "checkerboard",
    classes: &[],
    draw: |draws, _| {
        let x = 4.0 * draws.unit() - 2.0;
        let square = 2.0 * f64::from(draws.below(2)) - 2.0 + x.floor().rem_euclid(2.0);
        ([x, square + draws.unit()], 0)
    },
};
