//! The firmware image against the host: the same bits, the promised size, and every refusal by name.

use mote_core::model::{Arena, Model};
use mote_core::sampler::{Digest, Named, SampleOptions};
use mote_qemu::{BOARDS, Error, Image, Report, Request, Source, Task, run, run_words};
use mote_tests::c_library::run_on_board;
use mote_tests::qemu::{TIME_LIMIT, example, forbidden_symbols, image};
use mote_tests::random_model::RandomModel;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tempfile::NamedTempFile;

const KIB: u64 = 1024;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn ask(image: &Image, blob: &[u8], request: &Request) -> Result<Report, Error> {
    run(image, Some(file(blob).path()), request, TIME_LIMIT)
}

/// The device's exit code, kind and words.
fn refusal(result: Result<Report, Error>) -> (i32, String, String) {
    match result {
        Err(Error::Device { code, kind, text }) => (code, kind, text),
        other => panic!("the device was to refuse, but: {other:?}"),
    }
}

/// A blob whose checksum is right again after a change.
fn with_checksum(mut blob: Vec<u8>) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(&blob[..12]);
    digest.update(&blob[16..]);
    let sum = digest.finalize();
    blob[12..16].copy_from_slice(&sum.to_le_bytes());
    blob
}

/// The samples that the host draws, as bits.
fn host_samples(blob: &[u8], plan: &str, options: SampleOptions, seed: u64, count: u32) -> Vec<Vec<u32>> {
    let model = Model::parse(blob).unwrap();
    let mut arena = Box::new(Arena::<65536>::new());
    let mut bound = model.bind(&mut arena).unwrap();
    let plan = model.plan_named(plan).unwrap();
    (0..count)
        .map(|number| {
            let mut sample = vec![0.0; model.dim_out()];
            bound.sample(&plan, options, seed, number, &mut sample);
            sample.iter().map(|x: &f32| x.to_bits()).collect()
        })
        .collect()
}

fn digest(samples: &[Vec<u32>]) -> u64 {
    let mut digest = Digest::new();
    for sample in samples {
        digest.update(&sample.iter().map(|bits| f32::from_bits(*bits)).collect::<Vec<_>>());
    }
    digest.finish()
}

fn bits(report: &Report) -> Vec<Vec<u32>> {
    report.samples.iter().map(|sample| sample.bits.clone()).collect()
}

#[test]
fn host_and_board_give_the_same_bits() {
    // 3 seeds x 2 plans (the second one stochastic) x 32 samples.
    let Some(image) = image() else { return };
    let blob = RandomModel::digits().blob();
    let mut all = Vec::new();
    for plan in ["dpm++2m", "ddpm"] {
        for seed in [1, 42, u64::MAX] {
            let host = host_samples(&blob, plan, SampleOptions::default(), seed, 32);
            let request = Request { seed, count: 32, plan: Some(plan.into()), ..Request::default() };
            let board = ask(image, &blob, &request).unwrap();
            assert_eq!(board.samples.len(), 32);
            assert_eq!(bits(&board), host, "{plan}, seed {seed}");
            assert_eq!(board.digest, digest(&host), "{plan}, seed {seed}");
            assert_eq!(board.model.source, Source::Partition);
            all.extend(host);
        }
    }
    // One number for every host and every build, debug and release: it changes only with the bit contract.
    assert_eq!(format!("{:016x}", digest(&all)), ALL_SAMPLES);
}

/// The digest of the 192 samples of `host_and_board_give_the_same_bits`.
const ALL_SAMPLES: &str = "d73f0b19df47d3e3";

#[test]
fn every_sampler_gives_the_same_bits_with_guidance() {
    // All names of the list, ten evaluations each or as many of those as their steps make, guided to a class: two samples, so that streams differ.
    let Some(image) = image() else { return };
    let blob = RandomModel::digits_with_every_sampler().blob();
    let mut options = SampleOptions::default();
    (options.class, options.guidance) = (Some(1), Some(2.5));
    let mut all = Vec::new();
    for named in Named::all() {
        let host = host_samples(&blob, named.name, options, 11, 2);
        let request = Request {
            seed: 11,
            count: 2,
            plan: Some(named.name.into()),
            class: options.class,
            guidance: options.guidance,
            ..Request::default()
        };
        let board = ask(image, &blob, &request).unwrap();
        assert_eq!(bits(&board), host, "{}", named.name);
        assert!(host.iter().flatten().all(|bits| f32::from_bits(*bits).is_finite()), "{}", named.name);
        assert!(host[0] != host[1] && !all.contains(&host[0]), "{}", named.name);
        println!("{:12} {:016x}", named.name, digest(&host));
        all.extend(host);
    }
}

#[test]
fn class_and_guidance_give_the_same_bits_on_the_board() {
    let Some(image) = image() else { return };
    let blob = RandomModel::digits().blob();
    let mut options = SampleOptions::default();
    (options.class, options.guidance) = (Some(1), Some(1.7));
    let request = Request {
        seed: 5,
        count: 4,
        plan: Some("1".into()),
        class: options.class,
        guidance: options.guidance,
        ..Request::default()
    };
    assert_eq!(bits(&ask(image, &blob, &request).unwrap()), host_samples(&blob, "ddpm", options, 5, 4));
}

