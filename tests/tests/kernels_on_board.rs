//! Layers one by one on every board: the bits of portable code, and what they cost.

use mote_core::network::{Activation, WeightLayout};
use mote_qemu::{BOARDS, Error, Image, LayerCount, Program, Request, Task, doubled, run, run_kernels};
use mote_tests::cycles::{Core, estimate_of_first_layer};
use mote_tests::qemu::{TIME_LIMIT, forbidden_symbols, image_of};
use mote_tests::random_model::RandomModel;
use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;
use tempfile::NamedTempFile;

/// What a kernel may cost: on a board, with weights in a layout and codes up to so many, instructions a multiply-accumulate of a layer from 128 to 128 with ReLU,
/// and how many instructions a unit SiLU may take more.
///
/// A Cortex-M7 runs the code of the M4. On the M0 SiLU takes ten instructions of a positive pre-activation and twelve of a negative one, for ReLU's four
/// and three: there is no saturation, so the sign, the end of the table and the rounding are all instructions of their own. On RISC-V it takes six
/// more of either sign, but a negative one takes one more, and the two layers do not have as many of them.
struct Bound {
    board: &'static str,
    layout: WeightLayout,
    q_max: u16,
    relu: f64,
    silu_more: f64,
}

const fn bound(board: &'static str, layout: WeightLayout, q_max: u16, relu: f64, silu_more: f64) -> Bound {
    Bound { board, layout, q_max, relu, silu_more }
}

const BOUNDS: [Bound; 8] = [
    bound("mps2-an386", WeightLayout::RowPairs, 127, 1.00, 6.0),
    bound("mps2-an505", WeightLayout::RowPairs, 127, 1.00, 6.0),
    bound("mps2-an385", WeightLayout::RowPairs, 127, 2.35, 6.0),
    bound("microbit", WeightLayout::RowPairs, 127, 3.54, 7.7),
    bound("mps3-an547", WeightLayout::Rows, 127, 0.20, 2.0),
    bound("mps3-an547", WeightLayout::Rows, 255, 0.29, 2.0),
    bound("mps3-an547", WeightLayout::RowPairs, 255, 0.31, 2.0),
    bound("riscv32-virt", WeightLayout::RowPairs, 127, 3.50, 6.1),
];

fn shape(dim: usize, hidden: &[(usize, Activation)], layout: WeightLayout) -> RandomModel {
    RandomModel { dim, hidden: hidden.into(), residual: false, classes: 0, levels: 2, layout, ..RandomModel::digits() }
}

/// The image of kernels for a board of [`BOUNDS`], built once for all tests.
fn image(board: &str) -> Option<&'static Image> {
    static IMAGES: OnceLock<Vec<Image>> = OnceLock::new();
    let known = BOARDS.iter().filter(|known| BOUNDS.iter().any(|bound| bound.board == known.name));
    let images = IMAGES.get_or_init(|| known.filter_map(|known| image_of(Program::Kernels, known)).collect());
    images.iter().find(|image| image.board().name == board)
}

fn layers(board: &str, shape: &RandomModel) -> Option<Result<Vec<LayerCount>, Error>> {
    let image = image(board)?;
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), doubled(&shape.blob())).unwrap();
    Some(run_kernels(image, file.path(), TIME_LIMIT))
}

