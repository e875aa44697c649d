use super::ALIGNMENT;
use super::error::{ParseError, Part};
use super::header::Header;
#[cfg(feature = "imputation")]
use super::header::Role;
#[cfg(feature = "imputation")]
use super::imputation::{Imputation, RECORD_BYTES, Record};
use super::number::{finite, positive};
use super::utf8::first_fault;
use super::view::{Model, PlanDescriptor};
use crate::network::{
    Activation, ActivationFormat, DESCRIPTOR_BYTES, Descriptor, I16Le, Layer, LayerChain, LayerKind, LevelTable, Link,
    Network, SUM_LIMIT, WeightFormat,
};
use crate::sampler::{HISTORY_MAX, ROW_BYTES};

/// Takes one section after another off a blob.
struct Sections<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Sections<'a> {
    /// The next `count` items of `size` bytes, and the padding after them.
    fn take<E: From<ParseError>>(&mut self, count: usize, size: usize) -> Result<&'a [u8], E> {
        // A count has 32 bits at most, so 64 hold the sum; the file's length is a multiple of 16 or nothing fits it.
        let end = self.at as u64 + count as u64 * size as u64;
        let padded = end.next_multiple_of(ALIGNMENT as u64);
        let needed = usize::try_from(padded).unwrap_or(usize::MAX);
        let padded = self.bytes.get(self.at..needed).and_then(|padded| padded.split_at_checked(count * size));
        let Some((section, padding)) = padded else {
            return Err(E::from(ParseError::Sections { needed, actual: self.bytes.len() }));
        };
        if let Some(at) = padding.iter().position(|byte| *byte != 0) {
            return Err(E::from(ParseError::Padding { offset: self.at + section.len() + at }));
        }
        self.at = needed;
        Ok(section)
    }
}

#[inline(always)]
fn refuse<E: From<ParseError>>(part: Part, field: &'static str, value: u32) -> E {
    E::from(ParseError::Value { part, field, value })
}

/// Checks the descriptor of a layer with `cols` inputs.
fn check_descriptor<E: From<ParseError>>(
    descriptor: Descriptor<'_>,
    number: u16,
    header: Header<'_>,
    cols: usize,
) -> Result<(), E> {
    let refuse = |field: &'static str, value: u32| Err(refuse(Part::Layer(number), field, value));
    let last = usize::from(number) + 1 == header.layers();
    let rows = descriptor.rows();
    if rows == 0 || rows > header.width() || (last && rows != header.dim_out()) {
        return refuse("rows", rows as u32);
    }
    if descriptor.cols() != cols {
        return refuse("columns", descriptor.cols() as u32);
    }
    let [_, _, _, _, activation, flags, weights, layout, format, z9, _, _, z12, z13, z14, z15] = *descriptor.0;
    // None is the last layer's, and its alone.
    if activation > 2 || (activation == 0) != last {
        return refuse("activation", activation.into());
    }
    let residual_misplaced = descriptor.residual() && (number == 0 || last || rows != cols);
    if flags > 7 || residual_misplaced || descriptor.class_biases() && header.classes() == 0 {
        return refuse("flags", flags.into());
    }
    if weights > WeightFormat::LAST_CODE {
        return refuse("weight format", weights.into());
    }
    if layout > 1 {
        return refuse("weight layout", layout.into());
    }
    if format > 1 {
        return refuse("activation format", format.into());
    }
    let reserved = z9 | z12 | z13 | z14 | z15;
    if reserved != 0 {
        return refuse("reserved", reserved.into());
    }
    if descriptor.input_max() <= 0 {
        return refuse("q_max", u32::from(descriptor.input_max() as u16));
    }
    Ok(())
}