#[test]
fn a_sample_alone_equals_itself_in_a_batch() {
    let Some(image) = image() else { return };
    let blob = RandomModel::digits().blob();
    let batch = Request { seed: 9, count: 8, plan: Some("ddpm".into()), ..Request::default() };
    let alone = Request { first: 5, count: 1, ..batch.clone() };
    let (batch, alone) = (ask(image, &blob, &batch).unwrap(), ask(image, &blob, &alone).unwrap());
    assert_eq!(alone.samples, batch.samples[5..6]);
}

#[test]
fn the_image_keeps_its_promises_of_size() {
    let Some(image) = image() else { return };
    let size = image.size().unwrap();
    assert!(size.flash - size.built_in_model <= 40 * KIB, "{size:?}");
    assert!(size.statics <= 6 * KIB, "{size:?}");
    // The digits network with everything that the image can do.
    let request = Request { task: Task::Bench, class: Some(0), guidance: Some(2.0), ..Request::default() };
    let report = ask(image, &RandomModel::digits().blob(), &request).unwrap();
    assert!(report.memory.stack <= 2 * KIB, "{:?}", report.memory);
    assert_eq!(report.memory.data + report.memory.bss, size.statics);
    println!("{size:?} {:?}", report.memory);
}

#[test]
fn the_image_holds_no_panic_and_no_double_precision() {
    let Some(image) = image() else { return };
    let bad = forbidden_symbols(image, "iggurat");
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn image_and_host_use_the_same_numerical_libraries() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let versions = |lock: &str, package: &str| {
        let text = fs::read_to_string(root.join(lock)).unwrap();
        let head = format!("name = \"{package}\"\nversion = ");
        text.split(&head).skip(1).map(|rest| rest.lines().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for package in ["libm", "rand_core", "rand_xoshiro", "bytemuck"] {
        let (host, image) = (versions("Cargo.lock", package), versions("firmware-sim/Cargo.lock", package));
        // Other crates of the host may bring an older rand_core of their own.
        assert!(image.len() == 1 && host.contains(&image[0]), "{package}: host {host:?}, image {image:?}");
    }
}

#[test]
fn instructions_are_counted_exactly_and_repeatably() {
    let Some(image) = image() else { return };
    let blob = RandomModel::digits().blob();
    let request = Request { task: Task::Bench, values: false, ..Request::default() };
    let report = ask(image, &blob, &request).unwrap();
    // A loop of two instructions a turn, six million turns, which takes the timer past its end.
    assert_eq!(report.counts["loop-turn"].of, 6_000_000);
    assert_eq!(report.counts["loop-turn"].each(), 2.0);
    assert_eq!(report.counts, ask(image, &blob, &request).unwrap().counts);
    // A sample is its ten evaluations and little else; an evaluation is 49,152 multiply-accumulates of at least one
    // instruction each.
    let (sample, evaluation) = (report.counts["sample"], report.counts["evaluation"]);
    assert_eq!(evaluation.of, 10);
    assert!(evaluation.each() >= 49_152.0);
    assert!((1.0..1.05).contains(&(sample.each() / evaluation.instructions as f64)));
    for (name, count) in &report.counts {
        println!("{name}: {:.1} instructions", count.each());
    }
}

#[test]
fn the_board_refuses_a_damaged_blob_in_the_words_of_the_host() {
    let Some(image) = image() else { return };
    let blob = RandomModel::digits().blob();
    let changed = |at: usize, value: u8| {
        let mut bytes = blob.clone();
        bytes[at] = value;
        bytes
    };
    let mut cases: Vec<Vec<u8>> = [4, 11, 15, 96, 97, 1000, blob.len() - 17].map(|n| blob[..n].to_vec()).into();
    // Version, length in both directions, and a weight, with a checksum that tells.
    cases.extend([changed(4, 2), changed(8, blob[8] ^ 16), changed(11, 0xff), changed(5000, blob[5000] ^ 1)]);
    // Header fields with a checksum that is right: layers, dim_in, levels, plans, self-test's plan, reserved.
    cases.extend(
        [(18, 17), (20, 0), (28, 0), (31, 0xff), (48, 9), (80, 1)].map(|(at, value)| with_checksum(changed(at, value))),
    );
    for case in cases {
        // What the board sees: a partition that is zero after the file, cut to the length that the header states.
        let mut seen = case.clone();
        seen.resize(BOARDS[0].model.bytes as usize, 0);
        let stated = u32::from_le_bytes(seen[8..12].try_into().unwrap()) as usize;
        seen.truncate(stated.max(96));
        let Err(error) = Model::parse(&seen) else { panic!("the host takes it") };
        let words = format!("the model partition is refused: {error}");
        let refused = refusal(ask(image, &case, &Request::default()));
        assert_eq!(refused, (2, "model".to_owned(), words));
    }
}

#[test]
fn a_self_test_that_fails_stops_the_board() {
    let Some(image) = image() else { return };
    let mut blob = RandomModel::digits().blob();
    blob[64] ^= 1;
    let (code, kind, text) = refusal(ask(image, &with_checksum(blob), &Request::default()));
    assert_eq!((code, &*kind), (4, "self-test"));
    assert!(text.starts_with("self-test: digest "), "{text}");
}

#[test]
fn a_network_wider_than_the_arena_is_refused_with_the_way_out() {
    if image().is_none() {
        return;
    }
    let small = Image::build(&BOARDS[0], Some(1024)).unwrap();
    let (code, kind, text) = refusal(ask(&small, &RandomModel::digits().blob(), &Request::default()));
    assert_eq!((code, &*kind), (3, "arena"));
    assert!(text.contains("MOTE_ARENA_BYTES=1792"), "{text}");
    // An arena that no board has is refused by the build, which names its bounds.
    let Err(Error::Build { message, .. }) = Image::build(&BOARDS[0], Some(u32::MAX)) else { panic!("it built") };
    assert!(message.contains("MOTE_ARENA_BYTES is '4294967295'; it takes a number of bytes"), "{message}");
}

#[test]
fn an_empty_partition_means_the_built_in_model() {
    let Some(image) = image() else { return };
    let blob = RandomModel::tiny().blob();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-sim/models/built-in.mote");
    assert_eq!(fs::read(path).unwrap(), blob, "write RandomModel::tiny() there again");
    let request = Request { seed: 3, count: 5, ..Request::default() };
    let report = run(image, None, &request, TIME_LIMIT).unwrap();
    assert_eq!(report.model.source, Source::BuiltIn);
    assert_eq!(bits(&report), host_samples(&blob, "dpm++2m", SampleOptions::default(), 3, 5));
    // A file that is no model must not pass for the built-in one.
    let error = ask(image, b"x,y\n1,2\n", &request).unwrap_err();
    assert!(error.to_string().ends_with("does not start with MOTE, so the device found no model in it"), "{error}");
}

#[test]
fn bad_requests_are_refused_by_name() {
    let Some(image) = image() else { return };
    for (words, expected) in [
        (&["count=0"][..], "count=0 or seeds=0: at least one sample must be asked for"),
        (&["plan=heun"], "the model has no plan heun; it has dpm++2m, ddpm"),
        (&["plan=2"], "the model has no plan 2; it has dpm++2m, ddpm"),
        (&["class=0"], "class=0: the model has no classes"),
        (
            &["sede=1"],
            "sede=1 is not a key=value that is known here; the keys are seed, seeds, first, count, plan, class, \
             guidance, what, values",
        ),
        (
            &["seed"],
            "seed is not a key=value that is known here; the keys are seed, seeds, first, count, plan, class, \
             guidance, what, values",
        ),
        (&["seed=1e3"], "seed=1e3: this key takes 0 to 18446744073709551615"),
        (&["count=-1"], "count=-1: this key takes 1 to 4294967295"),
        (&["first=4294967295", "count=1"], "first + count: sample numbers end at 4294967295"),
        (&["seeds=0"], "count=0 or seeds=0: at least one sample must be asked for"),
        (&["seed=18446744073709551615", "seeds=2"], "seed + seeds: seeds end at 18446744073709551615"),
        (&["what=fly"], "what=fly: this key takes run, bench, fault or overflow"),
        (&["guidance=7fc00000"], "guidance=7fc00000: this key takes the bits of a finite f32"),
    ] {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let refused = refusal(run_words(image, None, &words, TIME_LIMIT));
        assert_eq!(refused, (5, "request".to_owned(), expected.to_owned()));
    }
    let long = vec![format!("plan={}", "x".repeat(300))];
    assert_eq!(refusal(run_words(image, None, &long, TIME_LIMIT)).2, "the command line is too long");
}

#[test]
fn faults_end_with_a_line_and_a_code() {
    let Some(image) = image() else { return };
    for (task, kind, text) in
        [(Task::Fault, "fault", "hard fault at 0x0"), (Task::Overflow, "stack", "the stack outgrew its 4096 bytes")]
    {
        let refused = refusal(run(image, None, &Request { task, ..Request::default() }, TIME_LIMIT));
        assert_eq!((refused.0, &*refused.1), (6, kind));
        assert!(refused.2.starts_with(text), "{}", refused.2);
    }
}

#[test]
fn a_run_that_takes_too_long_is_stopped() {
    let Some(image) = image() else { return };
    let request = Request { count: u32::MAX, values: false, ..Request::default() };
    let error = run(image, None, &request, Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.to_string(), "the device was stopped after 1 s; its last line: plan rows=4 name=ddpm");
}

#[test]
fn the_example_of_a_control_loop_gives_the_bits_with_one_step_a_tick() {
    let Some(example) = example("control_loop") else { return };
    let Some((code, lines)) = run_on_board(&example) else { return };
    let sample = host_samples(&RandomModel::tiny().blob(), "ddpm", SampleOptions::default(), 42, 4).split_off(3);
    // Four rows, and one tick that finds none left.
    let expected = format!("digest value={:016x} samples=1 ticks=5\n", digest(&sample));
    assert_eq!((code, lines), (Some(0), expected));
}
