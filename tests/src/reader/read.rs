//! Bytes into numbers, with every check that the specification asks for.

use super::{Blob, Gaps, Layer, Level, Plan, PlanRow, crc32};

type Read<T> = Result<T, String>;

fn ensure(holds: bool, otherwise: &str) -> Read<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// The checksum that a file should have: over all bytes but the four that hold it.
pub fn file_checksum(bytes: &[u8]) -> u32 {
    crc32(bytes[..12].iter().chain(&bytes[16..]))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    floats: Vec<usize>,
}

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or("cut short")?;
        self.at += N;
        Ok(*bytes)
    }
    fn u8(&mut self) -> Read<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    fn i16s(&mut self, count: usize) -> Read<Vec<i16>> {
        (0..count).map(|_| Ok(i16::from_le_bytes(self.array()?))).collect()
    }
    fn f32(&mut self, allowed: fn(f32) -> bool, name: &str) -> Read<f32> {
        self.floats.push(self.at);
        let value = f32::from_le_bytes(self.array()?);
        ensure(value.is_finite() && allowed(value), name)?;
        Ok(value)
    }
    fn f32s(&mut self, count: usize, allowed: fn(f32) -> bool, name: &str) -> Read<Vec<f32>> {
        (0..count).map(|_| self.f32(allowed, name)).collect()
    }
    fn zeros(&mut self, count: usize) -> Read<()> {
        (0..count).try_for_each(|_| ensure(self.u8()? == 0, "reserved"))
    }
    fn pad(&mut self) -> Read<()> {
        while !self.at.is_multiple_of(16) {
            ensure(self.u8()? == 0, "padding")?;
        }
        Ok(())
    }
}

fn any(_: f32) -> bool {
    true
}
fn positive(x: f32) -> bool {
    x > 0.0
}
fn at_least_zero(x: f32) -> bool {
    x >= 0.0
}

impl Blob {
    /// Reads a file, or says what the specification does not allow.
    pub fn read(bytes: &[u8]) -> Read<Self> {
        let mut c = Cursor { bytes, at: 0, floats: Vec::new() };
        let mut section_offsets = vec![0];
        ensure(&c.array::<4>()? == b"MOTE", "magic")?;
        ensure(c.u16()? == 1, "version")?;
        ensure(c.u16()? == 96, "header length")?;
        ensure(usize::try_from(c.u32()?) == Ok(bytes.len()), "file length")?;
        let stated = c.u32()?;
        let role = c.u8()?;
        ensure(role <= 2, "role")?;
        let sampler = role == 0;
        let prediction = c.u8()?;
        ensure(prediction <= 5, "prediction")?;
        let (layer_count, history) = (usize::from(c.u8()?), c.u8()?);
        ensure((1..=16).contains(&layer_count), "layers")?;
        ensure((1..=4).contains(&history), "history")?;
        let [dim_in, dim_out, width] = [c.u16()?, c.u16()?, c.u16()?].map(usize::from);
        ensure([dim_in, dim_out, width].iter().all(|n| (1..=512).contains(n)), "dimensions")?;
        ensure(!sampler || dim_in == dim_out, "dim_out")?;
        let [classes, level_count, plan_count] = [c.u16()?, c.u16()?, c.u16()?].map(usize::from);
        ensure(level_count >= 1, "levels")?;
        ensure(if sampler { (1..=256).contains(&plan_count) } else { plan_count == 0 }, "plans")?;
        let (row_count, text_length) = (c.u32()? as usize, c.u32()? as usize);
        let sigma_data = c.f32(positive, "sigma_data")?;
        let image = (c.u16()?, c.u16()?);
        ensure(image == (0, 0) || usize::from(image.0) * usize::from(image.1) == dim_out, "image")?;
        let self_test = (c.u16()?, c.u16()?, c.u32()?);
        ensure(usize::from(self_test.0) < plan_count.max(1), "self-test plan")?;
        ensure(usize::from(self_test.1) <= classes, "self-test class")?;
        ensure(self_test.2 < 1024, "self-test sample")?;
        let (seed, digest) = (c.u64()?, c.u64()?);
        c.zeros(24)?;
        ensure(stated == file_checksum(bytes), "checksum")?;

        section_offsets.push(c.at);
        let mean = c.f32s(dim_in, any, "mean")?;
        let deviation = c.f32s(dim_in, positive, "deviation")?;
        c.pad()?;

        section_offsets.push(c.at);
        let mut layers: Vec<Layer> = Vec::new();
        for number in 0..layer_count {
            let columns = layers.last().map_or(dim_in, |before| before.rows);
            let last = number + 1 == layer_count;
            layers.push(Layer::descriptor(&mut c, columns, number, last, (dim_out, classes))?);
        }
        let widest = layers.iter().map(|layer| layer.rows).max().unwrap_or(0).max(dim_in);
        ensure(width == widest, "width")?;

        section_offsets.push(c.at);
        let mut never_negative = false;
        for layer in &mut layers {
            layer.contents(&mut c, never_negative)?;
            never_negative = layer.activation == 1 && (!layer.residual || never_negative);
        }

        section_offsets.push(c.at);
        let mut levels = Vec::new();
        for _ in 0..level_count {
            let alpha = c.f32(at_least_zero, "alpha")?;
            levels.push(Level {
                alpha,
                // Pure noise has no signal; nothing has neither.
                sigma: c.f32(if alpha == 0.0 { positive } else { at_least_zero }, "sigma")?,
                input_scale: c.f32(positive, "input_scale")?,
                output_gain: c.f32(positive, "output_gain")?,
                shifts: Vec::new(),
                biases: Vec::new(),
            });
        }
        for level in &mut levels {
            level.shifts = shifts(&mut c, &layers)?;
        }
        c.pad()?;
        let biases = |wanted: fn(&Layer) -> bool, c: &mut Cursor<'_>| -> Read<Vec<Option<Vec<i16>>>> {
            layers.iter().map(|layer| wanted(layer).then(|| c.i16s(layer.rows)).transpose()).collect()
        };
        for level in &mut levels {
            level.biases = biases(|layer| layer.level_biases, &mut c)?;
        }
        c.pad()?;
        let class_biases =
            (0..classes).map(|_| biases(|layer| layer.class_biases, &mut c)).collect::<Read<Vec<_>>>()?;
        c.pad()?;

