//! Models with random weights: every feature of the format, any shape, no training.

use mote_core::model::{
    Arena, ImputationParts, LayerParts, LevelParts, Model, ModelParts, Parameters, PlanParts, Role, SelfTest,
};
use mote_core::network::{Activation, ActivationFormat, WeightFormat, WeightLayout};
use mote_core::random::{NormalSource, Stream, Ziggurat};
use mote_core::sampler::{Named, PlanBuilder, Row, start_scale};
use mote_core::schedule::{Cosine, NoiseLevel, NoiseSchedule, uniform_lambda};
use mote_core::score::Prediction;

/// The shape and the features of a random model.
#[derive(Clone, Debug)]
pub struct RandomModel {
    /// Components of a sample.
    pub dim: usize,
    /// Widths and activations of the hidden layers.
    pub hidden: Vec<(usize, Activation)>,
    /// Whether hidden layers between equal widths are residual.
    pub residual: bool,
    /// Number of classes.
    pub classes: u16,
    /// Number of noise levels of the grid that the plans of [`Samplers::Two`] share.
    pub levels: usize,
    /// Which plans there are.
    pub samplers: Samplers,
    /// The largest activation code.
    pub q_max: u16,
    /// Where biases stand.
    pub biases: Biases,
    /// Outputs of a centre denoiser; `None` makes a sampler.
    pub centre: Option<usize>,
    /// What a model that fills gaps sees of a signal, of which `centre` is the number of channels.
    pub gaps: Option<RandomGaps>,
    /// How the weights lie in the blob.
    pub layout: WeightLayout,
    /// The largest weight.
    pub weight_max: i8,
    /// How many bits a weight takes in the blob; 4 hold weights to 7.
    pub weight_format: WeightFormat,
    /// Seed of the weights.
    pub seed: u64,
}

/// What a random model that fills gaps sees.
#[derive(Clone, Copy, Debug)]
pub struct RandomGaps {
    /// Samples of means and of deviations.
    pub window: u16,
    /// Samples of the state.
    pub around: u16,
    /// Order of the autoregression.
    pub order: u16,
}

/// Which plans a random model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samplers {
    /// `dpm++2m` and `ddpm`, a step for each level.
    Two,
    /// Every sampler by its name, with the most steps that take at most so many evaluations.
    AllWithin(usize),
}

/// Where a random model has its biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Biases {
    /// Hidden layers have them in the levels, and in the classes if there are any.
    InLevels,
    /// Every second layer has its own, and the last one has them in its floats, the levels and the classes.
    Everywhere,
}

impl RandomModel {
    /// 64-128-128-128-64 with ReLU, SiLU and a residual layer, two classes, ten steps.
    pub fn digits() -> Self {
        Self {
            dim: 64,
            hidden: vec![(128, Activation::Relu), (128, Activation::Silu), (128, Activation::Relu)],
            residual: true,
            classes: 2,
            levels: 10,
            samplers: Samplers::Two,
            q_max: 127,
            biases: Biases::InLevels,
            centre: None,
            gaps: None,
            layout: WeightLayout::Rows,
            weight_max: 127,
            weight_format: WeightFormat::Bits8,
            seed: 1,
        }
    }

    /// 2-16-16-2 with ReLU, four steps: small enough to be built into an image.
    pub fn tiny() -> Self {
        Self {
            dim: 2,
            hidden: vec![(16, Activation::Relu), (16, Activation::Relu)],
            residual: false,
            classes: 0,
            levels: 4,
            samplers: Samplers::Two,
            q_max: 127,
            biases: Biases::InLevels,
            centre: None,
            gaps: None,
            layout: WeightLayout::Rows,
            weight_max: 127,
            weight_format: WeightFormat::Bits8,
            seed: 2,
        }
    }

    /// A network that slides: nine samples of two channels, 18-24-16-2 with SiLU, and the middle sample comes out.
    pub fn slide() -> Self {
        Self {
            dim: 18,
            hidden: vec![(24, Activation::Silu), (16, Activation::Silu)],
            levels: 6,
            centre: Some(2),
            seed: 4,
            ..Self::tiny()
        }
    }

