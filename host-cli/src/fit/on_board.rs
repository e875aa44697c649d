//! What a blob takes on a board: the same sums for one that is there and for one that is only proposed.

use std::fmt::Write as _;

use mote_core::model::Model;
use mote_core::network::Network;
use serde::Serialize;

use super::{BoardCosts, Work};
use crate::inspection::bytes;

/// Bytes that a model and the program around it take on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of flash, program included.
    pub flash_bytes: usize,
    /// Bytes of working memory.
    pub arena_bytes: usize,
    /// Bytes of memory, statics and stack included.
    pub ram_bytes: usize,
}

impl BoardCosts {
    /// What a blob of so many bytes takes, by its working memory on this machine and the width of its network: boards differ in the bytes of an
    /// activation code.
    #[must_use]
    pub fn footprint(&self, blob_bytes: usize, arena_on_host: usize, width: usize) -> Footprint {
        let lanes = Network::lanes(width);
        let arena_bytes = arena_on_host - size_of::<i16>() * lanes + self.lane_bytes * lanes;
        Footprint {
            flash_bytes: blob_bytes + self.code_bytes,
            arena_bytes,
            ram_bytes: arena_bytes + self.other_ram_bytes,
        }
    }
}

/// What a blob takes on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnBoard {
    /// The board's name.
    pub board: String,
    /// The core's name.
    pub core: String,
    /// Cycles a second.
    pub clock_hz: f64,
    /// Bytes of flash, program included.
    pub flash_bytes: usize,
    /// Bytes of working memory, enough for every plan.
    pub arena_bytes: usize,
    /// Bytes of memory, statics and stack included.
    pub ram_bytes: usize,
    /// A sample by each plan.
    pub plans: Vec<PlanOnBoard>,
}

/// A sample by one plan, without guidance, on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanOnBoard {
    /// The plan's name.
    pub name: String,
    /// Instructions.
    pub instructions: f64,
    /// The least and the most cycles to expect.
    pub cycles: [f64; 2],
    /// The same in seconds.
    pub seconds: [f64; 2],
}

impl OnBoard {
    /// Looks at a checked blob with a board's costs.
    #[must_use]
    pub fn of(model: &Model<'_>, costs: &BoardCosts, clock_hz: f64) -> Self {
        let network = model.network();
        let rows = network.layers().iter().map(|layer| layer.rows());
        let widths: Vec<usize> = std::iter::once(model.dim_in()).chain(rows).collect();
        let Footprint { flash_bytes, arena_bytes, ram_bytes } =
            costs.footprint(model.blob_bytes(), model.arena_bytes(), network.width());
        let plans = model.plans().map(|plan| {
            let noisy_steps = plan.plan.rows().filter(|row| row.e != 0.0).count();
            let work = Work { widths: widths.clone(), steps: plan.plan.len(), noisy_steps };
            let cycles = costs.cycles(&work);
            PlanOnBoard {
                name: plan.name.into(),
                instructions: costs.sample(&work).round(),
                cycles: cycles.map(f64::round),
                seconds: cycles.map(|cycles| cycles / clock_hz),
            }
        });
        Self {
            board: costs.board.clone(),
            core: costs.core.clone(),
            clock_hz,
            flash_bytes,
            arena_bytes,
            ram_bytes,
            plans: plans.collect(),
        }
    }

    /// The same as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("\non a {} ({}) at {} MHz\n", self.core, self.board, self.clock_hz / 1e6);
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<25}{value}");
        };
        line("flash, with the program", bytes(self.flash_bytes));
        line("memory, with the stack", format!("{}, {} of it working memory", bytes(self.ram_bytes), self.arena_bytes));
        for PlanOnBoard { name, instructions, cycles, seconds } in &self.plans {
            let times = format!(
                "{:.0} to {:.0} cycles, {:.1} to {:.1} ms",
                cycles[0],
                cycles[1],
                1e3 * seconds[0],
                1e3 * seconds[1]
            );
            line(&format!("plan {name}"), format!("{instructions} instructions a sample, {times}"));
        }
        out
    }
}
