use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::layout::{TICK, text_width};
use super::{Axis, Scale};
use crate::ticks::{linear_ticks, log_ticks, tick};

/// An axis as plotters sees it: linear in places, which are values or, on a logarithmic axis, their logarithms.
#[derive(Clone, Debug)]
pub(super) struct Ruler {
    axis: Axis,
    /// Place of the lower end.
    pub(super) low: f64,
    /// Place of the upper end.
    pub(super) high: f64,
    /// Values with a tick.
    ticks: Vec<f64>,
}

impl Ruler {
    /// The axis between two values, with at most about `most` ticks.
    pub(super) fn new(scale: &Scale, (low, high): (f64, f64), most: usize) -> Self {
        let ticks = match scale.axis {
            Axis::Linear => linear_ticks(low, high, most.max(2)),
            Axis::Log => log_ticks(low, high, most.max(2)),
        };
        let mut ruler = Self { axis: scale.axis, low, high, ticks };
        (ruler.low, ruler.high) = (ruler.place(low), ruler.place(high));
        ruler
    }

    /// The axis between two values, with as many ticks as have room for their labels along `length` pixels.
    pub(super) fn with_room(scale: &Scale, ends: (f64, f64), length: f64) -> Self {
        const GAP: f64 = 22.0;
        let most = (length / (2.0 * GAP)).max(2.0) as usize;
        let fits = |ruler: &Self| ruler.ticks.len() as f64 * (ruler.widest() + GAP) <= length;
        let rulers = (2..=most).rev().map(|most| Self::new(scale, ends, most));
        rulers.clone().find(fits).unwrap_or_else(|| Self::new(scale, ends, 2))
    }

    /// Whether the axis can show a value. Beyond f32 the differences of an axis could overflow.
    pub(super) fn shows(axis: Axis, value: f64) -> bool {
        value.abs() < f64::from(f32::MAX) && (axis == Axis::Linear || value > f64::from(f32::MIN_POSITIVE))
    }

    /// The place of a value, NaN for one that the axis cannot show.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.axis {
            axis if !Self::shows(axis, value) => f64::NAN,
            Axis::Linear => value,
            Axis::Log => value.log10(),
        }
    }

    /// The place of a value, or the nearest end; what lies at or below zero is at the foot of a logarithmic axis.
    pub(super) fn nearest(&self, value: f64) -> f64 {
        let least = match self.axis {
            Axis::Linear => f64::from(f32::MIN),
            Axis::Log => f64::from(f32::MIN_POSITIVE),
        };
        let value = value.clamp(least, f64::from(f32::MAX));
        let place = if self.axis == Axis::Log { value.log10() } else { value };
        place.clamp(self.low, self.high)
    }

    /// Width of the widest label, in pixels.
    pub(super) fn widest(&self) -> f64 {
        self.ticks.iter().map(|&v| text_width(&tick(v), TICK)).fold(0.0, f64::max)
    }
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (place - self.low) / (self.high - self.low);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new(); // lines at ticks and no others
        }
        self.ticks.iter().map(|&v| self.place(v)).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format_ext(&self, place: &f64) -> String {
        tick(match self.axis {
            Axis::Linear => *place,
            Axis::Log => 10f64.powf(*place),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_land_where_they_belong() {
        let ruler = Ruler::new(&Scale::log(""), (1.0, 1e4), 9);
        assert_eq!((ruler.map(&ruler.place(100.0), (0, 800)), ruler.map(&ruler.place(1.0), (0, 800))), (400, 0));
        assert_eq!((ruler.nearest(-3.0), ruler.nearest(f64::INFINITY)), (0.0, 4.0));
        assert!(ruler.place(0.0).is_nan());
        assert_eq!(ruler.format_ext(&3.0), "1000");
        let ruler = Ruler::new(&Scale::linear(""), (-1.0, 1.0), 2);
        // Upwards on a screen is backwards.
        assert_eq!((ruler.map(&0.5, (400, 0)), ruler.nearest(-3.0)), (100, -1.0));
    }
}
