//! Ensembles on the board against the host: the same bits from the portable code and from the vector code of the
//! laboratory, in debug and in release; the image's promises; every refusal by name.

use std::collections::{BTreeMap, BTreeSet};

use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{BrownianTree, IndependentNoise, NoiseSource, Span, StreamSequence, Ziggurat};
use mote_core::sampler::Digest;
use mote_core::sde::{DoubleWell, GeometricBrownian, OrnsteinUhlenbeck, OverdampedLangevin, Sde};
use mote_core::stepper::{EulerMaruyama, ExactOu, Milstein, Shark, Sriw1, Stepper, integrate, integrate_scratch};
use mote_laboratory::ensemble::{Ensemble, at};
use mote_qemu::experiments::{Experiment, Method, Noise, Process, Request, Task};
use mote_qemu::{EnsembleReport, Error, Image, run_ensemble, run_ensemble_words};
use mote_tests::qemu::{TIME_LIMIT, ensembles_image, forbidden_symbols};

const KIB: u64 = 1024;
const OU: OrnsteinUhlenbeck = OrnsteinUhlenbeck { rate: 1.7, mean: -0.3, diffusion: 0.9 };
const DOUBLE_WELL: OverdampedLangevin<DoubleWell> =
    OverdampedLangevin { potential: DoubleWell { barrier: 1.3, half_distance: 1.1 }, noise: 0.8 };

/// Bits of the final states, block by block.
type Bits = Vec<Vec<u32>>;

fn bits(states: &[f32]) -> Vec<u32> {
    states.iter().map(|x| x.to_bits()).collect()
}

fn ask(image: &Image, experiment: Experiment) -> EnsembleReport {
    run_ensemble(image, &Request { experiment, ..Request::default() }, TIME_LIMIT).unwrap()
}

fn on_board(report: &EnsembleReport) -> Bits {
    report.blocks.iter().map(|block| block.bits.clone()).collect()
}

/// One block by `mote-core` alone.
fn block<P, S, N>(stepper: &P, mut sde: S, mut noise: N, experiment: &Experiment) -> Vec<u32>
where
    P: Stepper<S>,
    S: Sde,
    N: NoiseSource,
{
    let mut x = [experiment.start; BLOCK];
    let mut scratch = vec![0.0; integrate_scratch::<P, S>(BLOCK)];
    let span = Span { t0: 0.0, t1: experiment.horizon };
    integrate(stepper, &mut sde, span, experiment.steps, &mut noise, &mut x, &mut scratch);
    bits(&x)
}

/// Compares the board with `mote-core`, and with the laboratory, which takes the widest vectors that the processor has.
fn assert_equal<P, S>(image: &Image, stepper: P, sde: S, method: Method, process: Process)
where
    P: Stepper<S> + Copy + Sync,
    S: Sde + Clone + Sync,
{
    for seed in [1, 42, u64::MAX] {
        for first in [0, 5] {
            let experiment = Experiment {
                process,
                method,
                noise: Noise::Blocks,
                steps: 50,
                horizon: 0.7,
                start: 0.45,
                seed,
                first,
                blocks: 3,
            };
            let board = on_board(&ask(image, experiment));
            let name = format!("{} {}, seed {seed}, block {first}", process.name(), method.name());

            let mut blocks = BlockSequence::starting_at(seed, first);
            let portable: Bits = (0..3)
                .map(|_| block(&stepper, sde.clone(), IndependentNoise::new(blocks.next_normals()), &experiment))
                .collect();
            assert_eq!(board, portable, "{name}: mote-core");

            let span = Span { t0: 0.0, t1: 0.7 };
            let ensemble = Ensemble { stepper, sde: sde.clone(), dim: 1, span, steps: 50, seed };
            let keep = |kept: &mut Vec<u32>, _: usize, x: &[f32]| *kept = bits(x);
            let vectors = ensemble.map(first..first + 3, at(0.45), &[50], Vec::new, keep);
            assert_eq!(board, vectors, "{name}: the laboratory");

            // A bit contract that everything fulfils would say nothing: paths differ, and they moved.
            let distinct: BTreeSet<_> = board.iter().flatten().collect();
            assert!(distinct.len() > 3 * BLOCK * 9 / 10, "{name}: {} states", distinct.len());
        }
    }
}

