//! Reads the lines of a file with their numbers, by the fields of the kind of file. `import_file` does the reading.

use super::order::ImportOrder;
use super::problem::{FileProblems, LineProblem, TransferError, on_line};
use super::{ROWS_PER_CHUNK, file_digest};
use db::RecordsError;
use db::checksum::Summed;
use db::csv_text::unescaped;
use import_file::{ImportFile, Located, OpenError, Plan, Rows};
use policy::form::FieldErrors;
use policy::import_options::EmptyCells;
use policy::import_profile::FileFormat;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Number of batches that wait for their writer.
const BATCHES_AHEAD: usize = 2;

/// Why a file of FOLIO can't empty fields without its groups.
const GROUPS_MISSING: &str = "Without the additional table usergroups, empty cells would empty every category. Add the table, \
                              or keep the values of empty cells";

/// The columns of a file by the names of their fields.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    /// The names in the file, by field.
    columns: Arc<BTreeMap<String, String>>,
    indexes: BTreeMap<String, usize>,
    empty_cells: EmptyCells,
}

impl Header {
    /// Returns whether the file has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.indexes.contains_key(column)
    }

    /// Returns the names in file order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the names of the columns in the file, by field.
    pub(super) const fn columns(&self) -> &Arc<BTreeMap<String, String>> {
        &self.columns
    }

    /// Returns whether an empty cell empties its field.
    pub(super) const fn clears_empty(&self) -> bool {
        matches!(self.empty_cells, EmptyCells::Clear)
    }
}

/// One line with data.
#[derive(Debug)]
pub(super) struct Line {
    /// Number of the line in the file.
    pub(super) number: u64,
    /// Notes for staff about the line.
    pub(super) notes: Vec<LineProblem>,
    header: Arc<Header>,
    cells: Vec<String>,
}

impl Line {
    /// Returns the content of a column, or an empty text if the file has no such column.
    pub(super) fn cell(&self, column: &str) -> &str {
        let index = self.header.indexes.get(column);
        index.and_then(|index| self.cells.get(*index)).map_or("", String::as_str)
    }
}

/// A file whose format is known. It can be read several times.
pub(super) struct Source {
    plan: Plan,
    file: PathBuf,
    tables: BTreeMap<String, PathBuf>,
    header: Arc<Header>,
    /// Whether cells are escaped as the export does it.
    is_escaped: bool,
}

impl Source {
    /// Detects the format of a file. `custom` has the keys of the custom fields.
    pub(super) fn open(order: &ImportOrder<'_>, custom: &[String]) -> Result<Self, TransferError> {
        let file = ImportFile { main: order.file.to_owned(), tables: order.tables.clone() };
        let plan = plan(&file, order, custom)?;
        let mut problems = FileProblems::default();
        plan.problems().iter().for_each(|problem| problems.add(line_problem(problem)));
        let needs_groups = order.profile.format == FileFormat::FolioUsers
            && order.options.empty_cells == EmptyCells::Clear
            && order.tables.is_empty();
        if needs_groups {
            problems.add(on_line(1, GROUPS_MISSING));
        }
        problems.refuse()?;
        let names: Vec<String> = plan.targets().map(str::to_owned).collect();
        let indexes = names.iter().cloned().zip(0..).collect();
        let columns = Arc::new(columns_by_field(&plan));
        let header = Arc::new(Header { names, columns, indexes, empty_cells: order.options.empty_cells });
        let is_escaped = order.profile.is_own_format();
        Ok(Self { plan, file: file.main, tables: file.tables, header, is_escaped })
    }

    /// Returns the columns.
    pub(super) const fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Reads and parses the lines on another thread, ahead of the caller, which writes them meanwhile.
    pub(super) fn ahead<T: Send + 'static>(
        &self,
        parse: impl Fn(&Line) -> Result<T, FieldErrors> + Send + 'static,
    ) -> Result<Ahead<T>, TransferError> {
        let mut lines = self.lines()?;
        let (header, tables) = (Arc::clone(&self.header), self.tables.clone());
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || {
            loop {
                let batch = batch(&mut lines, &tables, &parse);
                let is_last = !matches!(batch, Ok(Batch::Lines(_)));
                // The receiver is gone if the import has failed.
                if sender.blocking_send(batch).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Ahead { header, batches, sha256: String::new() })
    }

    /// Returns the size of the file.
    pub(super) fn bytes(&self) -> Result<u64, TransferError> {
        Ok(std::fs::metadata(&self.file)?.len())
    }

    /// Returns the lines from the beginning of the file.
    pub(super) fn lines(&self) -> Result<Lines, TransferError> {
        let rows = self.plan.rows(Summed::new(File::open(&self.file)?))?;
        Ok(Lines { rows, header: Arc::clone(&self.header), is_escaped: self.is_escaped, last: 0 })
    }
}