    /// A network that fills gaps in two channels: five samples of means and of deviations and three of the state, 26-24-16-2 with SiLU, over an autoregression of
    /// order 2.
    pub fn gaps() -> Self {
        Self { dim: 26, gaps: Some(RandomGaps { window: 5, around: 3, order: 2 }), seed: 5, ..Self::slide() }
    }

    /// Whitening rows: small numbers for the past, 1 to 2 for the sample's own channel.
    fn autoregression(&self, channels: usize, order: usize) -> Vec<f32> {
        let mut noise = Ziggurat::new(Stream::new(self.seed));
        let mut numbers = Vec::new();
        for before in 0..=order {
            for channel in 0..channels {
                numbers.extend((0..before * channels).map(|_| 0.3 * noise.normal()));
                numbers.extend((0..channels).map(|c| match c {
                    c if c < channel => 0.5 * noise.normal(),
                    c if c == channel => 1.0 + 1.0 / (1.0 + noise.normal().abs()),
                    _ => 0.0,
                }));
            }
        }
        numbers
    }

    /// 5-9-9-9-5 with every feature of the format that a sampler can have.
    pub fn small_with_everything() -> Self {
        Self {
            dim: 5,
            hidden: vec![(9, Activation::Relu), (9, Activation::Silu), (9, Activation::Relu)],
            residual: true,
            classes: 3,
            levels: 3,
            samplers: Samplers::Two,
            q_max: 1000,
            biases: Biases::Everywhere,
            centre: None,
            gaps: None,
            layout: WeightLayout::Rows,
            weight_max: 127,
            weight_format: WeightFormat::Bits8,
            seed: 3,
        }
    }

    /// The same shape with weights to 7, in a byte or in half a byte each: the same model, in either format.
    pub fn of_small_weights(self, weight_format: WeightFormat) -> Self {
        Self { weight_max: 7, weight_format, ..self }
    }

    fn dim_out(&self) -> usize {
        self.centre.unwrap_or(self.dim)
    }

    /// [`digits`](Self::digits) with a plan of every sampler, of ten evaluations or as many of those as its steps make.
    pub fn digits_with_every_sampler() -> Self {
        Self { samplers: Samplers::AllWithin(10), ..Self::digits() }
    }

    /// The plans over one table of levels, which runs on the cosine schedule.
    fn plans(&self) -> Plans {
        let schedule = Cosine::DEFAULT;
        let grid = |steps: usize| -> Vec<NoiseLevel> {
            let mut lambdas = vec![0.0; steps];
            uniform_lambda(-4.6, 4.1, &mut lambdas);
            lambdas.iter().map(|lambda| schedule.level_at_lambda(*lambda)).collect()
        };
        let all_levels = |named: &Named, steps: usize| -> Vec<NoiseLevel> {
            let grid = grid(steps);
            let count = named.sampler.levels(&grid);
            (0..count).map(|k| named.sampler.level(k, &grid, &schedule).expect("the level is there")).collect()
        };
        let wanted: Vec<(&Named, usize)> = match self.samplers {
            Samplers::Two => ["dpm++2m", "ddpm"].map(|name| (Named::find(name).expect("its name"), self.levels)).into(),
            Samplers::AllWithin(evaluations) => Named::all()
                .map(|named| {
                    let fits = |steps: &usize| named.sampler.rows(&all_levels(named, *steps)) <= evaluations;
                    (named, (1..=evaluations).rev().find(fits).expect("one step fits"))
                })
                .collect(),
        };
        let mut plans = Plans { levels: Vec::new(), plans: Vec::new() };
        for (named, steps) in wanted {
            let own = all_levels(named, steps);
            let places: Vec<usize> = own.iter().map(|level| plans.place(*level)).collect();
            let rows = (0..named.sampler.rows(&own))
                .map(|i| {
                    let row = named.sampler.row(i, &own, Prediction::V).expect("the row is there");
                    Row { level: places[usize::from(row.level)] as u16, ..row }
                })
                .collect();
            plans.plans.push((named.name, rows, start_scale(&own, 1.0)));
        }
        plans
    }

