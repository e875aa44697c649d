//! Networks and plans that a chip has room for.

use mote_core::model::arena_bytes_of;

use super::{BoardCosts, Footprint, Work, blob_bytes};
use crate::noise::Noising;
use crate::plan::{LevelSet, PlanError, PlanSpec};
use crate::quantize::Format;
use crate::recipe::Recipe;
use crate::run::DataSummary;

/// Widths that are tried for the hidden layers: multiples of 4, which no kernel pads, in steps of a quarter or so.
const WIDTHS: [usize; 20] = [8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512];
/// Numbers of hidden layers that are tried.
const DEPTHS: std::ops::RangeInclusive<usize> = 2..=4;

/// What a chip can spare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Bytes of flash for the program and the model.
    pub flash: usize,
    /// Bytes of memory for statics, arena and stack.
    pub ram: usize,
    /// Cycles a second.
    pub clock_hz: f64,
    /// The longest that a sample may take, in seconds.
    pub seconds: Option<f64>,
}

/// A network with a plan, and what they take.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// The plan.
    pub plan: PlanSpec,
    /// What a sample asks for.
    pub work: Work,
    /// Bytes of the blob.
    pub blob_bytes: usize,
    /// Bytes of flash, program included.
    pub flash_bytes: usize,
    /// Bytes of working memory.
    pub arena_bytes: usize,
    /// Bytes of memory, stack included.
    pub ram_bytes: usize,
    /// Instructions of a sample.
    pub instructions: f64,
    /// The least and the most cycles of a sample to expect.
    pub cycles: [f64; 2],
}

/// What a design has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// Flash.
    Flash,
    /// Memory.
    Ram,
    /// Time.
    Time,
}

impl Design {
    /// What a network of these widths with this plan takes on a board.
    ///
    /// # Errors
    /// [`PlanError`] when the plan does not suit the recipe's schedule.
    pub fn of(
        hidden: &[usize],
        plan: &PlanSpec,
        recipe: &Recipe,
        data: &DataSummary,
        costs: &BoardCosts,
    ) -> Result<Self, PlanError> {
        let noising: Noising = recipe.noise.noising();
        let mut shape = recipe.network.shape(data.columns.len(), data.classes.len());
        shape.hidden = hidden.to_vec();
        let set = LevelSet::build(std::slice::from_ref(plan), &noising)?;
        let rows = set.plans.first().map_or(&[][..], |plan| &plan.rows);
        let widths: Vec<usize> = [shape.dim_in].iter().chain(hidden).chain([&shape.dim_out]).copied().collect();
        let work = Work { steps: rows.len(), noisy_steps: rows.iter().filter(|row| row.e != 0.0).count(), widths };
        let history = rows.iter().map(mote_core::sampler::Row::history).max().unwrap_or(1);
        let width = work.widths.iter().copied().max().unwrap_or(0);
        let on_host = arena_bytes_of(shape.dim_in, shape.dim_out, width, history, shape.classes > 0);
        let text = data.blob_text(recipe, &Format::from(recipe.blob.activation_bits).to_string());
        let blob_bytes = blob_bytes(&shape, &set, text.len());
        let Footprint { flash_bytes, arena_bytes, ram_bytes } = costs.footprint(blob_bytes, on_host, width);
        Ok(Self {
            hidden: hidden.to_vec(),
            plan: plan.clone(),
            flash_bytes,
            ram_bytes,
            instructions: costs.sample(&work),
            cycles: costs.cycles(&work),
            work,
            blob_bytes,
            arena_bytes,
        })
    }

    /// What it has too much of for a budget, if anything.
    #[must_use]
    pub fn objection(&self, budget: &Budget) -> Option<Objection> {
        let slow = budget.seconds.is_some_and(|seconds| self.cycles[1] > seconds * budget.clock_hz);
        match () {
            () if self.flash_bytes > budget.flash => Some(Objection::Flash),
            () if self.ram_bytes > budget.ram => Some(Objection::Ram),
            () if slow => Some(Objection::Time),
            () => None,
        }
    }
}

/// What fits a budget.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// For each plan and number of hidden layers the widest network that fits, those with the most weights first.
    Designs(Vec<Design>),
    /// Nothing does: the smallest network that was tried, and what even that has too much of.
    TooSmall(Box<Design>, Objection),
}

/// Looks for networks that fit a budget.
///
/// # Errors
/// [`PlanError`] when there is no plan, or one does not suit the recipe's schedule.
pub fn propose(
    plans: &[PlanSpec],
    recipe: &Recipe,
    data: &DataSummary,
    costs: &BoardCosts,
    budget: &Budget,
) -> Result<Proposal, PlanError> {
    let mut found = Vec::new();
    let mut least: Option<(Design, Objection)> = None;
    for plan in plans {
        for depth in DEPTHS {
            for width in WIDTHS.iter().rev() {
                let design = Design::of(&vec![*width; depth], plan, recipe, data, costs)?;
                let Some(objection) = design.objection(budget) else {
                    found.push(design);
                    break;
                };
                if least.as_ref().is_none_or(|(least, _)| design.blob_bytes < least.blob_bytes) {
                    least = Some((design, objection));
                }
            }
        }
    }
    match least {
        Some((least, objection)) if found.is_empty() => Ok(Proposal::TooSmall(Box::new(least), objection)),
        _ if found.is_empty() => Err(PlanError::None),
        _ => {
            found.sort_by_key(|design| std::cmp::Reverse((design.work.multiply_accumulates(), design.work.steps)));
            Ok(Proposal::Designs(found))
        }
    }
}
