use mote_link::status::{Status, Verdict};
use std::io;

/// Why a device did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The line cannot be opened.
    #[error("cannot reach the device at {place} ({source}); check that it is switched on and that this is its port")]
    Unreachable {
        /// Where it was looked for.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// The line broke.
    #[error("the line to the device at {place} broke ({source}); connect it again and repeat the command")]
    Broken {
        /// Where it is.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing that makes sense came back.
    #[error(
        "no answer from the device at {place}, asked {tries} times in {seconds:.1} s ({heard}); check that it runs mote-serve at this \
         baud rate, or give it longer with --timeout"
    )]
    Silent {
        /// Where it is.
        place: String,
        /// How often it was asked.
        tries: u32,
        /// In how much time.
        seconds: f64,
        /// What was heard instead.
        heard: String,
    },
    /// The device speaks another version.
    #[error(
        "the device at {place} speaks version {device} of the protocol, and this program version {host}: put this program's image on the \
         device, or take the program of the device's version"
    )]
    OtherVersion {
        /// Where it is.
        place: String,
        /// The device's version.
        device: u32,
        /// This program's.
        host: u16,
    },
    /// The device says no.
    #[error("the device refuses: {} [{}{}]", .status.words(), .status.name(), detail_words(*.status, *.detail))]
    Refused {
        /// Its reason.
        status: Status,
        /// The number that belongs to it.
        detail: u32,
    },
    /// The device answered something else than it was asked.
    #[error("the device answered {found} where {expected} was asked for: image and program are of different builds")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// The plan is not one of the model's.
    #[error("{}", no_plan(asked, known))]
    NoSuchPlan {
        /// The name that was asked for.
        asked: String,
        /// The names that there are.
        known: String,
    },
    /// The emulated board cannot be had.
    #[error(transparent)]
    Emulator(#[from] mote_qemu::Error),
    /// A window of another width.
    #[error("the window has {found} values, and the device's model takes {expected}")]
    Width {
        /// Values in the window.
        found: usize,
        /// Those that the model takes.
        expected: u16,
    },
    /// A blob that is no model.
    #[error("this is no model that a device could run: {0}")]
    Model(#[from] mote_core::model::ParseError),
    /// A calibration of another model.
    #[error(
        "the calibration was made with another model, a blob of {made_bytes} bytes with CRC-32 {made_crc}, and the device runs one of {bytes} bytes \
         with {crc:08x}; make one for it with `mote detect --save-calibration`, or update the device"
    )]
    OtherModel {
        /// Bytes of the blob that it was made with.
        made_bytes: u32,
        /// Its CRC-32.
        made_crc: String,
        /// Bytes of the device's blob.
        bytes: u32,
        /// Its CRC-32.
        crc: u32,
    },
    /// A device whose image is older than detectors.
    #[error("the device's image knows no detectors; put this program's image on it, or score with --noise")]
    NoDetection,
    /// A slot's file cannot be written for the emulator.
    #[error("cannot write a file for the emulator ({0}); check the folder for temporary files")]
    Temporary(io::Error),
}

/// What the number beside a status says.
fn detail_words(status: Status, detail: u32) -> String {
    match status {
        Status::SlotRefused | Status::UpdateRefused => {
            Verdict::of(detail).map_or_else(String::new, |verdict| format!(": {}, {verdict}", verdict.name()))
        }
        Status::NoSuchPlan | Status::NoSuchClass | Status::NoSuchSlot => format!(": there are {detail}"),
        Status::WindowTooWide | Status::TooLarge => format!(": there is room for {detail}"),
        Status::CalibrationTooLarge => format!(": there is room for {detail} numbers"),
        Status::WindowIncomplete | Status::UpdateIncomplete | Status::CalibrationIncomplete => {
            format!(": there are {detail} so far")
        }
        Status::NotFinite | Status::BadCalibration | Status::NoSuchLevel => format!(": number {detail}"),
        Status::BadChannels => format!(": its samples have {detail} values"),
        _ => String::new(),
    }
}

/// Which plans there are instead, if any.
fn no_plan(asked: &str, known: &str) -> String {
    if known.is_empty() {
        return "the device's model has no plans: it denoises and scores windows (`mote device denoise`, `mote device score`) and samples nothing".into();
    }
    format!("the model has no plan '{asked}'; it has {known}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_plans_is_said_to_have_none() {
        let words = |known: &str| Error::NoSuchPlan { asked: "ddim:9".into(), known: known.into() }.to_string();
        assert!(words("").contains("mote device denoise"));
        assert!(words("ddim:5, ddpm:20").ends_with("it has ddim:5, ddpm:20"));
    }
}
