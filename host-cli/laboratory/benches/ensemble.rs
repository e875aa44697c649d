//! Path-steps per second of ensembles: 1,000 steps of each path, final states kept.
//!
//! `cargo bench -p mote-laboratory --bench ensemble -- [THREADS ...] [KIND ...] [all-sets]` prints one JSON line a kind and number
//! of threads (1 if none is given): median and best over the rounds, in millions a second, and mean and variance of the final
//! states beside those that the stepped chain has by its recurrence (null where there is no closed form). KIND is a part of a
//! name, `all-sets` runs every instruction set of the machine and not the widest alone. ROUNDS (9) and PATHS (100000) are
//! environment variables. The rounds of all that is measured alternate, so that a busy machine slows all alike.

use std::time::Instant;

use mote_core::ensemble::BLOCK;
use mote_core::random::Span;
use mote_core::sde::{DoubleWell, GeometricBrownian, OrnsteinUhlenbeck, OverdampedLangevin, Sde};
use mote_core::stepper::{EulerMaruyama, Milstein, Shark, Stepper};
use mote_laboratory::ensemble::{Ensemble, InstructionSet, at, blocks_of};
use mote_laboratory::statistics;

const STEPS: u32 = 1000;
const DT: f64 = 0.005;

/// Mean and variance of the final states of a stepped chain.
type Moments = Option<(f64, f64)>;

/// Something to measure, and what came of it.
struct Subject {
    kind: &'static str,
    threads: usize,
    instructions: InstructionSet,
    /// The final states under a seed.
    run: Box<dyn Fn(u64) -> Vec<f32> + Send + Sync>,
    pool: rayon::ThreadPool,
    chain: Moments,
    seconds: Vec<f64>,
    finals: Vec<f32>,
}

fn main() {
    let setting = |name: &str, default: usize| match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{name}={value} is no whole number")),
        Err(_) => default,
    };
    let (rounds, paths) = (setting("ROUNDS", 9).max(1), setting("PATHS", 100_000).max(BLOCK));
    // Cargo itself passes `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (numbers, mut kinds): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.parse::<usize>().is_ok());
    let mut threads: Vec<usize> = numbers.iter().filter_map(|word| word.parse().ok()).collect();
    if threads.is_empty() {
        threads.push(1);
    }
    let sets = match kinds.iter().position(|word| word == "all-sets") {
        Some(place) => {
            kinds.remove(place);
            InstructionSet::available()
        }
        None => vec![InstructionSet::widest()],
    };

    let mut subjects = Vec::new();
    for &threads in &threads {
        for &set in &sets {
            subjects.extend(all(paths, threads, set));
        }
    }
    subjects.retain(|s| kinds.is_empty() || kinds.iter().any(|kind| s.kind.contains(kind.as_str())));
    // The first round warms up.
    for round in 0..=rounds {
        for subject in &mut subjects {
            let begun = Instant::now();
            subject.finals = subject.pool.install(|| (subject.run)(round as u64));
            if round > 0 {
                subject.seconds.push(begun.elapsed().as_secs_f64());
            }
        }
    }
    subjects.iter_mut().for_each(Subject::print);
}

/// All pairs of process and stepper.
fn all(paths: usize, threads: usize, set: InstructionSet) -> [Subject; 4] {
    let (rate, growth, volatility) = (2.0, 0.1, 0.3);
    let ou = OrnsteinUhlenbeck { rate: 2.0, mean: 0.0, diffusion: 1.0 };
    let gbm = GeometricBrownian { growth: 0.1, volatility: 0.3 };
    let well = OverdampedLangevin { potential: DoubleWell { barrier: 1.0, half_distance: 1.0 }, noise: 1.0 };
    // Euler-Maruyama: x <- (1 - rate dt) x + w.
    let euler = linear(3.0, 1.0 - rate * DT, DT);
    // ShARK on a linear drift: x <- (1 - p + p^2/2) x + (1 - p/2) w - (p - p^2/2) h, p = rate dt.
    let p = rate * DT;
    let shark = linear(3.0, 1.0 - p + p * p / 2.0, DT * ((1.0 - p / 2.0).powi(2) + (p - p * p / 2.0).powi(2) / 12.0));
    // Milstein: x <- x (1 + growth dt + v w + v^2 (w^2 - dt) / 2), whose factors are independent.
    let mean = 1.0 + growth * DT;
    let square = mean * mean + volatility * volatility * DT + (volatility * volatility * DT).powi(2) / 2.0;
    let (steps, mean_square) = (STEPS as i32, mean * mean);
    let milstein = (mean.powi(steps), square.powi(steps) - mean_square.powi(steps));
    [
        subject("mote_ou_em", EulerMaruyama, ou, 3.0, Some(euler), (paths, threads, set)),
        subject("mote_gbm_milstein", Milstein, gbm, 1.0, Some(milstein), (paths, threads, set)),
        subject("mote_double_well_em", EulerMaruyama, well, 1.0, None, (paths, threads, set)),
        subject("mote_ou_shark", Shark, ou, 3.0, Some(shark), (paths, threads, set)),
    ]
}

/// Mean and variance after all steps of `x <- factor x + noise` from `start`.
fn linear(start: f64, factor: f64, noise: f64) -> (f64, f64) {
    let square = factor * factor;
    (start * factor.powi(STEPS as i32), noise * (1.0 - square.powi(STEPS as i32)) / (1.0 - square))
}

fn subject<P, S>(
    kind: &'static str,
    stepper: P,
    sde: S,
    start: f32,
    chain: Moments,
    (paths, threads, instructions): (usize, usize, InstructionSet),
) -> Subject
where
    P: Stepper<S> + Copy + Send + Sync + 'static,
    S: Sde + Copy + Send + Sync + 'static,
{
    let run = move |seed| {
        let span = Span { t0: 0.0, t1: (f64::from(STEPS) * DT) as f32 };
        let ensemble = Ensemble { stepper, sde, dim: 1, span, steps: STEPS, seed };
        let keep = |out: &mut Vec<f32>, _: usize, x: &[f32]| out.extend_from_slice(x);
        let mut all = ensemble.map_with(instructions, blocks_of(paths), at(start), &[STEPS], Vec::new, keep).concat();
        all.truncate(paths);
        all
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    Subject { kind, threads, instructions, run: Box::new(run), pool, chain, seconds: Vec::new(), finals: Vec::new() }
}

impl Subject {
    fn print(&mut self) {
        self.seconds.sort_by(f64::total_cmp);
        let paths = self.finals.len();
        let speed = |seconds: f64| paths as f64 * f64::from(STEPS) / seconds / 1e6;
        let draws = self.finals.iter().map(|x| f64::from(*x));
        let (mean, variance) = (statistics::mean(draws.clone()), statistics::variance(draws));
        let (em_mean, em_var) = self.chain.unzip();
        let line = serde_json::json!({
            "kind": self.kind,
            "instructions": self.instructions.name(),
            "threads": self.threads,
            "paths": paths,
            "mps_med": speed(self.seconds[self.seconds.len() / 2]),
            "mps_best": speed(self.seconds[0]),
            "mean": mean.value,
            "var": variance.value,
            "em_mean": em_mean,
            "em_var": em_var,
            "z_mean": em_mean.map(|truth| (mean.value - truth) / mean.standard_error),
            "z_var": em_var.map(|truth| (variance.value - truth) / variance.standard_error),
        });
        println!("{line}");
    }
}