impl<'a> Model<'a> {
    /// Checks a blob and views it in place.
    ///
    /// Cost: one pass over the bytes for the checksum and one over the weights for the bound on sums.
    ///
    /// # Errors
    /// [`ParseError`] names the first thing that the format does not allow.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_as(bytes)
    }

    /// As [`parse`](Self::parse), with each refusal made into an error of the caller's where it is found: an error that keeps less of it, as a
    /// status of one byte does, saves the code that carries the rest.
    ///
    /// # Errors
    /// The first thing that the format does not allow.
    pub fn parse_as<E: From<ParseError>>(bytes: &'a [u8]) -> Result<Self, E> {
        let header = Header::parse::<E>(bytes)?;
        let mut sections = Sections { bytes, at: super::HEADER_BYTES };
        let scaling = sections.take::<E>(header.dim_in(), 8)?;
        check_scaling::<E>(scaling)?;
        let (descriptors, _) = sections.take::<E>(header.layers(), DESCRIPTOR_BYTES)?.as_chunks();
        let start = sections.at;
        let end = check_layers::<E>(&mut sections, header, descriptors)?;
        let layers = LayerChain { descriptors, sections: bytes.get(start..sections.at).unwrap_or(&[]) };
        let levels = parse_levels::<E>(&mut sections, header, descriptors, end.level_offset)?;
        let class_biases = sections.take::<E>(header.classes(), 2 * end.class_offset)?;
        let network = Network {
            layers,
            levels,
            class_biases: I16Le::new(class_biases),
            biases_per_class: end.class_offset,
            width: header.width(),
        };
        let (plans, _) = sections.take::<E>(header.plans(), 32)?.as_chunks::<32>();
        let (rows, _) = sections.take::<E>(header.rows(), ROW_BYTES)?.as_chunks::<ROW_BYTES>();
        check_plans::<E>(header, plans, rows)?;
        #[cfg(feature = "imputation")]
        let imputation = match header.role() {
            Role::Imputer => Some(parse_imputation::<E>(&mut sections, header)?),
            _ => None,
        };
        let text = sections.take::<E>(header.text(), 1)?;
        if let Some(at) = first_fault(text) {
            return Err(refuse(Part::Text, "UTF-8 at byte", at as u32));
        }
        if sections.at != bytes.len() {
            return Err(E::from(ParseError::Sections { needed: sections.at, actual: bytes.len() }));
        }
        Ok(Self {
            header,
            bytes,
            scaling,
            network,
            plans,
            rows,
            #[cfg(feature = "imputation")]
            imputation,
            text,
        })
    }
}

fn check_scaling<E: From<ParseError>>(section: &[u8]) -> Result<(), E> {
    let (mean, deviation) = Model::halves(section);
    for value in mean.iter() {
        finite::<E>(Part::Scaling, "mean", value)?;
    }
    for value in deviation.iter() {
        positive::<E>(Part::Scaling, "deviation", value)?;
    }
    Ok(())
}

/// Checks the layers one after another; gives what a layer after the last would take over.
fn check_layers<E: From<ParseError>>(
    sections: &mut Sections<'_>,
    header: Header<'_>,
    descriptors: &[[u8; DESCRIPTOR_BYTES]],
) -> Result<Link, E> {
    let mut link = Link::default();
    let (mut cols, mut width) = (header.dim_in(), header.dim_in());
    for (bytes, number) in descriptors.iter().zip(0u16..) {
        let descriptor = Descriptor(bytes);
        check_descriptor::<E>(descriptor, number, header, cols)?;
        // What follows the sums is not looked at, so neither is the largest code that may come out.
        let layer = link.view(descriptor, 1, |count, size| sections.take::<E>(count, size))?;
        check_layer::<E>(&layer, number)?;
        (cols, width) = (layer.rows, width.max(layer.rows));
    }
    if width != header.width() {
        return Err(refuse(Part::Header, "width", header.width() as u32));
    }
    Ok(link)
}

fn check_layer<E: From<ParseError>>(layer: &Layer<'_>, number: u16) -> Result<(), E> {
    let part = Part::Layer(number);
    let Layer { input_max, input_non_negative, .. } = *layer;
    let eight_bits = if input_non_negative { 255 } else { 127 };
    if layer.input_format == ActivationFormat::Bits8 && input_max > eight_bits {
        return Err(refuse(part, "q_max", input_max as u32));
    }
    match layer.kind {
        LayerKind::Output { scales, biases } => {
            for scale in scales.iter() {
                positive::<E>(part, "scale", scale)?;
            }
            for bias in biases.iter() {
                finite::<E>(part, "bias", bias)?;
            }
        }
        LayerKind::Hidden { multipliers, .. } => {
            for multiplier in multipliers.iter() {
                if multiplier <= 0 {
                    return Err(refuse(part, "multiplier", u32::from(multiplier as u16)));
                }
            }
        }
    }
    check_sums::<E>(layer, number)
}

