//! A detector's set-up on a device, which a host sends in parts.

use crate::message::{Judging, values};
use crate::status::Status;
use mote_core::job::{CALIBRATION_NUMBERS, Detector, Judgement, Level, calibration_number_fits};
use mote_core::model::Model;
use mote_core::schedule::NoiseLevel;

/// The most levels that a detector asks.
pub(super) const LEVELS_MAX: usize = 16;
/// The most times that noise is added to a window.
const SEEDS_MAX: u8 = 64;

const NO_LEVEL: Level = Level { index: 0, noise: NoiseLevel { alpha: 0.0, sigma: 0.0 } };

/// What a host asked for, and how much of the calibration has come.
#[derive(Debug)]
pub(super) struct Detection<'a> {
    numbers: &'a mut [f32],
    filled: usize,
    levels: [Level; LEVELS_MAX],
    level_count: usize,
    judgement: Judgement,
    seeds: u8,
    channels: usize,
    threshold: f32,
}

impl<'a> Detection<'a> {
    /// Nothing is set up; `numbers` is the room for a calibration.
    pub fn new(numbers: &'a mut [f32]) -> Self {
        Self {
            numbers,
            filled: 0,
            levels: [NO_LEVEL; LEVELS_MAX],
            level_count: 0,
            judgement: Judgement::Sensors,
            seeds: 0,
            channels: 0,
            threshold: 0.0,
        }
    }

    /// Forgets the set-up.
    pub fn forget(&mut self) {
        (self.filled, self.level_count) = (0, 0);
    }

    /// Takes up another set-up, without its numbers yet, and forgets the one before.
    pub fn set_up(
        &mut self,
        model: &Model<'_>,
        judging: Judging,
        (seeds, channels): (u8, u16),
        threshold: f32,
        levels: &[u8],
    ) -> Result<(), (Status, u32)> {
        self.forget();
        if !threshold.is_finite() || seeds > SEEDS_MAX {
            return Err((Status::BadNumber, 0));
        }
        let slides = model.dim_out() < model.dim_in();
        let channels = usize::from(channels);
        let fits = if slides { channels == model.dim_out() } else { model.dim_in().checked_rem(channels) == Some(0) };
        if !fits || channels == 0 {
            return Err((Status::BadChannels, model.dim_out() as u32));
        }
        let room = self.numbers.len();
        let fits = levels.len() <= LEVELS_MAX && levels.len() * channels * CALIBRATION_NUMBERS <= room;
        if !fits {
            return Err((Status::CalibrationTooLarge, room as u32));
        }
        if levels.is_empty() {
            return Err((Status::NoSuchLevel, 0));
        }
        let table = model.network().levels();
        for (place, (level, index)) in self.levels.iter_mut().zip(levels).enumerate() {
            let index = usize::from(*index);
            // Pure noise says nothing of data, and pure data need no network.
            let usable = |noise: &NoiseLevel| noise.alpha > 0.0 && noise.sigma > 0.0;
            let noise = table.noise(index).filter(usable).ok_or((Status::NoSuchLevel, place as u32))?;
            *level = Level { index, noise };
        }
        self.judgement = match judging {
            Judging::Pattern => Judgement::Pattern,
            Judging::Sensors => Judgement::Sensors,
        };
        (self.seeds, self.channels, self.threshold, self.level_count) = (seeds, channels, threshold, levels.len());
        Ok(())
    }

    /// Takes a part of the calibration, which continues what is there.
    pub fn write(&mut self, from: u16, bytes: &[u8]) -> Result<(), (Status, u32)> {
        if self.level_count == 0 {
            return Err((Status::NoDetector, 0));
        }
        if from == 0 {
            self.filled = 0;
        }
        if usize::from(from) != self.filled || !bytes.len().is_multiple_of(4) {
            return Err((Status::CalibrationGap, self.filled as u32));
        }
        let numbers = values(bytes);
        let (first, expected) = (self.filled, self.expected());
        let end = first + numbers.len();
        if end > expected {
            return Err((Status::CalibrationTooLarge, expected as u32));
        }
        if let Some(place) = (first..).zip(values(bytes)).position(|(place, x)| !calibration_number_fits(place, x)) {
            return Err((Status::BadCalibration, (first + place) as u32));
        }
        let places = self.numbers.get_mut(first..end).unwrap_or_default();
        places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number);
        self.filled = end;
        Ok(())
    }

    /// Numbers that a whole calibration has.
    fn expected(&self) -> usize {
        self.level_count * self.channels * CALIBRATION_NUMBERS
    }

    /// Refuses a set-up that is not complete.
    pub fn check(&self) -> Result<(), (Status, u32)> {
        if self.level_count == 0 {
            return Err((Status::NoDetector, 0));
        }
        if self.filled == self.expected() { Ok(()) } else { Err((Status::CalibrationIncomplete, self.filled as u32)) }
    }

    /// The detector.
    pub fn detector(&self) -> Detector<'_> {
        Detector {
            judgement: self.judgement,
            levels: self.levels.get(..self.level_count).unwrap_or_default(),
            seeds: self.seeds.into(),
            calibration: self.numbers.get(..self.filled).unwrap_or_default(),
        }
    }

    /// Values of a sample.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Whether a score is an alarm.
    pub fn is_alarm(&self, score: f32) -> bool {
        score > self.threshold
    }
}
