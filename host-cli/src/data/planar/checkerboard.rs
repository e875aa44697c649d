use super::Planar;

/// Uniform over the eight squares of side 1 of one colour in \[-2, 2\]^2: those where floor(x) + floor(y) is even. Half the size of the
/// checkerboard of Grathwohl et al. 2019. The squares are its classes, called as on a chess board.
pub(super) const SET: Planar = Planar {
    name: "checkerboard",
    classes: &["a1", "a3", "b2", "b4", "c1", "c3", "d2", "d4"],
    draw: |draws, _| {
        let x = 4.0 * draws.unit() - 2.0;
        let upper = draws.below(2);
        let square = 2.0 * f64::from(upper) - 2.0 + x.floor().rem_euclid(2.0);
        let column = (x.floor() + 2.0) as u16;
        ([x, square + draws.unit()], 2 * column + upper)
    },
};
