use super::error::{ParseError, Part};
use super::header::Header;
use super::view::{Model, PlanDescriptor};
use super::{ALIGNMENT, PLAN_NAME_MAX};
use crate::network::{
    Activation, ActivationFormat, DESCRIPTOR_BYTES, Descriptor, F32Le, I16Le, Layer, LayerChain, LayerKind, LevelTable,
    Link, Network, SUM_LIMIT, WIDTH_MAX,
};
use crate::sampler::{HISTORY_MAX, ROW_BYTES, Row};

/// Takes one section after another off a blob.
struct Sections<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Sections<'a> {
    /// The next `count` items of `size` bytes, and the padding after them.
    fn take(&mut self, count: usize, size: usize) -> Result<&'a [u8], ParseError> {
        let actual = self.bytes.len();
        let short = ParseError::Sections { needed: usize::MAX, actual };
        let length = count.checked_mul(size).ok_or(short)?;
        let end = self.at.checked_add(length).ok_or(short)?;
        let padded = end.checked_next_multiple_of(ALIGNMENT).ok_or(short)?;
        let short = ParseError::Sections { needed: padded, actual };
        let section = self.bytes.get(self.at..end).ok_or(short)?;
        let padding = self.bytes.get(end..padded).ok_or(short)?;
        if let Some(at) = padding.iter().position(|byte| *byte != 0) {
            return Err(ParseError::Padding { offset: end + at });
        }
        self.at = padded;
        Ok(section)
    }
}

fn refuse(part: Part, field: &'static str, value: u32) -> ParseError {
    ParseError::Value { part, field, value }
}

fn finite(part: Part, field: &'static str, value: f32) -> Result<f32, ParseError> {
    // On bits: one shift and one comparison, which matters in a parser of this many floats.
    if value.to_bits() << 1 < f32::INFINITY.to_bits() << 1 {
        Ok(value)
    } else {
        Err(refuse(part, field, value.to_bits()))
    }
}

fn positive(part: Part, field: &'static str, value: f32) -> Result<f32, ParseError> {
    // Finite and above zero are the patterns from the smallest number's, 1, to the largest one's.
    if value.to_bits().wrapping_sub(1) < f32::MAX.to_bits() {
        Ok(value)
    } else {
        Err(refuse(part, field, value.to_bits()))
    }
}

/// Reads the descriptor of a layer with `cols` inputs and checks it.
fn parse_descriptor(
    bytes: &[u8; DESCRIPTOR_BYTES],
    number: u16,
    header: &Header,
    cols: usize,
) -> Result<Descriptor, ParseError> {
    let part = Part::Layer(number);
    let descriptor = Descriptor::read(bytes).map_err(|(field, value)| refuse(part, field, value))?;
    let last = usize::from(number) + 1 == header.layers;
    let rows = descriptor.rows;
    if rows == 0 || rows > WIDTH_MAX.min(header.width) || (last && rows != header.dim_out) {
        return Err(refuse(part, "rows", rows as u32));
    }
    if descriptor.cols != cols {
        return Err(refuse(part, "columns", descriptor.cols as u32));
    }
    let [_, _, _, _, activation, flags, ..] = *bytes;
    if (descriptor.activation == Activation::None) != last {
        return Err(refuse(part, "activation", activation.into()));
    }
    let residual_misplaced = descriptor.residual && (number == 0 || last || rows != cols);
    if residual_misplaced || descriptor.class_biases && header.classes == 0 {
        return Err(refuse(part, "flags", flags.into()));
    }
    Ok(descriptor)
}

impl<'a> Model<'a> {
    /// Checks a blob and views it in place.
    ///
    /// Cost: one pass over the bytes for the checksum and one over the weights for the bound on sums.
    ///
    /// # Errors
    /// [`ParseError`] names the first thing that the format does not allow.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let header = Header::parse(bytes)?;
        let mut sections = Sections { bytes, at: 0 };
        sections.take(super::HEADER_BYTES, 1)?;
        let (mean, deviation) = parse_scaling(sections.take(header.dim_in, 8)?)?;
        let (descriptors, _) = sections.take(header.layers, DESCRIPTOR_BYTES)?.as_chunks();
        let start = sections.at;
        let end = parse_layers(&mut sections, &header, descriptors)?;
        let layers = LayerChain { descriptors, sections: bytes.get(start..sections.at).unwrap_or(&[]) };
        let levels = parse_levels(&mut sections, &header, layers, end.level_offset)?;
        let class_biases = sections.take(header.classes, 2 * end.class_offset)?;
        let network = Network {
            layers,
            levels,
            class_biases: I16Le::new(class_biases),
            biases_per_class: end.class_offset,
            width: header.width,
        };
        let (plans, _) = sections.take(header.plans, 32)?.as_chunks::<32>();
        let (rows, _) = sections.take(header.rows, ROW_BYTES)?.as_chunks::<ROW_BYTES>();
        check_plans(&header, plans, rows)?;
        let text = core::str::from_utf8(sections.take(header.text, 1)?)
            .map_err(|error| refuse(Part::Text, "UTF-8 at byte", error.valid_up_to() as u32))?;
        if sections.at != bytes.len() {
            return Err(ParseError::Sections { needed: sections.at, actual: bytes.len() });
        }
        Ok(Self { header, bytes: bytes.len(), mean, deviation, network, plans, rows, text })
    }
}

