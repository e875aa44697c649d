//! The other direction: numbers into a blob. It takes slices and a buffer, so that it needs no heap.

use super::header::{HEADER_BYTES, Header, MAGIC, Role, SelfTest, VERSION, checksum};
#[cfg(feature = "imputation")]
use super::imputation::ImputationParts;
use super::{ALIGNMENT, PLAN_NAME_MAX};
use crate::network::{Activation, ActivationFormat, Storage, WeightFormat, WeightLayout};
use crate::sampler::{ROW_BYTES, Row};
use crate::schedule::NoiseLevel;
use crate::score::Prediction;
use core::fmt;

/// Everything that a blob holds, as slices. [`Model::parse`](super::Model::parse) is the judge of what is allowed.
#[derive(Clone, Copy, Debug)]
pub struct ModelParts<'a> {
    /// What the model is for.
    pub role: Role,
    /// What the network's output stands for.
    pub prediction: Prediction,
    /// The data's standard deviation after scaling.
    pub sigma_data: f32,
    /// Number of classes.
    pub classes: u16,
    /// Height and width, if a sample is an image.
    pub image: Option<(u16, u16)>,
    /// How the weights lie in the blob.
    pub layout: WeightLayout,
    /// Mean of each input component.
    pub mean: &'a [f32],
    /// Standard deviation of each input component.
    pub deviation: &'a [f32],
    /// The layers in order.
    pub layers: &'a [LayerParts<'a>],
    /// The noise levels.
    pub levels: &'a [LevelParts<'a>],
    /// For each class, the biases of the layers that have class biases, one after another.
    pub class_biases: &'a [i16],
    /// The plans in order.
    pub plans: &'a [PlanParts<'a>],
    /// What a model that fills gaps has besides.
    #[cfg(feature = "imputation")]
    pub imputation: Option<ImputationParts<'a>>,
    /// A TOML document for people and host tools.
    pub text: &'a str,
    /// The self-test.
    pub self_test: SelfTest,
}

/// One dense layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerParts<'a> {
    /// Number of outputs.
    pub rows: u16,
    /// Number of inputs.
    pub cols: u16,
    /// The function at the end.
    pub activation: Activation,
    /// Whether input codes are added to output codes.
    pub residual: bool,
    /// Whether the levels hold this layer's biases.
    pub level_biases: bool,
    /// Whether the classes hold biases for this layer.
    pub class_biases: bool,
    /// The format of the input codes.
    pub input_format: ActivationFormat,
    /// The largest input code.
    pub input_max: u16,
    /// Scales and biases.
    pub parameters: Parameters<'a>,
    /// How many bits a weight takes in the blob.
    pub weight_format: WeightFormat,
    /// `rows * cols` weights, row after row.
    pub weights: &'a [i8],
}

/// What follows a layer's sums.
#[derive(Clone, Copy, Debug)]
pub enum Parameters<'a> {
    /// A hidden layer: multipliers, and biases (none if the levels hold them).
    Hidden {
        /// One positive multiplier a row.
        multipliers: &'a [i16],
        /// One bias a row in units of `2^-10`, or none.
        biases: &'a [i16],
    },
    /// The last layer.
    Output {
        /// One positive scale a row.
        scales: &'a [f32],
        /// One bias a row.
        biases: &'a [f32],
    },
}

/// One noise level.
#[derive(Clone, Copy, Debug)]
pub struct LevelParts<'a> {
    /// Signal and noise.
    pub noise: NoiseLevel,
    /// Input codes per unit of the state.
    pub input_scale: f32,
    /// Factor of the last layer's scales.
    pub output_gain: f32,
    /// For each layer, (sum_shift, code_shift); zeros for the last.
    pub shifts: &'a [(u8, u8)],
    /// The biases of the layers that have level biases, one after another.
    pub biases: &'a [i16],
}

/// One plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanParts<'a> {
    /// Its name: 1 to 20 printable ASCII characters without space.
    pub name: &'a str,
    /// Its rows.
    pub rows: &'a [Row],
    /// The scale of the noise that it starts from.
    pub start_scale: f32,
    /// The guidance weight that it was made for; 0 for none.
    pub guidance: f32,
}

impl PlanParts<'_> {
    fn history(&self) -> usize {
        self.rows.iter().map(Row::history).max().unwrap_or(1)
    }
}