        section_offsets.push(c.at);
        let plans = plans(&mut c, plan_count, row_count, level_count)?;
        ensure(plans.iter().map(|plan| plan.history).max().unwrap_or(1) == history, "history of the plans")?;

        let gaps = if role == 2 { Some(Gaps::read(&mut c, (dim_in, dim_out), level_count)?) } else { None };

        section_offsets.push(c.at);
        let text = bytes.get(c.at..).and_then(|rest| rest.get(..text_length)).ok_or("cut short")?;
        let text = std::str::from_utf8(text).map_err(|_| "text")?.to_string();
        c.at += text_length;
        c.pad()?;
        ensure(c.at == bytes.len(), "bytes after the end")?;
        section_offsets.push(c.at);
        Ok(Self {
            role,
            prediction,
            history,
            dim_in,
            dim_out,
            classes,
            sigma_data,
            image,
            self_test,
            seed,
            digest,
            mean,
            deviation,
            layers,
            levels,
            class_biases,
            plans,
            gaps,
            text,
            float_offsets: c.floats,
            section_offsets,
        })
    }
}

impl Layer {
    fn descriptor(
        c: &mut Cursor<'_>,
        columns: usize,
        number: usize,
        last: bool,
        (dim_out, classes): (usize, usize),
    ) -> Read<Self> {
        let rows = usize::from(c.u16()?);
        ensure((1..=512).contains(&rows) && (!last || rows == dim_out), "rows")?;
        ensure(usize::from(c.u16()?) == columns, "columns")?;
        let activation = c.u8()?;
        ensure(activation <= 2 && last == (activation == 0), "activation")?;
        let flags = c.u8()?;
        ensure(flags < 8, "flags")?;
        let [residual, level_biases, class_biases] = [1, 2, 4].map(|bit| flags & bit != 0);
        ensure(!residual || (rows == columns && number > 0 && !last), "residual")?;
        ensure(!class_biases || classes > 0, "class biases")?;
        let weight_format = c.u8()?;
        ensure(weight_format <= 1, "weight format")?;
        let layout = c.u8()?;
        ensure(layout <= 1, "weight layout")?;
        let input_format = c.u8()?;
        ensure(input_format <= 1, "activation format")?;
        c.zeros(1)?;
        let q_max = c.u16()?;
        c.zeros(4)?;
        Ok(Self {
            rows,
            columns,
            activation,
            residual,
            level_biases,
            class_biases,
            weight_format,
            layout,
            input_format,
            q_max,
            multipliers: Vec::new(),
            biases: Vec::new(),
            float_scales: Vec::new(),
            float_biases: Vec::new(),
            weights: Vec::new(),
        })
    }

