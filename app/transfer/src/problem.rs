//! Problems in a file: line and column, never a value.

use db::RecordsError;
use policy::form::{FieldErrors, Problem};
use policy::import_profile::KEY_TARGETS;
use policy::numbers::counted;
use safeguards::limits::ImportStop;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;

/// Maximum number of reported problems of one file. The others are only counted.
pub const MAX_PROBLEMS: usize = 10_000;

/// The message for an ambiguous date.
const AMBIGUOUS: &str = "This date is ambiguous. Write it as year, month and day, like 2018-01-15";

/// One problem in a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LineProblem {
    /// The first line of the record. The first line of the file is 1.
    pub line: u64,
    /// The column, if the problem concerns one.
    pub column: Option<String>,
    /// The problem, as a sentence with its remedy.
    pub problem: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, {column}: {}", self.line, self.problem),
            None => write!(f, "line {}: {}", self.line, self.problem),
        }
    }
}

/// All problems of a file.
#[derive(Clone, Debug, Default, Eq, Error, PartialEq, Serialize)]
#[error("The file has {}. Nothing was changed", counted(i64::try_from(*.total).unwrap_or(i64::MAX), "problem", "problems"))]
pub struct FileProblems {
    /// The first [`MAX_PROBLEMS`].
    pub problems: Vec<LineProblem>,
    /// Total number of problems.
    pub total: u64,
    /// The lines with problems, and whether a key is among them.
    #[serde(skip)]
    lines: HashMap<u64, bool>,
    /// The names of the columns in the file, by the fields that they fill.
    #[serde(skip)]
    columns: Arc<BTreeMap<String, String>>,
}

impl FileProblems {
    /// Returns no problems of a file with these columns, by the fields that they fill. Problems name a column as the file
    /// does.
    pub(super) fn new(columns: &Arc<BTreeMap<String, String>>) -> Self {
        Self { columns: Arc::clone(columns), ..Self::default() }
    }

    /// Adds a problem. In the column of a key, the key counts as damaged.
    pub(super) fn add(&mut self, problem: LineProblem) {
        let is_damaged = problem.column.as_deref().is_some_and(|column| self.is_key(column));
        self.add_counted(problem, is_damaged);
    }

    /// Adds a problem of a key that is correct, but that no user has.
    pub(super) fn add_unknown(&mut self, problem: LineProblem) {
        self.add_counted(problem, false);
    }

    fn add_counted(&mut self, mut problem: LineProblem, is_damaged: bool) {
        self.total += 1;
        if let Some(column) = &mut problem.column
            && let Some(name) = self.columns.get(column)
        {
            column.clone_from(name);
        }
        *self.lines.entry(problem.line).or_default() |= is_damaged;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Returns whether a column fills a key. The column has the name of its field, or its name in the file.
    fn is_key(&self, column: &str) -> bool {
        KEY_TARGETS
            .iter()
            .any(|key| *key == column || self.columns.get(*key).is_some_and(|name| name == column))
    }

    /// Adds the field errors of one line.
    pub(super) fn add_fields(&mut self, line: u64, errors: FieldErrors) {
        for error in errors.0 {
            self.add(in_column(line, &error.field, &error.problem));
        }
    }

    /// Returns the number of lines with problems.
    pub(super) fn lines(&self) -> u64 {
        self.lines.len() as u64
    }

    /// Returns the number of lines with a problem in a key.
    pub(super) fn damaged_keys(&self) -> u64 {
        self.lines.values().filter(|is_of_a_key| **is_of_a_key).count() as u64
    }

    /// Returns an error with the problems in file order, if there is any.
    pub(super) fn refuse(&self) -> Result<(), TransferError> {
        if self.total == 0 {
            return Ok(());
        }
        let mut refused = self.clone();
        // Problems that only the database shows come after those of the lines.
        refused.problems.sort_by_key(|problem| problem.line);
        Err(TransferError::File(refused))
    }
}

/// Returns a problem of a whole line.
pub(super) fn on_line(line: u64, problem: &str) -> LineProblem {
    LineProblem { line, column: None, problem: problem.to_owned() }
}

/// Returns a problem of one cell.
pub(super) fn in_column(line: u64, column: &str, problem: &Problem) -> LineProblem {
    // The usual message for an ambiguous date contains its value.
    let problem = match problem {
        Problem::AmbiguousDate { .. } => AMBIGUOUS.to_owned(),
        other => other.to_string(),
    };
    LineProblem { line, column: Some(column.to_owned()), problem }
}

/// Returns a problem of one cell with its own message.
pub(super) fn in_cell(line: u64, column: &str, problem: String) -> LineProblem {
    LineProblem { line, column: Some(column.to_owned()), problem }
}

/// Why a file was not imported or exported.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The file has problems. Nothing was changed.
    #[error(transparent)]
    File(#[from] FileProblems),
    /// A member of staff cancelled the operation, or the server stops.
    #[error("Cancelled. Nothing was changed")]
    Cancelled,
    /// The file exceeds a safety limit, and no person has confirmed it. Only for the run of a task.
    #[error("{}", .0.label())]
    Limit(ImportStop),
    /// The file was changed after it was looked at.
    #[error("The file was changed while it was read. Nothing was changed")]
    FileChanged,
    /// The file can't be opened, read or written.
    #[error("The file cannot be read or written: {}", .0.kind())]
    Io(#[from] std::io::Error),
    /// The operation was rejected or failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl From<sea_orm::DbErr> for TransferError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Records(error.into())
    }
}

impl From<csv::Error> for TransferError {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::Io(error),
            _ => Self::Io(std::io::Error::from(std::io::ErrorKind::InvalidData)),
        }
    }
}
