//! Files that survive, and files that are refused.

use super::*;
use crate::train::tests::small_shape;

fn state() -> TrainingState {
    let network = |seed| FloatNetwork::initial(small_shape(), seed).unwrap();
    let squares = network(3)
        .layers()
        .iter()
        .map(|dense| {
            let mut dense = dense.clone();
            for (_, _, values) in dense.tensors_mut() {
                values.iter_mut().for_each(|v| *v *= *v);
            }
            dense
        })
        .collect();
    TrainingState {
        step: 1234,
        options: TrainingOptions { seed: u64::MAX, clip_norm: Some(0.1), ..TrainingOptions::default() },
        weights: network(1),
        first_moment: network(2),
        second_moment: FloatNetwork::new(small_shape(), squares).unwrap(),
        average: network(4),
    }
}

#[test]
fn a_state_survives_the_file_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let state = state();
    save_state(&path, &state).unwrap();
    assert_eq!(load_state(&path).unwrap(), state);
    assert_eq!(load_network(&path).unwrap(), state.average);
    // Written again over the old file, the bytes are the same and nothing else stays behind.
    let before = std::fs::read(&path).unwrap();
    save_state(&path, &state).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_cut_at_any_length_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    let bytes = encode(&state()).unwrap();
    let lengths = (0..bytes.len().min(300)).chain((300..bytes.len()).step_by(97)).chain([bytes.len() - 1]);
    for length in lengths {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = load_state(&path).unwrap_err();
        assert!(matches!(error, CheckpointError::Container { .. }), "{length}: {error}");
        assert!(error.to_string().contains("cut.safetensors"), "{error}");
    }
    assert!(matches!(load_state(&folder.path().join("none")).unwrap_err(), CheckpointError::Read { .. }));
}

#[test]
fn a_changed_bit_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.safetensors");
    let bytes = encode(&state()).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for place in (header..bytes.len()).step_by(41).chain([bytes.len() - 1]) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        // The average is one group of four: a fault in the others counts too.
        for error in [load_state(&path).unwrap_err(), load_network(&path).unwrap_err()] {
            assert!(
                matches!(error, CheckpointError::Checksum { .. } | CheckpointError::Value { .. }),
                "{place}: {error}"
            );
        }
    }
}

#[test]
fn an_unwritable_place_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/c.safetensors");
    let error = save_state(&path, &state()).unwrap_err();
    assert!(matches!(error, CheckpointError::Write(_)));
    assert!(error.to_string().contains("no/such/folder/c.safetensors"));
}

/// Replaces every `from` in the file's header by `to`, of the same length.
fn with_header(from: &str, to: &str) -> Result<TrainingState, CheckpointError> {
    assert_eq!(from.len(), to.len());
    let mut bytes = encode(&state()).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    assert!(header.contains(from), "{header}");
    bytes[8..8 + length].copy_from_slice(header.replace(from, to).as_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.safetensors");
    std::fs::write(&path, bytes).unwrap();
    load_state(&path)
}

#[test]
fn a_wrong_header_is_refused_with_the_reason() {
    let says = |from: &str, to: &str, words: &str| {
        let error = with_header(from, to).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("changed.safetensors"), "{error}");
    };
    says("average.layers.2.bias", "average.layers.2.bios", "tensor average.layers.2.bias is missing");
    says(
        "\"shape\":[8,9]",
        "\"shape\":[9,8]",
        "tensor weights.layers.2.weight is F32 [9, 8]; the network's shape asks for F32 [8, 9]",
    );
    says("\\\"format\\\":1", "\\\"format\\\":2", "format 2, not 1");
    says("\"mote\"", "\"moth\"", "no entry `mote`");
    says("\\\"dim_in\\\":5", "\\\"dim_in\\\":0", "dim_in is 0");
    says("\\\"batch\\\":256", "\\\"batch\\\":000", "not a checkpoint");
    says("\\\"hidden\\\":[9,9,8]", "\\\"hidden\\\":[9,8,8]", "weights.layers.1.weight is F32 [9, 9]");
}

#[test]
fn a_number_out_of_range_is_named() {
    let mut bad = state();
    let mut layers = bad.average.layers().to_vec();
    layers[1].bias[3] = f32::NAN;
    bad.average = FloatNetwork::new(small_shape(), layers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.safetensors");
    save_state(&path, &bad).unwrap();
    let error = load_network(&path).unwrap_err().to_string();
    assert!(error.ends_with("tensor average.layers.1.bias holds NaN at index 3"), "{error}");
    let mut bad = state();
    bad.second_moment = bad.first_moment.clone();
    save_state(&path, &bad).unwrap();
    let error = load_state(&path).unwrap_err().to_string();
    assert!(error.contains("tensor second_moment.layers.0.weight holds -"), "{error}");
}