#[test]
fn layers_cost_no_more_than_they_may() {
    use Activation::{Relu, Silu};
    println!("instructions a multiply-accumulate, requantisation included; not cycles and not time");
    for Bound { board, layout, q_max, relu, silu_more } in BOUNDS {
        let shape = RandomModel { q_max, ..shape(64, &[(128, Relu), (128, Relu), (128, Silu)], layout) };
        let Some(layers) = layers(board, &shape) else { continue };
        let layers = layers.unwrap();
        let kinds: Vec<_> = layers.iter().map(|layer| (layer.rows, layer.cols, layer.kind.as_str())).collect();
        assert_eq!(kinds, [(128, 64, "relu"), (128, 128, "relu"), (128, 128, "silu"), (64, 128, "output")]);
        for layer in &layers {
            println!("{board}, codes to {q_max}: {} to {} {}: {:.3}", layer.cols, layer.rows, layer.kind, layer.each());
            // No kernel makes more than two products an instruction, but those of the vectors, which make sixteen in two.
            let fewest = if board == "mps3-an547" { 0.125 } else { 0.5 };
            assert!(layer.each() > fewest && layer.instructions < layer.portable, "{layer:?}");
        }
        assert!(layers[1].each() <= relu, "{board}: {:?}", layers[1]);
        let more = (layers[2].instructions as f64 - layers[1].instructions as f64) / 128.0;
        println!("{board}: SiLU takes {more:.2} instructions a unit more than ReLU");
        assert!(more <= silu_more, "{board}: {more}");
    }
}

#[test]
fn odd_shapes_and_every_kind_of_layer_give_the_bits_of_portable_code() {
    use Activation::{Relu, Silu};
    // The image compares every layer, level and class with portable code, and ends with an error where one differs.
    let odd = shape(7, &[(33, Relu), (100, Silu), (1, Relu), (2, Silu), (65, Relu)], WeightLayout::RowPairs);
    let wide =
        RandomModel { q_max: 1000, ..shape(100, &[(33, Silu), (33, Relu), (130, Relu)], WeightLayout::RowPairs) };
    let everything = RandomModel { layout: WeightLayout::RowPairs, ..RandomModel::small_with_everything() };
    let rows = shape(33, &[(7, Relu), (100, Silu)], WeightLayout::Rows);
    // Vectors of one row beyond those that a kernel keeps in registers, with a last one that is not full; and wide codes in full ones.
    let long_rows = shape(200, &[(150, Relu), (129, Relu), (70, Relu)], WeightLayout::Rows);
    // SiLU at the ends of its table: small codes and large ones make pre-activations that leave it on either side.
    let silu = [(150, Silu), (40, Silu), (129, Relu), (70, Silu)];
    let unsigned_rows =
        RandomModel { q_max: 255, ..shape(200, &[(150, Relu), (70, Relu), (33, Silu)], WeightLayout::Rows) };
    let vectors = shape(200, &silu, WeightLayout::RowPairs);
    let wide_rows = RandomModel { q_max: 1000, ..shape(64, &[(32, Relu), (40, Relu), (8, Silu)], WeightLayout::Rows) };
    let boards: BTreeSet<_> = BOUNDS.iter().map(|bound| bound.board).collect();
    for board in boards {
        for shape in [&odd, &wide, &everything, &rows, &long_rows, &wide_rows, &unsigned_rows, &vectors] {
            let Some(layers) = layers(board, shape) else { continue };
            let layers = layers.unwrap_or_else(|error| panic!("{board}, {shape:?}: {error}"));
            assert_eq!(layers.len(), shape.hidden.len() + 1);
        }
    }
}

#[test]
fn little_of_a_sample_is_outside_of_its_layers() {
    // The digits network with twenty stochastic steps on a Cortex-M4F: normals and the update of the state,
    // which are the sampler's, and quantising the input and finding layers, which are the network's.
    let shape = RandomModel { levels: 20, ..shape(64, &[(128, Activation::Relu); 3], WeightLayout::RowPairs) };
    let Some(layers) = layers(BOARDS[0].name, &shape) else { return };
    let layers: u64 = layers.unwrap().iter().map(|layer| layer.instructions).sum();
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), shape.blob()).unwrap();
    let request = Request { task: Task::Bench, plan: Some("ddpm".into()), values: false, ..Request::default() };
    let counts = run(mote_tests::qemu::image().unwrap(), Some(file.path()), &request, TIME_LIMIT).unwrap().counts;
    let (sample, evaluation) = (counts["sample"].instructions, counts["evaluation"]);
    let steps = evaluation.of;
    let (outside, sampler) = (sample / steps - layers, (sample - evaluation.instructions) / steps);
    println!(
        "{steps} steps: {sample} instructions in all, {layers} a step in layers, {outside} outside of them, {sampler} of these the sampler's"
    );
    // 64 normals alone are 32.5 each.
    assert!(steps == 20 && (64 * 32..=3_100).contains(&sampler), "{sample} {layers} {sampler}");
    assert!((sampler..=4_750).contains(&outside), "{sample} {layers} {outside}");
}

