use anyhow::Context as _;
use mote_core::model::Model;
use rayon::prelude::*;

use super::arms::best;
use super::nearness::distances;
use super::{Arm, ArmKind, Layout, Limits, Logistic, Maker, Nearness, Rows, Start, levels_from};
use crate::data::{Scaling, permutation};
use crate::jobs::ladder;
use crate::metrics::{Judge, Points};

/// Labelled rows in the data's own units, by their parts.
#[derive(Clone, Debug)]
pub struct Splits {
    /// Rows that draws are taken from.
    pub train: Rows,
    /// Rows that the kind of set is chosen on.
    pub validation: Rows,
    /// Rows that only the figures see.
    pub test: Rows,
    /// Number of classes.
    pub classes: usize,
    /// What neighbours in a row are.
    pub layout: Layout,
}

/// How to check whether synthetic rows help.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Draws of a small training set.
    pub draws: usize,
    /// Real rows of each class in a draw.
    pub rows: usize,
    /// Synthetic rows of each class.
    pub per_class: usize,
    /// Deviations of the noise that variations start with, in training deviations.
    pub sigmas: Vec<f32>,
    /// What synthetic rows weigh beside the real ones.
    pub weights: Vec<f64>,
    /// Share of fresh noise on the way down.
    pub eta: f32,
    /// How far rows are shifted before they are noised.
    pub shift: f32,
    /// Least probability of its class that a classifier of the real rows and their shifts must give a row that was made; 0 keeps all.
    pub agree: f64,
    /// Inverse strength of the classifier's penalty.
    pub c: f64,
    /// Seed of the draws, the networks and the noise.
    pub seed: u64,
}

/// What the network of a draw learns from: the rows of the draw and their shifts, scaled.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Number of the draw.
    pub draw: usize,
    /// The rows.
    pub rows: Rows,
    /// The scaling, which was fitted to the rows of the draw.
    pub scaling: Scaling,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// All sets with their accuracies; the first is the real rows alone.
    pub arms: Vec<Arm>,
    /// How near shifts and each kind of synthetic row lie to the real rows, over all draws.
    pub nearness: Vec<(ArmKind, Nearness)>,
    /// The share of each of these whose class the five nearest of all training rows tell.
    pub labels: Vec<f64>,
    /// Bytes of a model.
    pub blob_bytes: usize,
}

impl Checked {
    /// The synthetic set that is best on the validation rows.
    #[must_use]
    pub fn chosen(&self) -> Option<&Arm> {
        best(&self.arms, ArmKind::is_candidate)
    }

    /// The shifts that are best on the validation rows, where there are any.
    #[must_use]
    pub fn control(&self) -> Option<&Arm> {
        best(&self.arms, ArmKind::is_control)
    }
}

/// Draws small training sets, has a network learn each, and compares plain classifiers with and without what it makes.
///
/// `learn` gives the blob of a lesson. A draw sees no other row of the training part, its own scaling included; what is chosen is chosen on
/// validation rows.
///
/// # Errors
/// When a network cannot learn, or a classifier be fitted.
pub fn check(
    splits: &Splits,
    protocol: &Protocol,
    learn: &(dyn Fn(&Lesson) -> anyhow::Result<Vec<u8>> + Sync),
) -> anyhow::Result<Checked> {
    let draws: Vec<Draw> = (0..protocol.draws)
        .into_par_iter()
        .map(|number| one_draw(splits, protocol, number, learn))
        .collect::<anyhow::Result<_>>()?;
    let first = draws.first().context("there are no draws")?;
    let arms = (0..first.scores.len())
        .map(|arm| Arm {
            kind: first.scores[arm].kind,
            weight: first.scores[arm].weight,
            validation: draws.iter().map(|draw| draw.scores[arm].validation).collect(),
            test: draws.iter().map(|draw| draw.scores[arm].test).collect(),
        })
        .collect();
    let held_out: Vec<f64> = draws.iter().flat_map(|draw| &draw.held_out).copied().collect();
    let all = |set: usize| draws.iter().flat_map(move |draw| &draw.made[set].distances).copied().collect();
    let nearness = (0..first.made.len()).map(|set| (first.made[set].kind, Nearness::of(all(set), held_out.clone())));
    let labels = |set: usize| draws.iter().map(|draw| draw.made[set].labels).sum::<f64>() / draws.len() as f64;
    Ok(Checked {
        arms,
        nearness: nearness.collect(),
        labels: (0..first.made.len()).map(labels).collect(),
        blob_bytes: first.blob_bytes,
    })
}

struct Score {
    kind: ArmKind,
    weight: f64,
    validation: f64,
    test: f64,
}

struct Made {
    kind: ArmKind,
    distances: Vec<f64>,
    labels: f64,
}

struct Draw {
    scores: Vec<Score>,
    made: Vec<Made>,
    held_out: Vec<f64>,
    blob_bytes: usize,
}

/// The rows of a draw: the first few of each class, all where there are fewer, in an order that the seed, the draw and the class decide.
fn drawn(splits: &Splits, protocol: &Protocol, number: usize) -> Rows {
    let mut chosen = Vec::new();
    for class in 0..splits.classes {
        let own = splits.train.of_class(class as u16);
        let seed = protocol.seed.wrapping_mul(1_000_003).wrapping_add((number * splits.classes + class) as u64);
        chosen.extend(permutation(own.len(), seed).into_iter().take(protocol.rows).map(|k| own[k]));
    }
    splits.train.gather(&chosen)
}