/// Why parts cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The buffer is shorter than the blob.
    BufferTooShort {
        /// Bytes of the blob.
        needed: usize,
    },
    /// A count or a length does not fit its field in the file.
    TooLarge(&'static str),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooShort { needed } => write!(f, "the blob takes {needed} bytes, and the buffer has fewer"),
            Self::TooLarge(field) => write!(f, "{field} is too large for the format"),
        }
    }
}

impl core::error::Error for WriteError {}

/// Puts bytes one after another, and counts on when the buffer is full.
pub(super) struct Cursor<'b> {
    pub(super) buffer: &'b mut [u8],
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if let Some(to) = self.buffer.get_mut(self.at..self.at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }

    fn pad(&mut self) {
        while !self.at.is_multiple_of(ALIGNMENT) {
            self.put(&[0]);
        }
    }

    fn put_all<const N: usize>(&mut self, items: impl Iterator<Item = [u8; N]>) {
        for item in items {
            self.put(&item);
        }
    }

    pub(super) fn section<const N: usize>(&mut self, items: impl Iterator<Item = [u8; N]>) {
        self.put_all(items);
        self.pad();
    }
}

impl Cursor<'_> {
    /// Fills in length and checksum of the blob that was put here, and gives its length.
    pub(super) fn finish(self) -> Result<usize, WriteError> {
        let length = self.at;
        let needed = WriteError::BufferTooShort { needed: length };
        let stated = u32::try_from(length).map_err(|_| WriteError::TooLarge("file length"))?;
        let blob = self.buffer.get_mut(..length).ok_or(needed)?;
        blob.get_mut(8..12).ok_or(needed)?.copy_from_slice(&stated.to_le_bytes());
        let checksum = checksum(blob);
        blob.get_mut(12..16).ok_or(needed)?.copy_from_slice(&checksum.to_le_bytes());
        Ok(length)
    }
}

fn small(field: &'static str, value: usize) -> Result<u16, WriteError> {
    u16::try_from(value).map_err(|_| WriteError::TooLarge(field))
}

