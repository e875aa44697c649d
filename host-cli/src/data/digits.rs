//! The built-in set: 1,797 handwritten digits of 8 by 8 pixels (see `data/digits8x8/README.md` for origin and licence).

use super::error::DataError;
use super::labels::Labels;
use super::{LoadOptions, Table, npy};

const IMAGES: &[u8] = include_bytes!("../../data/digits8x8/images.npy");
const LABELS: &[u8] = include_bytes!("../../data/digits8x8/labels.npy");

/// The digits, 0 to 16 a pixel, labels 0 to 9.
pub(super) fn load(options: &LoadOptions) -> Result<Table, DataError> {
    if options.label.is_some() {
        return Err(DataError::LabelNotPossible {
            path: "digits".into(),
            why: "the built-in set brings its labels along; leave --label out",
        });
    }
    let mut table = npy::read("digits", "digits".into(), IMAGES, &LoadOptions::default())?;
    let digits = npy::read("digits", "labels".into(), LABELS, &LoadOptions::default())?;
    table.labels = Some(Labels {
        codes: digits.values.iter().map(|&digit| digit as u16).collect(),
        names: (0..10).map(|digit| digit.to_string()).collect(),
    });
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_digits_are_those_of_uci() {
        let table = load(&LoadOptions::default()).unwrap();
        assert_eq!((table.rows, table.dim, table.image), (1797, 64, Some((8, 8))));
        assert_eq!(table.columns[9], "r1c1");
        // The first image as scikit-learn's documentation prints it (load_digits, digits.data[0]), row by row.
        let first = [
            [0., 0., 5., 13., 9., 1., 0., 0.],
            [0., 0., 13., 15., 10., 15., 5., 0.],
            [0., 3., 15., 2., 0., 11., 8., 0.],
            [0., 4., 12., 0., 0., 8., 8., 0.],
            [0., 5., 8., 0., 0., 9., 8., 0.],
            [0., 4., 11., 0., 1., 12., 7., 0.],
            [0., 2., 14., 5., 10., 12., 0., 0.],
            [0., 0., 6., 13., 10., 0., 0., 0.],
        ];
        assert_eq!(table.values[..64], first.concat());
        assert!(table.values.iter().all(|&x| (0.0..=16.0).contains(&x)));
        let labels = table.labels.unwrap();
        assert_eq!(labels.codes[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // Class counts of the test part in UCI's optdigits.names.
        let mut counts = [0; 10];
        labels.codes.iter().for_each(|&c| counts[usize::from(c)] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn a_label_column_makes_no_sense_here() {
        let options = LoadOptions { label: Some("1".into()), ..LoadOptions::default() };
        assert!(load(&options).unwrap_err().to_string().contains("leave --label out"));
    }
}
