//! The calibration of a detector as a file: what belongs to a model that scores windows, and is no part of its blob.

use mote_core::job::{Detector, DetectorError, Judgement, Level};
use mote_core::model::Model;
use mote_link::frame::checksum;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The version of the file.
const FORMAT: u32 = 1;

/// A calibration: how windows are judged, what is usual, and above which score a window is an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The version of the file, 1.
    pub format: u32,
    /// Bytes of the blob that it was made with.
    pub blob_bytes: u32,
    /// CRC-32 of that blob, in hexadecimal.
    pub blob_crc32: String,
    /// Name of each channel.
    pub channels: Vec<String>,
    /// Samples in a window.
    pub length: usize,
    /// By what windows are judged.
    pub judgement: By,
    /// How many times noise is added before it is taken out.
    pub seeds: u32,
    /// The numbers of the levels in the model.
    pub levels: Vec<u32>,
    /// Their deviations in the scale of training, for people.
    pub sigmas: Vec<f32>,
    /// The quantile of the normal windows' scores that is the threshold.
    pub quantile: f64,
    /// How many normal windows there were.
    pub normal_windows: usize,
    /// The score above which a window is an alarm.
    pub threshold: f32,
    /// What [`Detector::calibration`] holds.
    pub numbers: Vec<f32>,
}

/// [`Judgement`] as a word of the command line and of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Peaks, lasting errors and silences of single channels: faults of sensors.
    Sensors,
    /// The mean error of all channels: another kind of event than the normal ones.
    Pattern,
}

impl From<By> for Judgement {
    fn from(by: By) -> Self {
        match by {
            By::Sensors => Self::Sensors,
            By::Pattern => Self::Pattern,
        }
    }
}

/// Why a file is no calibration for a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The file cannot be read.
    #[error("cannot read the calibration {path} ({source})")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path} is no calibration ({message}); `mote detect --save-calibration` makes one")]
    Text {
        /// The file.
        path: String,
        /// What is wrong, and where.
        message: String,
    },
    /// It was made with another blob.
    #[error(
        "{path} was made with another model: a blob of {made_bytes} bytes with CRC-32 {made_crc}, and this one has {bytes} bytes and {crc:08x}; make one for this model with `mote detect --save-calibration`"
    )]
    OtherModel {
        /// The file.
        path: String,
        /// Bytes of the blob that it was made with.
        made_bytes: u32,
        /// Its CRC-32.
        made_crc: String,
        /// Bytes of this blob.
        bytes: u32,
        /// Its CRC-32.
        crc: u32,
    },
    /// Its levels or numbers fit no model of its kind.
    #[error("{path}: {source}; make it again with `mote detect --save-calibration`")]
    Unfit {
        /// The file.
        path: String,
        /// What does not fit.
        source: DetectorError,
    },
}

impl Calibration {
    /// A calibration that nothing is known of yet, for a blob.
    #[must_use]
    pub fn of(blob: &[u8], channels: &[String], length: usize, by: By, seeds: u32, levels: &[Level]) -> Self {
        Self {
            format: FORMAT,
            blob_bytes: blob.len() as u32,
            blob_crc32: format!("{:08x}", checksum(blob)),
            channels: channels.to_vec(),
            length,
            judgement: by,
            seeds,
            levels: levels.iter().map(|level| level.index as u32).collect(),
            sigmas: levels.iter().map(|level| level.noise.relative_sigma()).collect(),
            quantile: 0.0,
            normal_windows: 0,
            threshold: 0.0,
            numbers: Vec::new(),
        }
    }

