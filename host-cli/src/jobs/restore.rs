//! From the scale of training back to what sensors give: units, whole numbers, and the range that was ever seen.

use mote_core::model::Model;

use crate::run::WindowSummary;

/// How values go back to the data's own units.
#[derive(Clone, Copy, Debug)]
pub struct Restore<'r, 'a> {
    /// The model, for its scaling.
    pub model: &'r Model<'a>,
    /// Its channels.
    pub window: &'r WindowSummary,
    /// Whether values stay between the least and the largest of their channel in training.
    pub clip: bool,
}

impl Restore<'_, '_> {
    /// Values in the data's own units: scaled back, clipped if that is asked, rounded in channels of whole numbers.
    #[must_use]
    pub fn pieces(&self, scaled: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let WindowSummary { whole, range, .. } = self.window;
        let channels = self.window.channels.len();
        let mut out = scaled.to_vec();
        for piece in &mut out {
            self.model.unscale(piece);
            for (index, x) in piece.iter_mut().enumerate() {
                let channel = index % channels;
                if let (true, Some((low, high))) = (self.clip, range.get(channel)) {
                    *x = x.clamp(*low, *high);
                }
                if whole.get(channel) == Some(&true) {
                    *x = x.round();
                }
            }
        }
        out
    }
}
