//! Plans built where the model runs, over noise levels that it holds.

use super::view::{Model, NamedPlan};
use crate::sampler::{Plan, PlanBuilder, Row, start_scale};
use crate::schedule::NoiseLevel;
use core::fmt;

/// A plan with its own rows, at most `N` of them; made by [`Model::build_plan`].
#[derive(Clone, Debug)]
pub struct PlanBuffer<const N: usize> {
    rows: heapless::Vec<Row, N>,
    start_scale: f32,
    history: usize,
}

impl<const N: usize> PlanBuffer<N> {
    /// The plan, under a name of the caller's.
    #[must_use]
    pub fn named<'p>(&'p self, name: &'p str) -> NamedPlan<'p> {
        let plan = Plan::new(&self.rows, self.start_scale);
        NamedPlan { name, plan, history: self.history, guidance: 0.0 }
    }
}

/// Why a plan cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The sampler takes more rows, or more levels, than the buffer holds.
    TooLong {
        /// Rows or levels.
        needed: usize,
        /// Room in the buffer.
        room: usize,
    },
    /// The model has no level of this number.
    NoSuchLevel(u16),
    /// This level, by its place in the list, is not cleaner than the one before it.
    NotCleaner(usize),
    /// The sampler looks back further than the model's memory is measured for.
    TooDeep {
        /// Predictions that the sampler keeps.
        needed: usize,
        /// Predictions that the model has memory for.
        kept: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLong { needed, room } => write!(f, "the plan needs {needed} rows, and there is room for {room}"),
            Self::NoSuchLevel(level) => write!(f, "the model has no noise level {level}"),
            Self::NotCleaner(place) => write!(f, "entry {place} of the levels is not cleaner than the one before"),
            Self::TooDeep { needed, kept } => {
                write!(f, "the sampler keeps {needed} predictions, and the model has memory for {kept}")
            }
        }
    }
}

impl core::error::Error for BuildError {}

impl Model<'_> {
    /// Builds a plan on the spot, over some of the model's noise levels, named from the noisiest to the cleanest.
    ///
    /// ```
    /// use mote_core::model::Model;
    /// use mote_core::sampler::Ddim;
    ///
    /// # const BLOB: &[u8] = include_bytes!("../../tests/golden/v1-digits-random.mote");
    /// let model = Model::parse(BLOB)?;
    /// let five_steps = model.build_plan::<5>(&Ddim { eta: 0.5 }, &[0, 2, 4, 6, 8])?;
    /// assert_eq!(five_steps.named("mine").plan.len(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BuildError`] when a level is missing or out of order, or the sampler needs more rows or memory than there are.
    pub fn build_plan<const N: usize>(
        &self,
        sampler: &dyn PlanBuilder,
        levels: &[u16],
    ) -> Result<PlanBuffer<N>, BuildError> {
        let (needed, kept) = (sampler.history(), self.header.history());
        if needed > kept {
            return Err(BuildError::TooDeep { needed, kept });
        }
        let mut noise: heapless::Vec<NoiseLevel, N> = heapless::Vec::new();
        for (place, number) in levels.iter().enumerate() {
            let level = self.network.levels().noise(usize::from(*number));
            let level = level.ok_or(BuildError::NoSuchLevel(*number))?;
            if noise.last().is_some_and(|before| level.relative_sigma() >= before.relative_sigma()) {
                return Err(BuildError::NotCleaner(place));
            }
            noise.push(level).map_err(|_| BuildError::TooLong { needed: levels.len(), room: N })?;
        }
        let needed = sampler.rows(&noise);
        let too_long = BuildError::TooLong { needed, room: N };
        let mut rows: heapless::Vec<Row, N> = heapless::Vec::new();
        for row in (0..needed).filter_map(|i| sampler.row(i, &noise, self.header.prediction())) {
            // Every row's level is an index into `noise`, which is as long as `levels`.
            let level = levels.get(usize::from(row.level)).copied().unwrap_or(0);
            rows.push(Row { level, ..row }).map_err(|_| too_long)?;
        }
        Ok(PlanBuffer { rows, start_scale: start_scale(&noise, self.header.sigma_data()), history: sampler.history() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::{Ddim, DpmSolver2M};

    const BLOB: &[u8] = include_bytes!("../../tests/golden/v1-digits-random.mote");

    #[test]
    fn a_plan_built_on_the_spot_has_the_rows_of_the_host() {
        let model = Model::parse(BLOB).unwrap();
        let levels: [u16; 10] = core::array::from_fn(|i| i as u16);
        let built = model.build_plan::<10>(&DpmSolver2M { eta: 0.0 }, &levels).unwrap();
        let (built, stored) = (built.named("mine").plan, model.plan_named("dpm++2m").unwrap().plan);
        assert_eq!(built.start_scale(), stored.start_scale());
        assert!(built.rows().eq(stored.rows()));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let model = Model::parse(BLOB).unwrap();
        let build = |levels: &[u16]| model.build_plan::<3>(&Ddim { eta: 0.0 }, levels).map(|_| ());
        assert_eq!(build(&[0, 1, 2, 3]), Err(BuildError::TooLong { needed: 4, room: 3 }));
        assert_eq!(build(&[0, 10]), Err(BuildError::NoSuchLevel(10)));
        assert_eq!(build(&[3, 3]), Err(BuildError::NotCleaner(1)));
        struct Deep;
        impl PlanBuilder for Deep {
            fn history(&self) -> usize {
                3
            }
            fn row(&self, _: usize, _: &[NoiseLevel], _: crate::score::Prediction) -> Option<Row> {
                None
            }
        }
        let deep = model.build_plan::<3>(&Deep, &[0]).map(|_| ());
        assert_eq!(deep, Err(BuildError::TooDeep { needed: 3, kept: 2 }));
    }
}
