//! Jobs on signals, on boards with floats in hardware, in software and on RISC-V: the bits of the host, whole signals at once against sample by sample.

use mote_core::job::{ConditionalDraw, Evidence};
use mote_core::model::{Arena, Model};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_qemu::{Error, Image, Job, JobReport, JobTask, Program, find, run_job};
use mote_tests::qemu::{TIME_LIMIT, forbidden_symbols, image_of};
use mote_tests::random_model::RandomModel;
use std::fs;
use std::sync::OnceLock;
use tempfile::NamedTempFile;

const BOARDS: [&str; 3] = ["mps2-an386", "microbit", "riscv32-virt"];

fn images() -> &'static [Image] {
    static IMAGES: OnceLock<Vec<Image>> = OnceLock::new();
    let of = |name: &&str| image_of(Program::Jobs { arena_bytes: None }, &find(name).unwrap());
    IMAGES.get_or_init(|| BOARDS.iter().filter_map(of).collect())
}

fn run(image: &Image, blob: &[u8], job: Job<'_>) -> Result<JobReport, Error> {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), job.behind(blob)).unwrap();
    run_job(image, file.path(), TIME_LIMIT)
}

/// Signals of two channels with a value missing, in the data's own units.
fn signals(samples: usize) -> Vec<f32> {
    let mut values = vec![0.0; 2 * samples];
    Ziggurat::new(Stream::new(8)).fill(&mut values);
    values.iter_mut().for_each(|x| *x = 0.25 + 2.0 * *x);
    values[7] = f32::NAN;
    values
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect()
}

#[test]
fn boards_denoise_sample_by_sample_what_the_host_denoises_at_once() {
    let blob = RandomModel::slide().blob();
    let model = Model::parse(&blob).unwrap();
    let (values, length) = (signals(60), 40);
    let level = model.nearest_level(0.4);
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut expected = Vec::new();
    for signal in values.chunks(length) {
        let mut state = signal.to_vec();
        model.scale(&mut state);
        state.iter_mut().for_each(|x| *x *= level.noise.alpha);
        let mut out = vec![0.0; length];
        bound.estimator().estimate(level, None, &state, &mut out);
        expected.extend(out);
    }
    for image in images() {
        let task = JobTask::Denoise { sigma: 0.4 };
        let report = run(image, &blob, Job { task, values: &values, length }).unwrap();
        assert_eq!(bits(&report.values), bits(&expected), "{}", image.board().name);
        assert_eq!(report.work.of, 60);
        // 18 x 24, 24 x 16 and 16 x 2 multiply-accumulates, and no kernel makes two an instruction for long.
        let each = report.work.instructions / report.work.of;
        assert!(each > 848 / 2 && each < 60_000, "{}: {each}", image.board().name);
        assert!(report.memory.stack < report.memory.stack_reserved);
        assert!(forbidden_symbols(image, "SignalDenoiser").is_empty(), "{}", image.board().name);
    }
}

#[test]
fn boards_draw_what_is_missing_with_the_bits_of_the_host() {
    let blob = RandomModel::slide().blob();
    let model = Model::parse(&blob).unwrap();
    let values = signals(12);
    let mut known = values.clone();
    model.scale(&mut known);
    let mut room = [model.nearest_level(1.0); 16];
    let levels = model.ladder(&mut room);
    assert_eq!(levels.len(), 6);
    assert!(levels.is_sorted_by(|a, b| a.noise.relative_sigma() > b.noise.relative_sigma()));
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut noise = Ziggurat::new(Stream::nth(5, 2));
    let (mut state, mut estimate) = (vec![0.0; known.len()], vec![0.0; known.len()]);
    let mut draw = ConditionalDraw::start(levels, 3, Evidence::Known(&known), None, &mut noise, &mut state);
    while draw.step(&mut bound.estimator(), &mut noise, &mut state, &mut estimate) {}
    assert!(!state[7].is_nan() && state[6].to_bits() == known[6].to_bits());
    for image in images() {
        let task = JobTask::Impute { seed: 5, number: 2, repeats: 3 };
        let report = run(image, &blob, Job { task, values: &values, length: values.len() }).unwrap();
        assert_eq!(bits(&report.values), bits(&state), "{}", image.board().name);
        assert_eq!(report.work.of, 5 * 3 + 1);
    }
}

#[test]
fn what_is_no_job_is_refused_by_name() {
    let blob = RandomModel::slide().blob();
    let image = match images() {
        [image, ..] => image,
        [] => return,
    };
    let refused = |bytes: &[u8]| {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        match run_job(image, file.path(), TIME_LIMIT) {
            Err(Error::Device { code, kind, .. }) => (code, kind),
            other => panic!("{other:?}"),
        }
    };
    let (values, denoise) = (signals(4), JobTask::Denoise { sigma: 0.4 });
    let whole = Job { task: denoise, values: &values, length: 8 }.behind(&blob);
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    assert_eq!(refused(&damaged), (2, "model".into()));
    let mut other = whole.clone();
    other[blob.len()] = b'X';
    assert_eq!(refused(&other), (5, "request".into()));
    let mut unknown = whole;
    unknown[blob.len() + 4] = 9;
    assert_eq!(refused(&unknown), (5, "request".into()));
    let long = vec![0.0; 600];
    let impute = JobTask::Impute { seed: 0, number: 0, repeats: 1 };
    assert_eq!(refused(&Job { task: impute, values: &long, length: 600 }.behind(&blob)), (5, "request".into()));
}
