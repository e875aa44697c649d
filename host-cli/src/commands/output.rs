//! Standard output: text, or the same as JSON.

use std::io::Write;

use serde::Serialize;

/// Whether a table is printed as text or as JSON.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Format {
    /// Print JSON with stable field names instead of text.
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Whether it is JSON.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints a value as JSON, or the text that stands for it.
    pub fn print<T: Serialize>(self, value: &T, as_text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        if self.json { text(&(serde_json::to_string_pretty(value)? + "\n")) } else { text(&as_text(value)) }
    }
}

/// Prints text as it is.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
