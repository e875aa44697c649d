//! Networks that PyTorch made (`fixtures/make.py`), and files that are wrong in one place.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::*;
use crate::network::Activation::{self, Relu, Silu};
use crate::network::Conditioning;
use crate::recipe::NetworkRecipe;

const CONCATENATED: &[u8] = include_bytes!("fixtures/concatenated.safetensors");
const SEPARATE: &[u8] = include_bytes!("fixtures/separate.safetensors");
const SEQUENTIAL: &[u8] = include_bytes!("fixtures/sequential.safetensors");

fn convention(text: &str) -> ImportRecipe {
    toml::from_str(text).unwrap()
}

fn concatenated() -> ImportRecipe {
    convention("layers = 'hid.{i}'\nlast = 'out'")
}

fn separate() -> ImportRecipe {
    convention(
        "layers = 'body.{i}'\nconditioning = 'separate'\nlevel = 'time.{i}'\nclass = 'label.{i}'\n\
         time_features = 'cos-sin'\ntime_scale = 1000.0\nfrequencies = 'freq'",
    )
}

fn sequential() -> ImportRecipe {
    convention("layers = ['0', '2', '4']\norder = ['features', 'data', 'classes']\ntime_features = 'interleaved'")
}

fn shape(activation: Activation, residual: bool, features: usize, classes: usize, conditioning: Conditioning) -> Shape {
    let hidden = vec![8, 8];
    let network = NetworkRecipe {
        hidden,
        activation,
        residual,
        features,
        conditioning,
        class_conditional: true,
        ..NetworkRecipe::default()
    };
    network.shape(3, classes)
}

fn concatenated_shape() -> Shape {
    shape(Silu, true, 4, 2, Conditioning::FirstLayer)
}

fn import(bytes: &[u8], convention: &ImportRecipe, mut shape: Shape) -> Result<Imported, ImportError> {
    let file = WeightFile::open(Path::new("w.safetensors"), bytes, convention)?;
    if let Some(own) = file.frequencies(shape.features)? {
        shape.own_frequencies = own;
    }
    file.network(&shape)
}

