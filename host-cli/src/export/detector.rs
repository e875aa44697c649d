//! A calibration as a module of Rust.

use std::fmt::Write as _;

use mote_core::job::{Judgement, Level};
use mote_device::Calibration;

/// A detector for a model: its calibration, and the model's levels that it asks.
#[derive(Clone, Copy, Debug)]
pub struct ExportedDetector<'m> {
    /// The calibration.
    pub calibration: &'m Calibration,
    /// The levels.
    pub levels: &'m [Level],
}

impl ExportedDetector<'_> {
    /// The module `detector`, whose numbers lie in flash.
    pub(super) fn rust(&self) -> String {
        let Calibration { channels, length, seeds, quantile, normal_windows, threshold, numbers, .. } =
            self.calibration;
        let judgement = match self.calibration.judgement.into() {
            Judgement::Pattern => "Pattern",
            Judgement::Sensors => "Sensors",
        };
        let mut levels = String::new();
        for Level { index, noise } in self.levels {
            let (alpha, sigma) = (noise.alpha, noise.sigma);
            let _ = writeln!(
                levels,
                "        Level {{ index: {index}, noise: NoiseLevel {{ alpha: {alpha:?}, sigma: {sigma:?} }} }},"
            );
        }
        let mut rows = String::new();
        for row in numbers.chunks(8) {
            let row: Vec<String> = row.iter().map(|x| format!("{x:?}")).collect();
            let _ = writeln!(rows, "        {},", row.join(", "));
        }
        format!(
            "\n\
             /// What tells windows that do not look like normal data: `DETECTOR.score`, or a `Scoring` for an evaluation at a time.\n\
             pub mod detector {{\n\
             \x20   use mote_core::job::{{Detector, Judgement, Level}};\n\
             \x20   use mote_core::schedule::NoiseLevel;\n\
             \n\
             \x20   /// Samples in a window.\n\
             \x20   pub const LENGTH: usize = {length};\n\
             \x20   /// Values of a sample: {names}.\n\
             \x20   pub const CHANNELS: usize = {channels};\n\
             \x20   /// A score above it is an alarm: the {quantile} quantile of {normal_windows} normal windows.\n\
             \x20   pub const THRESHOLD: f32 = {threshold:?};\n\
             \n\
             \x20   /// Levels and calibration of this model, and of no other.\n\
             \x20   pub static DETECTOR: Detector<'static> =\n\
             \x20       Detector {{ judgement: Judgement::{judgement}, levels: &LEVELS, seeds: {seeds}, calibration: &NUMBERS }};\n\
             \n\
             \x20   static LEVELS: [Level; {level_count}] = [\n{levels}    ];\n\
             \n\
             \x20   static NUMBERS: [f32; {number_count}] = [\n{rows}    ];\n\
             }}\n",
            names = channels.join(", "),
            channels = channels.len(),
            level_count = self.levels.len(),
            number_count = numbers.len(),
        )
    }
}