fn parse_scaling(section: &[u8]) -> Result<(F32Le<'_>, F32Le<'_>), ParseError> {
    let (mean, deviation) = section.split_at_checked(section.len() / 2).unwrap_or((section, &[]));
    let (mean, deviation) = (F32Le::new(mean), F32Le::new(deviation));
    for value in mean.iter() {
        finite(Part::Scaling, "mean", value)?;
    }
    for value in deviation.iter() {
        positive(Part::Scaling, "deviation", value)?;
    }
    Ok((mean, deviation))
}

/// Checks the layers one after another; gives what a layer after the last would take over.
fn parse_layers(
    sections: &mut Sections<'_>,
    header: &Header,
    descriptors: &[[u8; DESCRIPTOR_BYTES]],
) -> Result<Link, ParseError> {
    let mut link = Link::default();
    let (mut cols, mut width) = (header.dim_in, header.dim_in);
    let mut rest = descriptors.iter().zip(0u16..);
    while let Some((bytes, number)) = rest.next() {
        let descriptor = parse_descriptor(bytes, number, header, cols)?;
        let next_max = rest.clone().next().map_or(Ok(1), |(bytes, number)| {
            parse_descriptor(bytes, number, header, descriptor.rows).map(|next| next.input_max)
        })?;
        let layer = link.view(&descriptor, next_max, |count, size| sections.take(count, size))?;
        check_layer(&layer, number)?;
        (cols, width) = (descriptor.rows, width.max(descriptor.rows));
    }
    if width != header.width {
        return Err(refuse(Part::Header, "width", header.width as u32));
    }
    Ok(link)
}

fn check_layer(layer: &Layer<'_>, number: u16) -> Result<(), ParseError> {
    let part = Part::Layer(number);
    let Layer { cols, weights, input_max, input_non_negative, .. } = *layer;
    let eight_bits = if input_non_negative { 255 } else { 127 };
    if layer.input_format == ActivationFormat::Bits8 && input_max > eight_bits {
        return Err(refuse(part, "q_max", input_max as u32));
    }
    match layer.kind {
        LayerKind::Output { scales, biases } => {
            for scale in scales.iter() {
                positive(part, "scale", scale)?;
            }
            for bias in biases.iter() {
                finite(part, "bias", bias)?;
            }
        }
        LayerKind::Hidden { multipliers, .. } => {
            if let Some(bad) = multipliers.iter().find(|m| *m <= 0) {
                return Err(refuse(part, "multiplier", u32::from(bad as u16)));
            }
        }
    }
    check_sums(weights, cols, i32::from(input_max), input_non_negative, number)
}

/// Proves that no row's sum can reach [`SUM_LIMIT`].
fn check_sums(weights: &[u8], cols: usize, q_max: i32, non_negative: bool, layer: u16) -> Result<(), ParseError> {
    for (row, weights) in (0u16..).zip(weights.chunks_exact(cols.max(1))) {
        let (mut up, mut down) = (0i32, 0i32);
        for weight in weights {
            let weight = i32::from(*weight as i8);
            up += weight.max(0);
            down -= weight.min(0);
        }
        let reach = if non_negative { up.max(down) } else { up + down };
        // At most 512 * 128 * 32767 = 2^31 - 2^16, so the product fits.
        if q_max.saturating_mul(reach) >= SUM_LIMIT {
            return Err(ParseError::SumBound { layer, row });
        }
    }
    Ok(())
}

