//! The page of a run, and the picture in it.

use std::path::Path;

use anyhow::Context as _;
use mote_core::model::Model;

use crate::evaluation::QualityRow;
use crate::evaluation::{Asked, options};
use crate::files::write_atomically;
use crate::inspection::Inspection;
use crate::pool::Batch;
use crate::recipe::Recipe;
use crate::report::{BoardReport, Efficiency, FrontierPoint, Picture, Report, samples_beside_data};
use crate::run::{Prepared, RunFolder};
use crate::training_run::Metric;

/// Samples in the picture; image grids show the first 64.
const SHOWN: usize = 500;

/// Seed of the samples in the pictures.
pub(super) const PICTURE_SEED: u64 = 2026;

/// What the page of a run is made of.
pub(super) struct RunPage<'a> {
    pub folder: &'a RunFolder,
    pub title: &'a str,
    pub recipe: &'a Recipe,
    pub data: &'a Prepared,
    pub metrics: &'a [Metric],
    pub model: &'a Model<'a>,
    pub quality: &'a [QualityRow],
    pub board: Option<&'a BoardReport>,
    pub commands: &'a [String],
    pub more: More,
}

/// What only `mote report` takes the time for.
#[derive(Default)]
pub(super) struct More {
    pub trajectory: Vec<Picture>,
    pub efficiency: Option<Efficiency>,
    pub frontier: Vec<FrontierPoint>,
    pub quantisation_difference: Option<f64>,
    pub facts: Vec<(&'static str, String)>,
}

impl RunPage<'_> {
    /// Writes the page, and `samples.png` into the run where the data are images; gives what the blob holds.
    pub fn write(&self, path: &Path) -> anyhow::Result<Inspection> {
        let samples = self.samples()?;
        if let (Some(picture), Some(_)) = (&samples, self.data.summary.image) {
            write_atomically(&self.folder.file("samples.png"), |out| out.write_all(&picture.png))?;
        }
        let inspection = Inspection::of(self.model);
        let html = Report {
            name: self.title,
            commands: self.commands,
            metrics: self.metrics,
            samples: samples.as_slice(),
            trajectory: &self.more.trajectory,
            quality: self.quality,
            quantisation_difference: self.more.quantisation_difference,
            efficiency: self.more.efficiency.as_ref(),
            frontier: &self.more.frontier,
            inspection: &inspection,
            board: self.board,
            facts: &self.more.facts,
            recipe: &self.recipe.to_toml(),
        }
        .to_html()?;
        write_atomically(path, |out| out.write_all(html.as_bytes()))?;
        Ok(inspection)
    }

    /// Samples of the blob beside real rows that were held out; none without such rows.
    fn samples(&self) -> anyhow::Result<Option<Picture>> {
        let (test, dim) = (&self.data.raw_test, self.data.dim());
        let count = SHOWN.min(test.len() / dim);
        if count == 0 || self.recipe.slides() {
            return Ok(None);
        }
        let plan = self.model.plan(0).context("the blob has no plan")?;
        let batch = Batch { seed: PICTURE_SEED, first: 0, count, options: Default::default() };
        let mix = self.data.class_mix().filter(|_| self.model.classes() > 0);
        let of_sample = |k: u32| options(Asked::Shares, mix.as_ref(), None, k);
        let mut samples = batch.draw_quantised_each(self.model, &plan, &of_sample);
        samples.chunks_exact_mut(dim).for_each(|sample| self.model.unscale(sample));
        let what = format!("samples of the int8 blob by {}", plan.name);
        Ok(Some(samples_beside_data(&self.data.summary, &samples, &test[..count * dim], &what)?))
    }
}