    /// The blob, its self-test included. Plan 0 is `dpm++2m` and plan 1 `ddpm`, or all are in the order of the list.
    pub fn blob(&self) -> Vec<u8> {
        let plans = self.plans();
        let weights = Weights::draw(self, plans.levels.len());
        let first = weights.write(self, &plans, 0);
        let digest = {
            let model = Model::parse(&first).expect("a random model parses");
            let mut arena = Box::new(Arena::<65536>::new());
            model.bind(&mut arena).expect("a random model fits").self_test_digest()
        };
        weights.write(self, &plans, digest)
    }
}

/// Plans by name, rows and start, over one table of levels.
struct Plans {
    levels: Vec<NoiseLevel>,
    plans: Vec<(&'static str, Vec<Row>, f32)>,
}

impl Plans {
    /// The level's place in the table, where it is put if it is new.
    fn place(&mut self, level: NoiseLevel) -> usize {
        self.levels.iter().position(|known| *known == level).unwrap_or_else(|| {
            self.levels.push(level);
            self.levels.len() - 1
        })
    }
}

struct LayerWeights {
    rows: usize,
    cols: usize,
    activation: Activation,
    residual: bool,
    level_biases: bool,
    weights: Vec<i8>,
    multipliers: Vec<i16>,
    own_biases: Vec<i16>,
    scales: Vec<f32>,
    float_biases: Vec<f32>,
}

struct Weights {
    layers: Vec<LayerWeights>,
    level_biases: Vec<Vec<i16>>,
    class_biases: Vec<i16>,
}

impl LayerWeights {
    fn has_class_biases(&self, shape: &RandomModel) -> bool {
        shape.classes > 0 && (self.activation != Activation::None || shape.biases == Biases::Everywhere)
    }
}

/// Bits of the codes that stand for one unit of activation.
const CODE_SHIFT: u8 = 5;

impl Weights {
    fn draw(shape: &RandomModel, levels: usize) -> Self {
        let mut noise = Ziggurat::new(Stream::new(shape.seed));
        let mut layers = Vec::new();
        let mut cols = shape.dim;
        let outputs = [(shape.dim_out(), Activation::None)];
        for (number, &(rows, activation)) in shape.hidden.iter().chain(&outputs).enumerate() {
            // The sum of |w| over a row is 0.8 deviations a column, with luck 2.5, and q_max times it must stay below 2^23.
            let deviation = (30.0 * f32::from(shape.weight_max) / 127.0)
                .min(0.4 * 8_388_608.0 / (f32::from(shape.q_max) * cols as f32));
            let most = f32::from(shape.weight_max);
            let output = activation == Activation::None;
            let level_biases = match shape.biases {
                Biases::InLevels => !output,
                Biases::Everywhere => output || number % 2 == 0,
            };
            layers.push(LayerWeights {
                rows,
                cols,
                activation,
                residual: shape.residual && number > 0 && rows == cols && !output,
                level_biases,
                weights: (0..rows * cols).map(|_| (noise.normal() * deviation).clamp(-most, most) as i8).collect(),
                // Pre-activations of about one unit (2^10) for codes of about 2^10 / 2^CODE_SHIFT.
                multipliers: (0..rows)
                    .map(|_| {
                        let gain = f32::from(1u16 << CODE_SHIFT) / (deviation * (cols as f32).sqrt());
                        (gain * (1.0 + 0.1 * noise.normal().clamp(-3.0, 3.0)) * 8192.0).clamp(1.0, 32767.0) as i16
                    })
                    .collect(),
                scales: (0..rows).map(|_| 1.0 / (deviation * (cols as f32).sqrt() * 32.0)).collect(),
                own_biases: if output || level_biases {
                    Vec::new()
                } else {
                    (0..rows).map(|_| (noise.normal() * 300.0) as i16).collect()
                },
                float_biases: (0..rows).map(|_| 0.1 * noise.normal()).collect(),
            });
            cols = rows;
        }
        let rows_with = |wanted: &dyn Fn(&LayerWeights) -> bool| -> usize {
            layers.iter().filter(|layer| wanted(layer)).map(|layer| layer.rows).sum()
        };
        let level_rows = rows_with(&|layer| layer.level_biases);
        let class_rows = rows_with(&|layer| layer.has_class_biases(shape));
        let mut biases = |count: usize| (0..count).map(|_| (noise.normal() * 300.0) as i16).collect::<Vec<_>>();
        let level_biases = (0..levels).map(|_| biases(level_rows)).collect();
        let class_biases = biases(usize::from(shape.classes) * class_rows);
        Self { layers, level_biases, class_biases }
    }

