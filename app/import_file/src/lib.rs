//! Reads import files of every format, in steps: bytes, text, rows with their lines, cells by field.
//!
//! **Streaming.** A file is read in pieces, so that its size doesn't matter to the memory. Additional tables of an
//! export are kept in memory. [`Plan::detect`] detects how the file is read; [`Plan::rows`] reads it, as often as needed.
//!
//! **No silent loss.** Problems at a line and column are bytes that are no text, unclosed quotation marks, dates with
//! two meanings, and values changed by a spreadsheet. A problem never contains the value.
//!
//! - `decode`, `encoding`: bytes to UTF-8.
//! - `file_kind`: files that are no text, or another kind of text.
//! - `records`, `layout`, `rows`: delimited text to rows. `folio`: JSON to rows.
//! - `tables`: additional tables of an export and the columns that they add.
//! - `mapping`: columns to fields, with `dates`, `amounts`, `attributes` and `damage` for their cells.
//! - `sample`: the first rows of a file without a profile. `suggest`: the fields of its columns.

mod amounts;
mod attributes;
mod damage;
mod dates;
mod decode;
mod encoding;
mod file_kind;
mod folio;
mod layout;
mod mapping;
mod plan;
mod problem;
mod records;
mod rows;
mod sample;
mod suggest;
mod tables;

pub use plan::{Detected, DetectedColumn, Plan, Row, Rows};
pub use problem::{FileNote, FileProblem, Located, Note, OpenError, Problem};
pub use sample::{MAX_SHOWN_ROWS, Sample};
pub use suggest::{Reason, Suggestion, suggest};
pub use tables::ImportFile;

#[cfg(test)]
mod tests;
