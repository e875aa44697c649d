use mote_core::job::{Level, Variation};
use mote_core::model::{Arena, Model};
use mote_core::random::{Stream, StreamSequence, Ziggurat};
use rayon::prelude::*;

use super::{Layout, Limits, Logistic, Rows};
use crate::jobs::ladder;
use crate::pool::bind;

/// How many times as many candidates are made as rows are asked for, at most.
const PATIENCE: usize = 5;

/// What candidates start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Real rows, in turn and shifted in turn in each direction.
    Rows,
    /// Nothing: the mean of the data, of which the noisiest level leaves nothing.
    Nothing,
}

/// Makes rows of classes by a model.
#[derive(Clone, Debug)]
pub struct Maker<'m, 'a> {
    /// The model, which has classes.
    pub model: &'m Model<'a>,
    /// Levels to come down, from the noisiest.
    pub levels: Vec<Level>,
    /// Share of fresh noise on the way down.
    pub eta: f32,
    /// Seed of the noise.
    pub seed: u64,
    /// What candidates start from.
    pub start: Start,
    /// What neighbours in a row are.
    pub layout: Layout,
    /// How far rows are shifted before they are noised.
    pub shift: f32,
    /// Where values may lie.
    pub limits: &'m Limits,
    /// A classifier, and the probability that it must give a row's class for the row to stay.
    pub agreement: Option<(&'m Logistic, f64)>,
}

/// Rows that were made.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The rows, class after class, in the scale of training.
    pub scaled: Rows,
    /// The same in the data's own units.
    pub rows: Rows,
    /// Candidates that the classifier took for another class.
    pub refused: usize,
    /// The states that the model gave for the first candidates, before units and limits: what a device gives.
    pub states: Vec<f32>,
}

/// The levels of a model from the one whose noise is nearest to `sigma` down to the cleanest.
#[must_use]
pub fn levels_from(model: &Model<'_>, sigma: f32) -> Vec<Level> {
    let first = model.nearest_level(sigma).noise.relative_sigma();
    ladder(model).into_iter().filter(|level| level.noise.relative_sigma() <= first).collect()
}

impl Maker<'_, '_> {
    /// Makes `per_class` rows of each class from real ones in the scale of training; fewer of a class whose candidates the classifier does not take for it. A class
    /// without real rows gets none.
    ///
    /// Candidate j of the class with number i among n has the stream with the number `j n + i`.
    #[must_use]
    pub fn make(&self, real: &Rows, classes: &[u16], per_class: usize) -> Made {
        let mut kept: Vec<Vec<(Vec<f32>, Vec<f32>)>> = vec![Vec::new(); classes.len()];
        let mut made = Made::default();
        let mut tried = 0;
        while tried < PATIENCE * per_class {
            let missing = kept.iter().map(|rows| per_class - rows.len()).max().unwrap_or(0);
            if missing == 0 {
                break;
            }
            let round = tried..(tried + missing).min(PATIENCE * per_class);
            let states = self.candidates(real, classes, round.clone());
            for (number, state) in states.iter().enumerate() {
                let Some(state) = state else { continue };
                let (class, rows) = (classes[number % classes.len()], &mut kept[number % classes.len()]);
                let (scaled, own) = self.written(state);
                if !self.agreed(&scaled, class) {
                    made.refused += 1;
                } else if rows.len() < per_class {
                    rows.push((scaled, own));
                }
            }
            if tried == 0 {
                made.states = states.into_iter().flatten().flatten().collect();
            }
            tried = round.end;
        }
        (made.scaled.dim, made.rows.dim) = (real.dim, real.dim);
        for (class, rows) in classes.iter().zip(&kept) {
            for (scaled, own) in rows {
                made.scaled.push(scaled, *class);
                made.rows.push(own, *class);
            }
        }
        made
    }

    /// The states of candidates, class by class in turn; none of a class without real rows.
    fn candidates(&self, real: &Rows, classes: &[u16], numbers: std::ops::Range<usize>) -> Vec<Option<Vec<f32>>> {
        let mut sequence = StreamSequence::starting_at(self.seed, (numbers.start * classes.len()) as u32);
        let own: Vec<Vec<usize>> = classes.iter().map(|class| real.of_class(*class)).collect();
        let places = numbers.flat_map(|number| (0..classes.len()).map(move |class| (number, class)));
        let work: Vec<(usize, usize, Stream)> =
            places.map(|(number, class)| (number, class, sequence.next_stream())).collect();
        work.into_par_iter()
            .map(|(number, class, stream)| {
                let origin = self.origin(real, &own[class], number)?;
                Some(self.vary(&origin, classes[class], stream))
            })
            .collect()
    }

    /// What candidate `number` of a class with these rows starts from.
    fn origin(&self, real: &Rows, own: &[usize], number: usize) -> Option<Vec<f32>> {
        if self.start == Start::Nothing {
            return Some(vec![0.0; real.dim]);
        }
        let (place, round) = (number.checked_rem(own.len())?, number / own.len());
        let row = real.row(own[place]);
        let shifts = self.layout.shifts(self.shift);
        // Each row meets each direction, and the rows of a round differ in theirs.
        let shift = shifts.get((round + place) % shifts.len().max(1));
        Some(shift.map_or_else(|| row.to_vec(), |shift| self.layout.shifted(row, *shift)))
    }

    /// A variation with the bits that a device gives.
    fn vary(&self, origin: &[f32], class: u16, stream: Stream) -> Vec<f32> {
        let mut arena = Box::new(Arena::new());
        let mut bound = bind(self.model, &mut arena);
        let mut estimator = bound.estimator();
        let mut noise = Ziggurat::new(stream);
        let (mut state, mut estimate) = (vec![0.0; origin.len()], vec![0.0; origin.len()]);
        let mut run = Variation::start(&self.levels, self.eta, Some(class), origin, &mut noise, &mut state);
        while run.step(&mut estimator, &mut noise, &mut state, &mut estimate) {}
        state
    }

    /// A state as it is written to a file, in the scale of training and in the data's own units.
    fn written(&self, state: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let mut own = state.to_vec();
        self.model.unscale(&mut own);
        self.limits.apply(own.len(), &mut own);
        let mut scaled = own.clone();
        self.model.scale(&mut scaled);
        (scaled, own)
    }

    fn agreed(&self, row: &[f32], class: u16) -> bool {
        self.agreement.is_none_or(|(classifier, least)| classifier.probability(row, class) >= least)
    }
}
