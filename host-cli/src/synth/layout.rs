use super::Rows;
use crate::data::{Scaling, ScalingKind};
use crate::run::DataSummary;

/// How far the corners of a square of unit shifts lie out, so that every direction is as long.
const DIAGONAL: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Which values of a row are neighbours, and so what a small shift of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An image, row after row of pixels.
    Image {
        /// Pixel rows.
        height: usize,
        /// Pixels in each.
        width: usize,
    },
    /// A window of a signal, time after time.
    Series {
        /// Times.
        times: usize,
        /// Values at each.
        channels: usize,
    },
    /// Values that are no neighbours: there is nothing to shift.
    Plain,
}

/// A shift down and to the right, in pixels or samples; of a signal only the first counts, later.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// Down, or later.
    pub along: f32,
    /// To the right.
    pub across: f32,
}

impl Layout {
    /// The layout of a run's rows.
    #[must_use]
    pub fn of(summary: &DataSummary) -> Self {
        match (summary.image, &summary.window) {
            (Some((height, width)), _) => Self::Image { height, width },
            (None, Some(window)) => Self::Series { times: window.length, channels: window.channels.len() },
            (None, None) => Self::Plain,
        }
    }

    /// The scaling that training would fit to rows: of images one deviation for all values, of signals one for each channel.
    #[must_use]
    pub fn scaling(self, rows: &Rows) -> Scaling {
        let fitted = match self {
            Self::Image { .. } => Scaling::fit(&rows.values, rows.dim, ScalingKind::Shared),
            Self::Series { channels, .. } => Scaling::fit_channels(&rows.values, rows.dim, channels),
            Self::Plain => Scaling::fit(&rows.values, rows.dim, ScalingKind::PerFeature),
        };
        fitted.scaling
    }

    /// The shifts of a length that a row can take: eight directions of an image, two of a signal. None where the length is 0 or rows have no neighbours.
    #[must_use]
    pub fn shifts(self, length: f32) -> Vec<Shift> {
        let shift = |(along, across): (f32, f32)| Shift { along: along * length, across: across * length };
        let d = DIAGONAL;
        let directions: &[(f32, f32)] = match self {
            _ if length == 0.0 => &[],
            Self::Image { .. } => {
                &[(0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0), (d, d), (-d, d), (d, -d), (-d, -d)]
            }
            Self::Series { .. } => &[(1.0, 0.0), (-1.0, 0.0)],
            Self::Plain => &[],
        };
        directions.iter().copied().map(shift).collect()
    }

    /// A row shifted, between its values linearly; what comes in from outside is the border's own value.
    #[must_use]
    pub fn shifted(self, row: &[f32], by: Shift) -> Vec<f32> {
        let (height, width, depth) = match self {
            Self::Image { height, width } => (height, width, 1),
            Self::Series { times, channels } => (times, 1, channels),
            Self::Plain => return row.to_vec(),
        };
        let down = |y: usize| between(y as f32 - by.along, height);
        let right = |x: usize| between(x as f32 - by.across, width);
        let mut out = Vec::with_capacity(row.len());
        for y in 0..height {
            let (above, below, v) = down(y);
            for x in 0..width {
                let (before, behind, u) = right(x);
                for c in 0..depth {
                    let at = |y: usize, x: usize| row[(y * width + x) * depth + c];
                    let line = |y: usize| at(y, before) * (1.0 - u) + at(y, behind) * u;
                    out.push(line(above) * (1.0 - v) + line(below) * v);
                }
            }
        }
        out
    }
}

/// The two places of `0..count` that a position lies between, and how far towards the second.
fn between(position: f32, count: usize) -> (usize, usize, f32) {
    let last = count.saturating_sub(1);
    let position = position.clamp(0.0, last as f32);
    let first = position.floor() as usize;
    (first, (first + 1).min(last), position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_moves_by_whole_and_half_pixels() {
        let image = Layout::Image { height: 2, width: 3 };
        let row = [0.0, 4.0, 8.0, 10.0, 20.0, 40.0];
        let by = |along, across| image.shifted(&row, Shift { along, across });
        assert_eq!(by(0.0, 0.0), row);
        assert_eq!(by(0.0, 1.0), [0.0, 0.0, 4.0, 10.0, 10.0, 20.0]);
        assert_eq!(by(-1.0, 0.0), [10.0, 20.0, 40.0, 10.0, 20.0, 40.0]);
        assert_eq!(by(0.0, -0.5), [2.0, 6.0, 8.0, 15.0, 30.0, 40.0]);
        assert_eq!(by(0.5, 0.0), [0.0, 4.0, 8.0, 5.0, 12.0, 24.0]);
        // Bilinear: (10 + 20 + 0 + 4) / 4 in the middle of the first four.
        assert_eq!(by(0.5, 0.5)[4], 8.5);
    }

    #[test]
    fn a_signal_moves_in_time_and_each_channel_by_itself() {
        let series = Layout::Series { times: 3, channels: 2 };
        let row = [0.0, 100.0, 2.0, 300.0, 6.0, 700.0];
        assert_eq!(series.shifted(&row, Shift { along: 0.5, across: 0.0 }), [0.0, 100.0, 1.0, 200.0, 4.0, 500.0]);
        assert_eq!(series.shifts(0.5).len(), 2);
    }

    #[test]
    fn every_direction_is_as_long_and_has_an_opposite() {
        let shifts = Layout::Image { height: 8, width: 8 }.shifts(0.7);
        assert_eq!(shifts.len(), 8);
        let length = |s: &Shift| (s.along * s.along + s.across * s.across).sqrt();
        assert!(shifts.iter().all(|s| (length(s) - 0.7).abs() < 1e-6));
        assert!(shifts.iter().map(|s| s.along + s.across).sum::<f32>().abs() < 1e-6);
        assert!(Layout::Plain.shifts(1.0).is_empty() && Layout::Image { height: 8, width: 8 }.shifts(0.0).is_empty());
    }
}
