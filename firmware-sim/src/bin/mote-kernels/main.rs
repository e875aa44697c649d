//! The kernels alone: every layer of a model, counted, and held to the portable code on the same board.
//!
//! The model partition holds one model twice: at its start, where the target's kernel takes it, and at an odd address after it, where no kernel can
//! and plain Rust does the work. See README.md for the records.
#![no_std]
#![no_main]

mod failure;
mod partition;

use core::hint::black_box;
use failure::Failure;
use mote_core::network::{Activation, Lane, Layer, LayerKind, Network, WIDTH_MAX};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_firmware::console::Console;
use mote_firmware::counter::Counter;
use mote_firmware::{BOARD, fault, float_mode, semihosting};

/// Lanes as an arena holds them, at a multiple of 8 bytes.
#[repr(align(8))]
struct Lanes([Lane; WIDTH_MAX]);

/// What the layers work on.
struct Room {
    codes: Lanes,
    next: [Lanes; 2],
    outputs: [f32; WIDTH_MAX],
}

/// Everything that the image keeps outside of its stack.
struct Statics {
    room: Room,
    console: Console,
}

const NO_LANES: Lanes = Lanes([0; WIDTH_MAX]);

mote_firmware::entry!(
    every_layer,
    Statics = Statics {
        room: Room { codes: NO_LANES, next: [NO_LANES; 2], outputs: [0.0; WIDTH_MAX] },
        console: Console::new(),
    }
);

fn every_layer(Statics { room, console }: &'static mut Statics) -> ! {
    let mut counter = Counter::new();
    float_mode::insist(console);
    console.record(format_args!("image format=1 board={} arena=0", BOARD.name));
    counter.check(console);
    if let Err(failure) = partition::models().and_then(|[fast, plain]| {
        let mut noise = Ziggurat::new(Stream::new(fast.self_test().seed));
        let pairs = fast.network().layers().iter().zip(plain.network().layers().iter());
        for (number, (fast_layer, plain_layer)) in pairs.enumerate() {
            let subject = |network, layer| Subject { network, number, layer };
            let pair = [subject(fast.network(), fast_layer), subject(plain.network(), plain_layer)];
            room.draw(&pair[0].layer, &mut noise);
            measure(console, &mut counter, room, &pair);
            room.compare(&pair)?;
        }
        Ok(())
    }) {
        fault::finish(console, &failure);
    }
    semihosting::exit(0)
}

/// A layer in one of its two places.
struct Subject<'m> {
    network: &'m Network<'m>,
    number: usize,
    layer: Layer<'m>,
}

/// Counts the layer in either place, at the first level and without a class, and prints the record.
#[inline(never)]
fn measure(console: &mut Console, counter: &mut Counter, room: &mut Room, pair: &[Subject<'_>; 2]) {
    let [fast, portable] = pair.each_ref().map(|subject| {
        let subject = black_box(subject);
        counter.measure(|| room.run(subject, 0, None, 0)).1
    });
    let layer = &pair[0].layer;
    let (kind, residual) = match layer.kind() {
        LayerKind::Hidden { activation: Activation::Relu, residual, .. } => ("relu", *residual),
        LayerKind::Hidden { residual, .. } => ("silu", *residual),
        _ => ("output", false),
    };
    console.record(format_args!(
        "layer number={} rows={} cols={} kind={kind} residual={} instructions={fast} portable={portable}",
        pair[0].number,
        layer.rows(),
        layer.cols(),
        u8::from(residual),
    ));
}

impl Room {
    /// Draws input codes; those past the layer's columns too, which must not matter.
    #[inline(never)]
    fn draw(&mut self, layer: &Layer<'_>, noise: &mut impl NormalSource) {
        let limit = i32::from(layer.input_max());
        let lowest = if layer.input_non_negative() { 0 } else { -limit };
        for code in &mut self.codes.0 {
            *code = ((noise.normal() * limit as f32) as i32).max(lowest).min(limit) as Lane;
        }
    }

    /// Runs a layer; a hidden one into the buffer of this number.
    #[inline(never)]
    fn run(&mut self, subject: &Subject<'_>, level: usize, class: Option<u16>, to: usize) {
        let Self { codes, next, outputs } = self;
        let Some(next) = next.get_mut(to) else { return };
        let numbered = (subject.number, &subject.layer);
        subject.network.forward_layer(numbered, (level, class), &codes.0, &mut next.0, outputs);
    }

    /// Holds the kernel to the portable code at every level, without a class and with one.
    #[inline(never)]
    fn compare(&mut self, pair: &[Subject<'_>; 2]) -> Result<(), Failure> {
        let Subject { network, number, layer } = &pair[0];
        for level in 0..network.levels().len() {
            for class in [None, Some(0)] {
                for (to, subject) in pair.iter().enumerate() {
                    self.run(subject, level, class, to);
                    if let (LayerKind::Output { .. }, Some(next)) = (layer.kind(), self.next.get_mut(to)) {
                        keep_bits(&self.outputs, &mut next.0);
                    }
                }
                let [ours, theirs] = &self.next;
                if let Some(row) = ours.0.iter().zip(&theirs.0).take(layer.rows()).position(|(a, b)| a != b) {
                    return Err(Failure::Differs { layer: *number, row, level });
                }
            }
        }
        Ok(())
    }
}

/// Every bit of a float in as many of a lane, those of a half-word folded together by an odd factor.
fn keep_bits(outputs: &[f32], to: &mut [Lane]) {
    for (output, to) in outputs.iter().zip(to) {
        let bits = output.to_bits();
        *to = if size_of::<Lane>() == 4 { bits } else { bits ^ (bits >> 16).wrapping_mul(0x9e37) } as Lane;
    }
}
