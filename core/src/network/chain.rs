use super::layer::{F32Le, I16Le};
use super::{Activation, ActivationFormat, Layer, LayerKind, WeightLayout};

/// Sections start at multiples of this many bytes.
const ALIGNMENT: usize = 16;

/// Bytes of a layer descriptor.
pub(crate) const DESCRIPTOR_BYTES: usize = 16;

/// What a layer descriptor says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    pub rows: usize,
    pub cols: usize,
    pub activation: Activation,
    pub residual: bool,
    pub level_biases: bool,
    pub class_biases: bool,
    pub layout: WeightLayout,
    pub input_format: ActivationFormat,
    pub input_max: i16,
}

impl Descriptor {
    /// Reads a descriptor. A code that means nothing gives its field's name and its value.
    pub fn read(bytes: &[u8; DESCRIPTOR_BYTES]) -> Result<Self, (&'static str, u32)> {
        let [r0, r1, c0, c1, activation, flags, weights, layout, format, z9, q0, q1, z12, z13, z14, z15] = *bytes;
        let activation = match activation {
            0 => Activation::None,
            1 => Activation::Relu,
            2 => Activation::Silu,
            other => return Err(("activation", other.into())),
        };
        if flags > 7 {
            return Err(("flags", flags.into()));
        }
        if weights != 0 {
            return Err(("weight format", weights.into()));
        }
        let layout = WeightLayout::of_code(layout).ok_or(("weight layout", layout.into()))?;
        let input_format = match format {
            0 => ActivationFormat::Bits8,
            1 => ActivationFormat::Bits16,
            other => return Err(("activation format", other.into())),
        };
        if let Some(byte) = [z9, z12, z13, z14, z15].iter().find(|byte| **byte != 0) {
            return Err(("reserved", u32::from(*byte)));
        }
        let q_max = u16::from_le_bytes([q0, q1]);
        let input_max = i16::try_from(q_max).ok().filter(|q| *q > 0);
        let Some(input_max) = input_max else { return Err(("q_max", q_max.into())) };
        Ok(Self {
            rows: usize::from(u16::from_le_bytes([r0, r1])),
            cols: usize::from(u16::from_le_bytes([c0, c1])),
            activation,
            residual: flags & 1 != 0,
            level_biases: flags & 2 != 0,
            class_biases: flags & 4 != 0,
            layout,
            input_format,
            input_max,
        })
    }
}

/// What every layer takes over from the ones before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link {
    /// Whether the codes that the next layer gets are never negative.
    pub non_negative: bool,
    /// Where the next level biases start within those of one level.
    pub level_offset: usize,
    /// Where the next class biases start within those of one class.
    pub class_offset: usize,
}

impl Link {
    /// Views the layer of a descriptor, whose output codes reach `output_max`.
    ///
    /// Its sections come from `take(count, size)`, in the order in which they lie in a blob; this is the only place that
    /// knows it.
    pub fn view<'a, E>(
        &mut self,
        descriptor: &Descriptor,
        output_max: i16,
        mut take: impl FnMut(usize, usize) -> Result<&'a [u8], E>,
    ) -> Result<Layer<'a>, E> {
        let Descriptor { rows, cols, activation, residual, layout, input_max, input_format, .. } = *descriptor;
        let input_non_negative = self.non_negative;
        let kind = if activation == Activation::None {
            LayerKind::Output { scales: F32Le::new(take(rows, 4)?), biases: F32Le::new(take(rows, 4)?) }
        } else {
            let multipliers = I16Le::new(take(rows, 2)?);
            let biases = I16Le::new(take(if descriptor.level_biases { 0 } else { rows }, 2)?);
            LayerKind::Hidden { multipliers, biases, activation, residual, output_max }
        };
        let weights = take(layout.bytes(rows, cols), 1)?;
        self.non_negative = activation == Activation::Relu && (!residual || input_non_negative);
        let claim = |has: bool, next: &mut usize| {
            has.then(|| {
                let start = *next;
                *next += rows;
                start
            })
        };
        Ok(Layer {
            rows,
            cols,
            layout,
            weights,
            kind,
            input_max,
            input_format,
            input_non_negative,
            level_biases: claim(descriptor.level_biases, &mut self.level_offset),
            class_biases: claim(descriptor.class_biases, &mut self.class_offset),
        })
    }
}

/// The layers of a network in order, as they lie in a blob.
///
/// Two slices rather than a list of [`Layer`]s, which would take a kilobyte of stack for each copy of a model; a layer's
/// view is made when it is needed, in a hundred instructions or so.
#[derive(Clone, Copy, Debug)]
pub struct LayerChain<'a> {
    pub(crate) descriptors: &'a [[u8; DESCRIPTOR_BYTES]],
    /// The sections of all layers, the padding after each included.
    pub(crate) sections: &'a [u8],
}

impl<'a> LayerChain<'a> {
    /// How many layers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.descriptors.len()
    }

    /// Whether there are none; never so in a parsed model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.descriptors.is_empty()
    }

    /// The layers in order.
    pub fn iter(&self) -> impl Iterator<Item = Layer<'a>> + Clone + use<'a> {
        Layers { descriptors: self.descriptors, sections: self.sections, link: Link::default() }
    }
}

/// Walks a chain that was parsed before, so that no step of it can fail.
#[derive(Clone)]
struct Layers<'a> {
    descriptors: &'a [[u8; DESCRIPTOR_BYTES]],
    sections: &'a [u8],
    link: Link,
}

impl<'a> Iterator for Layers<'a> {
    type Item = Layer<'a>;

    fn next(&mut self) -> Option<Layer<'a>> {
        let (bytes, after) = self.descriptors.split_first()?;
        let descriptor = Descriptor::read(bytes).ok()?;
        let output_max = match after.first() {
            // Its q_max alone, since the whole descriptor is read when its turn comes.
            Some([.., q0, q1, _, _, _, _]) => i16::from_le_bytes([*q0, *q1]),
            None => 1,
        };
        let sections = &mut self.sections;
        let take = |count: usize, size: usize| {
            let length = count.checked_mul(size).ok_or(())?;
            let (padded, rest) = sections.split_at_checked(length.next_multiple_of(ALIGNMENT)).ok_or(())?;
            *sections = rest;
            padded.get(..length).ok_or(())
        };
        let layer = self.link.view(&descriptor, output_max, take).ok()?;
        self.descriptors = after;
        Some(layer)
    }
}
