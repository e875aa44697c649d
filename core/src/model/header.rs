use super::error::{ParseError, Part};
use super::number::positive;
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
    /// It slides over a signal and draws what is missing in it.
    Imputer,
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

/// The header, viewed in place: little-endian fields at constant offsets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a>(&'a [u8; HEADER_BYTES]);

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = CRC.digest();
    digest.update(bytes.get(..12).unwrap_or(&[]));
    digest.update(bytes.get(16..).unwrap_or(&[]));
    digest.finalize()
}

#[inline(always)]
fn refuse<E: From<ParseError>>(field: &'static str, value: u32) -> E {
    E::from(ParseError::Value { part: Part::Header, field, value })
}

impl<'a> Header<'a> {
    /// Checks magic, version, length and checksum, then every field.
    pub fn parse<E: From<ParseError>>(bytes: &'a [u8]) -> Result<Self, E> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(E::from(ParseError::TooShort { len: bytes.len() }));
        };
        let header = Self(head);
        if header.field(0) != MAGIC {
            return Err(E::from(ParseError::NotAModel));
        }
        let version = header.u16(4);
        if version != VERSION {
            return Err(E::from(ParseError::Version(version)));
        }
        let stated = header.u32(8);
        if usize::try_from(stated) != Ok(bytes.len()) {
            return Err(E::from(ParseError::Length { stated, actual: bytes.len() }));
        }
        let (stated, computed) = (header.u32(12), checksum(bytes));
        if stated != computed {
            return Err(E::from(ParseError::Checksum { stated, computed }));
        }
        header.check::<E>()?;
        Ok(header)
    }

    #[inline(never)]
    fn check<E: From<ParseError>>(self) -> Result<(), E> {
        let within = |field: &'static str, value: usize, low: usize, high: usize| -> Result<(), E> {
            if (low..=high).contains(&value) { Ok(()) } else { Err(refuse(field, value as u32)) }
        };
        let half = |at: usize| usize::from(self.u16(at));
        within("header length", half(6), HEADER_BYTES, HEADER_BYTES)?;
        within("role", self.u8(16).into(), 0, if cfg!(feature = "imputation") { 2 } else { 1 })?;
        within("prediction", self.u8(17).into(), 0, 5)?;
        within("layers", self.layers(), 1, LAYERS_MAX)?;
        within("history", self.history(), 1, HISTORY_MAX)?;
        let (dim_in, dim_out) = (self.dim_in(), self.dim_out());
        within("dim_in", dim_in, 1, WIDTH_MAX)?;
        within("dim_out", dim_out, 1, WIDTH_MAX)?;
        within("width", self.width(), dim_in.max(dim_out), WIDTH_MAX)?;
        within("levels", self.levels(), 1, usize::MAX)?;
        let sampler = self.role() == Role::Sampler;
        if sampler && dim_out != dim_in {
            return Err(refuse("dim_out", dim_out as u32));
        }
        within("plans", self.plans(), usize::from(sampler), if sampler { PLANS_MAX } else { 0 })?;
        if (self.rows() > 0) != sampler {
            return Err(refuse("rows", self.u32(32)));
        }
        positive::<E>(Part::Header, "sigma_data", self.sigma_data())?;
        let (height, width) = (half(44), half(46));
        if height | width != 0 && height * width != dim_out {
            return Err(refuse("image height", height as u32));
        }
        within("self-test plan", half(48), 0, self.plans().saturating_sub(1))?;
        within("self-test class", half(50), 0, self.classes())?;
        let sample = self.u32(52);
        if sample >= SELF_TEST_SAMPLES {
            return Err(refuse("self-test sample", sample));
        }
        match self.0.iter().skip(72).find(|byte| **byte != 0) {
            Some(byte) => Err(refuse("reserved", u32::from(*byte))),
            None => Ok(()),
        }
    }

    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }
    fn u8(self, at: usize) -> u8 {
        let [byte] = self.field(at);
        byte
    }
    fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes(self.field(at))
    }
    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.field(at))
    }
    fn u64(self, at: usize) -> u64 {
        u64::from_le_bytes(self.field(at))
    }

    pub fn role(self) -> Role {
        match self.u8(16) {
            0 => Role::Sampler,
            1 => Role::CentreDenoiser,
            _ => Role::Imputer,
        }
    }

    pub fn prediction(self) -> Prediction {
        match self.u8(17) {
            0 => Prediction::Epsilon,
            1 => Prediction::X0,
            2 => Prediction::V,
            3 => Prediction::Score,
            4 => Prediction::Flow,
            _ => Prediction::EdmF { sigma_data: self.sigma_data() },
        }
    }

    pub fn layers(self) -> usize {
        self.u8(18).into()
    }

    pub fn history(self) -> usize {
        self.u8(19).into()
    }

    pub fn dim_in(self) -> usize {
        self.u16(20).into()
    }

    pub fn dim_out(self) -> usize {
        self.u16(22).into()
    }

    pub fn width(self) -> usize {
        self.u16(24).into()
    }

    pub fn classes(self) -> usize {
        self.u16(26).into()
    }

    pub fn levels(self) -> usize {
        self.u16(28).into()
    }

    pub fn plans(self) -> usize {
        self.u16(30).into()
    }

    pub fn rows(self) -> usize {
        usize::try_from(self.u32(32)).unwrap_or(usize::MAX)
    }

    /// Bytes of the text.
    pub fn text(self) -> usize {
        usize::try_from(self.u32(36)).unwrap_or(usize::MAX)
    }

    pub fn sigma_data(self) -> f32 {
        f32::from_bits(self.u32(40))
    }

    pub fn image(self) -> Option<(u16, u16)> {
        let (height, width) = (self.u16(44), self.u16(46));
        (height > 0).then_some((height, width))
    }

    pub fn self_test(self) -> SelfTest {
        SelfTest {
            plan: self.u16(48),
            class: self.u16(50).checked_sub(1),
            sample: self.u32(52),
            seed: self.u64(56),
            digest: self.u64(64),
        }
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