    /// Reads a file; whether it is for a model, [`check`](Self::check) says.
    ///
    /// # Errors
    /// [`CalibrationError`], in one line with the way out.
    pub fn read(path: &Path) -> Result<Self, CalibrationError> {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(source) => return Err(CalibrationError::File { path: name, source }),
        };
        let wrong = |message: String| CalibrationError::Text { path: name.clone(), message };
        let found: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if found.format != FORMAT {
            return Err(wrong(format!("format {}, and this program knows {FORMAT}", found.format)));
        }
        let sizes = found.length.checked_mul(found.channels.len());
        if sizes.is_none_or(|values| values == 0) || !found.threshold.is_finite() || found.seeds > 64 {
            return Err(wrong("length, channels, threshold or seeds make no sense".into()));
        }
        Ok(found)
    }

    /// The file's text.
    ///
    /// # Panics
    /// Never: a calibration is numbers and words.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and words") + "\n"
    }

    /// Whether it was made with a blob of this length and checksum.
    #[must_use]
    pub fn is_for(&self, bytes: u32, crc: u32) -> bool {
        (self.blob_bytes, self.blob_crc32.as_str()) == (bytes, format!("{crc:08x}").as_str())
    }

    /// Refuses a blob of another length or checksum; `path` is what errors call the file.
    ///
    /// # Errors
    /// [`CalibrationError::OtherModel`].
    pub fn check_blob(&self, path: &Path, bytes: u32, crc: u32) -> Result<(), CalibrationError> {
        if self.is_for(bytes, crc) {
            return Ok(());
        }
        let (made_bytes, made_crc) = (self.blob_bytes, self.blob_crc32.clone());
        Err(CalibrationError::OtherModel { path: path.display().to_string(), made_bytes, made_crc, bytes, crc })
    }

    /// Holds it to a blob, and gives the model's levels that it asks.
    ///
    /// # Errors
    /// [`CalibrationError`]: another blob, or levels and numbers that do not fit.
    pub fn check(&self, path: &Path, blob: &[u8], model: &Model<'_>) -> Result<Vec<Level>, CalibrationError> {
        self.check_blob(path, blob.len() as u32, checksum(blob))?;
        let table = model.network().levels();
        let unfit = |source| CalibrationError::Unfit { path: path.display().to_string(), source };
        let level = |(place, index): (usize, &u32)| {
            let index = *index as usize;
            let noise = table.noise(index).ok_or(unfit(DetectorError::Level { place }))?;
            Ok(Level { index, noise })
        };
        let levels = self.levels.iter().enumerate().map(level).collect::<Result<Vec<_>, _>>()?;
        self.detector(&levels).check(self.channels.len()).map_err(unfit)?;
        Ok(levels)
    }

    /// What judges windows by it.
    #[must_use]
    pub fn detector<'c>(&'c self, levels: &'c [Level]) -> Detector<'c> {
        Detector { judgement: self.judgement.into(), levels, seeds: self.seeds, calibration: &self.numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mote_core::random::{NormalSource as _, Stream, Ziggurat};
    use mote_core::schedule::NoiseLevel;

    fn calibration() -> Calibration {
        let level = Level { index: 3, noise: NoiseLevel { alpha: 0.8, sigma: 0.6 } };
        let mut numbers = vec![0.0; 2600];
        Ziggurat::new(Stream::new(1)).fill(&mut numbers);
        numbers.iter_mut().enumerate().for_each(|(place, x)| *x = x.abs() * 2f32.powi(place as i32 % 200 - 100));
        let made = Calibration::of(b"a blob", &["a".into(), "b".into()], 24, By::Sensors, 2, &[level]);
        Calibration { numbers, threshold: 1.0e-7, quantile: 0.99, ..made }
    }

    #[test]
    fn a_file_holds_every_bit_of_the_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let made = calibration();
        fs::write(&path, made.text()).unwrap();
        assert_eq!(Calibration::read(&path).unwrap(), made);
        // CRC-32 of "a blob" by Python's zlib.crc32.
        assert_eq!((made.blob_bytes, made.blob_crc32.as_str()), (6, "22902888"));
        made.check_blob(&path, 6, 0x2290_2888).unwrap();
        for (bytes, crc) in [(7, 0x2290_2888), (6, 0x2290_2889)] {
            let error = made.check_blob(&path, bytes, crc).unwrap_err().to_string();
            assert!(error.contains("another model") && error.contains("22902888"), "{error}");
        }
    }

    #[test]
    fn what_is_no_calibration_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let text = calibration().text();
        for (wrong, said) in [
            ("{}".to_owned(), "missing field"),
            (text.replace("\"format\": 1", "\"format\": 2"), "format 2"),
            (text.replace("sensors", "senses"), "line"),
            (text.replace("\"length\": 24", "\"length\": 0"), "make no sense"),
            (text.replace("\"seeds\": 2", "\"seeds\": 65"), "make no sense"),
            (text.replace("\"quantile\"", "\"quintile\""), "unknown field"),
        ] {
            fs::write(&path, wrong).unwrap();
            let error = Calibration::read(&path).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("--save-calibration"), "{error}");
        }
        let error = Calibration::read(&folder.path().join("none.json")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the calibration"), "{error}");
    }
}
