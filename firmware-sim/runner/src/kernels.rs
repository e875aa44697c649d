use crate::Error;
use crate::record::Record;

/// What one layer of a model took, as the image of kernels counted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerCount {
    /// Outputs.
    pub rows: u64,
    /// Inputs.
    pub cols: u64,
    /// `relu`, `silu` or `output`.
    pub kind: String,
    /// Whether its input codes are added to its output codes.
    pub residual: bool,
    /// Instructions of the layer by the board's kernel, requantisation and activation included.
    pub instructions: u64,
    /// Instructions of the same by portable code.
    pub portable: u64,
}

impl LayerCount {
    /// Instructions a multiply-accumulate.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.instructions as f64 / (self.rows * self.cols) as f64
    }
}

/// What the image of kernels wants in the model partition: the blob, and its copy at an odd address after it.
#[must_use]
pub fn doubled(blob: &[u8]) -> Vec<u8> {
    [blob, &[0], blob].concat()
}

/// Reads the records of a run that went well, one for each layer. Unknown records and keys are passed over.
pub(crate) fn read(output: &str) -> Result<Vec<LayerCount>, Error> {
    let records = output.lines().map(Record::read).filter(|record| record.word == "layer");
    let layers: Vec<_> = records
        .map(|record| {
            Ok(LayerCount {
                rows: record.number("rows")?,
                cols: record.number("cols")?,
                kind: record.text("kind")?.to_owned(),
                residual: record.number("residual")? == 1,
                instructions: record.number("instructions")?,
                portable: record.number("portable")?,
            })
        })
        .collect::<Result<_, Error>>()?;
    if layers.is_empty() { Err(Error::Records { missing: "layer" }) } else { Ok(layers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_and_unknown_ones_passed_over() {
        let line = "layer number=0 rows=8 cols=4 kind=relu residual=0 instructions=48 portable=100 new=1";
        let layers = read(&format!("image format=1 board=b arena=0\nnew x=1\n{line}\n")).unwrap();
        assert_eq!(layers.len(), 1);
        assert_eq!((layers[0].each(), layers[0].kind.as_str(), layers[0].residual), (1.5, "relu", false));
    }

    #[test]
    fn a_report_without_layers_is_refused_by_name() {
        assert!(matches!(read("image format=1\n").unwrap_err(), Error::Records { missing: "layer" }));
    }
}
