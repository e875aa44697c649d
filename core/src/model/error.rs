use core::fmt;

/// Where in a blob a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The header.
    Header,
    /// The data scaling.
    Scaling,
    /// The descriptor or the contents of a layer.
    Layer(u16),
    /// The noise level of this number.
    Level(u16),
    /// The plan of this number.
    Plan(u16),
    /// The row of this number, counted over all plans.
    Row(u32),
    /// What a model that fills gaps has besides its network.
    Imputation,
    /// The text.
    Text,
}

/// Why bytes are not a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Fewer bytes than a header has.
    TooShort {
        /// How many there are.
        len: usize,
    },
    /// The first four bytes are not `MOTE`.
    NotAModel,
    /// A version that this reader does not know.
    Version(u16),
    /// The file is longer or shorter than its header says.
    Length {
        /// By the header.
        stated: u32,
        /// In fact.
        actual: usize,
    },
    /// The contents do not match their checksum.
    Checksum {
        /// By the header.
        stated: u32,
        /// Of the contents.
        computed: u32,
    },
    /// A field has a value that is not allowed there.
    Value {
        /// Where.
        part: Part,
        /// The field's name in the specification.
        field: &'static str,
        /// Its value; the bits of a float.
        value: u32,
    },
    /// The counts in header and descriptors do not add up to the file's length.
    Sections {
        /// Bytes that the counts call for, as far as they were added up.
        needed: usize,
        /// Bytes in the file.
        actual: usize,
    },
    /// A byte between two sections is not zero.
    Padding {
        /// Its place.
        offset: usize,
    },
    /// A layer's weights are filled up to whole tiles with something else than zeros.
    WeightPadding {
        /// The layer.
        layer: u16,
    },
    /// A row's weights could overflow the sums that kernels rely on.
    SumBound {
        /// The layer.
        layer: u16,
        /// The row.
        row: u16,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            Self::Scaling => f.write_str("data scaling"),
            Self::Layer(i) => write!(f, "layer {i}"),
            Self::Level(i) => write!(f, "noise level {i}"),
            Self::Plan(i) => write!(f, "plan {i}"),
            Self::Row(i) => write!(f, "plan row {i}"),
            Self::Imputation => f.write_str("imputation"),
            Self::Text => f.write_str("text"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(f, "{len} bytes are too few for a model"),
            Self::NotAModel => f.write_str("not a model: it does not start with MOTE"),
            Self::Version(v) => write!(f, "version {v} of the format is not known here (only 1 is)"),
            Self::Length { stated, actual } => {
                write!(f, "the header says {stated} bytes, but there are {actual}: cut short or appended to")
            }
            Self::Checksum { stated, computed } => {
                write!(f, "damaged: checksum {computed:08x} where the header says {stated:08x}")
            }
            Self::Value { part, field, value } => {
                write!(f, "{part}: {field} has a value that is not allowed ({value}, hex {value:x})")
            }
            Self::Sections { needed, actual } => {
                write!(f, "the sections call for {needed} bytes, but there are {actual}")
            }
            Self::Padding { offset } => write!(f, "byte {offset} lies between sections and is not zero"),
            Self::WeightPadding { layer } => {
                write!(f, "layer {layer}: the weights that fill its last tiles up are not zero")
            }
            Self::SumBound { layer, row } => {
                write!(f, "layer {layer}, row {row}: the weights could overflow 24-bit sums")
            }
        }
    }
}

impl core::error::Error for ParseError {}
