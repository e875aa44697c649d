//! Each limit of the format, from both sides: its last value is taken and the next one refused, by both readers.

use mote_core::model::Model;
use mote_tests::mutation::with_checksum_made_right;
use mote_tests::random_model::RandomModel;
use mote_tests::reader::Blob;

/// A model with every feature, whose first two layers' weights leave room for other limits.
fn base() -> (Vec<u8>, Blob) {
    let blob = RandomModel { q_max: 127, ..RandomModel::small_with_everything() }.blob();
    let read = Blob::read(&blob).unwrap();
    (blob, read)
}

/// Whether a blob with bytes put in place is taken.
fn taken(blob: &[u8], changes: &[(usize, &[u8])]) -> bool {
    let mut blob = blob.to_vec();
    for (at, bytes) in changes {
        blob[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    let blob = with_checksum_made_right(blob);
    let (ours, theirs) = (Model::parse(&blob).is_ok(), Blob::read(&blob).is_ok());
    assert_eq!(ours, theirs, "the readers disagree on {changes:?}");
    ours
}

/// Bytes from the start of a file to a layer's weights.
fn weights_at(read: &Blob, number: usize) -> usize {
    let mut at = read.section_offsets[3];
    for (i, layer) in read.layers.iter().enumerate() {
        at += (2 * layer.rows).next_multiple_of(16);
        at += (2 * layer.biases.len()).next_multiple_of(16);
        if i == number {
            return at;
        }
        at += (layer.rows * layer.columns).next_multiple_of(16);
    }
    panic!("layer {number} is the last one, whose scales are floats");
}

fn descriptor_at(read: &Blob, number: usize) -> usize {
    read.section_offsets[2] + 16 * number
}

#[test]
fn shifts_are_taken_up_to_their_limits() {
    let (blob, read) = base();
    let shifts = read.section_offsets[4] + 16 * read.levels.len();
    for (value, allowed) in [(0, false), (1, true), (24, true), (25, false), (255, false)] {
        assert_eq!(taken(&blob, &[(shifts, &[value])]), allowed, "sum_shift {value}");
    }
    // Layers 1 and 2 are residual, so they share the code_shift of layer 0.
    for (value, allowed) in [(0, true), (14, true), (15, false), (255, false)] {
        let changes: [(usize, &[u8]); 3] = [(shifts + 1, &[value]), (shifts + 3, &[value]), (shifts + 5, &[value])];
        assert_eq!(taken(&blob, &changes), allowed, "code_shift {value}");
    }
    let own = read.levels[0].shifts[2].1 + 1;
    assert!(!taken(&blob, &[(shifts + 5, &[own])]), "a residual layer with a code_shift of its own");
    assert!(!taken(&blob, &[(shifts + 6, &[1])]) && !taken(&blob, &[(shifts + 7, &[1])]), "shifts of the last layer");
}

#[test]
fn the_largest_code_is_taken_up_to_its_limits() {
    let (blob, read) = base();
    // Format and q_max of layer 0, whose input may be negative, and of layer 1, behind a ReLU.
    for (number, format, q_max, allowed) in [
        (0, 0, 127u16, true),
        (0, 0, 128, false),
        (1, 0, 255, true),
        (1, 0, 256, false),
        (1, 1, 256, true),
        (0, 1, 0, false),
        (0, 1, 1, true),
        (0, 1, 32768, false),
        (0, 2, 127, false),
    ] {
        let at = descriptor_at(&read, number);
        let changes: [(usize, &[u8]); 2] = [(at + 8, &[format]), (at + 10, &q_max.to_le_bytes())];
        assert_eq!(taken(&blob, &changes), allowed, "layer {number}, format {format}, q_max {q_max}");
    }
}

#[test]
fn sums_are_taken_up_to_their_bound() {
    let (blob, read) = base();
    // 4 * 127 + 4 = 512, and 512 * 16384 = 2^23. The other rows of a random layer reach less.
    let up: [i8; 5] = [127, 127, -127, -127, 4];
    // Behind a ReLU positive and negative weights never add up.
    let both: [i8; 9] = [127, 127, 127, 127, 4, -127, -127, -127, -127];
    for (number, row) in [(0, &up[..]), (1, &both[..])] {
        let weights: Vec<u8> = row.iter().map(|w| *w as u8).collect();
        assert_eq!(weights.len(), read.layers[number].columns);
        let first = &read.layers[number].weights[..weights.len()];
        let place = weights_at(&read, number);
        assert!(first.iter().zip(&blob[place..]).all(|(w, byte)| *w as u8 == *byte), "the weights' place");
        let at = descriptor_at(&read, number);
        for (q_max, allowed) in [(16383u16, true), (16384, false)] {
            let changes: [(usize, &[u8]); 3] = [(place, &weights), (at + 8, &[1]), (at + 10, &q_max.to_le_bytes())];
            assert_eq!(taken(&blob, &changes), allowed, "layer {number}, q_max {q_max}");
        }
    }
}

#[test]
fn header_fields_are_taken_up_to_their_limits() {
    let (blob, read) = base();
    assert!(taken(&blob, &[(52, &1023u32.to_le_bytes())]) && !taken(&blob, &[(52, &1024u32.to_le_bytes())]));
    let classes = read.classes as u16;
    assert!(taken(&blob, &[(50, &classes.to_le_bytes())]) && !taken(&blob, &[(50, &(classes + 1).to_le_bytes())]));
    assert!(taken(&blob, &[(48, &[1])]) && !taken(&blob, &[(48, &[2])]), "self-test plan");
    assert!(taken(&blob, &[(17, &[5])]) && !taken(&blob, &[(17, &[6])]), "prediction");
    assert!(taken(&blob, &[(44, &[5, 0, 1, 0])]) && !taken(&blob, &[(44, &[5, 0, 0, 0])]), "image");
}

#[test]
fn multipliers_and_coefficients_are_taken_up_to_their_limits() {
    let (blob, read) = base();
    let multiplier = read.section_offsets[3];
    for (value, allowed) in [(0i16, false), (1, true), (32767, true), (-32768, false), (-1, false)] {
        assert_eq!(taken(&blob, &[(multiplier, &value.to_le_bytes())]), allowed, "multiplier {value}");
    }
    let level = read.section_offsets[4];
    let positive_only = [(level + 8, "input_scale"), (level + 12, "output_gain")];
    for (at, name) in positive_only {
        assert!(taken(&blob, &[(at, &f32::from_bits(1).to_le_bytes())]), "the smallest {name}");
        assert!(taken(&blob, &[(at, &f32::MAX.to_le_bytes())]), "the largest {name}");
        assert!(!taken(&blob, &[(at, &0f32.to_le_bytes())]), "a {name} of zero");
        assert!(!taken(&blob, &[(at, &(-1f32).to_le_bytes())]), "a negative {name}");
    }
    let (zero, minus) = (0f32.to_le_bytes(), (-1f32).to_le_bytes());
    assert!(taken(&blob, &[(level, &zero)]) && !taken(&blob, &[(level, &minus)]), "alpha");
    assert!(!taken(&blob, &[(level, &zero), (level + 4, &zero)]), "neither signal nor noise");
    assert!(taken(&blob, &[(level + 4, &0f32.to_le_bytes())]) && !taken(&blob, &[(level + 4, &(-1f32).to_le_bytes())]));
    // The last rows are those of ddpm, which keeps one prediction: b1 is past its history. A level of a row is below 3.
    let rows: usize = read.plans.iter().map(|plan| plan.rows.len()).sum();
    let first = read.section_offsets[6] - (36 * rows).next_multiple_of(16);
    let last = first + 36 * (rows - 1);
    assert!(taken(&blob, &[(last + 16, &7f32.to_le_bytes())]), "b0");
    assert!(!taken(&blob, &[(last + 20, &7f32.to_le_bytes())]), "b1 past the history");
    assert!(taken(&blob, &[(last, &[2, 0])]) && !taken(&blob, &[(last, &[3, 0])]), "level of a row");
}
