use crate::Error;
use crate::record::Record;
use std::collections::BTreeMap;

/// Where the device found its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In its model partition.
    Partition,
    /// In the image: the partition held none.
    BuiltIn,
}

/// The model, as the device sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRecord {
    /// Where it was found.
    pub source: Source,
    /// Bytes of the blob.
    pub bytes: u64,
    /// Bytes of working memory that it needs.
    pub arena: u64,
    /// Components of a sample.
    pub dim: u64,
    /// Number of classes.
    pub classes: u64,
    /// The digest of its self-test, which the device computed too.
    pub self_test: u64,
}

/// A plan of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRecord {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
}

/// An instruction count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Instructions in all. QEMU counts instructions, not cycles.
    pub instructions: u64,
    /// For how many things.
    pub of: u64,
}

impl Count {
    /// Instructions for one thing.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.instructions as f64 / self.of as f64
    }
}

/// A sample, before data scaling; of an ensemble, the final states of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its number within the seed's batch, or the block's number.
    pub number: u32,
    /// The bits of each component, an `f32`.
    pub bits: Vec<u32>,
}

impl Sample {
    /// The components.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> {
        self.bits.iter().map(|bits| f32::from_bits(*bits))
    }
}

/// Memory on the device, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Statics that start with a value.
    pub data: u64,
    /// Statics that start as zeros, the arena included.
    pub bss: u64,
    /// The arena.
    pub arena: u64,
    /// The deepest that the stack was.
    pub stack: u64,
    /// The memory kept for the stack.
    pub stack_reserved: u64,
}

/// Everything that the device printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The board.
    pub board: String,
    /// The model.
    pub model: ModelRecord,
    /// Its plans.
    pub plans: Vec<PlanRecord>,
    /// Instruction counts by name: `parse`, `normal`, `evaluation`, `sample`, and `loop-turn`, which is 2 by construction.
    pub counts: BTreeMap<String, Count>,
    /// The samples, if their values were asked for.
    pub samples: Vec<Sample>,
    /// The digest of all samples in order.
    pub digest: u64,
    /// Memory.
    pub memory: Memory,
}

/// Reads the records of a run that went well. Unknown records and keys are passed over.
pub(crate) fn read(output: &str) -> Result<Report, Error> {
    let (mut board, mut model, mut digest, mut memory) = (None, None, None, None);
    let (mut plans, mut counts, mut samples) = (Vec::new(), BTreeMap::new(), Vec::new());
    for line in output.lines() {
        let record = Record::read(line);
        match record.word {
            "image" => board = Some(record.text("board")?.to_owned()),
            "model" => {
                model = Some(ModelRecord {
                    source: match record.text("source")? {
                        "partition" => Source::Partition,
                        "built-in" => Source::BuiltIn,
                        _ => return Err(Error::Records { missing: "source" }),
                    },
                    bytes: record.number("bytes")?,
                    arena: record.number("arena")?,
                    dim: record.number("dim")?,
                    classes: record.number("classes")?,
                    self_test: record.hex("self-test")?,
                });
            }
            "plan" => plans.push(PlanRecord { name: record.text("name")?.to_owned(), rows: record.number("rows")? }),
            "count" => counts.extend([record.count()?]),
            "sample" => samples.push(record.sample()?),
            "digest" => digest = Some(record.hex("value")?),
            "memory" => memory = Some(record.memory()?),
            _ => {}
        }
    }
    Ok(Report {
        board: board.ok_or(Error::Records { missing: "image" })?,
        model: model.ok_or(Error::Records { missing: "model" })?,
        plans,
        counts,
        samples,
        digest: digest.ok_or(Error::Records { missing: "digest" })?,
        memory: memory.ok_or(Error::Records { missing: "memory" })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_unknown_ones_passed_over() {
        let output = "image format=1 board=b arena=8\nmodel source=built-in bytes=1312 arena=96 dim=2 classes=0 \
             self-test=00ff new=1\nplan rows=4 name=a=b\nnews of=the day\ncount what=normal instructions=30 of=4\n\
             sample number=7 values=3f800000,bf000000\ndigest value=c7c6e9c901c209f7 samples=1\n\
             memory data=1 bss=2 arena=3 stack=4 stack-reserved=5\n";
        let report = read(output).unwrap();
        assert_eq!(report.plans, [PlanRecord { name: "a=b".into(), rows: 4 }]);
        assert_eq!(report.counts["normal"].each(), 7.5);
        assert_eq!(report.samples[0].values().collect::<Vec<_>>(), [1.0, -0.5]);
        assert_eq!((report.digest, report.model.self_test), (0xc7c6_e9c9_01c2_09f7, 255));
        assert_eq!(report.memory.stack_reserved, 5);
    }

    #[test]
    fn a_report_without_its_end_is_refused_by_name() {
        let error = read("image format=1 board=b arena=8\n").unwrap_err();
        assert!(matches!(error, Error::Records { missing: "model" }));
    }
}
