//! The floating-point unit's mode: only IEEE 754 as it stands gives the same bits everywhere.

use crate::console::Console;
use crate::failure::Trouble;
use crate::{fault, machine};

/// Ends the image unless floats are rounded as they are everywhere.
pub fn insist(console: &mut Console) {
    if let Some(status) = machine::float_trouble() {
        fault::finish(console, &Trouble::FloatMode(status));
    }
}