#[test]
fn a_copy_that_differs_is_found() {
    // One weight of the second copy changed, and its checksum made right: the image must see other codes.
    let shape = shape(33, &[(64, Activation::Relu)], WeightLayout::RowPairs);
    let blob = shape.blob();
    let mut changed = blob.clone();
    let read = mote_tests::reader::Blob::read(&blob).unwrap();
    // The first weight of the last layer's last row pair, far from every other section's end.
    let at = read.section_offsets[4] - 64;
    changed[at] = changed[at].wrapping_add(40);
    let sum = mote_tests::reader::file_checksum(&changed);
    changed[12..16].copy_from_slice(&sum.to_le_bytes());
    let Some(image) = image(BOARDS[0].name) else { return };
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), [&blob[..], &[0], &changed].concat()).unwrap();
    match run_kernels(image, file.path(), TIME_LIMIT) {
        Err(Error::Device { code: 10, kind, text }) => {
            assert_eq!(kind, "kernel");
            assert!(text.starts_with("layer 1, row "), "{text}");
        }
        other => panic!("the image was to find it, but: {other:?}"),
    }
}

#[test]
fn the_image_holds_no_panic_and_no_double_precision() {
    let Some(image) = image(BOARDS[0].name) else { return };
    assert_eq!(forbidden_symbols(image, "dsp"), Vec::<String>::new());
}

#[test]
fn no_kernel_trades_instructions_for_slow_ones() {
    // A layer from 128 to 128 with ReLU: the most cycles a product, and what CMSIS-NN's takes at the least. Its inner loop takes about 2.2 by the
    // table of the M4. On the M3 and the M0 its 3.72 and 6.24 instructions have four loads for three products, each a cycle more, and on the M3 MLA is
    // another; on the M55 an instruction takes a cycle. It has no code of its own for RISC-V, where a plain loop in Rust takes 7.35.
    let cases = [
        ("mps2-an386", WeightLayout::RowPairs, Core::M4, 1.48, 2.2),
        ("mps2-an385", WeightLayout::RowPairs, Core::M3, 4.0, 3.72 + 4.0 / 3.0 + 1.0),
        ("microbit", WeightLayout::RowPairs, Core::M0, 4.2, 6.24 + 4.0 / 3.0),
        ("mps3-an547", WeightLayout::Rows, Core::M55, 0.24, 0.263),
        ("riscv32-virt", WeightLayout::RowPairs, Core::Hazard3, 3.5, 7.35),
    ];
    for (board, layout, core, most, theirs) in cases {
        let shape = shape(128, &[(128, Activation::Relu)], layout);
        let Some(image) = image(board) else { continue };
        let (file, log) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
        fs::write(file.path(), doubled(&shape.blob())).unwrap();
        let counted = run_kernels(image, file.path(), TIME_LIMIT).unwrap()[0].instructions;
        let found = estimate_of_first_layer(image, file.path(), log.path(), core, TIME_LIMIT);
        let each = found.cycles as f64 / (128.0 * 128.0);
        println!(
            "{board}: about {each:.3} cycles a product, {:.2} an instruction",
            found.cycles as f64 / found.instructions as f64
        );
        // What is not followed, as copies of memory are, is little; the count has the call itself, too.
        assert!(
            found.instructions <= counted && found.instructions as f64 > 0.97 * counted as f64,
            "{found:?}, {counted}"
        );
        assert!(each <= most && most < theirs, "{board}: {each}");
    }
}
