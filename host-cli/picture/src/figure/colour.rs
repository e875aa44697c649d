use plotters::style::RGBColor;

/// Okabe and Ito's colours, which colour-blind readers can tell apart, without the yellow that white swallows, and a grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// The first of a series.
    Blue,
    /// Red enough to stand out.
    Vermilion,
    /// Bluish green.
    Green,
    /// Reddish purple.
    Purple,
    /// Light blue.
    Sky,
    /// Orange.
    Orange,
    /// For theory beside measurement.
    Black,
    /// For guides.
    Grey,
}

impl Colour {
    /// The colours of a series, in order.
    pub const SERIES: [Self; 7] =
        [Self::Blue, Self::Vermilion, Self::Green, Self::Purple, Self::Sky, Self::Orange, Self::Black];

    /// The colour of curve `index` of a series; after seven they come again.
    #[must_use]
    pub fn nth(index: usize) -> Self {
        Self::SERIES[index % Self::SERIES.len()]
    }

    pub(super) fn rgb(self) -> RGBColor {
        match self {
            Self::Blue => RGBColor(0, 114, 178),
            Self::Vermilion => RGBColor(213, 94, 0),
            Self::Green => RGBColor(0, 158, 115),
            Self::Purple => RGBColor(204, 121, 167),
            Self::Sky => RGBColor(86, 180, 233),
            Self::Orange => RGBColor(230, 159, 0),
            Self::Black => RGBColor(0, 0, 0),
            Self::Grey => RGBColor(130, 130, 130),
        }
    }
}
