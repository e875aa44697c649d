//! Tables from NumPy's .npy format (versions 1.0 to 3.0).

use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

use super::error::DataError;
use super::labels::Labels;
use super::{LoadOptions, MAX_DIM, Missing, Table};

/// Headers of plain arrays are far shorter; a longer one describes records, which are refused anyway.
const MAX_HEADER: usize = 1024;

/// The warning that says how many rows were left out.
pub(super) fn dropped(path: &str, dropped: usize, left: usize) -> String {
    let rows = if dropped == 1 { "row" } else { "rows" };
    format!("{path}: {dropped} {rows} with missing values left out, {left} kept")
}

/// Reads `bytes`, the content of the .npy file at `path`, into a table called `name`.
pub(super) fn read(path: &str, name: String, bytes: &[u8], options: &LoadOptions) -> Result<Table, DataError> {
    let refuse = |problem: String| DataError::Npy { path: path.into(), problem };
    let text_end = check_preamble(bytes).map_err(refuse)?;
    // The parser's own message runs over several lines and says no more than this.
    let header = NpyHeader::from_reader(bytes)
        .map_err(|_| refuse("the .npy header makes no sense; save it again with numpy.save".into()))?;
    let number = Number::of(&header.dtype()).map_err(refuse)?;
    let shape = Shape::of(&header).map_err(refuse)?;
    if shape.dim() > MAX_DIM as u64 {
        return Err(DataError::TooManyColumns { path: path.into(), found: shape.dim() });
    }
    let body = &bytes[text_end..];
    let promised = u128::from(shape.rows) * u128::from(shape.dim()) * number.size as u128;
    let there = body.len() as u128;
    if there < promised {
        return Err(refuse(format!(
            "the file is cut short: its header promises {promised} bytes of values, {there} are there; copy or save it again"
        )));
    }
    if there > promised {
        return Err(refuse(format!("{} bytes follow the array; save one array in a file", there - promised)));
    }
    // The values are all there, so rows and features fit in memory.
    let (rows, dim) = (shape.rows as usize, shape.dim() as usize);
    let mut values: Vec<f32> = body.chunks_exact(number.size).map(|b| number.decode(b)).collect();
    if header.order() == Order::Fortran {
        values = shape.to_row_major(&values);
    }
    assemble(path, name, rows, dim, &values, &shape, options)
}

fn assemble(
    path: &str,
    name: String,
    rows: usize,
    dim: usize,
    values: &[f32],
    shape: &Shape,
    options: &LoadOptions,
) -> Result<Table, DataError> {
    let label = match &options.label {
        None => None,
        Some(_) if shape.image.is_some() => {
            return Err(DataError::LabelNotPossible {
                path: path.into(),
                why: "an array of images has no label column; leave --label out",
            });
        }
        Some(label) => match label.parse::<usize>() {
            Ok(number) if (1..=dim).contains(&number) => Some(number - 1),
            _ => {
                return Err(DataError::UnknownLabel {
                    path: path.into(),
                    label: label.clone(),
                    columns: format!("numbered 1 to {dim}"),
                });
            }
        },
    };
    let features: Vec<usize> = (0..dim).filter(|&c| Some(c) != label).collect();
    if features.is_empty() {
        return Err(DataError::NoFeatures { path: path.into() });
    }
    let columns = features.iter().map(|&c| match shape.image {
        Some((_, width)) => format!("r{}c{}", c / width, c % width),
        None => format!("c{}", c + 1),
    });
    let mut table = Table {
        name,
        columns: columns.collect(),
        rows: 0,
        dim: features.len(),
        values: Vec::with_capacity(rows * features.len()),
        labels: None,
        image: shape.image,
        dropped_rows: 0,
        warnings: Vec::new(),
    };
    let mut label_cells = Vec::new();
    for (index, row) in values.chunks_exact(dim).enumerate() {
        if let Some(column) = row.iter().position(|x| !x.is_finite())
            && options.missing != Missing::Keep
        {
            if options.missing == Missing::Drop {
                table.dropped_rows += 1;
                continue;
            }
            return Err(DataError::Missing {
                path: path.into(),
                place: format!("row {}, column {}", index + 1, column + 1),
                what: format!("{} is not a finite 32-bit number", row[column]),
            });
        }
        if let Some(column) = label {
            let value = row[column];
            if value.fract() != 0.0 {
                return Err(DataError::BadLabel {
                    path: path.into(),
                    label: (column + 1).to_string(),
                    why: format!("row {} has {value}, labels are whole numbers", index + 1),
                });
            }
            label_cells.push(format!("{value}"));
        }
        table.values.extend(features.iter().map(|&c| if row[c].is_finite() { row[c] } else { f32::NAN }));
        table.rows += 1;
    }
    if table.rows < 2 {
        return Err(DataError::TooFewRows { path: path.into(), found: rows, left: table.rows });
    }
    if let Some(column) = label {
        table.labels = Some(Labels::from_cells(label_cells, path, &(column + 1).to_string())?);
    }
    if table.dropped_rows > 0 {
        table.warnings.push(dropped(path, table.dropped_rows, table.rows));
    }
    Ok(table)
}

