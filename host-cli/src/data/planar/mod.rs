//! Built-in sets in the plane, drawn afresh from a seed: one file a set, one line in [`PLANAR`].

mod checkerboard;
mod eight_gaussians;
mod moons;
mod swiss_roll;

use mote_core::random::{NormalSource, Stream, Ziggurat};
use rand_core::Rng as _;

use super::error::DataError;
use super::labels::Labels;
use super::{LoadOptions, Split, Table};

/// A law in the plane that rows are drawn from.
pub(super) struct Planar {
    /// Its name on the command line.
    pub name: &'static str,
    /// Names of its classes; empty if it has none.
    classes: &'static [&'static str],
    /// Draws a row of a number, from 0, and its class.
    draw: fn(&mut Draws, u32) -> ([f64; 2], u16),
}

/// The sets.
pub(super) const PLANAR: [Planar; 4] = [moons::SET, eight_gaussians::SET, swiss_roll::SET, checkerboard::SET];

/// Rows of a set: 20,000 to train, so that a network learns the law and not the luck of its rows, and ten blocks of the 2,000 to test
/// fit in; 3,000 to validate.
const ROWS: u32 = 25_000;

/// The split of these sets: the first 20,000 rows train, the last 2,000 test.
pub(super) const SPLIT: Split = Split::Contiguous { train: 0.8, validation: 0.12 };

/// How many classes the set has that a source names, or `None` if it names none of these sets.
pub(super) fn classes(source: &str) -> Option<usize> {
    PLANAR.iter().find(|set| source.split(':').next() == Some(set.name)).map(|set| set.classes.len())
}

/// Uniform and normal numbers of one seed, from two streams that share no draw.
struct Draws {
    uniform: Stream,
    normal: Ziggurat<Stream>,
    /// A uniform number of the seed, where a sequence begins.
    offset: f64,
}

impl Draws {
    fn new(seed: u64) -> Self {
        let uniform = Stream::new(seed);
        let mut normal = uniform.clone();
        normal.jump();
        let mut draws = Self { uniform, normal: Ziggurat::new(normal), offset: 0.0 };
        draws.offset = draws.unit();
        draws
    }

    /// A uniform number strictly between 0 and 1.
    fn unit(&mut self) -> f64 {
        (f64::from(self.uniform.next_u32()) + 0.5) / 2f64.powi(32)
    }

    /// A uniform whole number below `bound`.
    fn below(&mut self, bound: u16) -> u16 {
        (self.unit() * f64::from(bound)) as u16
    }

    /// A standard normal number.
    fn normal(&mut self) -> f64 {
        f64::from(self.normal.normal())
    }
}

impl Planar {
    /// The table that a source asks for if it names this set: `NAME`, or `NAME:SEED` for other rows of the same law.
    pub(super) fn asked_by(&self, source: &str, options: &LoadOptions) -> Option<Result<Table, DataError>> {
        let rest = source.strip_prefix(self.name)?;
        let seed = match rest.strip_prefix(':') {
            None if rest.is_empty() => 0,
            None => return None,
            Some(seed) => match seed.parse() {
                Ok(seed) => seed,
                Err(_) => return Some(Err(DataError::BadSeed { set: self.name, seed: seed.into() })),
            },
        };
        if options.label.is_some() {
            let why = "a built-in set brings its labels along; leave --label out";
            return Some(Err(DataError::LabelNotPossible { path: source.into(), why }));
        }
        Some(Ok(self.table(seed)))
    }

