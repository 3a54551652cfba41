//! The first rows of a delimited file, whatever its columns are called: for a profile that doesn't exist yet.

use crate::encoding;
use crate::layout::Layout;
use crate::problem::{FileProblem, OpenError, Problem};
use crate::records::Columns;
use crate::rows::DelimitedRows;
use crate::suggest::is_value;
use crate::tables::{ImportFile, open_regular};
use policy::import_profile::{Delimited, FileKind, suggested_target};
use serde::{Deserialize, Serialize};

/// Number of rows that are shown before an import.
pub const MAX_SHOWN_ROWS: usize = 10;
/// Number of rows whose content is looked at.
const MAX_ROWS: usize = 200;

/// The first rows of a file. They are personal data.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sample {
    /// The encoding.
    pub encoding: String,
    /// The delimiter.
    pub delimiter: char,
    /// The line that names the columns.
    pub header_line: u64,
    /// The names of the columns, as the file has them.
    pub names: Vec<String>,
    /// The cells of the first rows.
    pub rows: Vec<Vec<String>>,
}

impl Sample {
    /// Reads the first rows of a file. `custom` has the keys and names of the custom fields.
    ///
    /// The header is the row with the most names that a profile would be suggested for. Without any, it is the first row
    /// with the most cells.
    pub fn read(
        file: &ImportFile,
        kind: FileKind,
        custom: &[(String, String)],
    ) -> Result<Result<Self, Problem>, OpenError> {
        let open = || open_regular(&file.main);
        if !std::fs::metadata(&file.main)?.is_file() {
            return Err(OpenError::NotAFile);
        }
        let format = Delimited::default();
        let Some(encoding) = encoding::detect(open()?, format.encoding)? else {
            return Ok(Err(Problem::on_line(1, FileProblem::Empty)));
        };
        let is_known = |name: &str| suggested_target(kind, name, custom).is_some();
        let is_named = |name: &str| !name.is_empty();
        let layout = match Layout::detect(open()?, encoding, format, &is_known)? {
            Err(problem) if problem.what == FileProblem::NoHeader => {
                Layout::detect(open()?, encoding, format, &is_named)?
            }
            found => found,
        };
        let layout = match layout {
            Ok(layout) => layout,
            Err(problem) => return Ok(Err(problem)),
        };
        // The names become part of the profile, so the first row of a file without a header must not.
        if layout.names.iter().any(|name| is_value(name)) {
            return Ok(Err(Problem::on_line(layout.header_line, FileProblem::NoHeader)));
        }
        let mut rows = DelimitedRows::open(open()?, &layout, Columns::default())?;
        let mut sample = Self {
            encoding: encoding.encoding.name().to_owned(),
            delimiter: char::from(layout.delimiter),
            header_line: layout.header_line,
            names: layout.names.clone(),
            rows: Vec::new(),
        };
        while sample.rows.len() < MAX_ROWS
            && let Some(row) = rows.next()?
        {
            let cells = row.map(|row| row.cells.iter().map(|cell| cell.trim().to_owned()).collect());
            sample.rows.extend(cells.ok());
        }
        if sample.rows.is_empty() {
            return Ok(Err(Problem::on_line(layout.header_line, FileProblem::NoRows)));
        }
        Ok(Ok(sample))
    }
}
