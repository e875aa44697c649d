//! The reference values come from numpy 2.4.6 and scipy 1.17.1: an independent implementation of the protocol in float64 (numpy sort,
//! scipy.spatial.distance.cdist, numpy.linalg.eigh), run on the same digits, even rows training, odd rows held out, pixels / 8 - 1.
//! Its figures for the first 898 training rows are the published floor: .039, -.0003, .517, .283.

use super::*;
use crate::data::{LoadOptions, Split, load};

struct Case {
    name: &'static str,
    pixels: Vec<f32>,
    /// numpy: mmd2, nearest neighbour, frechet, memorisation.
    exact: [f64; 4],
    /// numpy: energy distance, unbiased.
    energy: f64,
    /// numpy: precision, recall, density and coverage, k = 5, as Naeem et al.'s code (clovaai/generative-evaluation-prdc) has them.
    manifold: [f64; 4],
    /// numpy: sliced W2 over 20,000 directions, and its relative direction noise.
    sliced: [f64; 2],
}

const BLOCK: usize = 898 * 64;

fn halves() -> (Vec<f32>, Vec<f32>) {
    let table = load("digits", &LoadOptions::default()).unwrap();
    let parts = Split::Alternate.parts(table.rows).unwrap();
    (table.gather(&parts.train), table.gather(&parts.test))
}

fn cases(train: &[f32]) -> [Case; 4] {
    let shrunk = |p: &f32| ((p / 8.0 - 1.0) * 0.9 + 1.0) * 8.0;
    let ten_on = train.iter().cycle().skip(10 * 64);
    [
        Case {
            name: "the first 898 training rows",
            pixels: train[..BLOCK].to_vec(),
            exact: [-0.00034471879608, 0.51670378619, 0.28286576420, 1.0],
            energy: -0.0034151774904,
            manifold: [0.96102449889, 0.95434298441, 0.95256124722, 0.94654788419],
            sliced: [0.038104902, 0.0021],
        },
        Case {
            name: "contrast cut to .9",
            pixels: train[..BLOCK].iter().map(shrunk).collect(),
            exact: [0.00943895671646, 0.68262806236, 0.97947400743, 1.0],
            energy: 0.1025458555069,
            manifold: [0.98106904232, 0.80957683742, 1.12717149220, 0.95211581292],
            sliced: [0.112683976, 0.0027],
        },
        Case {
            name: "each row averaged with the one ten on",
            pixels: train.iter().zip(ten_on).map(|(a, b)| (a + b) / 2.0).take(BLOCK).collect(),
            exact: [0.00914181854281, 0.82628062361, 1.54745042352, 0.65812917595],
            energy: 0.1303546233451,
            manifold: [0.85857461024, 0.65478841871, 0.73318485523, 0.71937639198],
            sliced: [0.146069371, 0.0015],
        },
        Case {
            name: "300 rows",
            pixels: train[..300 * 64].to_vec(),
            exact: [0.00501910758717, 0.57, 1.25640408030, 1.0],
            energy: 0.0550487016387,
            manifold: [0.97000000000, 0.89532293987, 1.00133333333, 0.66815144766],
            sliced: [0.094978617, 0.0035],
        },
    ]
}

fn points(pixels: &[f32]) -> Points {
    Points::new(&digit_units(pixels), 64).unwrap()
}

#[test]
fn figures_equal_numpys() {
    let (train, held_out) = halves();
    let (train_points, held_out) = (points(&train), points(&held_out));
    let bandwidth = median_bandwidth(&held_out);
    assert!((bandwidth - 6.144102863722254).abs() < 1e-12, "{bandwidth}");
    let reference = Reference::new(&train_points, &held_out).unwrap();
    for case in cases(&train) {
        let got = reference.measure(&points(&case.pixels)).unwrap();
        let [mmd2, nearest, frechet, memorisation] = case.exact;
        // Rounding alone; the Fréchet distance has roots of eigenvalues that are zero but for rounding (pixels that never change).
        assert!((got.mmd2 - mmd2).abs() < 1e-12, "{}: {got:?}", case.name);
        assert!((got.nearest_neighbour - nearest).abs() < 1e-10, "{}: {got:?}", case.name);
        assert!((got.frechet - frechet).abs() < 1e-6, "{}: {got:?}", case.name);
        assert!((got.energy - case.energy).abs() < 1e-11, "{}: {got:?}", case.name);
        let manifold = [got.precision, got.recall, got.density, got.coverage];
        for (got, expected) in manifold.iter().zip(case.manifold) {
            assert!((got - expected).abs() < 1e-10, "{}: {manifold:?}", case.name);
        }
        assert!((got.memorisation - memorisation).abs() < 1e-10, "{}: {got:?}", case.name);
    }
}

#[test]
fn sliced_w2_agrees_with_numpys_within_direction_noise() {
    // numpy has 20,000 directions, we have 5,000 others: the noise of the ratio is sqrt(1 + 4) of numpy's. 4.5 deviations: false alarm 7e-6.
    let (train, held_out) = halves();
    let held_out = points(&held_out);
    for case in cases(&train) {
        let got = sliced_w2(&points(&case.pixels), &held_out, 5_000, 1).unwrap();
        let [expected, noise] = case.sliced;
        let off = got / expected - 1.0;
        assert!(off.abs() < 4.5 * 5f64.sqrt() * noise, "{}: {got}, {off}", case.name);
    }
}

#[test]
fn the_floor_is_the_published_one() {
    // Twenty draws in numpy: mean .51595, -.0003466, .28210; deviation between draws .00056, 5e-6, .0010. Over 256 directions numpy's
    // sliced W2 is .03825 with a direction deviation of .0007. 4.5 deviations each: false alarm 3e-5 in all.
    let (train, held_out) = halves();
    let floor = floor(&points(&train), &points(&held_out)).unwrap();
    assert_eq!((floor.blocks, floor.block_rows, floor.memorisation), (1, 898, None));
    assert!((floor.nearest_neighbour.mean - 0.51595).abs() < 4.5 * 0.00056, "{floor:?}");
    assert!((floor.mmd2.mean + 0.0003466).abs() < 4.5 * 5e-6, "{floor:?}");
    assert!((floor.frechet.mean - 0.28210).abs() < 4.5 * 0.0010, "{floor:?}");
    assert!((floor.sliced_w2.mean - 0.03825).abs() < 4.5 * 0.0007, "{floor:?}");
}