impl ModelParts<'_> {
    /// Bytes of the blob.
    ///
    /// # Errors
    /// [`WriteError::TooLarge`] when a count does not fit its field.
    pub fn blob_bytes(&self) -> Result<usize, WriteError> {
        match self.write(&mut []) {
            Err(WriteError::BufferTooShort { needed }) => Ok(needed),
            Err(other) => Err(other),
            Ok(written) => Ok(written),
        }
    }

    /// Writes the blob at the start of `buffer` and gives its length.
    ///
    /// # Errors
    /// [`WriteError`] when the buffer is too short or a count does not fit its field.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, WriteError> {
        let mut cursor = Cursor { buffer, at: 0 };
        self.write_header(&mut cursor)?;
        cursor.put_all(self.mean.iter().map(|x| x.to_le_bytes()));
        cursor.section(self.deviation.iter().map(|x| x.to_le_bytes()));
        cursor.section(self.layers.iter().map(|layer| layer.descriptor(self.layout)));
        for layer in self.layers {
            match layer.parameters {
                Parameters::Hidden { multipliers, biases } => {
                    cursor.section(multipliers.iter().map(|x| x.to_le_bytes()));
                    cursor.section(biases.iter().map(|x| x.to_le_bytes()));
                }
                Parameters::Output { scales, biases } => {
                    cursor.section(scales.iter().map(|x| x.to_le_bytes()));
                    cursor.section(biases.iter().map(|x| x.to_le_bytes()));
                }
            }
            let (rows, cols) = (usize::from(layer.rows), usize::from(layer.cols));
            let weight = |row: usize, col: usize| layer.weights.get(row * cols + col).copied().unwrap_or(0);
            if !layer.weights.iter().all(|weight| layer.weight_format.holds(*weight)) {
                return Err(WriteError::TooLarge("a weight"));
            }
            let storage = Storage { layout: self.layout, format: layer.weight_format };
            cursor.section(storage.arrange(rows, cols, weight).map(|byte| [byte]));
        }
        self.write_levels(&mut cursor);
        cursor.section(self.class_biases.iter().map(|x| x.to_le_bytes()));
        self.write_plans(&mut cursor)?;
        #[cfg(feature = "imputation")]
        if let Some(imputation) = &self.imputation {
            imputation.write(&mut cursor)?;
        }
        cursor.section(self.text.bytes().map(|x| [x]));
        cursor.finish()
    }

    fn write_header(&self, to: &mut Cursor<'_>) -> Result<(), WriteError> {
        let rows: usize = self.plans.iter().map(|plan| plan.rows.len()).sum();
        let history = self.plans.iter().map(PlanParts::history).max().unwrap_or(1);
        let dim_out = self.layers.last().map_or(0, |layer| layer.rows);
        let width = self.layers.iter().map(|layer| usize::from(layer.rows)).fold(self.mean.len(), usize::max);
        let layers = u8::try_from(self.layers.len()).map_err(|_| WriteError::TooLarge("layers"))?;
        let text = u32::try_from(self.text.len()).map_err(|_| WriteError::TooLarge("text"))?;
        let (height, image_width) = self.image.unwrap_or((0, 0));
        to.put(&MAGIC);
        to.put_all([VERSION, HEADER_BYTES as u16].map(u16::to_le_bytes).into_iter());
        to.put(&[0; 8]); // length and checksum, filled in at the end
        let role = match self.role {
            Role::Sampler => 0,
            Role::CentreDenoiser => 1,
            Role::Imputer => 2,
        };
        to.put(&[role, Header::prediction_code(self.prediction), layers, history as u8]);
        let counts = [
            small("dim_in", self.mean.len())?,
            dim_out,
            small("width", width)?,
            self.classes,
            small("levels", self.levels.len())?,
            small("plans", self.plans.len())?,
        ];
        to.put_all(counts.map(u16::to_le_bytes).into_iter());
        to.put(&u32::try_from(rows).map_err(|_| WriteError::TooLarge("rows"))?.to_le_bytes());
        to.put(&text.to_le_bytes());
        to.put(&self.sigma_data.to_le_bytes());
        let class = self.self_test.class.map_or(0, |class| class.saturating_add(1));
        to.put_all([height, image_width, self.self_test.plan, class].map(u16::to_le_bytes).into_iter());
        to.put(&self.self_test.sample.to_le_bytes());
        to.put(&self.self_test.seed.to_le_bytes());
        to.put(&self.self_test.digest.to_le_bytes());
        to.put(&[0; 24]);
        Ok(())
    }

    fn write_levels(&self, to: &mut Cursor<'_>) {
        for level in self.levels {
            let NoiseLevel { alpha, sigma } = level.noise;
            to.put_all([alpha, sigma, level.input_scale, level.output_gain].map(f32::to_le_bytes).into_iter());
        }
        to.section(self.levels.iter().flat_map(|level| level.shifts).map(|(sum, code)| [*sum, *code]));
        to.section(self.levels.iter().flat_map(|level| level.biases).map(|bias| bias.to_le_bytes()));
    }

    fn write_plans(&self, to: &mut Cursor<'_>) -> Result<(), WriteError> {
        for plan in self.plans {
            let mut name = [0; PLAN_NAME_MAX];
            if plan.name.len() > PLAN_NAME_MAX {
                return Err(WriteError::TooLarge("plan name"));
            }
            for (to, from) in name.iter_mut().zip(plan.name.bytes()) {
                *to = from;
            }
            to.put(&name);
            to.put(&small("rows of a plan", plan.rows.len())?.to_le_bytes());
            to.put(&[plan.history() as u8, 0]);
            to.put(&plan.start_scale.to_le_bytes());
            to.put(&plan.guidance.to_le_bytes());
        }
        to.section::<ROW_BYTES>(self.plans.iter().flat_map(|plan| plan.rows).map(Row::to_bytes));
        Ok(())
    }
}

impl LayerParts<'_> {
    fn descriptor(&self, layout: WeightLayout) -> [u8; 16] {
        let [r0, r1] = self.rows.to_le_bytes();
        let [c0, c1] = self.cols.to_le_bytes();
        let [q0, q1] = self.input_max.to_le_bytes();
        let activation = match self.activation {
            Activation::None => 0,
            Activation::Relu => 1,
            Activation::Silu => 2,
        };
        let flags = u8::from(self.residual) | u8::from(self.level_biases) << 1 | u8::from(self.class_biases) << 2;
        let format = match self.input_format {
            ActivationFormat::Bits8 => 0,
            ActivationFormat::Bits16 => 1,
        };
        [r0, r1, c0, c1, activation, flags, self.weight_format.code(), layout.code(), format, 0, q0, q1, 0, 0, 0, 0]
    }
}
