//! Every board of the list: the host's bits, exact counts, faults with a line, and a real model in 16 KiB of memory.

use mote_core::model::{Arena, Model};
use mote_core::network::Activation::{Relu, Silu};
use mote_core::network::{WeightFormat, WeightLayout};
use mote_core::sampler::{Digest, SampleOptions};
use mote_qemu::{BOARDS, Error, Image, Report, Request, Task, run};
use mote_tests::qemu::{TIME_LIMIT, forbidden_symbols, images};
use mote_tests::random_model::RandomModel;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::{fs, thread};
use tempfile::NamedTempFile;

/// The seeds that every board draws a sample of, from this one on.
const FIRST_SEED: u64 = 41;
const SEEDS: u32 = 5;

/// Models of odd widths and of the demo's, with codes of 8 bits and wider ones; each with its weights in every layout.
fn models() -> Vec<(String, Vec<Vec<u8>>)> {
    let shapes = [
        (1, vec![(7, Relu), (7, Silu), (33, Relu)]),
        (33, vec![(100, Silu), (7, Relu)]),
        (100, vec![(33, Relu), (33, Relu), (1, Relu)]),
        (64, vec![(128, Relu), (128, Silu), (128, Relu)]),
    ];
    let mut models = Vec::new();
    for (dim, hidden) in shapes {
        for q_max in [127, 1000] {
            let name = format!("{dim}, {hidden:?}, codes to {q_max}");
            let blobs = WeightLayout::ALL.map(|(_, layout)| {
                let hidden = hidden.clone();
                RandomModel { dim, hidden, q_max, layout, ..RandomModel::small_with_everything() }.blob()
            });
            models.push((name, blobs.into()));
        }
    }
    models
}

/// Deterministic and stochastic plans by turns.
fn request(number: usize) -> Request {
    let plan = Some(["ddpm", "dpm++2m"][number % 2].into());
    Request { seed: FIRST_SEED, seeds: SEEDS, plan, values: false, ..Request::default() }
}