/// Returns the names of the columns in the file, by the fields that they fill. Several columns of a field are joined.
fn columns_by_field(plan: &Plan) -> BTreeMap<String, String> {
    let mut names = BTreeMap::<String, String>::new();
    for column in &plan.detected().columns {
        names
            .entry(column.target.clone())
            .and_modify(|name| *name = format!("{name}, {}", column.name))
            .or_insert_with(|| column.name.clone());
    }
    names
}

/// Detects the format of the file of an order.
pub(super) fn plan(
    file: &ImportFile,
    order: &ImportOrder<'_>,
    custom: &[String],
) -> Result<Plan, TransferError> {
    Plan::detect(file, &order.profile, custom).map_err(|error| match error {
        OpenError::Io(error) => TransferError::Io(error),
        OpenError::NotAFile | OpenError::Table { .. } => RecordsError::Refused(error.to_string()).into(),
    })
}

/// The lines of a file.
pub(super) struct Lines {
    rows: Rows<Summed<File>>,
    header: Arc<Header>,
    is_escaped: bool,
    /// The number of the last line.
    last: u64,
}

impl Lines {
    /// Returns the columns.
    pub(super) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Returns the SHA-256 of what was read. Complete after the last line.
    pub(super) fn sha256(&self) -> String {
        self.rows.get_ref().sha256()
    }

    /// Returns the next line with data, or `None` after the last one. Rejects the file if the lines after a problem can't be
    /// distinguished.
    pub(super) fn next(&mut self) -> Result<Option<Result<Line, LineProblem>>, TransferError> {
        let Some(row) = self.rows.next_row()? else { return Ok(None) };
        if let Err(problem) = &row
            && problem.what.ends_reading()
        {
            let mut problems = FileProblems::default();
            problems.add(line_problem(problem));
            return Err(TransferError::File(problems));
        }
        let number = self.number(row.as_ref().map_or_else(|problem| problem.line, |row| row.line));
        Ok(Some(match row {
            Ok(mut row) => {
                if self.is_escaped {
                    for cell in &mut row.cells {
                        let length = unescaped(cell).len();
                        cell.drain(..cell.len() - length);
                    }
                }
                let notes = row.notes.iter().map(|note| LineProblem { line: number, ..line_problem(note) });
                Ok(Line {
                    number,
                    notes: notes.collect(),
                    header: Arc::clone(&self.header),
                    cells: row.cells,
                })
            }
            Err(problem) => Err(LineProblem { line: number, ..line_problem(&problem) }),
        }))
    }

    /// Returns the number of a record: its first line. The records of a file never share a number, so that it
    /// identifies them. A record of JSON on the line of the one before counts as a line.
    fn number(&mut self, line: u64) -> u64 {
        self.last = line.max(self.last + 1);
        self.last
    }
}

/// A parsed line.
pub(super) struct Parsed<T> {
    /// Number of the line in the file.
    pub(super) number: u64,
    /// Notes for staff about the line.
    pub(super) notes: Vec<LineProblem>,
    /// The content, or what is wrong with it.
    pub(super) content: Result<T, FieldErrors>,
}

/// A line as it was read: parsed, or a problem of the file.
pub(super) type ReadLine<T> = Result<Parsed<T>, LineProblem>;

enum Batch<T> {
    Lines(Vec<ReadLine<T>>),
    /// The end of the file, with the SHA-256 of the file and its tables.
    End(String),
}

/// The lines of a file that another thread reads.
pub(super) struct Ahead<T> {
    header: Arc<Header>,
    batches: mpsc::Receiver<Result<Batch<T>, TransferError>>,
    sha256: String,
}

impl<T> Ahead<T> {
    /// Returns the columns.
    pub(super) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Returns the SHA-256 of the file and its tables. Complete after the last line.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the next lines, or `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<ReadLine<T>>>, TransferError> {
        match self.batches.recv().await {
            Some(Ok(Batch::Lines(lines))) => Ok(Some(lines)),
            Some(Ok(Batch::End(sha256))) => {
                self.sha256 = sha256;
                Ok(None)
            }
            Some(Err(error)) => Err(error),
            // The thread has panicked.
            None => Err(TransferError::Io(std::io::ErrorKind::BrokenPipe.into())),
        }
    }
}

/// Reads the next lines.
fn batch<T>(
    lines: &mut Lines,
    tables: &BTreeMap<String, PathBuf>,
    parse: impl Fn(&Line) -> Result<T, FieldErrors>,
) -> Result<Batch<T>, TransferError> {
    let mut batch = Vec::with_capacity(ROWS_PER_CHUNK);
    while batch.len() < ROWS_PER_CHUNK
        && let Some(line) = lines.next()?
    {
        batch.push(line.map(|mut line| Parsed {
            number: line.number,
            notes: std::mem::take(&mut line.notes),
            content: parse(&line),
        }));
    }
    if batch.is_empty() {
        return Ok(Batch::End(file_digest::with_tables(lines.sha256(), tables)?));
    }
    Ok(Batch::Lines(batch))
}

pub(super) fn line_problem(located: &Located<impl Display>) -> LineProblem {
    LineProblem { line: located.line, column: located.column.clone(), problem: located.what.to_string() }
}
