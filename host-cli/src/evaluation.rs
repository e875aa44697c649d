//! Quality of samples beside the data-to-data floor.

use mote_core::model::{Model, NamedPlan};
use mote_core::sampler::Plan;
use serde::Serialize;

use crate::data::Scaling;
use crate::denoiser::FloatDenoiser;
use crate::metrics::{MetricError, Points, QualityTable, Reference, digit_units};
use crate::network::FloatNetwork;
use crate::noise::Noising;
use crate::plan::LevelSet;
use crate::pool::Batch;
use crate::run::{DataSummary, Prepared};

/// The units in which distances are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    /// Digits: pixels rounded to their 17 grey levels and brought to -1..=1.
    Digits,
    /// Anything else: the scale of training, so that no feature outweighs the others.
    Scaled,
}

/// One line of a quality table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityRow {
    /// What was measured.
    pub name: String,
    /// Network evaluations for one sample; none for the floor.
    pub evaluations: Option<usize>,
    /// What fresh data score in memorisation: the training rows' share of training and test rows, since either kind is as
    /// likely to hold the nearest. Only in the floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_memorisation: Option<f64>,
    /// The figures.
    #[serde(flatten)]
    pub quality: QualityTable,
}

impl QualityRow {
    /// The share of memorisation; in the floor what fresh data score, in brackets.
    #[must_use]
    pub fn memorisation_text(&self) -> String {
        match (self.quality.memorisation, self.fresh_memorisation) {
            (Some(figure), _) => format!("{:.3}", figure.mean),
            (None, Some(fresh)) => format!("({fresh:.3})"),
            (None, None) => String::new(),
        }
    }
}

/// Training and test rows in the units of measurement.
#[derive(Debug)]
pub struct Assessment {
    train: Points,
    held_out: Points,
    units: Units,
    scaling: Scaling,
}

/// Blocks of samples that are measured, each as large as the test set.
pub const BLOCKS: usize = 10;

impl Assessment {
    /// Prepares the comparison with the test rows.
    ///
    /// # Errors
    /// [`MetricError`] when there are too few rows.
    pub fn new(data: &Prepared) -> Result<Self, MetricError> {
        let DataSummary { name, image, scaling, .. } = &data.summary;
        let units = if name == "digits" && *image == Some((8, 8)) { Units::Digits } else { Units::Scaled };
        let dim = data.dim();
        let points = |raw: &[f32]| Points::new(&in_units(raw.to_vec(), units, scaling), dim);
        Ok(Self { train: points(&data.raw_train)?, held_out: points(&data.raw_test)?, units, scaling: scaling.clone() })
    }

    /// Samples that fill all blocks.
    #[must_use]
    pub fn pool_size(&self) -> usize {
        BLOCKS * self.held_out.rows()
    }

    /// Measures pools of samples in the scale of training, with the floor as the first row.
    ///
    /// # Errors
    /// [`MetricError`] when a pool has too few samples.
    pub fn table(&self, pools: Vec<(String, usize, Vec<f32>)>) -> Result<Vec<QualityRow>, MetricError> {
        let reference = Reference::new(&self.train, &self.held_out)?;
        let (train, test) = (self.train.rows() as f64, self.held_out.rows() as f64);
        let mut rows = vec![QualityRow {
            name: "floor (training rows)".into(),
            evaluations: None,
            fresh_memorisation: Some(train / (train + test)),
            quality: reference.floor(1, 0)?,
        }];
        for (name, evaluations, mut pool) in pools {
            self.scaling.invert(&mut pool);
            let points = Points::new(&in_units(pool, self.units, &self.scaling), self.held_out.dim())?;
            let quality = reference.table(&points, self.held_out.rows())?;
            rows.push(QualityRow { name, evaluations: Some(evaluations), fresh_memorisation: None, quality });
        }
        Ok(rows)
    }
}

fn in_units(mut raw: Vec<f32>, units: Units, scaling: &Scaling) -> Vec<f32> {
    match units {
        Units::Digits => digit_units(&raw),
        Units::Scaled => {
            scaling.apply(&mut raw);
            raw
        }
    }
}

/// Draws float and quantised samples of every plan from the same noise and measures them.
///
/// # Errors
/// [`MetricError`] when there are too few samples.
pub fn float_and_quantised(
    assessment: &Assessment,
    network: &FloatNetwork,
    noising: &Noising,
    set: &LevelSet,
    model: &Model<'_>,
    seed: u64,
) -> Result<Vec<QualityRow>, MetricError> {
    let batch = Batch { seed, first: 0, count: assessment.pool_size(), options: Default::default() };
    let denoiser = FloatDenoiser::new(network, noising, &set.levels);
    let dim = model.dim_out();
    let mut pools = Vec::new();
    for built in &set.plans {
        let evaluations = built.rows.len();
        let float = batch.draw(&denoiser, dim, Plan::new(&built.rows, built.start_scale));
        pools.push((format!("{}, float", built.name), evaluations, float));
        let named: Option<NamedPlan<'_>> = model.plan_named(&built.name);
        if let Some(named) = named {
            pools.push((format!("{}, int8", built.name), evaluations, batch.draw_quantised(model, &named)));
        }
    }
    assessment.table(pools)
}

/// The quality table as text.
#[must_use]
pub fn to_text(rows: &[QualityRow]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut text =
        format!("{:width$}  {:>9} {:>9} {:>7} {:>8} {:>8}\n", "", "sliced W2", "MMD^2", "1-NN", "Frechet", "memoris.");
    for row in rows {
        let QualityRow { name, quality, .. } = row;
        let memorisation = row.memorisation_text();
        text += &format!(
            "{name:width$}  {:>9.4} {:>9.5} {:>7.3} {:>8.3} {memorisation:>8}\n",
            quality.sliced_w2.mean, quality.mmd2.mean, quality.nearest_neighbour.mean, quality.frechet.mean
        );
    }
    text
}
