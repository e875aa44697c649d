use mote_core::ensemble::BLOCK;
use mote_core::random::Span;
use serde::{Deserialize, Serialize};

use super::settings::{MOST_PATHS, MOST_STEPS, Save, Settings, Shard, Simulation};
use super::{Process, Start, StepperName};

/// The most memory for the states of one block.
const MOST_BLOCK_BYTES: u64 = 1 << 29;

/// Which states are written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Saved {
    /// None.
    Nothing,
    /// The last.
    Final,
    /// The start and the state after every so many steps.
    Every(u32),
}

/// What is going to be run, checked: the settings of a simulation and what follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the process.
    pub process: String,
    /// Its equation with numbers.
    pub equation: String,
    /// Name of each component of the state.
    pub components: Vec<String>,
    /// Where paths start.
    pub start: Start,
    /// The stepper.
    pub stepper: StepperName,
    /// Seed of the noise.
    pub seed: u64,
    /// Paths of all shards together.
    pub paths: u64,
    /// Equal steps from `t0` to `t1`.
    pub steps: u32,
    /// Time at the start.
    pub t0: f32,
    /// Time at the end.
    pub t1: f32,
    /// The steps after which the table has lines, 0 being the start.
    pub reported: Vec<u32>,
    /// Which states are written.
    pub saved: Saved,
    /// Where the predictions come from.
    pub predicted_by: String,
    /// Which part of the paths this is.
    pub shard: Shard,
}

impl Plan {
    /// Checks the settings of a simulation.
    ///
    /// # Errors
    /// One line that says what is wrong and the way out.
    pub(super) fn of<P: Process>(simulation: &Simulation<P>) -> Result<Self, String> {
        let Simulation { process, start, horizon, stepper, settings } = simulation;
        process.check(*horizon)?;
        if !P::STEPPERS.contains(stepper) {
            let fitting: Vec<_> = P::STEPPERS.iter().map(ToString::to_string).collect();
            let (name, noise, fitting) = (P::NAME, P::NOISE, fitting.join(", "));
            return Err(format!("--stepper {stepper} does not fit {name}, {noise}; take one of {fitting}"));
        }
        if process.start(*start).is_none() {
            return Err(format!("--start {start}: a start of {} is {}", P::NAME, P::STARTS));
        }
        let steps = steps(settings, *horizon)?;
        let span = process.span(*horizon);
        let times = settings.times.min(steps);
        let plan = Self {
            process: P::NAME.into(),
            equation: process.equation(),
            components: P::COMPONENTS.iter().map(ToString::to_string).collect(),
            start: *start,
            stepper: *stepper,
            seed: settings.seed,
            paths: settings.paths as u64,
            steps,
            t0: span.t0,
            t1: span.t1,
            reported: (0..=times).map(|k| nearest(u64::from(steps) * u64::from(k), times)).collect(),
            saved: saved(settings, steps)?,
            predicted_by: P::PREDICTED_BY.into(),
            shard: settings.shard,
        };
        if plan.first_path() == plan.end_path() {
            let (paths, blocks) = (plan.paths, plan.blocks_in_all());
            return Err(format!(
                "--shard {} of {paths} paths is empty: shards are whole blocks of {BLOCK} paths; make at most {blocks}",
                plan.shard
            ));
        }
        if plan.block_bytes() > MOST_BLOCK_BYTES {
            let megabytes = plan.block_bytes() >> 20;
            return Err(format!(
                "{} times of a block of {BLOCK} paths take {megabytes} MiB of memory; take a larger --every",
                plan.saved_steps().len()
            ));
        }
        Ok(plan)
    }

    /// Checks a plan that was read from a file.
    ///
    /// # Errors
    /// One line.
    pub(super) fn check(&self) -> Result<(), String> {
        let Shard { index, count } = self.shard;
        let divides = match self.saved {
            Saved::Every(k) => k > 0 && self.steps.is_multiple_of(k),
            _ => true,
        };
        let ordered = self.reported.is_sorted() && self.reported.last() == Some(&self.steps);
        let fits =
            index < count && (1..=MOST_STEPS).contains(&self.steps) && (1..=MOST_PATHS as u64).contains(&self.paths);
        if fits && divides && ordered && (1..=2).contains(&self.dim()) && self.first_path() < self.end_path() {
            return Ok(());
        }
        Err("the plan in it is damaged; run the shard again".into())
    }