/// Proves that no row's sum can reach [`SUM_LIMIT`], and that whatever fills the weights up to whole tiles is zero.
fn check_sums<E: From<ParseError>>(layer: &Layer<'_>, number: u16) -> Result<(), E> {
    let Layer { rows, cols, storage, weights, input_max, input_non_negative, .. } = *layer;
    let (all_rows, all_cols) = storage.filled(rows, cols);
    for row in 0..all_rows {
        let (mut up, mut down) = (0i32, 0i32);
        for (weight, col) in storage.row(weights, row, cols).zip(0..all_cols) {
            if weight != 0 && (row >= rows || col >= cols) {
                return Err(E::from(ParseError::WeightPadding { layer: number }));
            }
            let weight = i32::from(weight);
            up += weight.max(0);
            down -= weight.min(0);
        }
        let reach = if input_non_negative { up.max(down) } else { up + down };
        // At most 512 * 128 * 32767 = 2^31 - 2^16, so the product fits.
        if i32::from(input_max).wrapping_mul(reach) >= SUM_LIMIT {
            return Err(E::from(ParseError::SumBound { layer: number, row: row as u16 }));
        }
    }
    Ok(())
}

fn parse_levels<'a, E: From<ParseError>>(
    sections: &mut Sections<'a>,
    header: Header<'_>,
    descriptors: &[[u8; DESCRIPTOR_BYTES]],
    biases_per_level: usize,
) -> Result<LevelTable<'a>, E> {
    let (records, _) = sections.take::<E>(header.levels(), 16)?.as_chunks::<16>();
    for (record, number) in records.iter().zip(0u16..) {
        let part = Part::Level(number);
        let (words, _) = record.as_chunks::<4>();
        let [alpha, sigma, input_scale, output_gain] = *words else { continue };
        let [alpha, sigma, input_scale, output_gain] = [alpha, sigma, input_scale, output_gain].map(f32::from_le_bytes);
        finite::<E>(part, "alpha", alpha)?;
        finite::<E>(part, "sigma", sigma)?;
        // Pure noise has no signal, but a state without either would not be one.
        if alpha < 0.0 || (alpha == 0.0 && sigma == 0.0) {
            return Err(refuse(part, "alpha", alpha.to_bits()));
        }
        if sigma < 0.0 {
            return Err(refuse(part, "sigma", sigma.to_bits()));
        }
        positive::<E>(part, "input_scale", input_scale)?;
        positive::<E>(part, "output_gain", output_gain)?;
    }
    let (shifts, _) = sections.take::<E>(header.levels() * header.layers(), 2)?.as_chunks::<2>();
    for (shifts, number) in shifts.chunks_exact(header.layers().max(1)).zip(0u16..) {
        check_shifts::<E>(shifts, descriptors, number)?;
    }
    // At most 2^16 levels of 16 layers of 512 rows.
    let biases = sections.take::<E>(header.levels() * biases_per_level, 2)?;
    Ok(LevelTable { records, shifts, biases: I16Le::new(biases), biases_per_level })
}

fn check_shifts<E: From<ParseError>>(
    shifts: &[[u8; 2]],
    descriptors: &[[u8; DESCRIPTOR_BYTES]],
    level: u16,
) -> Result<(), E> {
    let refuse = |field: &'static str, value: u8| Err(refuse(Part::Level(level), field, value.into()));
    let mut before = 0;
    for ([sum_shift, code_shift], bytes) in shifts.iter().zip(descriptors) {
        let descriptor = Descriptor(bytes);
        if descriptor.residual() && *code_shift != before {
            return refuse("code_shift of a residual layer", *code_shift);
        }
        let hidden = descriptor.activation() != Activation::None;
        let (least, sums, codes) = if hidden { (1, 24, 14) } else { (0, 0, 0) };
        if !(least..=sums).contains(sum_shift) {
            return refuse("sum_shift", *sum_shift);
        }
        if *code_shift > codes {
            return refuse("code_shift", *code_shift);
        }
        before = *code_shift;
    }
    Ok(())
}

