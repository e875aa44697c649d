//! Every way in which a device says no, by number on the line and by name for people.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Makes an enumeration whose variants have a name of their own and words.
macro_rules! named {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal, $words:literal;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $kind { $($(#[$doc])* $variant,)* }

        impl $kind {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, which does not change.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.words())
            }
        }
    };
}

named! {
    /// Why bytes of the line are no frame.
    Fault {
        /// The stuffing points past the end, as where bytes were lost.
        Stuffing = "stuffing", "the stuffing does not fit: bytes were lost or changed";
        /// Fewer bytes than the shortest frame has.
        Short = "short", "fewer bytes than the shortest frame";
        /// More bytes than the longest frame has.
        Long = "long", "more bytes than the longest frame";
        /// The checksum is another.
        Checksum = "checksum", "the checksum is another: bytes were changed";
        /// A kind of frame that is not known, or not for this side.
        Kind = "kind", "a kind of frame that is not meant for this side";
        /// The line's hardware lost bytes.
        Overrun = "overrun", "the line's hardware lost bytes";
    }
}

named! {
    /// Why a device refuses a request. The number beside it in an answer is said in brackets.
    Status {
        /// The greeting was of another version of the protocol (the device's own).
        OtherVersion = "other-version", "the device speaks another version of the protocol";
        /// A session that has not greeted.
        NoSession = "no-session", "the device knows no such session: it was switched off and on; repeat the command";
        /// A session that ended, as another one has greeted.
        OldSession = "old-session", "the session has ended, as another host has greeted the device; repeat the command";
        /// The sequence number is one of the past.
        Stale = "stale", "a request that arrived late";
        /// The sequence number leaves some out (the one that was expected).
        Gap = "gap", "a request that is ahead of its turn";
        /// The sequence number is the last one's, and the request another.
        Reused = "reused", "another request under the number of the last one";
        /// The payload is no request.
        Malformed = "malformed", "the payload is no request";
        /// No slot holds a model that passed its checks.
        NoModel = "no-model", "no model runs: no slot holds one that passed its checks";
        /// A job is running.
        Busy = "busy", "a job is running; wait for it, or cancel it";
        /// No such plan (how many there are).
        NoSuchPlan = "no-such-plan", "the model has no plan of this number";
        /// No such class (how many there are).
        NoSuchClass = "no-such-class", "the model has no class of this number";
        /// A model that only denoises was asked for a sample.
        NotASampler = "not-a-sampler", "the model denoises, and has no plans to sample by";
        /// A number that makes no sense.
        BadNumber = "bad-number", "a number is not finite, or not above zero where it has to be";
        /// The window has an infinite value (its place); a NaN is one that is missing.
        NotFinite = "not-finite", "the window holds an infinite value";
        /// A part of the window that does not continue what is there (where it would).
        WindowGap = "window-gap", "a part of the window that does not follow the one before";
        /// The window would be wider than the model's (its width).
        WindowTooWide = "window-too-wide", "the window is wider than the model's";
        /// The window is narrower than the model's (what is there).
        WindowIncomplete = "window-incomplete", "the window is not complete";
        /// The model has no level with signal and noise.
        NoLevel = "no-level", "the model has no noise level to denoise at";
        /// There are no values, or not so many.
        NoValues = "no-values", "there are no values at this place";
        /// No such slot (how many there are).
        NoSuchSlot = "no-such-slot", "the device has no slot of this number";
        /// The slot's model does not pass its checks (the verdict's number).
        SlotRefused = "slot-refused", "the slot's model does not pass its checks";
        /// No update has begun.
        NoUpdate = "no-update", "no update has begun";
        /// The model does not fit the slot (its room).
        TooLarge = "too-large", "the model does not fit a slot";
        /// The update's length is not one that a model has.
        BadLength = "bad-length", "no model has this length: it is a multiple of 16";
        /// A part that does not continue what is there (where it would).
        UpdateGap = "update-gap", "a part of the update that does not follow the one before";
        /// Not all bytes have arrived (how many have).
        UpdateIncomplete = "update-incomplete", "not all of the update has arrived";
        /// The update's model does not pass its checks (the verdict's number).
        UpdateRefused = "update-refused", "the update's model does not pass its checks";
        /// A commit before the update was verified.
        NotVerified = "not-verified", "the update has not been verified";
        /// The window has nothing but missing values.
        AllMissing = "all-missing", "all of the window's values are missing";
        /// The flash does not hold what was written.
        Flash = "flash", "the flash does not hold what was written to it";
        /// No detector is set up.
        NoDetector = "no-detector", "no detector is set up: it is forgotten with the session and with the model";
        /// The detector's channels are not the model's (the model's width).
        BadChannels = "bad-channels", "the detector's channels are not the model's";
        /// A level that the model has not, or one that is pure noise or pure data (its place).
        NoSuchLevel = "no-such-level", "the model has no such noise level to detect at";
        /// The calibration has more numbers than there is room for, or than its levels and channels have (that number).
        CalibrationTooLarge = "calibration-too-large", "the calibration has more levels or numbers than there is room for";
        /// A part of the calibration that does not continue what is there (where it would).
        CalibrationGap = "calibration-gap", "a part of the calibration that does not follow the one before";
        /// Not all of the calibration has arrived (how many numbers have).
        CalibrationIncomplete = "calibration-incomplete", "not all of the calibration has arrived";
        /// A number of the calibration is not finite, or a mean square below 0 (its place).
        BadCalibration = "bad-calibration", "a number of the calibration is not finite, or below zero where it cannot be";
        /// A model that fills gaps was asked to denoise or to score.
        FillsGaps = "fills-gaps", "the model fills gaps in signals, and neither denoises nor scores";
    }
}

named! {
    /// What a slot was found to hold.
    Verdict {
        /// Erased.
        Empty = "empty", "erased";
        /// Something else than a slot's header, as where an update was cut short.
        NoHeader = "no-header", "no header: an update never came to its end";
        /// The header is there and the switch is not.
        NotCommitted = "not-committed", "not committed: the power was cut just before the switch";
        /// The length is none that fits.
        Length = "length", "the header's length does not fit the slot";
        /// The model's bytes are not those of the header's checksum.
        Checksum = "checksum", "the model's bytes do not match the checksum";
        /// The bytes are no model.
        Model = "model", "the bytes are no model";
        /// The image has too little working memory for the model.
        Arena = "arena", "the model needs more working memory than the image has";
        /// The model is wider than the image's buffers.
        Width = "width", "the model is wider than the image's buffers";
        /// The self-test gave other bits.
        SelfTest = "self-test", "the self-test gave other bits";
        /// Whole, and not looked at further, as the other one runs.
        Standby = "standby", "whole; the other slot is newer";
        /// Passed every check.
        Good = "good", "passed every check";
        /// An update is being written.
        Updating = "updating", "an update is being written";
    }
}

impl Verdict {
    /// Its number on the line.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The verdict of this number.
    #[must_use]
    pub fn of(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.code() == code)
    }
}