    fn write(&self, shape: &RandomModel, built: &Plans, digest: u64) -> Vec<u8> {
        let layers: Vec<_> = self
            .layers
            .iter()
            .map(|layer| {
                let output = layer.activation == Activation::None;
                LayerParts {
                    rows: layer.rows as u16,
                    cols: layer.cols as u16,
                    activation: layer.activation,
                    residual: layer.residual,
                    level_biases: layer.level_biases,
                    class_biases: layer.has_class_biases(shape),
                    input_format: if shape.q_max > 127 { ActivationFormat::Bits16 } else { ActivationFormat::Bits8 },
                    input_max: shape.q_max,
                    parameters: if output {
                        Parameters::Output { scales: &layer.scales, biases: &layer.float_biases }
                    } else {
                        Parameters::Hidden { multipliers: &layer.multipliers, biases: &layer.own_biases }
                    },
                    weight_format: shape.weight_format,
                    weights: &layer.weights,
                }
            })
            .collect();
        // A multiplier of 8192 over 2^(8 + 9) is 1/16; codes shift with the levels to exercise every path.
        let shifts: Vec<Vec<(u8, u8)>> = (0..built.levels.len())
            .map(|level| {
                let shift = CODE_SHIFT + (level % 2) as u8;
                shape.hidden.iter().map(|_| (9, shift)).chain([(0, 0)]).collect()
            })
            .collect();
        let levels: Vec<_> = built
            .levels
            .iter()
            .zip(&shifts)
            .zip(&self.level_biases)
            .map(|((noise, shifts), biases)| LevelParts {
                noise: *noise,
                input_scale: 32.0,
                output_gain: 1.0,
                shifts,
                biases,
            })
            .collect();
        let plans: Vec<_> = built
            .plans
            .iter()
            .map(|(name, rows, start_scale)| PlanParts { name, rows, start_scale: *start_scale, guidance: 0.0 })
            .collect();
        let plans = if shape.centre.is_some() { &[][..] } else { &plans[..] };
        let (mean, deviation) = (vec![0.25; shape.dim], vec![2.0; shape.dim]);
        // A draw's rows: an Euler step in the angle of the noise for each level, and one of them noisy.
        let rows: Vec<Row> = (0..built.levels.len() as u16)
            .map(|level| Row {
                level,
                p: 0.0,
                q: 1.0,
                a: 1.0,
                b: [-1.4 / built.levels.len() as f32, 0.0, 0.0, 0.0],
                e: if level == 1 { 0.25 } else { 0.0 },
            })
            .collect();
        let autoregression = shape.gaps.map(|gaps| shape.autoregression(shape.dim_out(), gaps.order.into()));
        let imputation = shape.gaps.zip(autoregression.as_deref()).map(|(gaps, autoregression)| ImputationParts {
            window: gaps.window,
            around: gaps.around,
            order: gaps.order,
            start_scale: 1.25,
            rows: &rows,
            autoregression,
        });
        let parts = ModelParts {
            role: match (shape.gaps, shape.centre) {
                (Some(_), _) => Role::Imputer,
                (None, Some(_)) => Role::CentreDenoiser,
                (None, None) => Role::Sampler,
            },
            prediction: Prediction::V,
            sigma_data: 1.0,
            classes: shape.classes,
            layout: shape.layout,
            image: (shape.dim_out() == 64).then_some((8, 8)),
            mean: &mean,
            deviation: &deviation,
            layers: &layers,
            levels: &levels,
            class_biases: &self.class_biases,
            plans,
            imputation,
            text: "name = \"random weights\"\n",
            self_test: SelfTest { plan: u16::from(shape.centre.is_none()), class: None, sample: 3, seed: 2026, digest },
        };
        let mut blob = vec![0; parts.blob_bytes().expect("the counts fit")];
        parts.write(&mut blob).expect("the buffer is long enough");
        blob
    }
}
