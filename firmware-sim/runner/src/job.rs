use crate::record::Record;
use crate::{Count, Error, Memory};
use mote_core::job::Judgement;

/// What is to be done with signals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JobTask<'v> {
    /// Take noise of this deviation out, in the scale of training.
    Denoise {
        /// The deviation.
        sigma: f32,
    },
    /// Draw what is missing in the first signal; by a model that fills gaps, in all of them.
    Impute {
        /// Seed of the noise.
        seed: u64,
        /// Number of the draw, at most 1024; of a model that fills gaps, of the first signal's first pair.
        number: u32,
        /// Times that each level is repeated; by a model that fills gaps, draws of each signal.
        repeats: u32,
    },
    /// Score each signal, a window.
    Detect {
        /// By what.
        judgement: Judgement,
        /// How many times noise is added, at most 64.
        seeds: u32,
        /// The numbers of the levels in the model.
        levels: &'v [u32],
        /// The calibration's numbers.
        calibration: &'v [f32],
    },
    /// Draw what may be behind the noise of the first signal.
    Draw {
        /// The noise's deviation, in the scale of training.
        sigma: f32,
        /// Seed of the draw's noise.
        seed: u64,
        /// Number of the draw, at most 1024.
        number: u32,
    },
    /// Vary the first signal, a row.
    Vary {
        /// The deviation of the noise that it starts with, in the scale of training.
        sigma: f32,
        /// The class; of a model without classes, any number.
        class: u16,
        /// Seed of the noise.
        seed: u64,
        /// Number of the variation, at most 1024.
        number: u32,
    },
}

/// A job for the image of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Job<'v> {
    /// What is to be done.
    pub task: JobTask<'v>,
    /// The signals, in the data's own units, NaN where a value is missing.
    pub signals: &'v [Vec<f32>],
}

impl Job<'_> {
    /// What the image wants in the model partition: the blob, and the job behind it.
    #[must_use]
    pub fn behind(&self, blob: &[u8]) -> Vec<u8> {
        let seeded = |seed: u64| [seed as u32, (seed >> 32) as u32];
        let none: (&[u32], &[f32]) = (&[], &[]);
        // Sigma, seed, number, repeats, judgement, seeds.
        let (task, sigma, [low, high], number, repeats, judging, (levels, numbers)) = match self.task {
            JobTask::Denoise { sigma } => (0, sigma, [0; 2], 0, 0, [0; 2], none),
            JobTask::Impute { seed, number, repeats } => (1, 0.0, seeded(seed), number, repeats, [0; 2], none),
            JobTask::Detect { judgement, seeds, levels, calibration } => {
                let judgement = u32::from(judgement == Judgement::Sensors);
                (2, 0.0, [0; 2], 0, 0, [judgement, seeds], (levels, calibration))
            }
            JobTask::Draw { sigma, seed, number } => (3, sigma, seeded(seed), number, 0, [0; 2], none),
            JobTask::Vary { sigma, class, seed, number } => {
                (4, sigma, seeded(seed), number, class.into(), [0; 2], none)
            }
        };
        let lengths = self.signals.iter().map(|signal| signal.len() as u32);
        let values = self.signals.iter().flatten();
        let counts = [levels.len(), numbers.len(), lengths.len(), values.clone().count()].map(|count| count as u32);
        let words = [task, sigma.to_bits(), low, high, number, repeats].into_iter().chain(judging).chain(counts);
        let words = words.chain(lengths).chain(levels.iter().copied());
        let mut out = [blob, b"MJOB"].concat();
        out.extend(words.chain(numbers.iter().chain(values).map(|x| x.to_bits())).flat_map(u32::to_le_bytes));
        out
    }
}

/// What the image of jobs printed.
#[derive(Clone, Debug, PartialEq)]
pub struct JobReport {
    /// The results, sample after sample, in the scale of training; of windows that were scored, the scores.
    pub values: Vec<f32>,
    /// The digest of all results in order.
    pub digest: u64,
    /// Instructions: of all samples or windows that were denoised, of all windows that were scored, or of all evaluations of a draw or a variation.
    pub work: Count,
    /// Instructions that filled the gaps before a draw, where a model does so.
    pub fill: Option<Count>,
    /// Memory.
    pub memory: Memory,
}

/// Reads the records of a run that went well. Unknown records and keys are passed over.
pub(crate) fn read(output: &str) -> Result<JobReport, Error> {
    let (mut values, mut digest, mut work, mut memory, mut fill) = (Vec::new(), None, None, None, None);
    for record in output.lines().map(Record::read) {
        match record.word {
            "sample" => values.extend(record.sample()?.bits.into_iter().map(f32::from_bits)),
            "digest" => digest = Some(record.hex("value")?),
            "count" => match record.count()? {
                (what, count) if what == "impute-fill" => fill = Some(count),
                (what, count) if what != "loop-turn" => work = Some(count),
                _ => {}
            },
            "memory" => memory = Some(record.memory()?),
            _ => {}
        }
    }
    let missing = |missing| Error::Records { missing };
    Ok(JobReport {
        values,
        digest: digest.ok_or(missing("digest"))?,
        fill,
        work: work.ok_or(missing("count"))?,
        memory: memory.ok_or(missing("memory"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_its_words_behind_the_model() {
        let words = |task, signals: &[Vec<f32>]| -> Vec<u32> {
            let bytes = Job { task, signals }.behind(b"blob");
            assert_eq!(&bytes[..8], b"blobMJOB");
            bytes[8..].as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect()
        };
        let impute = JobTask::Impute { seed: 0x1_0000_0002, number: 3, repeats: 4 };
        assert_eq!(
            words(impute, &[vec![1.0, f32::NAN], vec![2.0]]),
            [1, 0, 2, 1, 3, 4, 0, 0, 0, 0, 2, 3, 2, 1, 0x3f80_0000, f32::NAN.to_bits(), 0x4000_0000]
        );
        let judgement = Judgement::Sensors;
        let detect = JobTask::Detect { judgement, seeds: 2, levels: &[7, 5], calibration: &[0.5, 1.0, -2.0] };
        assert_eq!(
            words(detect, &[vec![1.0]]),
            [2, 0, 0, 0, 0, 0, 1, 2, 2, 3, 1, 1, 1, 7, 5, 0x3f00_0000, 0x3f80_0000, 0xc000_0000, 0x3f80_0000]
        );
    }

    #[test]
    fn records_are_read_and_unknown_ones_passed_over() {
        let text = "image format=1\ncount what=loop-turn instructions=2 of=1\nsample number=0 values=3f800000,bf800000\n\
                    count what=denoise-sample instructions=900 of=2\nnew x=1\ndigest value=00000000000000ff samples=2\n\
                    memory data=0 bss=1 arena=2 stack=3 stack-reserved=4\n";
        let report = read(text).unwrap();
        assert_eq!((report.values.as_slice(), report.digest), (&[1.0, -1.0][..], 255));
        assert_eq!((report.work.instructions, report.work.of, report.memory.stack), (900, 2, 3));
        assert!(matches!(read("image format=1\n").unwrap_err(), Error::Records { missing: "digest" }));
    }
}