/// Checks what the header parser takes on trust: lengths, nesting and the size of the numbers. Returns where the values start.
fn check_preamble(bytes: &[u8]) -> Result<usize, String> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    const CUT: &str = "the file is cut short inside its header; copy or save it again";
    if !bytes.starts_with(MAGIC) {
        let shown = &bytes[..bytes.len().min(MAGIC.len())];
        return Err(if MAGIC.starts_with(shown) {
            CUT.into()
        } else {
            "does not start as an .npy file does; save the array with numpy.save".into()
        });
    }
    let (length, start) = match *bytes.get(6..).unwrap_or_default() {
        [1, 0, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 10),
        [2 | 3, 0, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        [] | [1..=3] | [1..=3, 0, ..] => return Err(CUT.into()),
        [major, ..] => {
            return Err(format!(".npy version {major} is not known; save it with numpy.save in version 1.0"));
        }
    };
    if length > MAX_HEADER {
        return Err("its header is too long for a plain array; save the numbers alone, without named fields".into());
    }
    let text = bytes.get(start..start + length).ok_or(CUT)?;
    let mut depth = 0usize;
    for &b in text {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 8 {
            return Err("its header is nested too deep for a plain array; save it with numpy.save".into());
        }
    }
    // The product of the shape must not overflow in the parser; every number in the header counts, which errs on the safe side.
    let numbers = text.split(|b| !b.is_ascii_digit()).filter(|n| !n.is_empty());
    let product = numbers
        .map(|n| std::str::from_utf8(n).ok()?.parse::<u64>().ok())
        .try_fold(1u64, |product, n| product.checked_mul(n?.max(1)));
    if product.is_none() {
        return Err("its header claims an impossible size; copy or save it again".into());
    }
    Ok(start + length)
}

/// An array's rows, and what a row is.
struct Shape {
    rows: u64,
    features: Features,
    image: Option<(usize, usize)>,
}

#[derive(Clone, Copy)]
enum Features {
    Flat(u64),
    Image(u64, u64),
}

impl Shape {
    fn of(header: &NpyHeader) -> Result<Self, String> {
        let shape = header.shape();
        let (rows, features) = match *shape {
            [rows] => (rows, Features::Flat(1)),
            [rows, dim] => (rows, Features::Flat(dim)),
            [rows, height, width] => (rows, Features::Image(height, width)),
            _ => {
                return Err(format!(
                    "an array of {} dimensions; reshape it to [rows, features] or [rows, height, width]",
                    shape.len()
                ));
            }
        };
        if shape.contains(&0) {
            return Err(format!("the array {shape:?} holds no values; at least two rows are needed"));
        }
        let image = match features {
            Features::Flat(_) => None,
            // Larger ones are refused by their product.
            Features::Image(height, width) => Some((height as usize, width as usize)),
        };
        Ok(Self { rows, features, image })
    }

    fn dim(&self) -> u64 {
        match self.features {
            Features::Flat(dim) => dim,
            Features::Image(height, width) => height.saturating_mul(width),
        }
    }

    /// First-index-fastest values in last-index-fastest order.
    fn to_row_major(&self, values: &[f32]) -> Vec<f32> {
        let rows = self.rows as usize;
        let (height, width) = match self.features {
            Features::Flat(dim) => (1, dim as usize),
            Features::Image(height, width) => (height as usize, width as usize),
        };
        let mut out = Vec::with_capacity(values.len());
        for n in 0..rows {
            for h in 0..height {
                out.extend((0..width).map(|w| values[n + rows * (h + height * w)]));
            }
        }
        out
    }
}

/// A kind of number and its bytes.
struct Number {
    kind: TypeChar,
    size: usize,
    big: bool,
}

impl Number {
    fn of(dtype: &DType) -> Result<Self, String> {
        let plain = match dtype {
            DType::Plain(plain) => plain,
            _ => {
                return Err("its values are records, not plain numbers; save one numeric array".into());
            }
        };
        let size = plain.size_field();
        let known = match plain.type_char() {
            TypeChar::Bool => size == 1,
            TypeChar::Int | TypeChar::Uint => matches!(size, 1 | 2 | 4 | 8),
            TypeChar::Float => matches!(size, 2 | 4 | 8),
            _ => false,
        };
        if !known {
            return Err(format!(
                "its values are {} ({plain}); save them as float32: array.astype(\"float32\")",
                description(plain)
            ));
        }
        Ok(Self { kind: plain.type_char(), size: size as usize, big: plain.endianness() == Endianness::Big })
    }

    /// One value; `bytes` has the number's size. Values beyond f32 become infinite, and are then reported as not finite.
    fn decode(&self, bytes: &[u8]) -> f32 {
        let mut word = [0u8; 8];
        for (i, &b) in bytes.iter().enumerate() {
            let place = if self.big { bytes.len() - 1 - i } else { i };
            word[place] = b;
        }
        let bits = u64::from_le_bytes(word);
        let unused = 64 - 8 * bytes.len() as u32;
        match (self.kind, bytes.len()) {
            (TypeChar::Float, 2) => half(bits as u16),
            (TypeChar::Float, 4) => f32::from_bits(bits as u32),
            (TypeChar::Float, _) => f64::from_bits(bits) as f32,
            (TypeChar::Int, _) => (((bits << unused) as i64) >> unused) as f32,
            (TypeChar::Bool, _) => f32::from(u8::from(bits != 0)),
            _ => bits as f32,
        }
    }
}

/// IEEE 754 binary16 to f32, exact.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

fn description(plain: &TypeStr) -> &'static str {
    match plain.type_char() {
        TypeChar::Complex => "complex numbers",
        TypeChar::TimeDelta | TypeChar::DateTime => "dates or times",
        TypeChar::ByteStr | TypeChar::UnicodeStr => "text",
        TypeChar::Object => "Python objects",
        _ => "of a type that is not read",
    }
}

#[cfg(test)]
#[path = "npy_tests.rs"]
mod tests;
