//! Jobs on signals, on boards with floats in hardware, in software and on RISC-V: the bits of the host, whole signals at once against sample by sample.

use mote_core::job::{
    CALIBRATION_NUMBERS, ConditionalDraw, Detector, Evidence, Filled, ImputationDraw, Judgement, Variation,
};
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
    let of = |name: &&str| image_of(Program::Jobs { arena_bytes: Some(3072) }, &find(name).unwrap());
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
    // Of unequal lengths.
    let signals: Vec<Vec<f32>> = signals(60).chunks(44).map(<[f32]>::to_vec).collect();
    let level = model.nearest_level(0.4);
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut expected = Vec::new();
    for signal in &signals {
        let mut state = signal.clone();
        model.scale(&mut state);
        state.iter_mut().for_each(|x| *x *= level.noise.alpha);
        let mut out = vec![0.0; signal.len()];
        bound.estimator().estimate(level, None, &state, &mut out);
        expected.extend(out);
    }
    for image in images() {
        let task = JobTask::Denoise { sigma: 0.4 };
        let report = run(image, &blob, Job { task, signals: &signals }).unwrap();
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
        let report = run(image, &blob, Job { task, signals: std::slice::from_ref(&values) }).unwrap();
        assert_eq!(bits(&report.values), bits(&state), "{}", image.board().name);
        assert_eq!(report.work.of, 5 * 3 + 1);
    }
}

