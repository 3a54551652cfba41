//! How results are printed: in words or as JSON, always on standard output. What goes wrong goes to standard error.
use anyhow::Context as _;
use serde::Serialize;
use std::io::Write as _;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// As JSON, for machines.
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result: as JSON, or in the words that `words` makes of it.
    pub(crate) fn print<T: Serialize>(
        self,
        result: &T,
        words: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(result)? } else { words(result) };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).context("The result cannot be written")
    }
}
