//! The page of a run: one HTML file with everything in it, no network and no script needed to read it.

mod charts;
mod efficiency;
mod frontier;
mod page;
mod scenes;
mod trajectory;

pub use efficiency::{Efficiency, EfficiencyOptions, EfficiencyPoint};
pub use frontier::{FrontierError, FrontierPoint, read_frontier};
pub use page::Report;
pub use scenes::{Picture, samples_beside_data, trajectory_frames};
pub use trajectory::{Followed, Frame, frames};

use serde::{Deserialize, Serialize};

/// What a board measured, and whether its bits are the host's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoardReport {
    /// Name of the board.
    pub board: String,
    /// Lines of name and value.
    pub lines: Vec<(String, String)>,
    /// Whether every digest was the host's.
    pub bits_equal: bool,
}
