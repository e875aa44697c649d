use crate::record::Record;
use crate::{Count, Error, Memory, Sample};
use std::collections::BTreeMap;

/// Everything that the image of ensembles printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnsembleReport {
    /// The board.
    pub board: String,
    /// Instruction counts by name: `path-step` (its noise included), `block-start`, `normal-box-muller`, `normal-ziggurat`, and
    /// `loop-turn`, which is 2 by construction.
    pub counts: BTreeMap<String, Count>,
    /// The final states of each block, if they were asked for.
    pub blocks: Vec<Sample>,
    /// The digest of all final states in order.
    pub digest: u64,
    /// How many paths those are.
    pub paths: u64,
    /// Memory.
    pub memory: Memory,
}

/// Reads the records of a run that went well. Unknown records and keys are passed over.
pub(crate) fn read(output: &str) -> Result<EnsembleReport, Error> {
    let (mut board, mut digest, mut memory) = (None, None, None);
    let (mut counts, mut blocks) = (BTreeMap::new(), Vec::new());
    for line in output.lines() {
        let record = Record::read(line);
        match record.word {
            "image" => board = Some(record.text("board")?.to_owned()),
            "count" => counts.extend([record.count()?]),
            "block" => blocks.push(record.sample()?),
            "digest" => digest = Some((record.hex("value")?, record.number("paths")?)),
            "memory" => memory = Some(record.memory()?),
            _ => {}
        }
    }
    let (digest, paths) = digest.ok_or(Error::Records { missing: "digest" })?;
    Ok(EnsembleReport {
        board: board.ok_or(Error::Records { missing: "image" })?,
        counts,
        blocks,
        digest,
        paths,
        memory: memory.ok_or(Error::Records { missing: "memory" })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_unknown_ones_passed_over() {
        let output = "image format=1 board=b arena=8\nensemble process=ou new=1\ncount what=path-step instructions=30 of=4\n\
             block number=7 values=3f800000,bf000000\ndigest value=c7c6e9c901c209f7 paths=2\n\
             memory data=1 bss=2 arena=3 stack=4 stack-reserved=5\n";
        let report = read(output).unwrap();
        assert_eq!(report.counts["path-step"].each(), 7.5);
        assert_eq!(report.blocks[0].values().collect::<Vec<_>>(), [1.0, -0.5]);
        assert_eq!((report.digest, report.paths, report.memory.stack), (0xc7c6_e9c9_01c2_09f7, 2, 4));
    }

    #[test]
    fn a_report_without_its_end_is_refused_by_name() {
        let error = read("image format=1 board=b arena=8\n").unwrap_err();
        assert!(matches!(error, Error::Records { missing: "digest" }));
    }
}
