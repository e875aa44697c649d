use super::layer::{F32Le, I16Le};
use super::{Activation, ActivationFormat, Layer, LayerKind, Storage, WeightFormat, WeightLayout};

/// Sections start at multiples of this many bytes.
const ALIGNMENT: usize = 16;

/// Bytes of a layer descriptor.
pub(crate) const DESCRIPTOR_BYTES: usize = 16;

/// A layer descriptor, viewed in place. The parser refuses the codes that mean nothing, which are read here as another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor<'a>(pub &'a [u8; DESCRIPTOR_BYTES]);

impl Descriptor<'_> {
    pub fn rows(self) -> usize {
        let [r0, r1, ..] = *self.0;
        u16::from_le_bytes([r0, r1]).into()
    }

    pub fn cols(self) -> usize {
        let [_, _, c0, c1, ..] = *self.0;
        u16::from_le_bytes([c0, c1]).into()
    }

    pub fn activation(self) -> Activation {
        let [_, _, _, _, code, ..] = *self.0;
        match code {
            0 => Activation::None,
            1 => Activation::Relu,
            _ => Activation::Silu,
        }
    }

    /// Whether the flag of this bit is set: 0 residual, 1 level biases, 2 class biases.
    fn flag(self, bit: u32) -> bool {
        let [_, _, _, _, _, flags, ..] = *self.0;
        flags >> bit & 1 != 0
    }

    pub fn residual(self) -> bool {
        self.flag(0)
    }

    pub fn level_biases(self) -> bool {
        self.flag(1)
    }

    pub fn class_biases(self) -> bool {
        self.flag(2)
    }

    fn storage(self) -> Storage {
        let [_, _, _, _, _, _, format, layout, ..] = *self.0;
        Storage { layout: WeightLayout::of_code(layout), format: WeightFormat::of_code(format) }
    }

    fn input_format(self) -> ActivationFormat {
        let [_, _, _, _, _, _, _, _, code, ..] = *self.0;
        if code == 0 { ActivationFormat::Bits8 } else { ActivationFormat::Bits16 }
    }

    pub fn input_max(self) -> i16 {
        let [.., q0, q1, _, _, _, _] = *self.0;
        i16::from_le_bytes([q0, q1])
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
        descriptor: Descriptor<'_>,
        output_max: i16,
        mut take: impl FnMut(usize, usize) -> Result<&'a [u8], E>,
    ) -> Result<Layer<'a>, E> {
        let (rows, cols, storage) = (descriptor.rows(), descriptor.cols(), descriptor.storage());
        let (activation, residual) = (descriptor.activation(), descriptor.residual());
        let input_non_negative = self.non_negative;
        let kind = if activation == Activation::None {
            LayerKind::Output { scales: F32Le::new(take(rows, 4)?), biases: F32Le::new(take(rows, 4)?) }
        } else {
            let multipliers = I16Le::new(take(rows, 2)?);
            let biases = I16Le::new(take(if descriptor.level_biases() { 0 } else { rows }, 2)?);
            LayerKind::Hidden { multipliers, biases, activation, residual, output_max }
        };
        let weights = take(storage.bytes(rows, cols), 1)?;
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
            storage,
            weights,
            kind,
            input_max: descriptor.input_max(),
            input_format: descriptor.input_format(),
            input_non_negative,
            level_biases: claim(descriptor.level_biases(), &mut self.level_offset),
            class_biases: claim(descriptor.class_biases(), &mut self.class_offset),
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

    /// The largest input code of the first layer; 0 where there is none.
    pub(crate) fn input_max(&self) -> i16 {
        self.descriptors.first().map_or(0, |bytes| Descriptor(bytes).input_max())
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
        // Its q_max alone, since the rest is read when its turn comes.
        let output_max = after.first().map_or(1, |next| Descriptor(next).input_max());
        let sections = &mut self.sections;
        let take = |count: usize, size: usize| {
            // At most 512 rows of 512 columns.
            let length = count * size;
            let (padded, rest) = sections.split_at_checked(length.next_multiple_of(ALIGNMENT)).ok_or(())?;
            *sections = rest;
            padded.get(..length).ok_or(())
        };
        let layer = self.link.view(Descriptor(bytes), output_max, take).ok()?;
        self.descriptors = after;
        Some(layer)
    }
}
