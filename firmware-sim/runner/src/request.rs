/// What the image is asked to do with the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Draw samples.
    #[default]
    Run,
    /// Count instructions too.
    Bench,
    /// Fault on purpose, to see how the image reports a fault.
    Fault,
    /// Fault with a stack pointer outside the stack, to see how the image reports that.
    Overflow,
}

/// A request to the image.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Seed of all samples, or of the first ones.
    pub seed: u64,
    /// How many seeds, at least 1: each draws the same sample numbers.
    pub seeds: u32,
    /// Number of the first sample.
    pub first: u32,
    /// How many samples, at least 1.
    pub count: u32,
    /// Name or number of the plan; the model's first one if there is none.
    pub plan: Option<String>,
    /// The class to sample, or none.
    pub class: Option<u16>,
    /// Guidance weight, or none.
    pub guidance: Option<f32>,
    /// What to do.
    pub task: Task,
    /// Whether the report holds the samples' values, and not only their digest.
    pub values: bool,
}

impl Default for Request {
    /// Sample 0 of seed 0 by the model's first plan.
    fn default() -> Self {
        Self {
            seed: 0,
            seeds: 1,
            first: 0,
            count: 1,
            plan: None,
            class: None,
            guidance: None,
            task: Task::Run,
            values: true,
        }
    }
}

impl Request {
    /// The request as the words that the image reads.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let task = match self.task {
            Task::Run => "run",
            Task::Bench => "bench",
            Task::Fault => "fault",
            Task::Overflow => "overflow",
        };
        let mut words = vec![
            format!("what={task}"),
            format!("seed={}", self.seed),
            format!("seeds={}", self.seeds),
            format!("first={}", self.first),
            format!("count={}", self.count),
            format!("values={}", u8::from(self.values)),
        ];
        words.extend(self.plan.as_ref().map(|plan| format!("plan={plan}")));
        words.extend(self.class.map(|class| format!("class={class}")));
        words.extend(self.guidance.map(|weight| format!("guidance={:08x}", weight.to_bits())));
        words
    }
}
