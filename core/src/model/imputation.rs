//! The section of a model that fills gaps: windows, the autoregression and the rows of its draws.

use super::error::{ParseError, Part};
use super::header::Header;
use super::number::finite;
use super::write::{Cursor, WriteError};
use crate::job::{Autoregression, ORDER_MAX};
use crate::sampler::{Plan, ROW_BYTES, Row};

/// Bytes of the record at its start.
pub(super) const RECORD_BYTES: usize = 16;

/// What a model that fills gaps has besides its network, viewed in place.
#[derive(Clone, Copy, Debug)]
pub struct Imputation<'a> {
    record: Record,
    rows: &'a [[u8; ROW_BYTES]],
    autoregression: Autoregression<'a>,
}

/// Sizes, as the file begins the section with them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    window: u16,
    around: u16,
    order: u16,
    rows: u16,
    start_scale: f32,
}

/// What a blob is to hold for filling gaps.
#[derive(Clone, Copy, Debug)]
pub struct ImputationParts<'a> {
    /// Samples of means and of deviations that the network sees, odd.
    pub window: u16,
    /// Samples of the state that it sees, odd.
    pub around: u16,
    /// Order of the autoregression.
    pub order: u16,
    /// The scale of the noise that a draw starts from.
    pub start_scale: f32,
    /// Rows of a draw.
    pub rows: &'a [Row],
    /// The numbers of the autoregression, [`Autoregression::numbers`] of them.
    pub autoregression: &'a [f32],
}

#[inline(always)]
fn refuse<E: From<ParseError>>(field: &'static str, value: u32) -> E {
    E::from(ParseError::Value { part: Part::Imputation, field, value })
}

impl Record {
    /// Reads and checks the record of a model with this header.
    pub fn parse<E: From<ParseError>>(bytes: &[u8], header: Header<'_>) -> Result<Self, E> {
        let (halves, _) = bytes.as_chunks::<2>();
        let [window, around, order, rows, s0, s1, z0, z1] = *halves else { return Err(refuse("record", 0)) };
        let [window, around, order, rows] = [window, around, order, rows].map(u16::from_le_bytes);
        let ([a, b], [c, d]) = (s0, s1);
        let record = Self { window, around, order, rows, start_scale: f32::from_le_bytes([a, b, c, d]) };
        for (field, samples) in [("window", window), ("samples of the state", around)] {
            if samples % 2 == 0 {
                return Err(refuse(field, samples.into()));
            }
        }
        let samples = 2 * usize::from(window) + usize::from(around);
        if samples * header.dim_out() != header.dim_in() {
            return Err(refuse("window", window.into()));
        }
        if usize::from(order) > ORDER_MAX {
            return Err(refuse("order", order.into()));
        }
        if rows == 0 {
            return Err(refuse("rows", 0));
        }
        finite::<E>(Part::Imputation, "start_scale", record.start_scale)?;
        let [[z0, z1], [z2, z3]] = [z0, z1];
        match u32::from_le_bytes([z0, z1, z2, z3]) {
            0 => Ok(record),
            reserved => Err(refuse("reserved", reserved)),
        }
    }

    pub fn rows(self) -> usize {
        self.rows.into()
    }

    /// Numbers of the autoregression.
    pub fn numbers(self, header: Header<'_>) -> usize {
        Autoregression::numbers(header.dim_out(), self.order.into())
    }

    /// The section, once its rows are checked.
    pub fn with<'a, E: From<ParseError>>(
        self,
        header: Header<'_>,
        rows: &'a [[u8; ROW_BYTES]],
        numbers: &'a [u8],
    ) -> Result<Imputation<'a>, E> {
        let autoregression = Autoregression::new(header.dim_out(), self.order.into(), numbers)
            .ok_or_else(|| refuse("autoregression", self.order.into()))?;
        Ok(Imputation { record: self, rows, autoregression })
    }
}

impl<'a> Imputation<'a> {
    /// Samples of means and of deviations that the network sees.
    #[must_use]
    pub fn window(&self) -> usize {
        self.record.window.into()
    }

    /// Samples of the state that it sees.
    #[must_use]
    pub fn around(&self) -> usize {
        self.record.around.into()
    }

    /// The rows of a draw.
    #[must_use]
    pub fn plan(&self) -> Plan<'a> {
        Plan::from_bytes(self.rows, self.record.start_scale)
    }

    /// What fills gaps before the network looks at them.
    #[must_use]
    pub fn autoregression(&self) -> Autoregression<'a> {
        self.autoregression
    }
}

impl ImputationParts<'_> {
    pub(super) fn write(&self, to: &mut Cursor<'_>) -> Result<(), WriteError> {
        let rows = u16::try_from(self.rows.len()).map_err(|_| WriteError::TooLarge("rows of a draw"))?;
        for half in [self.window, self.around, self.order, rows] {
            to.put(&half.to_le_bytes());
        }
        to.put(&self.start_scale.to_le_bytes());
        to.put(&[0; 4]);
        to.section(self.rows.iter().map(Row::to_bytes));
        to.section(self.autoregression.iter().map(|x| x.to_le_bytes()));
        Ok(())
    }
}
