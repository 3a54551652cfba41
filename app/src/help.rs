//! The help: the documentation of Lethe, as pages of the program.

mod documents;
mod markdown;

pub(crate) use documents::{DOCUMENTS, help_for};
pub(crate) use markdown::html;

/// The address of the list of documents.
pub(crate) const HELP: &str = "/help";
