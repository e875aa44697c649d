//! What the image is asked to do, as words `key=value` on the command line.

use core::fmt;

/// What to do with the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Draw samples.
    Run,
    /// Count instructions, and draw samples too.
    Bench,
    /// Fault on purpose, to see the fault reported.
    Fault,
    /// Outgrow the stack on purpose, to see that reported.
    Overflow,
}

/// A request, with a default for every key.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Seed of all samples, or of the first ones.
    pub seed: u64,
    /// How many seeds, at least 1.
    pub seeds: u32,
    /// Number of the first sample.
    pub first: u32,
    /// How many samples, at least 1.
    pub count: u32,
    /// Name or number of the plan; the first one if there is none.
    pub plan: Option<&'a str>,
    /// The class, or none.
    pub class: Option<u16>,
    /// The guidance weight, or none.
    pub guidance: Option<f32>,
    /// What to do.
    pub task: Task,
    /// Whether to print the samples' values, or only their digest.
    pub values: bool,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug)]
pub enum RequestError<'a> {
    /// The command line does not fit its buffer.
    TooLong,
    /// A word that is no `key=value` with a known key.
    Unknown(&'a str),
    /// A key's value is not one of its values.
    Value {
        /// The whole word.
        word: &'a str,
        /// What the key takes.
        takes: &'static str,
    },
    /// No sample was asked for.
    NoSamples,
    /// The sample numbers would pass 2^32.
    Numbers,
    /// The seeds would pass 2^64.
    Seeds,
}

impl fmt::Display for RequestError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the command line is too long"),
            Self::Unknown(word) => {
                write!(f, "{word:.40} is not a key=value that is known here; the keys are ")?;
                f.write_str("seed, seeds, first, count, plan, class, guidance, what, values")
            }
            Self::Value { word, takes } => write!(f, "{word:.40}: this key takes {takes}"),
            Self::NoSamples => f.write_str("count=0 or seeds=0: at least one sample must be asked for"),
            Self::Numbers => f.write_str("first + count: sample numbers end at 4294967295"),
            Self::Seeds => f.write_str("seed + seeds: seeds end at 18446744073709551615"),
        }
    }
}

impl<'a> Request<'a> {
    /// Reads the words of a command line; the first one is the program's name.
    pub fn parse(line: &'a str) -> Result<Self, RequestError<'a>> {
        let mut request = Self {
            seed: 0,
            seeds: 1,
            first: 0,
            count: 1,
            plan: None,
            class: None,
            guidance: None,
            task: Task::Run,
            values: true,
        };
        for word in line.split_ascii_whitespace().skip(1) {
            let Some((key, value)) = word.split_once('=') else { return Err(RequestError::Unknown(word)) };
            let refused = |takes| RequestError::Value { word, takes };
            match key {
                "seed" => request.seed = value.parse().map_err(|_| refused("0 to 18446744073709551615"))?,
                "seeds" => request.seeds = value.parse().map_err(|_| refused("1 to 4294967295"))?,
                "first" => request.first = value.parse().map_err(|_| refused("0 to 4294967295"))?,
                "count" => request.count = value.parse().map_err(|_| refused("1 to 4294967295"))?,
                "plan" => request.plan = Some(value),
                "class" => request.class = Some(value.parse().map_err(|_| refused("the number of a class"))?),
                "guidance" => {
                    let bits = u32::from_str_radix(value, 16).map_err(|_| refused("the bits of an f32 in hex"))?;
                    let weight = Some(f32::from_bits(bits)).filter(|weight| weight.is_finite());
                    request.guidance = Some(weight.ok_or(refused("the bits of a finite f32"))?);
                }
                "what" => {
                    request.task = match value {
                        "run" => Task::Run,
                        "bench" => Task::Bench,
                        "fault" => Task::Fault,
                        "overflow" => Task::Overflow,
                        _ => return Err(refused("run, bench, fault or overflow")),
                    }
                }
                "values" => {
                    request.values = match value {
                        "0" => false,
                        "1" => true,
                        _ => return Err(refused("0 or 1")),
                    }
                }
                _ => return Err(RequestError::Unknown(word)),
            }
        }
        if request.count == 0 || request.seeds == 0 {
            return Err(RequestError::NoSamples);
        }
        if request.first.checked_add(request.count).is_none() {
            return Err(RequestError::Numbers);
        }
        if request.seed.checked_add(u64::from(request.seeds) - 1).is_none() {
            return Err(RequestError::Seeds);
        }
        Ok(request)
    }
}