fn parse_levels<'a>(
    sections: &mut Sections<'a>,
    header: &Header,
    layers: LayerChain<'a>,
    biases_per_level: usize,
) -> Result<LevelTable<'a>, ParseError> {
    let (records, _) = sections.take(header.levels, 16)?.as_chunks::<16>();
    for (record, number) in records.iter().zip(0u16..) {
        let part = Part::Level(number);
        let (words, _) = record.as_chunks::<4>();
        let [alpha, sigma, input_scale, output_gain] = *words else { continue };
        let [alpha, sigma, input_scale, output_gain] = [alpha, sigma, input_scale, output_gain].map(f32::from_le_bytes);
        // Pure noise has no signal, but a state without either would not be one.
        if finite(part, "alpha", alpha)? < 0.0 || (alpha == 0.0 && sigma == 0.0) {
            return Err(refuse(part, "alpha", alpha.to_bits()));
        }
        if finite(part, "sigma", sigma)? < 0.0 {
            return Err(refuse(part, "sigma", sigma.to_bits()));
        }
        positive(part, "input_scale", input_scale)?;
        positive(part, "output_gain", output_gain)?;
    }
    let per_level = header.layers;
    let (shifts, _) = sections.take(header.levels * per_level, 2)?.as_chunks::<2>();
    for (shifts, number) in shifts.chunks_exact(per_level.max(1)).zip(0u16..) {
        check_shifts(shifts, layers, number)?;
    }
    let biases_length = header.levels.checked_mul(biases_per_level);
    let biases = sections.take(biases_length.unwrap_or(usize::MAX), 2)?;
    Ok(LevelTable { records, shifts, biases: I16Le::new(biases), biases_per_level })
}

fn check_shifts(shifts: &[[u8; 2]], layers: LayerChain<'_>, level: u16) -> Result<(), ParseError> {
    let part = Part::Level(level);
    let mut before = 0;
    for ([sum_shift, code_shift], layer) in shifts.iter().zip(layers.iter()) {
        let (sums, codes) = match layer.kind {
            LayerKind::Hidden { residual, .. } => {
                if residual && *code_shift != before {
                    return Err(refuse(part, "code_shift of a residual layer", (*code_shift).into()));
                }
                (1..=24, 0..=14)
            }
            LayerKind::Output { .. } => (0..=0, 0..=0),
        };
        if !sums.contains(sum_shift) {
            return Err(refuse(part, "sum_shift", (*sum_shift).into()));
        }
        if !codes.contains(code_shift) {
            return Err(refuse(part, "code_shift", (*code_shift).into()));
        }
        before = *code_shift;
    }
    Ok(())
}

fn check_plans(header: &Header, plans: &[[u8; 32]], rows: &[[u8; ROW_BYTES]]) -> Result<(), ParseError> {
    let (mut rest, mut first_row, mut deepest) = (rows, 0u32, 1);
    for (bytes, number) in plans.iter().zip(0u16..) {
        let part = Part::Plan(number);
        let plan = PlanDescriptor::read(bytes);
        let earlier = plans.iter().take(usize::from(number));
        let named = !plan.name.is_empty() && plan.name.bytes().all(|byte| byte.is_ascii_graphic());
        let padded = bytes.iter().take(PLAN_NAME_MAX).skip(plan.name.len()).all(|byte| *byte == 0);
        if !named || !padded || earlier.into_iter().any(|other| PlanDescriptor::read(other).name == plan.name) {
            return Err(refuse(part, "name", u32::from(bytes[0])));
        }
        if let [.., z, _, _, _, _, _, _, _, _] = *bytes
            && z != 0
        {
            return Err(refuse(part, "reserved", z.into()));
        }
        if !(1..=HISTORY_MAX).contains(&plan.history) {
            return Err(refuse(part, "history", plan.history as u32));
        }
        deepest = deepest.max(plan.history);
        finite(part, "start_scale", plan.start_scale)?;
        finite(part, "guidance", plan.guidance)?;
        let Some((own, after)) = rest.split_at_checked(plan.rows).filter(|(own, _)| !own.is_empty()) else {
            return Err(refuse(part, "rows", plan.rows as u32));
        };
        for (bytes, number) in own.iter().zip(first_row..) {
            check_row(bytes, number, header.levels, plan.history)?;
        }
        first_row = first_row.saturating_add(plan.rows as u32);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(refuse(Part::Header, "rows", rows.len() as u32));
    }
    if deepest != header.history {
        return Err(refuse(Part::Header, "history", header.history as u32));
    }
    Ok(())
}

fn check_row(bytes: &[u8; ROW_BYTES], number: u32, levels: usize, history: usize) -> Result<(), ParseError> {
    let part = Part::Row(number);
    let row = Row::from_bytes(bytes);
    if usize::from(row.level) >= levels {
        return Err(refuse(part, "level", row.level.into()));
    }
    let [_, _, z0, z1, ..] = *bytes;
    if z0 != 0 || z1 != 0 {
        return Err(refuse(part, "reserved", u32::from(z0) | u32::from(z1) << 8));
    }
    if !row.is_finite() {
        return Err(refuse(part, "coefficients", 0));
    }
    if row.history() > history {
        return Err(refuse(part, "b past the history", row.history() as u32));
    }
    Ok(())
}
