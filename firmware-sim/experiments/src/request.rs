use core::fmt;

use crate::{Experiment, Method, Noise, Process, Unfit, UnknownParameter};

/// What to do with the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Run it.
    Run,
    /// Count instructions, and run it too.
    Bench,
}

/// An experiment and what to do with it: words `key=value`, written by [`Display`](fmt::Display) and read by
/// [`parse`](Self::parse); numbers that are not whole as the bits of an `f32` in hex, so that they arrive as they left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// The experiment.
    pub experiment: Experiment,
    /// What to do.
    pub task: Task,
    /// Whether to print the final states, or only their digest.
    pub values: bool,
}

impl Default for Request {
    /// Runs the default experiment and prints its final states.
    fn default() -> Self {
        Self { experiment: Experiment::default(), task: Task::Run, values: true }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestError<'a> {
    /// The command line does not fit its buffer.
    TooLong,
    /// A word that is no `key=value`.
    NoPair(&'a str),
    /// A key's value is not one of its values.
    Value {
        /// The whole word.
        word: &'a str,
        /// What the key takes.
        takes: &'static str,
    },
    /// A key that is neither known nor a parameter of the process.
    Unknown {
        /// The whole word.
        word: &'a str,
        /// The process, which knows its parameters.
        parameter: UnknownParameter,
    },
    /// The experiment cannot be run.
    Unfit(Unfit),
}

impl fmt::Display for RequestError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the command line is too long"),
            Self::NoPair(word) => write!(f, "{word:.40} is no key=value"),
            Self::Value { word, takes } => write!(f, "{word:.40}: this key takes {takes}"),
            Self::Unknown { word, parameter } => write!(
                f,
                "{word:.40}: no such key; {parameter}; the keys are process, stepper, noise, steps, horizon, start, seed, \
                 block, blocks, what, values"
            ),
            Self::Unfit(unfit) => write!(f, "{unfit}"),
        }
    }
}

impl core::error::Error for RequestError<'_> {}

const PROCESSES: &str = "ou, double-well, geometric or vp";
const METHODS: &str =
    "euler-maruyama, milstein, milstein-derivative-free, stochastic-heun, sea, sra1, shark, sriw1 or exact-ou";
const COUNT: &str = "1 to 4294967295";
const BITS: &str = "the 8 hex digits of a finite f32's bits";

/// The number with these bits.
fn number(bits: &str) -> Option<f32> {
    let digits = (bits.len() == 8).then_some(bits)?;
    u32::from_str_radix(digits, 16).ok().map(f32::from_bits).filter(|number| number.is_finite())
}

