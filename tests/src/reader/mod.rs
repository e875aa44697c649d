//! A second reader of the model format, written from `docs/blob-format.md` and not from the code it judges: plain Rust
//! with vectors, wide integers and no regard for speed. Of `mote_core` it uses the noise alone.

mod blob;
mod checksum;
mod compute;
mod gaps;
mod read;

pub use blob::{Blob, Gaps, Layer, Level, Plan, PlanRow};
pub use checksum::{crc32, crc64};
pub use compute::digest;
pub use read::file_checksum;
