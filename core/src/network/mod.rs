//! The quantised score network: layers viewed in place, integer kernels, and the forward pass.
//!
//! The arithmetic is specified in `docs/blob-format.md` ("What a reader computes"); every target and every kernel gives
//! its bits. This module knows neither the file layout nor the samplers.

mod activation;
mod chain;
mod forward;
mod hidden;
mod kernel;
mod lane;
mod layer;
mod layout;
mod requantise;
mod silu_table;

pub use activation::{Activation, PRE_ACTIVATION_FRACTION_BITS, silu};
pub use chain::LayerChain;
pub(crate) use chain::{DESCRIPTOR_BYTES, Descriptor, Link};
pub use forward::{Network, QuantisedDenoiser};
pub use lane::Lane;
use lane::widened;
pub use layer::{ActivationFormat, F32Le, I16Le, Layer, LayerKind, LevelTable};
pub(crate) use layout::{Storage, TILE};
pub use layout::{WeightFormat, WeightLayout};
pub use requantise::{SUM_LIMIT, code_from_input, requantise};

/// The largest dimension and layer width.
pub const WIDTH_MAX: usize = 512;
/// The largest number of layers.
pub const LAYERS_MAX: usize = 16;
