//! What the specification describes, as vectors.

/// A model as vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob {
    /// 0 sampler, 1 centre denoiser, 2 imputer.
    pub role: u8,
    /// The code of what the output stands for.
    pub prediction: u8,
    /// The most predictions that any plan keeps.
    pub history: u8,
    /// Inputs.
    pub dim_in: usize,
    /// Outputs.
    pub dim_out: usize,
    /// Number of classes.
    pub classes: usize,
    /// The data's deviation after scaling.
    pub sigma_data: f32,
    /// Image height and width.
    pub image: (u16, u16),
    /// Plan, class plus 1, and sample number of the self-test.
    pub self_test: (u16, u16, u32),
    /// The self-test's seed.
    pub seed: u64,
    /// The self-test's digest.
    pub digest: u64,
    /// Mean of each component.
    pub mean: Vec<f32>,
    /// Deviation of each component.
    pub deviation: Vec<f32>,
    /// The layers.
    pub layers: Vec<Layer>,
    /// The noise levels.
    pub levels: Vec<Level>,
    /// For each class and layer its biases, none for a layer without.
    pub class_biases: Vec<Vec<Option<Vec<i16>>>>,
    /// The plans.
    pub plans: Vec<Plan>,
    /// What an imputer has besides.
    pub gaps: Option<Gaps>,
    /// The text.
    pub text: String,
    /// Where in the file its floats lie.
    pub float_offsets: Vec<usize>,
    /// Where each section starts (1 to 7, by the specification's headings), and the file's length.
    pub section_offsets: Vec<usize>,
}

/// A dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub columns: usize,
    /// 0 none, 1 ReLU, 2 SiLU.
    pub activation: u8,
    /// Whether inputs are added to outputs.
    pub residual: bool,
    /// Whether levels hold biases for it.
    pub level_biases: bool,
    /// Whether classes hold biases for it.
    pub class_biases: bool,
    /// 0 for 8-bit weights, 1 for 4-bit ones.
    pub weight_format: u8,
    /// 0 row after row, 1 row pairs.
    pub layout: u8,
    /// 0 for 8-bit input codes, 1 for 16-bit ones.
    pub input_format: u8,
    /// The largest input code.
    pub q_max: u16,
    /// Multipliers of a hidden layer.
    pub multipliers: Vec<i16>,
    /// Biases of a hidden layer of its own.
    pub biases: Vec<i16>,
    /// Scales of the last layer.
    pub float_scales: Vec<f32>,
    /// Biases of the last layer.
    pub float_biases: Vec<f32>,
    /// Row after row, whatever the layout in the file.
    pub weights: Vec<i8>,
}

/// A noise level.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Signal.
    pub alpha: f32,
    /// Noise.
    pub sigma: f32,
    /// Factor before the input is rounded.
    pub input_scale: f32,
    /// Factor of the output.
    pub output_gain: f32,
    /// For each layer sum_shift and code_shift.
    pub shifts: Vec<(u8, u8)>,
    /// For each layer its biases, none for a layer without.
    pub biases: Vec<Option<Vec<i16>>>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// How many predictions it keeps.
    pub history: u8,
    /// Scale of the starting noise.
    pub start_scale: f32,
    /// The default guidance weight.
    pub guidance: f32,
    /// Its rows.
    pub rows: Vec<PlanRow>,
}

/// What an imputer has besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaps {
    /// Samples of means and of deviations.
    pub window: usize,
    /// Samples of the state.
    pub around: usize,
    /// The order of the autoregression.
    pub order: usize,
    /// Scale of the starting noise.
    pub start_scale: f32,
    /// Rows of a draw.
    pub rows: Vec<PlanRow>,
    /// For each number of samples before and each channel, the whitening row.
    pub whitening: Vec<Vec<Vec<f32>>>,
}

/// A row of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRow {
    /// The noise level.
    pub level: u16,
    /// p, q, a, b0, b1, b2, b3, e.
    pub coefficients: [f32; 8],
}