#[test]
fn boards_fill_gaps_and_draw_them_with_the_bits_of_the_host() {
    let blob = RandomModel::gaps().blob();
    let model = Model::parse(&blob).unwrap();
    let imputation = model.imputation().unwrap();
    let signals: Vec<Vec<f32>> = [14, 9]
        .map(|samples| {
            let mut values = signals(samples);
            values[4..7].fill(f32::NAN);
            values[2 * samples - 1] = f32::NAN;
            values
        })
        .into();
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut expected = Vec::new();
    for (signal, first) in signals.iter().zip([6, 8]) {
        let (mut values, mut deviations) = (signal.clone(), vec![0.0; signal.len()]);
        model.scale(&mut values);
        let autoregression = imputation.autoregression();
        // In the memory that the model is bound in afterwards.
        autoregression.fill(&mut values, &mut deviations, arena.floats()).unwrap();
        let mut bound = model.bind(&mut arena).unwrap();
        let mut imputer = bound.imputer().unwrap();
        for (pair, mirrored) in [(0, false), (0, true), (1, false)] {
            let mut noise = Ziggurat::new(Stream::nth(9, first + pair));
            let (mut state, mut next) = (vec![0.0; signal.len()], vec![0.0; signal.len()]);
            let filled = Filled { values: &values, deviations: &deviations };
            let mut draw = ImputationDraw::start(imputation.plan(), filled, mirrored, &mut noise, &mut state);
            while draw.step(&mut imputer, &mut noise, &mut state, &mut next) {}
            expected.extend(state);
        }
    }
    for image in images() {
        let task = JobTask::Impute { seed: 9, number: 6, repeats: 3 };
        let report = run(image, &blob, Job { task, signals: &signals }).unwrap();
        assert_eq!(bits(&report.values), bits(&expected), "{}", image.board().name);
        // Two signals, six draws of six rows each.
        assert_eq!((report.fill.unwrap().of, report.work.of), (2, 36));
        assert!(forbidden_symbols(image, "draw_gaps").is_empty(), "{}", image.board().name);
        // A gap that takes more than the model's memory.
        let long = Job { task, signals: &[vec![f32::NAN; 512]] };
        match run(image, &blob, long) {
            Err(Error::Device { code: 5, kind, .. }) => assert_eq!(kind, "request"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn boards_vary_a_row_with_the_bits_of_the_host() {
    let blob = RandomModel::small_with_everything().blob();
    let model = Model::parse(&blob).unwrap();
    assert!(model.classes() > 1);
    let mut values = vec![0.0; model.dim_out()];
    Ziggurat::new(Stream::new(9)).fill(&mut values);
    let mut row = values.clone();
    model.scale(&mut row);
    let mut room = [model.nearest_level(1.0); 64];
    let all = model.ladder(&mut room);
    let sigma = all[all.len() / 3].noise.relative_sigma();
    let levels = &all[all.len() / 3..];
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut noise = Ziggurat::new(Stream::nth(6, 3));
    let (mut state, mut estimate) = (vec![0.0; row.len()], vec![0.0; row.len()]);
    let mut variation = Variation::start(levels, 0.0, Some(1), &row, &mut noise, &mut state);
    while variation.step(&mut bound.estimator(), &mut noise, &mut state, &mut estimate) {}
    for image in images() {
        let task = JobTask::Vary { sigma, class: 1, seed: 6, number: 3 };
        let report = run(image, &blob, Job { task, signals: std::slice::from_ref(&values) }).unwrap();
        assert_eq!(bits(&report.values), bits(&state), "{}", image.board().name);
        assert_eq!(report.work.of, levels.len() as u64);
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
    let whole = Job { task: denoise, signals: &[values] }.behind(&blob);
    let mut damaged = whole.clone();
    damaged[200] ^= 1;
    assert_eq!(refused(&damaged), (2, "model".into()));
    let mut other = whole.clone();
    other[blob.len()] = b'X';
    assert_eq!(refused(&other), (5, "request".into()));
    let mut unknown = whole;
    unknown[blob.len() + 4] = 9;
    assert_eq!(refused(&unknown), (5, "request".into()));
    let impute = JobTask::Impute { seed: 0, number: 0, repeats: 1 };
    // Too long, half a sample, and nothing.
    for length in [600, 3, 0] {
        let job = Job { task: impute, signals: &[vec![0.0; length]] };
        assert_eq!(refused(&job.behind(&blob)), (5, "request".into()), "{length}");
    }
    // A calibration without levels, of a level that is not there, of too few numbers, and with one that is not finite.
    let numbers = [1.0; 2 * CALIBRATION_NUMBERS];
    let mut wrong = numbers;
    wrong[3] = f32::NAN;
    for (levels, calibration) in
        [(&[][..], &numbers[..0]), (&[99], &numbers), (&[0], &numbers[1..]), (&[0], &wrong), (&[0, 1], &numbers)]
    {
        let task = JobTask::Detect { judgement: Judgement::Sensors, seeds: 0, levels, calibration };
        let job = Job { task, signals: &[vec![0.0; 8]] };
        assert_eq!(refused(&job.behind(&blob)), (5, "request".into()), "{levels:?}");
    }
}

#[test]
fn boards_draw_what_is_behind_noise_with_the_bits_of_the_host() {
    let blob = RandomModel::slide().blob();
    let model = Model::parse(&blob).unwrap();
    let values = signals(12);
    let mut noisy = values.clone();
    model.scale(&mut noisy);
    let mut room = [model.nearest_level(1.0); 16];
    let all = model.ladder(&mut room);
    // From the third noisiest level down.
    let levels = &all[2..];
    let sigma = levels[0].noise.relative_sigma();
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut noise = Ziggurat::new(Stream::nth(6, 1));
    let (mut state, mut estimate) = (vec![0.0; noisy.len()], vec![0.0; noisy.len()]);
    let mut draw = ConditionalDraw::start(levels, 1, Evidence::Noisy(&noisy), None, &mut noise, &mut state);
    while draw.step(&mut bound.estimator(), &mut noise, &mut state, &mut estimate) {}
    assert!(state[7].is_nan() && state.iter().filter(|x| x.is_nan()).count() == 1);
    for image in images() {
        let task = JobTask::Draw { sigma: sigma * 1.001, seed: 6, number: 1 };
        let report = run(image, &blob, Job { task, signals: std::slice::from_ref(&values) }).unwrap();
        assert_eq!(bits(&report.values), bits(&state), "{}", image.board().name);
        assert_eq!(report.work.of, levels.len() as u64);
    }
}

/// Numbers of a calibration that are none, of so many levels and two channels.
fn numbers(levels: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; levels * 2 * CALIBRATION_NUMBERS];
    Ziggurat::new(Stream::new(12)).fill(&mut numbers);
    numbers.iter_mut().for_each(|x| *x = x.abs());
    numbers
}

#[test]
fn boards_score_windows_with_the_bits_of_the_host() {
    let blob = RandomModel::slide().blob();
    let model = Model::parse(&blob).unwrap();
    let windows: Vec<Vec<f32>> = signals(24).chunks(16).map(<[f32]>::to_vec).collect();
    let mut room = [model.nearest_level(1.0); 16];
    let levels = &model.ladder(&mut room)[4..];
    let calibration = numbers(levels.len());
    let indices: Vec<u32> = levels.iter().map(|level| level.index as u32).collect();
    for (judgement, seeds) in [(Judgement::Sensors, 0), (Judgement::Pattern, 2)] {
        let detector = Detector { judgement, levels, seeds, calibration: &calibration };
        let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
        let mut bound = model.bind(&mut arena).unwrap();
        let scores = windows.iter().map(|window| {
            let mut window = window.clone();
            model.scale(&mut window);
            let (mut state, mut errors) = ([0.0; 16], [0.0; 16]);
            detector.score(&mut bound.estimator(), 2, &window, [&mut state, &mut errors])
        });
        let expected: Vec<f32> = scores.collect();
        assert!(expected.iter().all(|score| score.is_finite()) && expected[0] != expected[1], "{expected:?}");
        let task = JobTask::Detect { judgement, seeds, levels: &indices, calibration: &calibration };
        for image in images() {
            let report = run(image, &blob, Job { task, signals: &windows }).unwrap();
            assert_eq!(bits(&report.values), bits(&expected), "{}", image.board().name);
            assert_eq!(report.work.of, 3);
            assert!(report.memory.stack < report.memory.stack_reserved);
        }
    }
}

#[test]
fn boards_denoise_whole_windows_where_the_network_does_not_slide() {
    let blob = RandomModel::small_with_everything().blob();
    let model = Model::parse(&blob).unwrap();
    assert_eq!(model.dim_in(), model.dim_out());
    let windows: Vec<Vec<f32>> = signals(model.dim_in()).chunks(model.dim_in()).map(<[f32]>::to_vec).collect();
    let level = model.nearest_level(0.4);
    let mut arena = Box::new(Arena::<{ 1 << 14 }>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let mut expected = Vec::new();
    for window in &windows {
        let mut state = window.clone();
        model.scale(&mut state);
        state.iter_mut().for_each(|x| *x *= level.noise.alpha);
        let mut f = vec![0.0; model.dim_out()];
        bound.evaluate(level.index, None, &state, &mut f);
        // By the conversion from what the network predicts, apart from the estimator.
        let linear = model.prediction().x0(level.noise);
        expected.extend(state.iter().zip(&f).map(|(x, f)| linear.at(*x, *f)));
    }
    let Some(image) = images().first() else { return };
    let task = JobTask::Denoise { sigma: 0.4 };
    let report = run(image, &blob, Job { task, signals: &windows }).unwrap();
    assert_eq!((bits(&report.values), report.work.of), (bits(&expected), 2));
    let narrow = Job { task, signals: &[vec![0.0; model.dim_in() - 1]] };
    assert!(matches!(run(image, &blob, narrow), Err(Error::Device { code: 5, .. })));
}