fn one_draw(
    splits: &Splits,
    protocol: &Protocol,
    number: usize,
    learn: &(dyn Fn(&Lesson) -> anyhow::Result<Vec<u8>> + Sync),
) -> anyhow::Result<Draw> {
    let raw = drawn(splits, protocol, number);
    let (layout, dim) = (splits.layout, raw.dim);
    let scaling = layout.scaling(&raw);
    let limits = Limits::of(&raw, layout);
    let scaled = |rows: &Rows| {
        let mut rows = rows.clone();
        scaling.apply(&mut rows.values);
        rows
    };
    let (real, validation, test) = (scaled(&raw), scaled(&splits.validation), scaled(&splits.test));
    let mut shifts = Rows { dim, ..Rows::default() };
    for shift in layout.shifts(protocol.shift) {
        real.iter().for_each(|(row, class)| shifts.push(&layout.shifted(row, shift), class));
    }
    let mut rows = real.clone();
    shifts.iter().for_each(|(row, class)| rows.push(row, class));
    let blob = learn(&Lesson { draw: number, rows, scaling: scaling.clone() })?;
    let model = Model::parse(&blob)?;

    // Each row of a set counts as much as lets all of it weigh so many times what the real rows do.
    let each = |set: &Rows, weight: f64| weight * real.len() as f64 / set.len().max(1) as f64;
    let judge = match shifts.is_empty() {
        true => Logistic::fit(&[(&real, 1.0)], splits.classes, protocol.c)?,
        false => Logistic::fit(&[(&real, 1.0), (&shifts, each(&shifts, 1.0))], splits.classes, protocol.c)?,
    };
    let classes: Vec<u16> = (0..splits.classes as u16).collect();
    let make = |start, levels| {
        let maker = Maker {
            model: &model,
            levels,
            eta: protocol.eta,
            seed: protocol.seed.wrapping_add(number as u64),
            start,
            layout,
            shift: protocol.shift,
            limits: &limits,
            agreement: (protocol.agree > 0.0).then_some((&judge, protocol.agree)),
        };
        maker.make(&real, &classes, protocol.per_class).scaled
    };
    let mut sets = vec![(ArmKind::PureNoise, make(Start::Nothing, ladder(&model)))];
    sets.extend(
        protocol
            .sigmas
            .iter()
            .map(|sigma| (ArmKind::Synthetic { sigma: *sigma }, make(Start::Rows, levels_from(&model, *sigma)))),
    );

    let score = |kind, weight, sets: &[(&Rows, f64)]| -> anyhow::Result<Score> {
        let classifier = Logistic::fit(sets, splits.classes, protocol.c)?;
        Ok(Score { kind, weight, validation: classifier.accuracy(&validation), test: classifier.accuracy(&test) })
    };
    let mut scores = vec![score(ArmKind::Real, 0.0, &[(&real, 1.0)])?];
    let with_shifts = (!shifts.is_empty()).then_some((&shifts, each(&shifts, 1.0)));
    if with_shifts.is_some() {
        let agreed: Vec<usize> = (0..shifts.len())
            .filter(|k| judge.probability(shifts.row(*k), shifts.labels[*k]) >= protocol.agree)
            .collect();
        let agreed = shifts.gather(&agreed);
        for weight in &protocol.weights {
            scores.push(score(ArmKind::Shifts, *weight, &[(&real, 1.0), (&shifts, each(&shifts, *weight))])?);
        }
        for (weight, shifts) in protocol.weights.iter().zip(with_shifts.iter().cycle()) {
            let sets = [(&real, 1.0), *shifts, (&agreed, each(&agreed, *weight))];
            scores.push(score(ArmKind::ShiftsAgreed, *weight, &sets)?);
        }
    }
    for (kind, set) in &sets {
        for weight in &protocol.weights {
            let set = (set, each(set, *weight));
            scores.push(score(*kind, *weight, &[(&real, 1.0), set])?);
            if let (ArmKind::Synthetic { sigma }, Some(shifts)) = (*kind, with_shifts) {
                scores.push(score(ArmKind::SyntheticAndShifts { sigma }, *weight, &[(&real, 1.0), shifts, set])?);
            }
        }
    }
    if with_shifts.is_some() {
        sets.insert(0, (ArmKind::Shifts, shifts));
    }
    let all = scaled(&splits.train);
    let known = Points::new(&all.values, dim)?;
    let neighbours = Judge::new(&known, &all.labels, splits.classes);
    let made = sets
        .iter()
        .map(|(kind, set)| {
            // The classifier may have refused all of a kind.
            if set.len() < 2 {
                return Ok(Made { kind: *kind, distances: Vec::new(), labels: f64::NAN });
            }
            let told = neighbours.classify(&Points::new(&set.values, dim)?)?;
            let right = told.iter().zip(&set.labels).filter(|(told, label)| told == label).count();
            Ok(Made { kind: *kind, distances: distances(set, &real)?, labels: right as f64 / set.len() as f64 })
        })
        .collect::<anyhow::Result<_>>()?;
    let mut held_out = distances(&validation, &real)?;
    held_out.extend(distances(&test, &real)?);
    Ok(Draw { scores, made, held_out, blob_bytes: blob.len() })
}