impl Request {
    /// Reads the words of a command line; the first one is the program's name.
    ///
    /// # Errors
    /// [`RequestError`], and it is sure that the experiment can be run otherwise.
    pub fn parse(line: &str) -> Result<Self, RequestError<'_>> {
        let words = || line.split_ascii_whitespace().skip(1);
        let mut request = Self::default();
        let Self { experiment, task, values } = &mut request;
        // The process first, as it says what its parameters are called.
        for word in words() {
            if let Some(name) = word.strip_prefix("process=") {
                experiment.process = Process::named(name).ok_or(RequestError::Value { word, takes: PROCESSES })?;
            }
        }
        for word in words() {
            let (key, value) = word.split_once('=').ok_or(RequestError::NoPair(word))?;
            let refused = |takes| RequestError::Value { word, takes };
            let count = || value.parse().ok().filter(|count| *count > 0).ok_or(refused(COUNT));
            match key {
                "process" => {}
                "stepper" => experiment.method = Method::named(value).ok_or(refused(METHODS))?,
                "noise" => experiment.noise = Noise::named(value).ok_or(refused("blocks, ziggurat or tree"))?,
                "steps" => experiment.steps = count()?,
                "horizon" => experiment.horizon = number(value).ok_or(refused(BITS))?,
                "start" => experiment.start = number(value).ok_or(refused(BITS))?,
                "seed" => experiment.seed = value.parse().map_err(|_| refused("0 to 18446744073709551615"))?,
                "block" => experiment.first = value.parse().map_err(|_| refused("0 to 4294967295"))?,
                "blocks" => experiment.blocks = count()?,
                "what" => {
                    *task = match value {
                        "run" => Task::Run,
                        "bench" => Task::Bench,
                        _ => return Err(refused("run or bench")),
                    }
                }
                "values" => {
                    *values = match value {
                        "0" => false,
                        "1" => true,
                        _ => return Err(refused("0 or 1")),
                    }
                }
                name => {
                    // The name before the value: a wrong name with a wrong value is best told so.
                    let unknown = |parameter| RequestError::Unknown { word, parameter };
                    experiment.process.set(name, 0.0).map_err(unknown)?;
                    experiment.process.set(name, number(value).ok_or(refused(BITS))?).map_err(unknown)?;
                }
            }
        }
        experiment.check().map_err(RequestError::Unfit)?;
        Ok(request)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Experiment { process, method, noise, steps, horizon, start, seed, first, blocks } = self.experiment;
        let task = match self.task {
            Task::Run => "run",
            Task::Bench => "bench",
        };
        write!(f, "what={task} values={} process={}", u8::from(self.values), process.name())?;
        for (name, value) in process.parameters() {
            write!(f, " {name}={:08x}", value.to_bits())?;
        }
        write!(f, " stepper={} noise={} steps={steps}", method.name(), noise.name())?;
        write!(f, " horizon={:08x} start={:08x}", horizon.to_bits(), start.to_bits())?;
        write!(f, " seed={seed} block={first} blocks={blocks}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn a_request_reads_as_it_was_written() {
        for process in Process::ALL {
            for method in Method::ALL.into_iter().filter(|method| method.fits(&process)) {
                for noise in Noise::ALL {
                    let mut process = process;
                    for (i, (name, value)) in process.parameters().enumerate() {
                        process.set(name, value + 0.1 * (i + 1) as f32).unwrap();
                    }
                    let experiment = Experiment {
                        process,
                        method,
                        noise,
                        steps: 128,
                        horizon: 0.7,
                        start: -1.0 / 3.0,
                        seed: u64::MAX,
                        first: 7,
                        blocks: 3,
                    };
                    for request in [
                        Request { experiment, task: Task::Run, values: true },
                        Request { experiment, task: Task::Bench, values: false },
                    ] {
                        assert_eq!(Request::parse(&format!("mote {request}")), Ok(request));
                    }
                }
            }
        }
    }

    #[test]
    fn parameters_may_come_before_their_process() {
        let request = Request::parse("mote barrier=40400000 process=double-well").unwrap();
        assert_eq!(request.experiment.process.parameters().next(), Some(("barrier", 3.0)));
    }

    #[test]
    fn every_name_is_in_the_words_of_its_refusal() {
        for process in Process::ALL {
            assert!(PROCESSES.contains(process.name()));
            let all = RequestError::Unknown { word: "", parameter: UnknownParameter { process } }.to_string();
            assert!(process.parameters().all(|(name, _)| all.contains(name)), "{all}");
        }
        assert!(Method::ALL.iter().all(|method| METHODS.contains(method.name())));
    }

    #[test]
    fn steppers_fit_the_noise_that_they_are_made_for() {
        // By the table at the head of `mote_core::stepper`.
        let fitting = |name: &str| {
            let process = Process::named(name).unwrap();
            Method::ALL.into_iter().filter(|method| method.fits(&process)).count()
        };
        assert_eq!(["ou", "double-well", "geometric", "vp"].map(fitting), [9, 8, 4, 8]);
        assert!(!Method::Shark.fits(&Process::named("geometric").unwrap()));
        assert!(!Method::ExactOu.fits(&Process::named("vp").unwrap()));
    }
}