fn check_plans<E: From<ParseError>>(header: Header<'_>, plans: &[[u8; 32]], rows: &[[u8; ROW_BYTES]]) -> Result<(), E> {
    let (mut first_row, mut deepest) = (0, 1);
    for (bytes, number) in plans.iter().zip(0u16..) {
        let part = Part::Plan(number);
        let plan = PlanDescriptor(bytes);
        let name = plan.padded_name();
        let letters = name.iter().take_while(|byte| byte.is_ascii_graphic()).count();
        let named = letters > 0 && name.iter().skip(letters).all(|byte| *byte == 0);
        let mut earlier = plans.iter().take(usize::from(number));
        if !named || earlier.any(|other| PlanDescriptor(other).padded_name() == name) {
            return Err(refuse(part, "name", u32::from(bytes[0])));
        }
        let history = plan.history();
        if !(1..=HISTORY_MAX).contains(&history) {
            return Err(refuse(part, "history", history as u32));
        }
        deepest = deepest.max(history);
        if plan.reserved() != 0 {
            return Err(refuse(part, "reserved", plan.reserved().into()));
        }
        finite::<E>(part, "start_scale", plan.start_scale())?;
        finite::<E>(part, "guidance", plan.guidance())?;
        // At most 256 plans of 2^16 rows.
        let end = first_row + plan.rows();
        let Some(own) = rows.get(first_row..end).filter(|own| !own.is_empty()) else {
            return Err(refuse(part, "rows", plan.rows() as u32));
        };
        for (bytes, number) in own.iter().zip(first_row..) {
            check_row::<E>(bytes, Part::Row(number as u32), header.levels(), history)?;
        }
        first_row = end;
    }
    if first_row != rows.len() {
        return Err(refuse(Part::Header, "rows", rows.len() as u32));
    }
    if deepest != header.history() {
        return Err(refuse(Part::Header, "history", header.history() as u32));
    }
    Ok(())
}

#[cfg(feature = "imputation")]
fn parse_imputation<'a, E: From<ParseError>>(
    sections: &mut Sections<'a>,
    header: Header<'_>,
) -> Result<Imputation<'a>, E> {
    let record = Record::parse::<E>(sections.take::<E>(1, RECORD_BYTES)?, header)?;
    let (rows, _) = sections.take::<E>(record.rows(), ROW_BYTES)?.as_chunks::<ROW_BYTES>();
    for (bytes, number) in rows.iter().zip(0..) {
        // A draw keeps no predictions of rows before.
        check_row::<E>(bytes, Part::Row(number), header.levels(), 1)?;
    }
    record.with::<E>(header, rows, sections.take::<E>(record.numbers(header), 4)?)
}

fn check_row<E: From<ParseError>>(bytes: &[u8; ROW_BYTES], part: Part, levels: usize, history: usize) -> Result<(), E> {
    let [l0, l1, z0, z1, coefficients @ ..] = bytes;
    let level = u16::from_le_bytes([*l0, *l1]);
    if usize::from(level) >= levels {
        return Err(refuse(part, "level", level.into()));
    }
    let reserved = u16::from_le_bytes([*z0, *z1]);
    if reserved != 0 {
        return Err(refuse(part, "reserved", reserved.into()));
    }
    // In order p, q, a, b0, b1, b2, b3, e.
    for (bytes, number) in coefficients.as_chunks().0.iter().zip(0..) {
        let coefficient = f32::from_le_bytes(*bytes);
        finite::<E>(part, "coefficients", coefficient)?;
        if (history + 3..7).contains(&number) && coefficient != 0.0 {
            return Err(refuse(part, "b past the history", coefficient.to_bits()));
        }
    }
    Ok(())
}