/// The digest of the samples that a request asks for, drawn by the host.
fn host_digest(blob: &[u8], request: &Request) -> u64 {
    let model = Model::parse(blob).unwrap();
    let mut arena = Box::new(Arena::<65536>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let plan = model.plan_named(request.plan.as_deref().unwrap()).unwrap();
    let mut digest = Digest::new();
    let mut sample = vec![0.0; model.dim_out()];
    for seed in (request.seed..).take(request.seeds as usize) {
        for number in (request.first..).take(request.count as usize) {
            bound.sample(&plan, SampleOptions::default(), seed, number, &mut sample);
            digest.update(&sample);
        }
    }
    digest.finish()
}

/// Asks every board, side by side.
fn on_every_board<T: Send>(ask: impl Fn(&Image) -> T + Sync) -> Vec<(&'static Image, T)> {
    thread::scope(|scope| {
        let running: Vec<_> = images().iter().map(|image| (image, scope.spawn(|| ask(image)))).collect();
        running.into_iter().map(|(image, thread)| (image, thread.join().expect("a thread without a panic"))).collect()
    })
}

#[test]
fn boards_have_their_own_names_and_places() {
    let names: BTreeSet<_> = BOARDS.iter().map(|board| board.name).collect();
    assert_eq!(names.len(), BOARDS.len());
    for board in BOARDS {
        let places =
            [board.flash, board.model, board.ram].map(|place| (u64::from(place.origin), u64::from(place.bytes)));
        let mut sorted = places;
        sorted.sort_unstable();
        assert!(sorted.is_sorted_by(|(start, bytes), (next, _)| start + bytes <= *next), "{}: {sorted:x?}", board.name);
        assert!(board.stack_bytes < board.ram.bytes && board.stack_bytes.is_multiple_of(16), "{}", board.name);
        // A stack that outgrows its place must leave memory: nothing may lie right below it.
        let below = u64::from(board.ram.origin) - u64::from(board.stack_bytes);
        assert!(places.iter().all(|(start, bytes)| start + bytes <= below || *start > below), "{}", board.name);
    }
}

#[test]
fn the_host_gives_one_digest_with_vectors_and_without() {
    // `--features portable` runs this again on plain Rust.
    let mut all = Digest::new();
    for (number, (_, blobs)) in models().into_iter().enumerate() {
        let host = host_digest(&blobs[0], &request(number));
        all.update(&[f32::from_bits(host as u32), f32::from_bits((host >> 32) as u32)]);
    }
    assert_eq!(format!("{:016x}", all.finish()), ALL_MODELS);
}

#[test]
fn every_board_gives_the_hosts_bits() {
    let mut all = Digest::new();
    let mut cases = Vec::new();
    for (number, (name, blobs)) in models().into_iter().enumerate() {
        let request = request(number);
        let host = host_digest(&blobs[0], &request);
        all.update(&[f32::from_bits(host as u32), f32::from_bits((host >> 32) as u32)]);
        for (blob, (layout, _)) in blobs.iter().zip(WeightLayout::ALL) {
            assert_eq!(host_digest(blob, &request), host, "{name}, {layout}");
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(blob).unwrap();
            cases.push((format!("{name}, {layout}"), file, request.clone(), host));
        }
    }
    // One number for every host and every build: it changes only with the bit contract.
    assert_eq!(format!("{:016x}", all.finish()), ALL_MODELS);
    let ask = |image: &Image| -> Vec<Result<Report, Error>> {
        cases.iter().map(|(_, file, request, _)| run(image, Some(file.path()), request, TIME_LIMIT)).collect()
    };
    for (image, reports) in on_every_board(ask) {
        for (report, (name, _, _, host)) in reports.into_iter().zip(&cases) {
            let report = report.unwrap_or_else(|error| panic!("{}, {name}: {error}", image.board().name));
            assert_eq!(report.board, image.board().name);
            assert_eq!(report.digest, *host, "{}, {name}", report.board);
        }
    }
}

/// The digest of the digests of `every_board_gives_the_hosts_bits`, low half first.
const ALL_MODELS: &str = "7c5242087ae0937c";

#[test]
fn packed_weights_give_every_board_the_bits_of_whole_ones() {
    // Odd widths, an odd and an even number of groups of four columns, codes of more than 8 bits and classes' and residual layers.
    let shapes = [
        RandomModel { dim: 7, hidden: vec![(33, Silu), (100, Relu)], ..RandomModel::small_with_everything() },
        RandomModel { levels: 3, ..RandomModel::digits() },
    ];
    let mut cases = Vec::new();
    for (number, shape) in shapes.into_iter().enumerate() {
        let blob = |layout, format| RandomModel { layout, ..shape.clone() }.of_small_weights(format).blob();
        let request = Request { seeds: 2, ..request(number) };
        let host = host_digest(&blob(WeightLayout::Rows, WeightFormat::Bits8), &request);
        for (name, layout) in WeightLayout::ALL {
            let packed = blob(layout, WeightFormat::Bits4);
            assert_eq!(host_digest(&packed, &request), host, "{shape:?}, {name}");
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(&packed).unwrap();
            cases.push((format!("shape {number}, {name}"), file, request.clone(), host));
        }
    }
    let ask = |image: &Image| -> Vec<Result<Report, Error>> {
        cases.iter().map(|(_, file, request, _)| run(image, Some(file.path()), request, TIME_LIMIT)).collect()
    };
    for (image, reports) in on_every_board(ask) {
        for (report, (name, _, _, host)) in reports.into_iter().zip(&cases) {
            let report = report.unwrap_or_else(|error| panic!("{}, {name}: {error}", image.board().name));
            assert_eq!(report.digest, *host, "{}, {name}", report.board);
        }
    }
}

#[test]
fn every_board_says_where_it_faulted() {
    let ask = |task| on_every_board(move |image| run(image, None, &Request { task, ..Request::default() }, TIME_LIMIT));
    for (task, kind, text) in
        [(Task::Fault, "fault", "hard fault at 0x"), (Task::Overflow, "stack", "the stack outgrew its 4096 bytes")]
    {
        for (image, result) in ask(task) {
            let Err(Error::Device { code: 6, kind: said, text: words }) = result else {
                panic!("{}: {result:?}", image.board().name)
            };
            assert!(said == kind && words.starts_with(text), "{}: {said}, {words}", image.board().name);
        }
    }
}

#[test]
fn no_boards_image_holds_a_panic_or_double_precision() {
    for image in images() {
        let bad = forbidden_symbols(image, "iggurat");
        assert!(bad.is_empty(), "{}: {bad:?}", image.board().name);
    }
}

#[test]
fn a_model_trained_on_digits_fits_every_board_and_the_smallest_memory() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-sim/models/digits-48-48.mote");
    let blob = fs::read(&path).unwrap();
    let request = Request { task: Task::Bench, plan: Some("ddpm:20:k4".into()), ..request(0) };
    let host = host_digest(&blob, &request);
    for (image, report) in on_every_board(|image| run(image, Some(&path), &request, TIME_LIMIT)) {
        let (board, report) = (image.board(), report.unwrap());
        assert_eq!(report.digest, host, "{}", board.name);
        // A loop of two instructions a turn, six million turns, which takes a 24-bit timer past its end.
        assert_eq!(report.counts["loop-turn"].each(), 2.0, "{}", board.name);
        // 4.4 KiB of statics with the arena, and the stack, which is deepest where codes are cut to bytes for vectors.
        let memory = report.memory;
        assert!(memory.stack <= 3072, "{}: {memory:?}", board.name);
        assert!(memory.data + memory.bss + memory.stack_reserved <= 16 * 1024, "{}: {memory:?}", board.name);
        let size = image.size().unwrap();
        assert_eq!(memory.data + memory.bss, size.statics, "{}", board.name);
        println!(
            "{:13} flash {} and the model's {}, statics {}, stack {}, evaluation {:.0}, normal {:.1}",
            board.name,
            size.flash - size.built_in_model,
            blob.len(),
            size.statics,
            memory.stack,
            report.counts["evaluation"].each(),
            report.counts["normal"].each(),
        );
    }
}