/// The one-line message of a refused import of the concatenated network.
fn refusal(bytes: &[u8]) -> String {
    let message = import(bytes, &concatenated(), concatenated_shape()).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

/// The concatenated file with its tensors changed: name, type, shape and bytes of each.
type Tensor = (Dtype, Vec<usize>, Vec<u8>);
fn changed(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> Vec<u8> {
    let file = SafeTensors::deserialize(CONCATENATED).unwrap();
    let mut tensors: HashMap<String, Tensor> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
        .collect();
    change(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn pytorch_s_outputs_are_repeated_in_every_convention() {
    for (bytes, convention, shape) in [
        (CONCATENATED, concatenated(), concatenated_shape()),
        (SEPARATE, separate(), shape(Relu, false, 6, 2, Conditioning::EveryHiddenLayer)),
        (SEQUENTIAL, sequential(), shape(Relu, false, 4, 0, Conditioning::FirstLayer)),
    ] {
        let imported = import(bytes, &convention, shape).unwrap();
        let proof = imported.proof.unwrap();
        assert_eq!(proof.rows, 8);
        assert!(proof.largest_difference <= 1e-5, "{proof:?}");
        // Only a time that is divided by a scale may add to the bound.
        assert_eq!(proof.allowed > BOUND, convention.time_scale != 1.0, "{proof:?}");
        assert!(proof.allowed < 1e-3, "{proof:?}");
    }
}

#[test]
fn another_convention_gives_other_outputs_and_is_refused() {
    type Change = fn(&mut ImportRecipe, &mut Shape);
    let wrong: [Change; 6] = [
        |c, _| c.order = [Part::Features, Part::Data, Part::Classes],
        |c, _| c.order = [Part::Data, Part::Classes, Part::Features],
        |c, _| c.time_features = FeatureOrder::CosSin,
        |c, _| c.time_features = FeatureOrder::Interleaved,
        |_, s| s.activation = Relu,
        |_, s| s.residual = false,
    ];
    for change in wrong {
        let (mut convention, mut shape) = (concatenated(), concatenated_shape());
        change(&mut convention, &mut shape);
        let message = import(CONCATENATED, &convention, shape).unwrap_err().to_string();
        assert!(message.contains("outputs are not test_output: the largest difference is"), "{message}");
    }
    // The frequencies of another network, and a time that counts steps taken for one in [0, 1].
    let mut shape = concatenated_shape();
    shape.max_frequency = 31.0;
    assert!(matches!(import(CONCATENATED, &concatenated(), shape), Err(ImportError::Differs { .. })));
    let convention = ImportRecipe { time_scale: 1.0, ..separate() };
    let mut stepped = super::tests::shape(Relu, false, 6, 2, Conditioning::EveryHiddenLayer);
    stepped.max_frequency = 1000.0;
    let convention = ImportRecipe { frequencies: None, ..convention };
    assert!(matches!(import(SEPARATE, &convention, stepped), Err(ImportError::Differs { .. })));
}

#[test]
fn a_difference_just_over_the_bound_is_refused() {
    let scaled = |factor: f32| {
        changed(|tensors| {
            let (_, _, bytes) = tensors.get_mut("test_output").unwrap();
            for word in bytes.as_chunks_mut::<4>().0 {
                *word = (f32::from_le_bytes(*word) * factor).to_le_bytes();
            }
        })
    };
    assert!(refusal(&scaled(1.0 + 3e-5)).contains("the bound is 1e-5"));
    assert!(import(&scaled(1.0 + 4e-6), &concatenated(), concatenated_shape()).is_ok());
}

#[test]
fn the_file_s_scaling_is_used_and_checked() {
    let convention = concatenated();
    let file = |bytes: &'static [u8]| WeightFile::open(Path::new("w"), bytes, &convention).unwrap();
    let scaling = file(CONCATENATED).scaling(3).unwrap().unwrap();
    assert_eq!((scaling.mean, scaling.std), (vec![1.0, 2.0, 3.0], vec![0.5, 1.0, 2.0]));
    let shared = file(SEPARATE).scaling(3).unwrap().unwrap();
    assert_eq!((shared.mean, shared.std), (vec![8.0; 3], vec![4.0; 3]));
    let refused = |bytes: Vec<u8>| {
        let file = WeightFile::open(Path::new("w"), &bytes, &convention).unwrap();
        file.scaling(3).unwrap_err().to_string()
    };
    assert_eq!(
        refused(changed(|tensors| drop(tensors.remove("data_std")))),
        "w: there is data_mean but no data_std; leave both out or give both"
    );
    let zero = changed(|t| drop(t.insert("data_std".into(), (Dtype::F32, vec![1], vec![0; 4]))));
    assert_eq!(refused(zero), "w: tensor data_std holds 0 at index 0");
    assert_eq!(
        file(CONCATENATED).scaling(5).unwrap_err().to_string(),
        "w: tensor data_mean: expected [5] or one number, got [3]"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_named_in_one_line() {
    let path = "w.safetensors: ";
    assert_eq!(
        refusal(&changed(|t| drop(t.remove("hid.1.weight")))),
        format!(
            "{path}there is no tensor hid.1.weight; the nearest are hid.0.weight, hid.1.bias, out.weight; [import] in the recipe says how tensors are named"
        )
    );
    let narrow = changed(|t| drop(t.insert("hid.0.weight".into(), (Dtype::F32, vec![8, 7], vec![0; 224]))));
    assert_eq!(
        refusal(&narrow),
        format!("{path}tensor hid.0.weight: expected [8, 9], of the data 3 + time features 4 + classes 2, got [8, 7]")
    );
    let flat = changed(|t| t.get_mut("out.weight").unwrap().1 = vec![24]);
    assert_eq!(refusal(&flat), format!("{path}tensor out.weight: expected [3, 8], got [24]"));
    let nan = changed(|t| t.get_mut("out.bias").unwrap().2[4..8].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert_eq!(refusal(&nan), format!("{path}tensor out.bias holds NaN at index 1"));
    let whole = changed(|t| t.get_mut("out.bias").unwrap().0 = Dtype::I32);
    assert_eq!(refusal(&whole), format!("{path}tensor out.bias holds I32; it must hold F32, F64, F16 or BF16"));
    let huge = changed(|t| {
        let bytes = [1e300f64, 0.0, 0.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        t.insert("out.bias".into(), (Dtype::F64, vec![3], bytes));
    });
    assert!(refusal(&huge).starts_with(&format!("{path}tensor out.bias holds 1000")), "{}", refusal(&huge));
    let class = changed(|t| t.get_mut("test_class").unwrap().2[..8].copy_from_slice(&2i64.to_le_bytes()));
    assert_eq!(refusal(&class), format!("{path}tensor test_class holds 2 at index 0"));
    let half = changed(|t| drop(t.remove("test_output")));
    assert!(refusal(&half).contains("there is test_input but no test_output"));
    for cut in [0, 7, 100, CONCATENATED.len() - 1] {
        let message = refusal(&CONCATENATED[..cut]);
        assert!(message.contains("is not a whole safetensors file"), "{message}");
    }
}

#[test]
fn a_file_without_a_test_is_taken_unproved_and_unused_tensors_are_named() {
    let bytes = changed(|tensors| {
        for name in ["test_input", "test_time", "test_class", "test_output"] {
            tensors.remove(name);
        }
        tensors.insert("gate.weight".into(), (Dtype::F32, vec![1], vec![0; 4]));
    });
    let convention = concatenated();
    let file = WeightFile::open(Path::new("w"), &bytes, &convention).unwrap();
    file.scaling(3).unwrap();
    let imported = file.network(&concatenated_shape()).unwrap();
    assert_eq!((imported.proof, imported.unused), (None, vec!["gate.weight".to_owned()]));
}

#[test]
fn a_convention_that_contradicts_itself_is_refused() {
    let open = |text: &str| {
        let convention = convention(text);
        WeightFile::open(Path::new("w"), CONCATENATED, &convention).unwrap_err().to_string()
    };
    assert!(open("order = ['data', 'data', 'classes']").contains("each once"));
    assert!(open("time_scale = 0.0").contains("above 0"));
    let short = convention("layers = ['0', '2']\norder = ['features', 'data', 'classes']");
    let message = import(SEQUENTIAL, &short, shape(Relu, false, 4, 0, Conditioning::FirstLayer)).unwrap_err();
    assert!(message.to_string().contains("layers names 2 layers; the network has 3"), "{message}");
    assert!(toml::from_str::<ImportRecipe>("ordre = []").is_err());
}

#[test]
fn the_documentation_shows_the_script_that_made_these_files() {
    let (page, script) = (include_str!("../../../docs/import.md"), include_str!("../../../docs/export.py"));
    assert!(page.contains(script));
    assert!(script.lines().count() <= 20);
}
