//! How results are printed: in words or as JSON, always on standard output. What goes wrong goes to standard error.
#![allow(clippy::print_stdout, reason = "this is the command line's one way to standard output")]

use serde::Serialize;

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
        if self.json {
            println!("{}", serde_json::to_string_pretty(result)?);
        } else {
            println!("{}", words(result));
        }
        Ok(())
    }
}
