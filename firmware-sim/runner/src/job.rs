use crate::record::Record;
use crate::{Count, Error, Memory};

/// What is to be done with a signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JobTask {
    /// Take noise of this deviation out, in the scale of training.
    Denoise {
        /// The deviation.
        sigma: f32,
    },
    /// Draw what is missing.
    Impute {
        /// Seed of the noise.
        seed: u64,
        /// Number of the draw, at most 1024.
        number: u32,
        /// Times that each level is repeated.
        repeats: u32,
    },
}

/// A job for the image of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Job<'v> {
    /// What is to be done.
    pub task: JobTask,
    /// The signals one after another, in the data's own units, NaN where a value is missing.
    pub values: &'v [f32],
    /// Values in each signal.
    pub length: usize,
}

impl Job<'_> {
    /// What the image wants in the model partition: the blob, and the job behind it.
    #[must_use]
    pub fn behind(&self, blob: &[u8]) -> Vec<u8> {
        let (task, sigma, seed, number, repeats) = match self.task {
            JobTask::Denoise { sigma } => (0, sigma, 0, 0, 0),
            JobTask::Impute { seed, number, repeats } => (1, 0.0, seed, number, repeats),
        };
        let lengths = [self.values.len() as u32, self.length as u32];
        let words =
            [task, sigma.to_bits(), seed as u32, (seed >> 32) as u32, number, repeats].into_iter().chain(lengths);
        let mut out = [blob, b"MJOB"].concat();
        out.extend(words.chain(self.values.iter().map(|x| x.to_bits())).flat_map(u32::to_le_bytes));
        out
    }
}

/// What the image of jobs printed.
#[derive(Clone, Debug, PartialEq)]
pub struct JobReport {
    /// The results, sample after sample, in the scale of training.
    pub values: Vec<f32>,
    /// The digest of all results in order.
    pub digest: u64,
    /// Instructions: of all samples of a signal that was denoised, or of all evaluations of a draw.
    pub work: Count,
    /// Memory.
    pub memory: Memory,
}

/// Reads the records of a run that went well. Unknown records and keys are passed over.
pub(crate) fn read(output: &str) -> Result<JobReport, Error> {
    let (mut values, mut digest, mut work, mut memory) = (Vec::new(), None, None, None);
    for record in output.lines().map(Record::read) {
        match record.word {
            "sample" => values.extend(record.sample()?.bits.into_iter().map(f32::from_bits)),
            "digest" => digest = Some(record.hex("value")?),
            "count" => match record.count()? {
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
        work: work.ok_or(missing("count"))?,
        memory: memory.ok_or(missing("memory"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_its_words_behind_the_model() {
        let task = JobTask::Impute { seed: 0x1_0000_0002, number: 3, repeats: 4 };
        let bytes = Job { task, values: &[1.0, f32::NAN], length: 2 }.behind(b"blob");
        let words: Vec<u32> = bytes[8..].as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        assert_eq!(&bytes[..8], b"blobMJOB");
        assert_eq!(words, [1, 0, 2, 1, 3, 4, 2, 2, 0x3f80_0000, f32::NAN.to_bits()]);
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