    fn contents(&mut self, c: &mut Cursor<'_>, never_negative: bool) -> Read<()> {
        let largest = match (self.input_format, never_negative) {
            (0, false) => 127,
            (0, true) => 255,
            _ => 32767,
        };
        ensure((1..=largest).contains(&self.q_max), "q_max")?;
        if self.activation == 0 {
            self.float_scales = c.f32s(self.rows, positive, "scale")?;
            c.pad()?;
            self.float_biases = c.f32s(self.rows, any, "bias")?;
        } else {
            self.multipliers = c.i16s(self.rows)?;
            ensure(self.multipliers.iter().all(|m| *m >= 1), "multiplier")?;
            c.pad()?;
            if !self.level_biases {
                self.biases = c.i16s(self.rows)?;
            }
        }
        c.pad()?;
        self.weights = match (self.weight_format, self.layout) {
            (0, 0) => self.row_after_row(c)?,
            (0, _) => self.row_pairs(c)?,
            (_, 0) => self.halves(c, (1, 2), |half| (0, half))?,
            _ => self.halves(c, (4, 4), |half| (half % 4, half / 4))?,
        };
        c.pad()?;
        for row in self.weights.chunks(self.columns) {
            let positives: i64 = row.iter().map(|w| i64::from(*w)).filter(|w| *w > 0).sum();
            let negatives: i64 = row.iter().map(|w| -i64::from(*w)).filter(|w| *w > 0).sum();
            let reach = if never_negative { positives.max(negatives) } else { positives + negatives };
            ensure(i64::from(self.q_max) * reach < 1 << 23, "bound on sums")?;
        }
        Ok(())
    }
}

impl Layer {
    fn row_after_row(&self, c: &mut Cursor<'_>) -> Read<Vec<i8>> {
        (0..self.rows * self.columns).map(|_| Ok(i8::from_le_bytes(c.array()?))).collect()
    }

    /// Two weights a byte, the first in its low half, in tiles of so many rows and columns, whose weights `place` puts in order. Tiles lie row after row.
    fn halves(
        &self,
        c: &mut Cursor<'_>,
        (tall, wide): (usize, usize),
        place: fn(usize) -> (usize, usize),
    ) -> Read<Vec<i8>> {
        let mut weights = vec![0; self.rows * self.columns];
        for first_row in (0..self.rows).step_by(tall) {
            for first_column in (0..self.columns).step_by(wide) {
                for byte in 0..tall * wide / 2 {
                    let two = c.u8()?;
                    for (half, stored) in [(2 * byte, two % 16), (2 * byte + 1, two / 16)] {
                        let (row, column) = (first_row + place(half).0, first_column + place(half).1);
                        let weight = stored as i8 - 8;
                        if row < self.rows && column < self.columns {
                            weights[row * self.columns + column] = weight;
                        } else {
                            ensure(weight == 0, "a weight outside the matrix")?;
                        }
                    }
                }
            }
        }
        Ok(weights)
    }

    /// For every four rows and every two columns A0 B0 A1 B1 C0 D0 C1 D1.
    fn row_pairs(&self, c: &mut Cursor<'_>) -> Read<Vec<i8>> {
        let mut weights = vec![0; self.rows * self.columns];
        for first_row in (0..self.rows).step_by(4) {
            for first_column in (0..self.columns.div_ceil(4) * 4).step_by(2) {
                for (row, column) in [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 0), (2, 1), (3, 1)] {
                    let stored = c.u8()?;
                    let weight = if row % 2 == 0 { i16::from(stored) - 128 } else { i16::from(stored as i8) };
                    let (row, column) = (first_row + row, first_column + column);
                    if row < self.rows && column < self.columns {
                        weights[row * self.columns + column] = weight as i8;
                    } else {
                        ensure(weight == 0, "a weight outside the matrix")?;
                    }
                }
            }
        }
        Ok(weights)
    }
}

