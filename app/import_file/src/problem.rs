//! Problems and notes of a file: line and column, never a value.

use policy::import_profile::DateFormat;
use policy::numbers::counted;
use serde::Serialize;
use std::io;
use thiserror::Error;

/// A problem at a line or cell of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located<T> {
    /// The line. The first line of the file is 1.
    pub line: u64,
    /// The column, if it concerns one.
    pub column: Option<String>,
    /// The problem or note.
    pub what: T,
}

impl<T> Located<T> {
    /// Returns something that concerns a whole line.
    pub const fn on_line(line: u64, what: T) -> Self {
        Self { line, column: None, what }
    }

    /// Returns something that concerns one column.
    pub fn in_column(line: u64, column: &str, what: T) -> Self {
        Self { line, column: Some(column.to_owned()), what }
    }
}

/// A problem. Its line is rejected, or the whole file if the line is part of the header.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum FileProblem {
    /// The file has no content.
    #[error("The file is empty. Its first line must name the columns")]
    Empty,
    /// The file has a header only.
    #[error("The file has no lines with data. Export it again from the other system")]
    NoRows,
    /// No row has column names.
    #[error("No known column names found. The first line must name the columns")]
    NoHeader,
    /// A column that the profile doesn't know.
    #[error("Unknown column. Remove or rename it")]
    UnknownColumn,
    /// A column of a custom field that doesn't exist.
    #[error("There is no custom field with this key. Add the field first, or remove the column")]
    UnknownCustomField,
    /// Two columns for one field.
    #[error("This column appears twice")]
    ColumnTwice,
    /// A required column is missing.
    #[error("This column is missing")]
    ColumnMissing,
    /// No column has a key.
    #[error("One of the columns {0} is required")]
    KeyMissing(String),
    /// More columns than any export has.
    #[error("The file has more than {max} columns. Choose another delimiter or file")]
    TooManyColumns {
        /// The limit.
        max: usize,
    },
    /// The record exceeds the limit.
    #[error("The line is longer than 8 MB. A line end is missing")]
    TooLong,
    /// The number of cells differs from the header.
    #[error("This line has {}, but the header has {expected}", cells(*found))]
    CellCount {
        /// Number of cells in the line.
        found: usize,
        /// Number of cells in the header.
        expected: usize,
    },
    /// The last record is incomplete.
    #[error("The file is cut off: the last line has no line end and too few cells. Export it again")]
    CutOff,
    /// A file that is no text.
    #[error("This is {0}, not a text file. Save it as CSV (UTF-8) in the other program")]
    Binary(&'static str),
    /// JSON for a profile of delimited text.
    #[error("This is JSON, but the import profile describes a file with columns. Choose another profile")]
    Json,
    /// The names of the columns on a later line.
    #[error("This line repeats the names of the columns. Remove it")]
    HeaderAgain,
    /// The end of a JSON file inside of a user.
    #[error(
        "The file ends in the middle of a user, or a bracket or quotation mark of this user is not closed"
    )]
    UserCutOff,
    /// A user whose JSON is wrong.
    #[error("This user is not valid JSON")]
    InvalidUser,
    /// An answer with two lists.
    #[error("The file has two lists of users in one object. Export the users again")]
    TwoLists,
    /// A list with fewer users than it says.
    #[error("The file has {listed} users, but says that the other system has {total}. Export all of them")]
    UsersMissing {
        /// Number of users in the file.
        listed: u64,
        /// Number of users according to the file.
        total: u64,
    },
    /// A quotation mark that isn't closed.
    #[error(
        "A quotation mark opens a cell in this line and is not closed before the next lines. Close it, or double it \
         if it belongs to the text"
    )]
    UnclosedQuote,
    /// A quotation mark inside a cell, or text after the closing one.
    #[error("A quotation mark is inside the cell. Put the cell in quotation marks and double those inside")]
    QuoteInCell,
    /// Bytes that are no text in this encoding.
    #[error("This is not {0} text: the encoding changes within the file, or another one was used")]
    NotText(&'static str),
    /// A value that a spreadsheet has changed.
    #[error(
        "A spreadsheet has changed this value. Export the file again, and don't open it in a spreadsheet"
    )]
    Damaged,
    /// Days and months can't be distinguished.
    #[error(
        "The dates in this column are ambiguous: day or month may come first. Choose the date format, or write dates as year, month \
         and day, like 2018-01-15"
    )]
    AmbiguousDates,
    /// A date in another format.
    #[error("This date is not in the format {}, like {}", .0.label(), .0.example())]
    OtherDateFormat(DateFormat),
    /// Not an amount.
    #[error("Enter an amount like 12.50")]
    NotAnAmount,
    /// An amount with two meanings.
    #[error("This amount is ambiguous: the separator may stand for thousands or for decimals")]
    AmbiguousAmount,
    /// The file is not the expected JSON.
    #[error("This is not the expected JSON. Export the users again")]
    NotJson,
    /// A required table is missing.
    #[error("The table {0} is missing. Add its file")]
    TableMissing(&'static str),
    /// A required column of a table is missing.
    #[error("The table {table} has no column {column}")]
    TableColumnMissing {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

fn cells(count: usize) -> String {
    counted(i64::try_from(count).unwrap_or(i64::MAX), "cell", "cells")
}

impl FileProblem {
    /// Returns whether the lines after the problem can't be distinguished. Nothing of such a file can be imported.
    pub const fn ends_reading(&self) -> bool {
        matches!(self, Self::NotJson | Self::UserCutOff | Self::TwoLists | Self::UsersMissing { .. })
    }
}

/// A note about a line that can be imported.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq, Serialize)]
pub enum FileNote {
    /// The last line has no line end.
    #[error("The last line of the file has no line end. Compare the number of lines with the other system")]
    NoLineEnd,
    /// Several values in a cell.
    #[error("The cell has several values. The first one was used")]
    FirstOfSeveral,
    /// A value that was written as a formula.
    #[error("The value was written as a formula of a spreadsheet. The text inside was used")]
    Unwrapped,
    /// A number that a spreadsheet may have rounded.
    #[error("A spreadsheet may have rounded this value")]
    Rounded,
    /// A replacement character.
    #[error("The text has a replacement character: an earlier conversion has lost a letter")]
    LostLetter,
    /// An identifier without a name in the additional table.
    #[error("The name is not in the additional tables. The identifier was used")]
    NoName,
    /// An attribute or custom field that the library doesn't have.
    #[error(
        "The user has a value without a custom field in Lethe, so the value was left out. Add the custom field to keep it"
    )]
    UnknownAttribute,
    /// A group without a name.
    #[error("The group has no name in the additional table usergroups, so the category was left out")]
    GroupWithoutName,
}

/// Why a file can't be read.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It is a pipe, a folder or a device.
    #[error("Only a regular file can be imported, because it is read twice. This is a pipe or a folder")]
    NotAFile,
    /// The file system reported an error.
    #[error("The file cannot be read: {}", .0.kind())]
    Io(#[from] io::Error),
    /// A table can't be read.
    #[error("The table {table} cannot be read: {problem}")]
    Table {
        /// The table.
        table: String,
        /// The problem.
        problem: String,
    },
}

/// A problem and its place.
pub type Problem = Located<FileProblem>;
/// A note and its place.
pub type Note = Located<FileNote>;
