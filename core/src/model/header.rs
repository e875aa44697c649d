use super::error::{ParseError, Part};
use crate::network::{LAYERS_MAX, Lane, Network, WIDTH_MAX};
use crate::sampler::{HISTORY_MAX, Workspace};
use crate::score::Prediction;
use crc::{CRC_32_ISO_HDLC, Crc};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 96;

pub(super) const MAGIC: [u8; 4] = *b"MOTE";
pub(super) const VERSION: u16 = 1;

/// The largest number of plans: each name is compared with all before it.
const PLANS_MAX: usize = 256;

/// The self-test's sample number is below this: a stream takes one jump a number, and 2^32 of them would take hours.
const SELF_TEST_SAMPLES: u32 = 1024;

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It samples: `dim_out` equals `dim_in`.
    Sampler,
    /// It slides over a signal and denoises the centre of each window.
    CentreDenoiser,
}

/// The sample that a model must give, so that a device can check itself at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// Number of the plan.
    pub plan: u16,
    /// The class, or `None`.
    pub class: Option<u16>,
    /// Number of the sample within the seed's batch, below 1024.
    pub sample: u32,
    /// The seed.
    pub seed: u64,
    /// The [`Digest`](crate::sampler::Digest) of the sample before data scaling.
    pub digest: u64,
}

/// The checked header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub role: Role,
    pub prediction: Prediction,
    pub layers: usize,
    pub history: usize,
    pub dim_in: usize,
    pub dim_out: usize,
    pub width: usize,
    pub classes: usize,
    pub levels: usize,
    pub plans: usize,
    pub rows: usize,
    pub text: usize,
    pub sigma_data: f32,
    pub image: Option<(u16, u16)>,
    pub self_test: SelfTest,
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = CRC.digest();
    digest.update(bytes.get(..12).unwrap_or(&[]));
    digest.update(bytes.get(16..).unwrap_or(&[]));
    digest.finalize()
}

/// Little-endian fields at constant offsets.
struct Fields<'a>(&'a [u8; HEADER_BYTES]);

impl Fields<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }
    fn u8(&self, at: usize) -> u8 {
        let [byte] = self.bytes(at);
        byte
    }
    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }
    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }
    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }
}

fn refuse(field: &'static str, value: u32) -> ParseError {
    ParseError::Value { part: Part::Header, field, value }
}