#[test]
fn ornstein_uhlenbeck_has_the_same_bits_on_board_and_host() {
    let Some(image) = ensembles_image() else { return };
    let process = Process::OrnsteinUhlenbeck(OU);
    assert_equal(image, EulerMaruyama, OU, Method::EulerMaruyama, process);
    assert_equal(image, Shark, OU, Method::Shark, process);
    assert_equal(image, ExactOu, OU, Method::ExactOu, process);
}

#[test]
fn the_double_well_has_the_same_bits_on_board_and_host() {
    let Some(image) = ensembles_image() else { return };
    let process = Process::DoubleWell(DOUBLE_WELL);
    assert_equal(image, EulerMaruyama, DOUBLE_WELL, Method::EulerMaruyama, process);
    assert_equal(image, Sriw1, DOUBLE_WELL, Method::Sriw1, process);
}

#[test]
fn noise_that_depends_on_the_state_has_the_same_bits_on_board_and_host() {
    let Some(image) = ensembles_image() else { return };
    let sde = GeometricBrownian { growth: 0.2, volatility: 0.5 };
    assert_equal(image, Milstein, sde, Method::Milstein, Process::Geometric(sde));
}

#[test]
fn the_ziggurat_and_the_brownian_tree_have_the_same_bits_on_board_and_host() {
    let Some(image) = ensembles_image() else { return };
    let process = Process::DoubleWell(DOUBLE_WELL);
    let common =
        Experiment { process, method: Method::Shark, seed: 2026, first: 2, blocks: 2, ..Experiment::default() };

    let experiment = Experiment { noise: Noise::Ziggurat, steps: 50, horizon: 0.7, ..common };
    let mut streams = StreamSequence::starting_at(2026, 2);
    let host: Bits = (0..2)
        .map(|_| {
            let noise = IndependentNoise::new(Ziggurat::new(streams.next_stream()));
            block(&Shark, DOUBLE_WELL, noise, &experiment)
        })
        .collect();
    assert_eq!(on_board(&ask(image, experiment)), host, "ziggurat");

    // Steps that are halves of halves of the span, as the tree's cells are: 2^5 of them.
    let experiment = Experiment { noise: Noise::Tree, steps: 32, horizon: 0.7, ..common };
    let span = Span { t0: 0.0, t1: 0.7 };
    let tree = |number: u64| BrownianTree::new(2026 + number, span, 5).unwrap();
    let host: Bits = [2, 3].map(|number| block(&Shark, DOUBLE_WELL, tree(number), &experiment)).into();
    assert_eq!(on_board(&ask(image, experiment)), host, "tree");
}

#[test]
fn every_stepper_on_every_process_has_the_same_digest_on_board_and_host() {
    let Some(image) = ensembles_image() else { return };
    let mut digests = BTreeMap::new();
    for process in Process::ALL {
        for method in Method::ALL.into_iter().filter(|method| method.fits(&process)) {
            for noise in Noise::ALL {
                let experiment = Experiment { process, method, noise, steps: 8, seed: 7, ..Experiment::default() };
                let request = Request { experiment, values: false, ..Request::default() };
                let report = run_ensemble(image, &request, TIME_LIMIT).unwrap();
                let name = format!("{} {} {}", process.name(), method.name(), noise.name());
                assert_eq!((report.digest, report.paths), (host_digest(&experiment), BLOCK as u64), "{name}");
                digests.insert(report.digest, name);
            }
        }
    }
    // By the steppers' table 29 pairs fit. For additive noise both of Milstein's steps are Euler and Maruyama's in
    // exact arithmetic, on three of the four processes; no others may agree.
    assert!(digests.len() >= 3 * 23, "{}: {digests:#?}", digests.len());
}

