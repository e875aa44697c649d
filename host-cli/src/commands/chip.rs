//! The chip that a network is meant for, as arguments.

use mote_qemu::BOARDS;

use crate::fit::{BoardCosts, board_costs};

/// A core and its clock.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Chip {
    /// Board whose core does the work.
    #[arg(long, default_value = BOARDS[0].name, value_parser = board)]
    pub board: &'static BoardCosts,
    /// Clock of the core, as in 64MHz.
    #[arg(long, default_value = "64MHz", value_parser = clock, allow_hyphen_values = true)]
    pub clock: f64,
}

/// A frequency in Hz.
fn clock(text: &str) -> Result<f64, String> {
    let lower = text.trim().to_lowercase();
    let number = lower.strip_suffix("hz").unwrap_or(&lower);
    let (digits, factor) = match number.chars().last() {
        Some('k') => (&number[..number.len() - 1], 1e3),
        Some('m') => (&number[..number.len() - 1], 1e6),
        Some('g') => (&number[..number.len() - 1], 1e9),
        _ => (number, 1.0),
    };
    let found = digits.trim().parse::<f64>().ok().map(|hz| hz * factor).filter(|hz| hz.is_finite() && *hz > 0.0);
    found.ok_or_else(|| "it takes a frequency, as in 64MHz".into())
}

fn board(name: &str) -> Result<&'static BoardCosts, String> {
    let names = || BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", ");
    board_costs(name).ok_or_else(|| format!("the boards are {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_with_their_units() {
        assert_eq!(["64MHz", "16mhz", "32768", "1.5 GHz"].map(clock), [Ok(64e6), Ok(16e6), Ok(32_768.0), Ok(1.5e9)]);
        for wrong in ["", "K", "-1", "0", "many"] {
            assert!(clock(wrong).is_err(), "{wrong}");
        }
    }
}
