//! Records, one a line, and those that every image prints.

use crate::{Count, Error, Memory, Sample};
use std::collections::HashMap;

/// An error that the device printed.
pub(crate) struct DeviceError {
    pub kind: String,
    pub text: String,
}

/// A record: a word, and `key=value` pairs.
pub(crate) struct Record<'a> {
    pub word: &'a str,
    pairs: HashMap<&'a str, &'a str>,
}

impl<'a> Record<'a> {
    pub fn read(line: &'a str) -> Self {
        let mut words = line.split(' ');
        let word = words.next().unwrap_or("");
        Self { word, pairs: words.filter_map(|pair| pair.split_once('=')).collect() }
    }

    pub fn text(&self, key: &'static str) -> Result<&'a str, Error> {
        self.pairs.get(key).copied().ok_or(Error::Records { missing: key })
    }

    pub fn number(&self, key: &'static str) -> Result<u64, Error> {
        self.text(key)?.parse().map_err(|_| Error::Records { missing: key })
    }

    pub fn hex(&self, key: &'static str) -> Result<u64, Error> {
        u64::from_str_radix(self.text(key)?, 16).map_err(|_| Error::Records { missing: key })
    }
    /// The record `count`: its name and what was counted.
    pub fn count(&self) -> Result<(String, Count), Error> {
        let count = Count { instructions: self.number("instructions")?, of: self.number("of")? };
        Ok((self.text("what")?.to_owned(), count))
    }

    /// The number and the bits of values that a record holds.
    pub fn sample(&self) -> Result<Sample, Error> {
        let number = u32::try_from(self.number("number")?).map_err(|_| Error::Records { missing: "number" })?;
        let bits = self.text("values")?.split(',').map(|bits| u32::from_str_radix(bits, 16));
        let bits = bits.collect::<Result<_, _>>().map_err(|_| Error::Records { missing: "values" })?;
        Ok(Sample { number, bits })
    }

    /// The record `memory`.
    pub fn memory(&self) -> Result<Memory, Error> {
        Ok(Memory {
            data: self.number("data")?,
            bss: self.number("bss")?,
            arena: self.number("arena")?,
            stack: self.number("stack")?,
            stack_reserved: self.number("stack-reserved")?,
        })
    }
}

/// The error that the device printed, if it did.
pub(crate) fn device_error(output: &str) -> Option<DeviceError> {
    let line = output.lines().find(|line| line.starts_with("error "))?;
    let (head, text) = line.split_once(" text=")?;
    let kind = Record::read(head).text("kind").ok()?.to_owned();
    Some(DeviceError { kind, text: text.to_owned() })
}
