//! Prints results as text or as JSON on standard output. Errors go to standard error.
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::io::{self, Write as _};
use thiserror::Error;

/// The process that reads the output has ended, as in `lethe runs list | head -1`.
#[derive(Clone, Copy, Debug, Error)]
#[error("The output was not read to its end")]
pub(crate) struct ReaderGone;

impl ReaderGone {
    /// Returns the error of a failed write.
    pub(super) fn or(error: io::Error) -> anyhow::Error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self.into();
        }
        anyhow::Error::new(error).context("The result cannot be written")
    }
}

/// Prints a line on standard error. The macro `eprintln` panics if standard error is closed.
pub(crate) fn print_error(line: &str) {
    _ = writeln!(io::stderr(), "{line}");
}

/// Formats an instant for a list.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

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
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(ReaderGone::or)
    }
}
