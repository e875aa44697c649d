use std::io;

use clap::{CommandFactory as _, Parser, ValueEnum as _};
use mote_core::ensemble::{BLOCK, BlockSequence};
use mote_core::random::{IndependentNoise, Span};
use mote_core::sde::{OverdampedLangevin, Sde};
use mote_core::stepper::{EulerMaruyama, Stepper, integrate_watched};

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    process: Processes,
}

fn parse(arguments: &str) -> Processes {
    let words = std::iter::once("simulate").chain(arguments.split_whitespace());
    Line::try_parse_from(words).unwrap_or_else(|error| panic!("{arguments}: {error}")).process
}

fn refusal(arguments: &str) -> String {
    parse(arguments).get().plan().unwrap_err()
}

#[derive(Default)]
struct Kept {
    paths: Vec<u64>,
    values: Vec<f32>,
}

impl Sink for Kept {
    fn path(&mut self, number: u64, values: &[f32]) -> io::Result<()> {
        self.paths.push(number);
        self.values.extend_from_slice(values);
        Ok(())
    }

    fn go_on(&mut self, _done: u64) -> bool {
        true
    }
}

fn run_on(arguments: &str, threads: usize) -> Result<(Report, Kept), Stop> {
    let simulation = parse(arguments);
    let plan = simulation.get().plan().unwrap_or_else(|error| panic!("{arguments}: {error}"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut kept = Kept::default();
    let report = simulation.get().run(&plan, &pool, &mut kept)?;
    Ok((report, kept))
}

fn run(arguments: &str) -> (Report, Kept) {
    run_on(arguments, 2).unwrap_or_else(|stop| panic!("{arguments}: {stop}"))
}

/// Pairs a process with every stepper, and holds what fits to its list.
pub(super) fn assert_pairs<P: Process + 'static>() {
    struct Fits;
    impl Visitor for Fits {
        type Output = ();
        fn visit<Q: Stepper<S> + Sync, S: Sde + Clone + Sync>(self, _: Q, _: S) {}
    }
    #[derive(Debug, Parser)]
    struct Defaults<P: Process> {
        #[command(flatten)]
        simulation: Simulation<P>,
    }
    let simulation = Defaults::<P>::try_parse_from(["simulate"]).unwrap().simulation;
    for name in StepperName::value_variants() {
        let fits = simulation.process.visit(*name, Fits).is_some();
        assert_eq!(fits, P::STEPPERS.contains(name), "{} and {name}", P::NAME);
    }
    assert_eq!(simulation.plan().unwrap().process, P::NAME);
}

#[test]
fn the_flags_are_well_formed_and_a_subcommand_is_called_what_its_process_is() {
    Line::command().debug_assert();
    for command in Line::command().get_subcommands() {
        assert_eq!(parse(command.get_name()).get().plan().unwrap().process, command.get_name());
    }
}

#[test]
fn moments_agree_with_the_theory_for_every_process_and_stepper() {
    // Steppers exact enough that their bias is below a standard error of 10,000 paths; 4.9 of them: false alarm 1e-6 a line, about 500 lines.
    for arguments in [
        "brownian --scale 1.5 --horizon 2 --steps 40",
        "brownian --start 3 --stepper stochastic-heun --steps 4",
        "ou --stepper exact-ou --steps 8 --mean 1",
        "ou --stepper shark --steps 100 --start stationary",
        "ou --stepper sra1 --steps 100 --rate 3",
        "gbm --stepper sriw1 --steps 100",
        "gbm --stepper stochastic-heun --steps 400",
        "gbm --stepper milstein --steps 500 --start 2",
        "gbm --stepper milstein-free --steps 500 --growth -0.5",
        "langevin --stepper sea --steps 500",
        "langevin --stepper shark --steps 100 --start stationary",
        "double-well --stepper shark --steps 500 --horizon 2",
        "double-well --stepper sra1 --steps 500 --start 0.5 --noise 1.5 --barrier 2 --half-distance 1.5",
        "underdamped --stepper shark --steps 100 --velocity 2",
        "underdamped --stepper sra1 --steps 200 --stiffness 9 --friction 0.5 --start 1 --horizon 2",
        "underdamped --stepper shark --steps 200 --stiffness 4 --start stationary",
        "vp --stepper shark --steps 500 --means=-2,1 --weights 1,3",
        "sub-vp --stepper sra1 --steps 500 --start 1",
        "ve --stepper shark --steps 500 --sigma-max 2",
        "reverse-vp --stepper shark --steps 500 --means=-1.5,1.5 --deviations 0.5",
        "flow-vp --stepper rk4 --steps 200 --means=-1.5,1.5 --deviations 0.5",
    ] {
        let (report, _) = run(&format!("{arguments} --paths 10000 --seed 5"));
        for line in &report.rows {
            let z = line.z.unwrap_or(0.0);
            assert!(z.abs() < 4.9, "{arguments}: {line:?}\n{}", report.to_text());
            // At the start of a point nothing spreads; every other line must have been put to the test.
            assert!(line.z.is_some() || line.standard_error < Some(1e-9), "{arguments}: {line:?}");
        }
    }
}

#[test]
fn times_are_shown_without_the_rounding_of_f32() {
    let text = run("reverse-vp --paths 300 --steps 10 --times 2").0.to_text();
    for part in [
        "10 steps of 0.0999, t = 1 to 0.001,",
        "\n0.5005  mean of x ",
        "covariance of x, x(0.001)",
        "\n 0.001  mean of x ",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    let text = run("ou --paths 300 --horizon 2e-9 --steps 4 --start 0").0.to_text();
    assert!(text.contains("t = 0 to 0.000000002,"), "{text}");
}

#[test]
fn the_bias_of_a_coarse_scheme_shows() {
    // Euler's variance on dX = -2X dt + dW settles at 1 / (4 - 4 dt) in place of 1/4, 11% more at dt = .1.
    let (report, _) = run("ou --steps 40 --horizon 4 --paths 50000");
    let last = report.rows.last().unwrap();
    assert_eq!(last.quantity, Quantity::Variance);
    assert!((last.measured.unwrap() - 1.0 / 3.6).abs() < 5.0 * last.standard_error.unwrap() && last.z.unwrap() > 10.0);
}

#[test]
fn threads_change_nothing_and_the_shards_make_up_the_whole() {
    for arguments in [
        "ou --paths 5000 --steps 20 --out a.npy --save paths --every 10",
        "underdamped --paths 5000 --steps 20 --out a.npy",
        "vp --paths 5000 --steps 20 --out a.npy --stepper sra1",
    ] {
        let (report, whole) = run_on(arguments, 1).unwrap();
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        for threads in [2, 5] {
            let (again, kept) = run_on(arguments, threads).unwrap();
            assert_eq!((again.sums, again.rows), (report.sums.clone(), report.rows.clone()));
            assert_eq!(bits(&kept.values), bits(&whole.values));
        }
        let (mut joined, mut shards) = (Kept::default(), Vec::new());
        for shard in ["0/3", "1/3", "2/3"] {
            let (report, kept) = run(&format!("{arguments} --shard {shard}"));
            assert_eq!(kept.paths[0] % 256, 0);
            joined.paths.extend(kept.paths);
            joined.values.extend(kept.values);
            shards.insert(0, report);
        }
        assert_eq!(joined.paths, (0..5000).collect::<Vec<_>>());
        assert_eq!(bits(&joined.values), bits(&whole.values));
        let sum = join(&shards).unwrap();
        assert_eq!(sum.plan, report.plan);
        for (found, expected) in sum.rows.iter().zip(&report.rows) {
            // The same sums in another order.
            assert!((found.measured.unwrap() - expected.measured.unwrap()).abs() < 1e-12, "{found:?} {expected:?}");
        }
        assert_eq!(sum.to_text(), report.to_text());
    }
}

#[test]
fn reports_survive_json_and_only_whole_runs_are_joined() {
    let shard = |more: &str| run(&format!("brownian --paths 1000 --steps 4 {more}")).0;
    let (a, b) = (shard("--shard 0/2"), shard("--shard 1/2"));
    let text = serde_json::to_string(&a).unwrap();
    let back: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(back.plan, a.plan);
    assert!(join(&[back, b.clone()]).is_ok());
    for (shards, part) in [
        (vec![], "no shard"),
        (vec![a.clone()], "shard 1/2 is missing"),
        (vec![a.clone(), b.clone(), a.clone()], "0/2 is given twice"),
        (vec![a.clone(), shard("--shard 1/2 --seed 1")], "seed 1, not 0"),
        (vec![a, shard("--shard 1/3")], "number of shards 3, not 2"),
    ] {
        let error = join(&shards).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_explosion_is_reported_by_path_and_step_on_any_number_of_threads() {
    // x' = -U' of a quartic well by Euler explodes where dt times the slope's slope is far above 2; larger steps do sooner.
    let arguments = "double-well --barrier 100 --noise 8 --horizon 10 --steps 200 --paths 3000";
    let told = |threads| run_on(arguments, threads).err().expect("an explosion").to_string();
    let line = told(1);
    assert!(line.starts_with("path ") && line.contains("of 200, at t = ") && line.contains("--steps"), "{line}");
    assert_eq!(told(3), line);
    // The block of that path, watched by the stepper's own loop.
    let path: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
    let potential = mote_core::sde::DoubleWell { barrier: 100.0, half_distance: 1.0 };
    let mut sde = OverdampedLangevin { potential, noise: 8.0 };
    let mut noise = IndependentNoise::new(BlockSequence::starting_at(0, (path / BLOCK) as u32).next_normals());
    let (mut x, mut scratch) = ([-1.0; BLOCK], [0.0; 4 * BLOCK]);
    let span = Span { t0: 0.0, t1: 10.0 };
    let watched = integrate_watched(&EulerMaruyama, &mut sde, span, 200, &mut noise, &mut x, &mut scratch);
    let exploded = watched.unwrap_err();
    assert_eq!(exploded.component, path % BLOCK);
    assert!(
        line.contains(&format!("in step {} of 200, at t = {}:", exploded.step + 1, exploded.t)),
        "{line} {exploded}"
    );
}

#[test]
fn settings_that_cannot_be_meant_are_refused_with_the_way_out() {
    for (arguments, parts) in [
        (
            "gbm --stepper sra1",
            &[
                "sra1 does not fit gbm",
                "depends on the state",
                "euler-maruyama, milstein, milstein-free, sriw1, stochastic-heun",
            ][..],
        ),
        ("brownian --stepper exact-ou", &["exact-ou does not fit brownian", "additive"]),
        ("ou --stepper rk4", &["rk4 does not fit ou", "take one of exact-ou, euler-maruyama,"]),
        ("flow-vp --stepper shark", &["which has no noise", "euler, heun, rk4"]),
        (
            "ou --dt 0.3",
            &["--horizon 1 is not a whole number of steps of --dt 0.3", "0.9 or 1.2", "0.33333333 or 0.25"],
        ),
        ("ou --dt 3", &["take --horizon 3, or --dt 1"]),
        ("ou --dt 1e-9", &["at most 16777216"]),
        ("ve --sigma-min 2 --sigma-max 2", &["--sigma-min 2 must be below --sigma-max 2"]),
        ("vp --beta-min 30", &["--beta-min 30 must be below"]),
        ("vp --horizon 2", &["ends at time 1"]),
        ("reverse-vp --horizon 1", &["0.999"]),
        ("vp --means 1,2,3 --deviations 1,2", &["--deviations has 2 values for 3 --means"]),
        ("vp --weights 1", &["--weights has 1 values for 2 --means"]),
        ("brownian --start stationary", &["--start stationary", "is a number"]),
        ("underdamped --start stationary", &["--stiffness above 0"]),
        ("ou --start data", &["a number or stationary"]),
        ("ou --paths 500 --shard 0/4", &["--shard 0/4 of 500 paths", "at most 2"]),
        ("ou --every 5", &["--save paths"]),
        ("ou --save paths --out a.npy --every 3", &["does not divide the 500 steps", "2 or 4"]),
        ("ou --save paths --out a.npy --every 501", &["250 or 500"]),
        ("ou --save paths --out a.npy --steps 16000000", &["MiB", "--every"]),
    ] {
        let line = refusal(arguments);
        for part in parts {
            assert!(line.contains(part), "{arguments}: no \"{part}\" in: {line}");
        }
        assert!(!line.contains('\n'));
    }
}

#[test]
fn a_step_may_be_given_by_its_length() {
    for (arguments, steps) in [
        ("ou --dt 0.1", 10),
        ("ou --dt 0.01 --horizon 3", 300),
        ("reverse-vp --dt 0.001", 999),
        ("ou --dt 1", 1),
        ("ou --dt 0.3 --horizon 0.9", 3),
        ("ou --dt 0.33333333", 3),
        ("ou", 500),
    ] {
        assert_eq!(parse(arguments).get().plan().unwrap().steps, steps, "{arguments}");
    }
}

#[test]
fn files_have_the_shape_and_the_size_that_were_told() {
    for (arguments, shape) in [
        ("ou --paths 300 --out a.npy", "(300, )"),
        ("underdamped --paths 300 --out a.npy", "(300, 2, )"),
        ("ou --paths 300 --steps 20 --save paths --every 5 --out a.npy", "(300, 5, )"),
        ("underdamped --paths 300 --steps 20 --save paths --out a.npy", "(300, 21, 2, )"),
    ] {
        let plan = parse(arguments).get().plan().unwrap();
        let (_, kept) = run(arguments);
        let width = kept.values.len() / 300;
        let mut bytes = Vec::new();
        let mut rows = Rows::begin(Kind::Npy, &plan, &mut bytes).unwrap();
        kept.values.chunks(width).zip(0..).for_each(|(values, number)| rows.path(number, values).unwrap());
        rows.finish().unwrap();
        assert!(bytes[..128].windows(shape.len()).any(|part| part == shape.as_bytes()), "{arguments}");
        assert_eq!(bytes.len() as u64, file_bytes(Kind::Npy, &plan));
    }
}

#[test]
fn csv_counts_paths_and_times() {
    let arguments = "underdamped --paths 2 --dt 0.25 --save paths --every 2 --out a.csv";
    let plan = parse(arguments).get().plan().unwrap();
    let mut bytes = Vec::new();
    let mut rows = Rows::begin(Kind::Csv, &plan, &mut bytes).unwrap();
    rows.path(7, &[1.0, 2.0, -0.5, 1e-7, 0.1, 3.0]).unwrap();
    rows.finish().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "path,t,q,v\n7,0,1,2\n7,0.5,-0.5,1e-7\n7,1,0.1,3\n");
}