    /// [`ROWS`] rows of a seed.
    fn table(&self, seed: u64) -> Table {
        let mut draws = Draws::new(seed);
        let rows: Vec<_> = (0..ROWS).map(|row| (self.draw)(&mut draws, row)).collect();
        let labels = (!self.classes.is_empty()).then(|| Labels {
            codes: rows.iter().map(|row| row.1).collect(),
            names: self.classes.iter().map(|&name| name.into()).collect(),
        });
        Table {
            name: self.name.into(),
            columns: vec!["x".into(), "y".into()],
            rows: rows.len(),
            dim: 2,
            values: rows.iter().flat_map(|row| row.0).map(|x| x as f32).collect(),
            labels,
            image: None,
            dropped_rows: 0,
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Table {
        PLANAR.iter().find_map(|set| set.asked_by(name, &LoadOptions::default())).unwrap().unwrap()
    }

    #[test]
    fn means_and_covariances_are_those_of_the_definitions() {
        // Moons: mean (.5, .25); var x = 3/4 + .1^2, since each arc has E cos^2 = 1/2 and its centre lies 1/2 from the mean;
        // E y = 2/pi and 1/2 - 2/pi on the two arcs, var y = 1/2 - 4/pi^2 + (2/pi - 1/4)^2 + .1^2; cov = -(1/2)(2/pi - 1/4).
        // Eight Gaussians: 0 and 1/2 + 1/8^2. Checkerboard on [-2, 2]^2: 0 and 4/3, cov of the even squares 1/4.
        // Swiss roll: the moments of (t cos t, t sin t)/10 over t in [3 pi/2, 9 pi/2] by scipy.integrate.quad 1.17.1, plus .1^2.
        use std::f64::consts::PI;
        let arc = 2.0 / PI - 0.25;
        let cases = [
            ("moons", [0.5, 0.25], [0.76, 0.5 - 4.0 / (PI * PI) + arc * arc + 0.01, -0.5 * arc]),
            ("eight-gaussians", [0.0, 0.0], [0.515_625, 0.515_625, 0.0]),
            ("checkerboard", [0.0, 0.0], [4.0 / 3.0, 4.0 / 3.0, 0.25]),
            ("swiss-roll", SWISS_MEAN, SWISS_COVARIANCE),
        ];
        for (name, mean, covariance) in cases {
            let table = named(name);
            let n = table.rows as f64;
            let (x, y): (Vec<f64>, Vec<f64>) =
                table.values.chunks(2).map(|row| (f64::from(row[0]), f64::from(row[1]))).unzip();
            let average = |of: &dyn Fn(f64, f64) -> f64| x.iter().zip(&y).map(|(x, y)| of(*x, *y)).sum::<f64>() / n;
            // Five standard errors, each measured in the rows themselves: false alarm 20 * 6e-7.
            let check = |what: &str, of: &dyn Fn(f64, f64) -> f64, expected: f64| {
                let got = average(of);
                let error = ((average(&|x, y| of(x, y).powi(2)) - got * got) / n).sqrt();
                assert!((got - expected).abs() < 5.0 * error, "{name} {what}: {got} {expected} {error}");
            };
            check("mean of x", &|x, _| x, mean[0]);
            check("mean of y", &|_, y| y, mean[1]);
            check("variance of x", &|x, _| (x - mean[0]).powi(2), covariance[0]);
            check("variance of y", &|_, y| (y - mean[1]).powi(2), covariance[1]);
            check("covariance", &|x, y| (x - mean[0]) * (y - mean[1]), covariance[2]);
        }
    }

    #[test]
    fn every_class_is_the_part_of_its_set_that_it_is_called_after() {
        let table = named("checkerboard");
        let labels = table.labels.unwrap();
        let eight = named("eight-gaussians");
        let angles = eight.labels.unwrap();
        for (row, code) in table.values.chunks(2).zip(&labels.codes) {
            // As on a chess board: columns a to d from -2, rows 1 to 4 from -2.
            let square = [b'a' + (row[0] + 2.0) as u8, b'1' + (row[1] + 2.0) as u8];
            assert_eq!(labels.names[usize::from(*code)].as_bytes(), square, "{row:?}");
        }
        for (row, code) in eight.values.chunks(2).zip(&angles.codes) {
            // Noise 1/8 on a circle of radius 1: 60 degrees off is seven deviations, false alarm 25,000 times 3e-12.
            let degrees = f64::from(row[1]).atan2(row[0].into()).to_degrees().rem_euclid(360.0);
            let own: f64 = angles.names[usize::from(*code)].parse().unwrap();
            let away = (degrees - own + 180.0).rem_euclid(360.0) - 180.0;
            assert!(away.abs() < 60.0, "{row:?} {own}");
        }
        assert!(labels.names.len() == 8 && angles.names.len() == 8);
    }

    const SWISS_MEAN: [f64; 2] = [0.2, 0.021220659078919256];
    const SWISS_COVARIANCE: [f64; 3] = [0.4486432145531063, 0.49319289818136235, 0.04287975798806292];

    #[test]
    fn blocks_of_rows_are_as_far_apart_as_those_of_the_published_generators() {
        // Mean sliced W2 of 300 pairs of 2,000 rows over 16 even directions, in deviations of the law, by numpy 2.4.6 and scikit-learn
        // 1.9.1 from the generators of Grathwohl et al. 2019 (make_moons with noise .1, make_swiss_roll with noise 1), and the deviation of one.
        // 12 pairs here: five standard errors of the two means, false alarm 4 * 6e-7.
        let published = [
            ("moons", 0.0186, 0.0014),
            ("eight-gaussians", 0.0541, 0.0167),
            ("swiss-roll", 0.0439, 0.0116),
            ("checkerboard", 0.0467, 0.0123),
        ];
        for (name, expected, deviation) in published {
            let table = named(name);
            let scaling = crate::data::Scaling::fit(&table.values, 2, crate::data::ScalingKind::PerFeature).scaling;
            let mut rows = table.values;
            scaling.apply(&mut rows);
            let blocks: Vec<_> = rows.chunks_exact(4000).map(projections).collect();
            let pairs: Vec<f64> =
                (0..blocks.len() - 1).step_by(2).map(|i| distance(&blocks[i], &blocks[i + 1])).collect();
            let mean = pairs.iter().sum::<f64>() / pairs.len() as f64;
            let error = deviation * (1.0 / pairs.len() as f64 + 1.0 / 300.0).sqrt();
            assert!((mean - expected).abs() < 5.0 * error, "{name}: {mean} {expected} {error}");
        }
    }

    /// Rows of two features on 16 even directions, each in order.
    fn projections(rows: &[f32]) -> Vec<Vec<f64>> {
        let directions = (0..16).map(|k| (f64::from(k) / 16.0 * std::f64::consts::PI).sin_cos());
        let on = |(sin, cos): (f64, f64)| {
            let mut places: Vec<f64> =
                rows.chunks(2).map(|row| cos * f64::from(row[0]) + sin * f64::from(row[1])).collect();
            places.sort_by(f64::total_cmp);
            places
        };
        directions.map(on).collect()
    }

    fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
        let squares = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).powi(2));
        (squares.sum::<f64>() / a.iter().flatten().count() as f64).sqrt()
    }

    #[test]
    fn a_seed_is_part_of_the_name_and_parts_have_their_sizes() {
        let parts = SPLIT.parts(ROWS as usize).unwrap();
        assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (20_000, 3000, 2000));
        assert_eq!(named("moons").values, named("moons:0").values);
        assert_ne!(named("moons").values, named("moons:1").values);
        let refused = PLANAR[0].asked_by("moons:x", &LoadOptions::default()).unwrap().unwrap_err().to_string();
        assert!(refused.contains("moons:x") && refused.contains("moons:7"), "{refused}");
        assert!(PLANAR[0].asked_by("moonshine.csv", &LoadOptions::default()).is_none());
        assert_eq!(named("eight-gaussians").labels.unwrap().names.len(), 8);
    }
}
