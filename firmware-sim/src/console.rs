//! Records on the debugger's console: one a line, a word and then `key=value` pairs.

use crate::semihosting;
use core::ffi::CStr;
use core::fmt;

/// Text on its way to the debugger, in pieces rather than characters.
#[derive(Debug)]
pub struct Console {
    bytes: [u8; 128],
    used: usize,
}

impl Console {
    /// A console without text.
    pub const fn new() -> Self {
        Self { bytes: [0; 128], used: 0 }
    }

    /// Writes one record, with its line's end.
    pub fn record(&mut self, text: fmt::Arguments<'_>) {
        self.piece(text);
        self.end();
    }

    /// Writes a piece of a record.
    pub fn piece(&mut self, text: fmt::Arguments<'_>) {
        // Writing to the console cannot fail.
        let _ = fmt::Write::write_fmt(self, text);
    }

    /// Ends a record and sends it off.
    pub fn end(&mut self) {
        self.push(b'\n');
        self.flush();
    }

    /// Writes the bits of each value in hex, with commas between.
    pub fn bits(&mut self, values: &[f32]) {
        let mut comma = "";
        for value in values {
            self.piece(format_args!("{comma}{:08x}", value.to_bits()));
            comma = ",";
        }
    }

    fn push(&mut self, byte: u8) {
        // The last place is kept for the zero at the end.
        if self.used + 1 >= self.bytes.len() {
            self.flush();
        }
        if let Some(place) = self.bytes.get_mut(self.used) {
            *place = byte;
            self.used += 1;
        }
    }

    fn flush(&mut self) {
        if let Some(end) = self.bytes.get_mut(self.used) {
            *end = 0;
        }
        if let Ok(text) = CStr::from_bytes_until_nul(&self.bytes) {
            semihosting::write(text);
        }
        self.used = 0;
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.push(byte);
        }
        Ok(())
    }
}
