//! What a network takes on a chip, and which networks a chip has room for, before anything is trained.

mod costs;
mod on_board;
mod search;
mod size;

pub use costs::{BoardCosts, Work, board_costs, boards};
pub use on_board::{Footprint, OnBoard, PlanOnBoard};
pub use search::{Budget, Design, Objection, Proposal, propose};
pub use size::blob_bytes;
