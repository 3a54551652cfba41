//! Prints results as text or as JSON on standard output. Errors go to standard error.
use anyhow::Context as _;
use serde::Serialize;
use std::io::Write as _;

/// The format of printed results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result as JSON, or as the text that `text_of` returns for it.
    pub(crate) fn print<T: Serialize>(
        self,
        result: &T,
        text_of: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(result)? } else { text_of(result) };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).context("The result cannot be written")
    }
}
