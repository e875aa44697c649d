//! The page of a run, and the picture in it.

use anyhow::Context as _;
use mote_core::model::Model;

use crate::evaluation::QualityRow;
use crate::files::write_atomically;
use crate::inspection::Inspection;
use crate::pool::Batch;
use crate::recipe::Recipe;
use crate::report::{BoardReport, Report};
use crate::run::{Prepared, RunFolder};
use crate::training_run::{Trained, loss_chart};
use mote_picture::{GridStyle, Tiles, side_by_side_png};

/// Images on each side of the picture, 8 in a row.
const SHOWN: usize = 64;

/// Seed of the samples in the picture.
const PICTURE_SEED: u64 = 2026;

/// What the page of a run is made of.
pub(super) struct RunPage<'a> {
    pub folder: &'a RunFolder,
    pub title: &'a str,
    pub recipe: &'a Recipe,
    pub data: &'a Prepared,
    pub trained: &'a Trained,
    pub model: &'a Model<'a>,
    pub quality: &'a [QualityRow],
    pub board: Option<&'a BoardReport>,
    pub commands: &'a [String],
}

impl RunPage<'_> {
    /// Writes `report.html`, and `samples.png` where the data are images; gives what the blob holds.
    pub fn write(&self) -> anyhow::Result<Inspection> {
        let picture = self.data.summary.image.map(|image| self.picture(image)).transpose()?;
        if let Some(png) = &picture {
            write_atomically(&self.folder.file("samples.png"), |out| out.write_all(png))?;
        }
        let inspection = Inspection::of(self.model);
        let caption = "Left: samples of the int8 blob. Right: real data that training did not see.";
        let html = Report {
            name: self.title,
            commands: self.commands,
            metrics: &self.trained.metrics,
            loss_svg: &loss_chart(&self.trained.metrics),
            picture: picture.as_deref().map(|png| (png, caption)),
            quality: self.quality,
            inspection: &inspection,
            board: self.board,
            recipe: &self.recipe.to_toml(),
        }
        .to_html()?;
        write_atomically(&self.folder.report(), |out| out.write_all(html.as_bytes()))?;
        Ok(inspection)
    }

    /// Samples of the blob beside real rows that were held out.
    fn picture(&self, (height, width): (usize, usize)) -> anyhow::Result<Vec<u8>> {
        let plan = self.model.plan(0).context("the blob has no plan")?;
        let dim = self.data.dim();
        let count = SHOWN.min(self.data.raw_test.len() / dim);
        let batch = Batch { seed: PICTURE_SEED, first: 0, count, options: Default::default() };
        let mut samples = batch.draw_quantised(self.model, &plan);
        samples.chunks_exact_mut(dim).for_each(|sample| self.model.unscale(sample));
        let tiles = |values| Tiles { values, height, width };
        let style = GridStyle { columns: 8, range: self.data.summary.range, scale: (48 / width.max(1)).clamp(1, 6) };
        Ok(side_by_side_png(&tiles(&samples), &tiles(&self.data.raw_test[..count * dim]), &style)?)
    }
}