fn shifts(c: &mut Cursor<'_>, layers: &[Layer]) -> Read<Vec<(u8, u8)>> {
    let mut shifts: Vec<(u8, u8)> = Vec::new();
    for layer in layers {
        let (sum_shift, code_shift) = (c.u8()?, c.u8()?);
        if layer.activation == 0 {
            ensure(sum_shift == 0 && code_shift == 0, "shifts of the last layer")?;
        } else {
            ensure((1..=24).contains(&sum_shift) && code_shift <= 14, "shifts")?;
            let shared = !layer.residual || shifts.last().is_some_and(|before| before.1 == code_shift);
            ensure(shared, "code_shift of a residual layer")?;
        }
        shifts.push((sum_shift, code_shift));
    }
    Ok(shifts)
}

impl Gaps {
    fn read(c: &mut Cursor<'_>, (dim_in, dim_out): (usize, usize), level_count: usize) -> Read<Self> {
        let [window, around, order, row_count] = [c.u16()?, c.u16()?, c.u16()?, c.u16()?].map(usize::from);
        ensure(window % 2 == 1 && around % 2 == 1, "even windows")?;
        ensure((2 * window + around) * dim_out == dim_in, "windows of another width")?;
        ensure(order <= 8, "order")?;
        ensure(row_count > 0, "no rows of a draw")?;
        let start_scale = c.f32(any, "start_scale")?;
        c.zeros(4)?;
        let rows = (0..row_count).map(|_| row(c, level_count, 1)).collect::<Read<Vec<_>>>()?;
        c.pad()?;
        let mut whitening = Vec::new();
        for before in 0..=order {
            let mut of_order = Vec::new();
            for channel in 0..dim_out {
                let numbers = c.f32s((before + 1) * dim_out, any, "autoregression")?;
                let own = &numbers[before * dim_out..];
                ensure(own[channel] > 0.0 && own[channel + 1..].iter().all(|x| *x == 0.0), "triangle")?;
                of_order.push(numbers);
            }
            whitening.push(of_order);
        }
        c.pad()?;
        Ok(Self { window, around, order, start_scale, rows, whitening })
    }
}

fn row(c: &mut Cursor<'_>, level_count: usize, history: usize) -> Read<PlanRow> {
    let level = c.u16()?;
    ensure(usize::from(level) < level_count, "level of a row")?;
    c.zeros(2)?;
    let mut coefficients = [0.0; 8];
    for coefficient in &mut coefficients {
        *coefficient = c.f32(any, "coefficient")?;
    }
    ensure(coefficients[3 + history..7].iter().all(|b| *b == 0.0), "b past the history")?;
    Ok(PlanRow { level, coefficients })
}

fn plans(c: &mut Cursor<'_>, plan_count: usize, row_count: usize, level_count: usize) -> Read<Vec<Plan>> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut lengths = Vec::new();
    for _ in 0..plan_count {
        let name = c.array::<20>()?;
        let length = name.iter().take_while(|byte| (0x21..=0x7e).contains(*byte)).count();
        ensure(length > 0 && name[length..].iter().all(|byte| *byte == 0), "name")?;
        let name: String = name[..length].iter().copied().map(char::from).collect();
        ensure(plans.iter().all(|plan| plan.name != name), "two plans of one name")?;
        lengths.push(usize::from(c.u16()?));
        ensure(lengths.last() != Some(&0), "rows of a plan")?;
        let history = c.u8()?;
        ensure((1..=4).contains(&history), "history")?;
        c.zeros(1)?;
        let start_scale = c.f32(any, "start_scale")?;
        let guidance = c.f32(any, "guidance")?;
        plans.push(Plan { name, history, start_scale, guidance, rows: Vec::new() });
    }
    c.pad()?;
    ensure(lengths.iter().sum::<usize>() == row_count, "rows")?;
    for (plan, length) in plans.iter_mut().zip(lengths) {
        for _ in 0..length {
            plan.rows.push(row(c, level_count, plan.history.into())?);
        }
    }
    c.pad()?;
    Ok(plans)
}