fn host_digest(experiment: &Experiment) -> u64 {
    let mut digest = Digest::new();
    let mut room = vec![0.0; mote_qemu::experiments::ROOM];
    for (_, mut noise) in experiment.blocks() {
        digest.update(experiment.run(&mut noise, &mut room));
    }
    digest.finish()
}

#[test]
fn a_block_alone_equals_itself_among_others() {
    let Some(image) = ensembles_image() else { return };
    for noise in Noise::ALL {
        let together = Experiment { noise, steps: 16, seed: 9, first: 3, blocks: 4, ..Experiment::default() };
        let alone = Experiment { first: 5, blocks: 1, ..together };
        let (together, alone) = (ask(image, together), ask(image, alone));
        assert_eq!(together.blocks.iter().map(|block| block.number).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(alone.blocks, together.blocks[2..3]);
    }
}

#[test]
fn the_image_keeps_its_promises() {
    let Some(image) = ensembles_image() else { return };
    let bad = forbidden_symbols(image, "iggurat");
    assert!(bad.is_empty(), "{bad:?}");
    let size = image.size().unwrap();
    assert!(size.statics <= 12 * KIB && size.built_in_model == 0, "{size:?}");
    assert!(size.flash <= 64 * KIB, "{size:?}");
    for noise in Noise::ALL {
        // The hungriest stepper, and everything that the image can do.
        let experiment = Experiment { method: Method::Sriw1, noise, steps: 8, ..Experiment::default() };
        let request = Request { experiment, task: Task::Bench, values: true };
        let report = run_ensemble(image, &request, TIME_LIMIT).unwrap();
        // The streams of sixteen lanes are 256 bytes, which lie there for the sequence, the block and the loop.
        assert!(report.memory.stack <= 3 * KIB, "{}: {:?}", noise.name(), report.memory);
        assert_eq!(report.memory.data + report.memory.bss, size.statics);
        println!("{} {size:?} {:?}", noise.name(), report.memory);
    }
}

#[test]
fn instructions_are_counted_and_add_up() {
    let Some(image) = ensembles_image() else { return };
    let bench = |experiment| {
        let request = Request { experiment, task: Task::Bench, values: false };
        run_ensemble(image, &request, TIME_LIMIT).unwrap()
    };
    let experiment = Experiment { steps: 64, ..Experiment::default() };
    let report = bench(experiment);
    assert_eq!(report.counts, bench(experiment).counts);
    let each = |name: &str| report.counts[name].each();
    // A loop of two instructions a turn.
    assert_eq!(each("loop-turn"), 2.0);
    // A path's step holds one normal, at least two loads, one store, three multiplications and two additions.
    assert_eq!(report.counts["path-step"].of, 64 * BLOCK as u64);
    assert!((8.0..60.0).contains(&(each("path-step") - each("normal-box-muller"))), "{:?}", report.counts);
    // A block's normals are sixteen streams, each after a jump of 128 draws.
    assert!(each("block-start") > 16.0 * 128.0 * 10.0, "{:?}", report.counts);
    // With the ziggurat a step costs less by the difference of the normals, scaling the same.
    let ziggurat = bench(Experiment { noise: Noise::Ziggurat, ..experiment });
    let saved = each("path-step") - ziggurat.counts["path-step"].each();
    let difference = each("normal-box-muller") - each("normal-ziggurat");
    assert!((saved / difference - 1.0).abs() < 0.3, "saved {saved} of {difference}");
    for (name, count) in &report.counts {
        println!("{name}: {:.1} instructions", count.each());
    }
}

/// The device's exit code, kind and words.
fn refusal(result: Result<EnsembleReport, Error>) -> (i32, String, String) {
    match result {
        Err(Error::Device { code, kind, text }) => (code, kind, text),
        other => panic!("the device was to refuse, but: {other:?}"),
    }
}

#[test]
fn bad_requests_are_refused_by_name() {
    let Some(image) = ensembles_image() else { return };
    const BITS: &str = "the 8 hex digits of a finite f32's bits";
    for (words, expected) in [
        ("steps=0", "steps=0: this key takes 1 to 4294967295".to_owned()),
        ("blocks=-1", "blocks=-1: this key takes 1 to 4294967295".to_owned()),
        ("seed=1e3", "seed=1e3: this key takes 0 to 18446744073709551615".to_owned()),
        ("horizon=1.5", format!("horizon=1.5: this key takes {BITS}")),
        ("start=7fc00000", format!("start=7fc00000: this key takes {BITS}")),
        ("horizon=bf800000", "horizon is a finite number above 0, start a finite number".to_owned()),
        ("process=duo", "process=duo: this key takes ou, double-well, geometric or vp".to_owned()),
        (
            "stepper=heun",
            "stepper=heun: this key takes euler-maruyama, milstein, milstein-derivative-free, stochastic-heun, sea, \
             sra1, shark, sriw1 or exact-ou"
                .to_owned(),
        ),
        (
            "process=geometric stepper=shark",
            "stepper shark does not fit the noise of geometric; these do: euler-maruyama, milstein, \
             milstein-derivative-free, sriw1"
                .to_owned(),
        ),
        (
            "process=vp rate=3f800000",
            "rate=3f800000: no such key; the parameters of vp are beta-min, beta-max; the keys are process, stepper, \
             noise, steps, horizon, start, seed, block, blocks, what, values"
                .to_owned(),
        ),
        (
            "process=double-well half-distance=00000000",
            "process double-well: parameters are finite numbers, half-distance above 0, 0 <= beta-min <= beta-max"
                .to_owned(),
        ),
        (
            "noise=tree steps=50",
            "steps=50: noise=tree takes a power of two up to 16777216, as a tree's cells are halves of halves"
                .to_owned(),
        ),
        ("noise=pink", "noise=pink: this key takes blocks, ziggurat or tree".to_owned()),
        ("block=4294967295 blocks=1", "block + blocks: block numbers end at 4294967295".to_owned()),
        ("what=fly", "what=fly: this key takes run or bench".to_owned()),
        ("values=2", "values=2: this key takes 0 or 1".to_owned()),
        ("bench", "bench is no key=value".to_owned()),
    ] {
        let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        let refused = refusal(run_ensemble_words(image, &words, TIME_LIMIT));
        assert_eq!(refused, (5, "request".to_owned(), expected));
    }
    let long = vec![format!("process={}", "x".repeat(600))];
    assert_eq!(refusal(run_ensemble_words(image, &long, TIME_LIMIT)).2, "the command line is too long");
}

#[test]
fn a_process_that_explodes_is_reported_and_not_printed() {
    let Some(image) = ensembles_image() else { return };
    // The wells' force grows as x^3, which steps of 125 do not follow.
    let process = Process::DoubleWell(DOUBLE_WELL);
    let experiment = Experiment { process, steps: 8, horizon: 1000.0, seed: 4, first: 1, ..Experiment::default() };
    let noise = IndependentNoise::new(BlockSequence::starting_at(4, 1).next_normals());
    let host = block(&EulerMaruyama, DOUBLE_WELL, noise, &experiment);
    let path = host.iter().position(|x| !f32::from_bits(*x).is_finite()).expect("it explodes on the host too");
    let request = Request { experiment, ..Request::default() };
    let expected = format!("path {path} of block 1 left the finite numbers; take more steps");
    assert_eq!(refusal(run_ensemble(image, &request, TIME_LIMIT)), (9, "exploded".to_owned(), expected));
}