    /// From where to where time runs.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { t0: self.t0, t1: self.t1 }
    }

    /// The time after a number of steps.
    #[must_use]
    pub fn time(&self, steps: u32) -> f32 {
        self.span().step(steps, self.steps).t0
    }

    /// Components of a state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.components.len()
    }

    /// The steps after which states are written.
    #[must_use]
    pub fn saved_steps(&self) -> Vec<u32> {
        match self.saved {
            Saved::Nothing => Vec::new(),
            Saved::Final => vec![self.steps],
            Saved::Every(k) => (0..=self.steps / k).map(|i| i * k).collect(),
        }
    }

    /// All steps after which a state is looked at, in order.
    #[must_use]
    pub fn stops(&self) -> Vec<u32> {
        let mut stops: Vec<u32> = self.reported.iter().copied().chain(self.saved_steps()).collect();
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    fn blocks_in_all(&self) -> u64 {
        self.paths.div_ceil(BLOCK as u64)
    }

    /// The first block of this shard, or of the next.
    fn border(&self, index: u32) -> u32 {
        // Below 2^32 blocks times 2^32 shards: no overflow; and never above the number of blocks.
        (self.blocks_in_all() * u64::from(index) / u64::from(self.shard.count)) as u32
    }

    /// The blocks of this shard.
    #[must_use]
    pub fn blocks(&self) -> std::ops::Range<u32> {
        self.border(self.shard.index)..self.border(self.shard.index + 1)
    }

    /// The first path of this shard.
    #[must_use]
    pub fn first_path(&self) -> u64 {
        (u64::from(self.blocks().start) * BLOCK as u64).min(self.paths)
    }

    /// The path after the last of this shard.
    #[must_use]
    pub fn end_path(&self) -> u64 {
        (u64::from(self.blocks().end) * BLOCK as u64).min(self.paths)
    }

    /// Bytes of a block's states in memory.
    pub(super) fn block_bytes(&self) -> u64 {
        (self.stops().len() * self.dim() * BLOCK * 4) as u64
    }
}

/// `value / divisor`, rounded.
fn nearest(value: u64, divisor: u32) -> u32 {
    ((value + u64::from(divisor) / 2) / u64::from(divisor)) as u32
}

/// The number of steps, given as such or by their length.
fn steps(settings: &Settings, horizon: f32) -> Result<u32, String> {
    let Some(dt) = settings.dt else { return Ok(settings.steps.unwrap_or(500)) };
    let ratio = f64::from(horizon) / f64::from(dt);
    let whole = ratio.round();
    if whole > f64::from(MOST_STEPS) {
        return Err(format!(
            "--dt {dt} makes {whole:.0} steps of --horizon {horizon}; at most {MOST_STEPS} are allowed"
        ));
    }
    // Horizon and step are each rounded to half an ulp.
    if whole >= 1.0 && (ratio - whole).abs() <= ratio * f64::from(f32::EPSILON) {
        return Ok(whole as u32);
    }
    let horizons = neighbours(ratio).map(|n| shown(n * f64::from(dt)));
    let lengths = neighbours(ratio).map(|n| shown(f64::from(horizon) / n));
    Err(format!(
        "--horizon {horizon} is not a whole number of steps of --dt {dt}; take --horizon {}, or --dt {}",
        either(&horizons),
        either(&lengths)
    ))
}

/// The whole numbers on both sides, from 1 on.
fn neighbours(ratio: f64) -> [f64; 2] {
    [ratio.floor().max(1.0), ratio.ceil()]
}

/// The shortest decimal that is the number to half an ulp of f32.
fn shown(x: f64) -> String {
    let decimals = (0..16).map(|digits| format!("{x:.digits$e}")).filter_map(|text| text.parse::<f64>().ok());
    let close = decimals.into_iter().find(|short| (short - x).abs() <= 0.5 * x * f64::from(f32::EPSILON));
    format!("{}", close.unwrap_or(x))
}

fn either(two: &[String; 2]) -> String {
    if two[0] == two[1] { two[0].clone() } else { format!("{} or {}", two[0], two[1]) }
}

/// Which states are written.
fn saved(settings: &Settings, steps: u32) -> Result<Saved, String> {
    match (settings.save, settings.every) {
        (Some(Save::Paths), every) => {
            let every = every.unwrap_or(1);
            if steps.is_multiple_of(every) {
                return Ok(Saved::Every(every));
            }
            let fits = |k: &u32| steps.is_multiple_of(*k);
            let below = (1..every.min(steps)).rev().find(fits).unwrap_or(1);
            let above = (every..steps).find(fits).unwrap_or(steps);
            Err(format!("--every {every} does not divide the {steps} steps; take {below} or {above}"))
        }
        (_, Some(every)) => Err(format!("--every {every} is of whole paths; add --save paths")),
        (_, None) => Ok(if settings.out.is_some() { Saved::Final } else { Saved::Nothing }),
    }
}
