//! The float network's posterior mean and its slopes, by forward differentiation.

use mote_core::schedule::NoiseLevel;
use mote_core::score::Linear;

use super::Differentiable;
use crate::network::{Activation, FloatNetwork};
use crate::noise::Noising;

/// A float network at the levels of a table, with the class of its input.
///
/// Directions run through the layers beside the values (forward-mode differentiation): a network evaluation each. ReLU's slope at 0 is 0.
#[derive(Clone, Debug)]
pub struct NetworkMean<'n> {
    network: &'n FloatNetwork,
    levels: Vec<Level>,
    /// Each layer's weights column by column.
    columns: Vec<Vec<f32>>,
    /// The class, or none for the unconditional network.
    pub class: Option<u16>,
    /// Values and then directions, in and out of a layer.
    states: Vec<Vec<f32>>,
}

#[derive(Clone, Debug)]
struct Level {
    input_scale: f32,
    mean: Linear,
    biases: Vec<Vec<f32>>,
}

impl<'n> NetworkMean<'n> {
    /// Binds a network to the levels of a table.
    #[must_use]
    pub fn new(network: &'n FloatNetwork, noising: &Noising, levels: &[NoiseLevel]) -> Self {
        let level = |level: &NoiseLevel| Level {
            input_scale: noising.input_scale(*level),
            mean: noising.prediction.x0(*level),
            biases: network.level_biases(noising.conditioning(*level)),
        };
        let columns = network
            .layers()
            .iter()
            .map(|layer| {
                (0..layer.cols).flat_map(|c| layer.weight.iter().skip(c).step_by(layer.cols).copied()).collect()
            })
            .collect();
        Self { network, levels: levels.iter().map(level).collect(), columns, class: None, states: Vec::new() }
    }
}

/// The slope of an activation.
fn slope(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Relu => f32::from(u8::from(x > 0.0)),
        Activation::Silu => {
            let gate = 1.0 / (1.0 + (-x).exp());
            gate * (1.0 + x * (1.0 - gate))
        }
    }
}

impl Differentiable for NetworkMean<'_> {
    fn denoise(&mut self, level: usize, x: &[f32], along: &[f32], mean: &mut [f32], slopes: &mut [f32]) {
        let (shape, level) = (self.network.shape(), &self.levels[level]);
        self.states.clear();
        for state in [x].into_iter().chain(along.chunks_exact(x.len())) {
            self.states.push(state.iter().map(|x| x * level.input_scale).collect());
        }
        let last = self.network.layers().len() - 1;
        for (index, (layer, columns)) in self.network.layers().iter().zip(&self.columns).enumerate() {
            let mut bends = Vec::new();
            for (which, state) in self.states.iter_mut().enumerate() {
                let mut sums = if which == 0 { layer.bias.clone() } else { vec![0.0; layer.rows] };
                if which == 0 {
                    sums.iter_mut().zip(&level.biases[index]).for_each(|(sum, bias)| *sum += bias);
                    if let (Some(class), false) = (self.class, layer.class.is_empty()) {
                        let of_rows = layer.class.chunks_exact(shape.classes);
                        sums.iter_mut().zip(of_rows).for_each(|(sum, row)| *sum += row[usize::from(class)]);
                    }
                }
                for (column, x) in columns.chunks_exact(layer.rows).zip(state.iter()) {
                    sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += w * x);
                }
                if index < last {
                    if which == 0 {
                        bends = sums.iter().map(|pre| slope(shape.activation, *pre)).collect();
                        sums.iter_mut().for_each(|pre| *pre = shape.activation.apply(*pre));
                    } else {
                        sums.iter_mut().zip(&bends).for_each(|(sum, bend): (&mut f32, &f32)| *sum *= bend);
                    }
                    if layer.residual {
                        sums.iter_mut().zip(state.iter()).for_each(|(sum, x)| *sum += x);
                    }
                }
                *state = sums;
            }
        }
        let (value, rest) = self.states.split_first().expect("the value comes first");
        for ((mean, x), f) in mean.iter_mut().zip(x).zip(value) {
            *mean = level.mean.at(*x, *f);
        }
        for ((slope, v), jv) in slopes.chunks_exact_mut(x.len()).zip(along.chunks_exact(x.len())).zip(rest) {
            for ((slope, v), jv) in slope.iter_mut().zip(v).zip(jv) {
                *slope = level.mean.at(*v, *jv);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denoiser::FloatDenoiser;
    use crate::likelihood::ladder;
    use crate::network::{Conditioning, Shape};
    use mote_core::schedule::{Cosine, Schedule};
    use mote_core::score::{Denoiser as _, Prediction};

    #[test]
    fn slopes_are_those_of_the_network_that_samples() {
        let noising =
            Noising { schedule: Schedule::Cosine(Cosine::DEFAULT), prediction: Prediction::V, sigma_data: 1.0 };
        let levels = ladder(&noising, 4);
        for activation in [Activation::Silu, Activation::Relu] {
            let shape = Shape {
                residual: true,
                features: 4,
                max_frequency: 10.0,
                classes: 2,
                conditioning: Conditioning::EveryHiddenLayer,
                ..Shape::plain(3, 3, &[16, 16], activation)
            };
            let network = FloatNetwork::initial(shape, 3).unwrap();
            let mut float = FloatDenoiser::new(&network, &noising, &levels);
            let mut mean_of = |x: &[f32]| {
                let mut out = [0.0; 3];
                float.predict(2, Some(1), x, &mut out);
                let convert = noising.prediction.x0(levels[2]);
                std::array::from_fn::<f32, 3, _>(|i| convert.at(x[i], out[i]))
            };
            let mut own = NetworkMean::new(&network, &noising, &levels);
            own.class = Some(1);
            let (x, along) = ([0.4, -0.7, 0.2], [1.0, 0.5, -0.25, 0.0, 1.0, 0.0]);
            let (mut mean, mut slopes) = ([0.0; 3], [0.0; 6]);
            own.denoise(2, &x, &along, &mut mean, &mut slopes);
            for (got, expected) in mean.iter().zip(mean_of(&x)) {
                assert!((got - expected).abs() < 1e-6, "{mean:?}");
            }
            for (direction, got) in along.chunks(3).zip(slopes.chunks(3)) {
                let moved = |h: f32| std::array::from_fn::<f32, 3, _>(|i| x[i] + h * direction[i]);
                let (up, down) = (mean_of(&moved(1e-2)), mean_of(&moved(-1e-2)));
                for i in 0..3 {
                    // Rounding of 1e-7 over a step of 1e-2, and a kink of ReLU is not within it here.
                    assert!((got[i] - (up[i] - down[i]) / 2e-2).abs() < 2e-4, "{activation:?} {i}: {got:?}");
                }
            }
        }
    }
}