impl Header {
    /// Checks magic, version, length and checksum, then every field.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(ParseError::TooShort { len: bytes.len() });
        };
        let fields = Fields(head);
        if fields.bytes(0) != MAGIC {
            return Err(ParseError::NotAModel);
        }
        if fields.u16(4) != VERSION {
            return Err(ParseError::Version(fields.u16(4)));
        }
        if usize::try_from(fields.u32(8)) != Ok(bytes.len()) {
            return Err(ParseError::Length { stated: fields.u32(8), actual: bytes.len() });
        }
        let (stated, computed) = (fields.u32(12), checksum(bytes));
        if stated != computed {
            return Err(ParseError::Checksum { stated, computed });
        }
        Self::from_fields(&fields)
    }

    fn from_fields(fields: &Fields<'_>) -> Result<Self, ParseError> {
        let within = |field: &'static str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) { Ok(value) } else { Err(refuse(field, value as u32)) }
        };
        let half = |at: usize| usize::from(fields.u16(at));
        within("header length", half(6), HEADER_BYTES, HEADER_BYTES)?;
        let role = match fields.u8(16) {
            0 => Role::Sampler,
            1 => Role::CentreDenoiser,
            other => return Err(refuse("role", other.into())),
        };
        let sampler = role == Role::Sampler;
        let dim_in = within("dim_in", half(20), 1, WIDTH_MAX)?;
        let dim_out = within("dim_out", half(22), 1, WIDTH_MAX)?;
        if sampler && dim_out != dim_in {
            return Err(refuse("dim_out", dim_out as u32));
        }
        let sigma_data = f32::from_bits(fields.u32(40));
        if !(sigma_data.is_finite() && sigma_data > 0.0) {
            return Err(refuse("sigma_data", fields.u32(40)));
        }
        let prediction = match fields.u8(17) {
            0 => Prediction::Epsilon,
            1 => Prediction::X0,
            2 => Prediction::V,
            3 => Prediction::Score,
            4 => Prediction::Flow,
            5 => Prediction::EdmF { sigma_data },
            other => return Err(refuse("prediction", other.into())),
        };
        let image = match (fields.u16(44), fields.u16(46)) {
            (0, 0) => None,
            (height, width) if usize::from(height) * usize::from(width) == dim_out => Some((height, width)),
            (height, _) => return Err(refuse("image height", height.into())),
        };
        let classes = half(26);
        let plans = within("plans", half(30), usize::from(sampler), if sampler { PLANS_MAX } else { 0 })?;
        let rows = fields.u32(32);
        if (rows > 0) != sampler {
            return Err(refuse("rows", rows));
        }
        let plan = fields.u16(48);
        if usize::from(plan) > plans.saturating_sub(1) {
            return Err(refuse("self-test plan", plan.into()));
        }
        within("self-test class", half(50), 0, classes)?;
        let sample = fields.u32(52);
        if sample >= SELF_TEST_SAMPLES {
            return Err(refuse("self-test sample", sample));
        }
        if let Some(byte) = fields.bytes::<24>(72).iter().find(|byte| **byte != 0) {
            return Err(refuse("reserved", u32::from(*byte)));
        }
        Ok(Self {
            role,
            prediction,
            layers: within("layers", fields.u8(18).into(), 1, LAYERS_MAX)?,
            history: within("history", fields.u8(19).into(), 1, HISTORY_MAX)?,
            dim_in,
            dim_out,
            width: within("width", half(24), dim_in.max(dim_out), WIDTH_MAX)?,
            classes,
            levels: within("levels", half(28), 1, usize::from(u16::MAX))?,
            plans,
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
            text: usize::try_from(fields.u32(36)).unwrap_or(usize::MAX),
            sigma_data,
            image,
            self_test: SelfTest {
                plan,
                class: fields.u16(50).checked_sub(1),
                sample,
                seed: fields.u64(56),
                digest: fields.u64(64),
            },
        })
    }

    pub fn prediction_code(prediction: Prediction) -> u8 {
        match prediction {
            Prediction::Epsilon => 0,
            Prediction::X0 => 1,
            Prediction::V => 2,
            Prediction::Score => 3,
            Prediction::Flow => 4,
            Prediction::EdmF { .. } => 5,
        }
    }
}

/// Bytes of working memory for a model of these sizes: state, predictions, outputs (two with classes, for guidance), and
/// two buffers of activation lanes.
#[must_use]
pub const fn arena_bytes_of(dim_in: usize, dim_out: usize, width: usize, history: usize, guided: bool) -> usize {
    let dim = if dim_in > dim_out { dim_in } else { dim_out };
    4 * Workspace::len(dim, history, guided) + lane_bytes(width)
}

/// Bytes of the two buffers of activation lanes: whole words.
pub(super) const fn lane_bytes(width: usize) -> usize {
    (size_of::<Lane>() * Network::lanes(width)).next_multiple_of(4)
}

/// Bytes of working memory that suffice for every model.
pub const ARENA_BYTES_MAX: usize = arena_bytes_of(WIDTH_MAX, WIDTH_MAX, WIDTH_MAX, HISTORY_MAX, true);

/// Bytes of working memory that the model needs, from its header alone: for the size of an
/// [`Arena`](super::Arena) at compile time. Bytes that are no model give 0.
///
/// ```
/// const MODEL: &[u8] = include_bytes!("../../tests/golden/v1-digits-random.mote");
/// static mut ARENA: mote_core::model::Arena<{ mote_core::model::arena_bytes(MODEL) }> = mote_core::model::Arena::new();
/// ```
#[must_use]
pub const fn arena_bytes(model: &[u8]) -> usize {
    let Some(head) = model.first_chunk::<HEADER_BYTES>() else { return 0 };
    let dim_in = u16::from_le_bytes([head[20], head[21]]) as usize;
    let dim_out = u16::from_le_bytes([head[22], head[23]]) as usize;
    let width = u16::from_le_bytes([head[24], head[25]]) as usize;
    let classes = u16::from_le_bytes([head[26], head[27]]);
    arena_bytes_of(dim_in, dim_out, width, head[19] as usize, classes > 0)
}
