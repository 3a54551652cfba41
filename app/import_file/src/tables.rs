//! The additional tables of an export, and the columns that they add to the rows of the main file.

use crate::encoding::{self, FileEncoding};
use crate::layout::Layout;
use crate::problem::{FileNote, FileProblem, Note, OpenError, Problem};
use crate::records::Columns;
use crate::rows::{DelimitedRows, RawRow};
use encoding_rs::UTF_8;
use policy::import_profile::{Delimited, FileFormat, TextEncoding};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The rows of a table by key, each with the columns that a join needs.
type Rows = HashMap<String, Vec<Vec<String>>>;

/// An additional column.
#[derive(Clone, Copy, Debug)]
struct Joined {
    /// The name in profiles.
    name: &'static str,
    value: Joining,
}

/// Where the value of an additional column comes from.
#[derive(Clone, Copy, Debug)]
enum Joining {
    /// A column of the row with the key that one of these columns has.
    Of { via: &'static [&'static str], table: &'static str, column: usize },
    /// The same; without the table or the row, the key itself.
    NameOf { via: &'static str, table: &'static str },
    /// The texts of all rows of a table.
    Texts { via: &'static str, table: &'static str },
    /// The sum of the amounts of all rows of a table.
    Sum { via: &'static str, table: &'static str },
    /// The first of these columns with a value.
    First(&'static [&'static str]),
    /// The same, if this column is true.
    FirstIf { flag: &'static str, columns: &'static [&'static str] },
    /// `target` of a request for a title.
    RequestedRecord,
    /// The state of a request, by its dates.
    RequestStatus,
    /// Always the same.
    Always(&'static str),
}

/// The key of each table and the columns to keep.
const TABLES: &[(&str, &str, &[&str])] = &[
    ("card", "id", &["barcode"]),
    ("usr_address", "id", &["street1", "street2", "post_code", "city", "country"]),
    ("grp_tree", "id", &["name"]),
    ("org_unit", "id", &["shortname"]),
    ("copy", "id", &["barcode"]),
    ("hold_request_note", "hold", &["title", "body"]),
    ("billing", "xact", &["amount"]),
];

const ADDRESS: &[&str] = &["mailing_address", "billing_address"];

const OF_USERS: &[Joined] = &[
    Joined { name: "card.barcode", value: Joining::Of { via: &["card"], table: "card", column: 0 } },
    Joined { name: "profile.name", value: Joining::NameOf { via: "profile", table: "grp_tree" } },
    Joined { name: "home_ou.shortname", value: Joining::NameOf { via: "home_ou", table: "org_unit" } },
    Joined { name: "address.street1", value: Joining::Of { via: ADDRESS, table: "usr_address", column: 0 } },
    Joined { name: "address.street2", value: Joining::Of { via: ADDRESS, table: "usr_address", column: 1 } },
    Joined {
        name: "address.post_code",
        value: Joining::Of { via: ADDRESS, table: "usr_address", column: 2 },
    },
    Joined { name: "address.city", value: Joining::Of { via: ADDRESS, table: "usr_address", column: 3 } },
    Joined { name: "address.country", value: Joining::Of { via: ADDRESS, table: "usr_address", column: 4 } },
    // Evergreen keeps the names of a deleted user, and no date of the deletion: it changes the record last.
    Joined {
        name: "usr.deleted_on",
        value: Joining::FirstIf { flag: "deleted", columns: &["last_update_time", "create_date"] },
    },
];

const OF_LOANS: &[Joined] = &[
    Joined { name: "target_copy.barcode", value: Joining::NameOf { via: "target_copy", table: "copy" } },
    Joined { name: "circ_lib.shortname", value: Joining::NameOf { via: "circ_lib", table: "org_unit" } },
    Joined { name: "circulation.returned", value: Joining::First(&["checkin_time"]) },
];

const OF_REQUESTS: &[Joined] = &[
    Joined { name: "hold_request.record", value: Joining::RequestedRecord },
    Joined { name: "pickup_lib.shortname", value: Joining::NameOf { via: "pickup_lib", table: "org_unit" } },
    Joined { name: "hold_request.status", value: Joining::RequestStatus },
    Joined { name: "hold_request.closed", value: Joining::First(&["cancel_time", "fulfillment_time"]) },
    Joined {
        name: "hold_request_note.text",
        value: Joining::Texts { via: "id", table: "hold_request_note" },
    },
];

const OF_CHARGES: &[Joined] = &[
    Joined { name: "grocery.kind", value: Joining::Always("grocery") },
    Joined { name: "billing.amount", value: Joining::Sum { via: "id", table: "billing" } },
];

/// A file and the additional tables of its export, by name.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// The main file.
    pub main: PathBuf,
    /// The additional tables.
    pub tables: BTreeMap<String, PathBuf>,
}

impl ImportFile {
    /// Returns a file without additional tables.
    pub fn single(main: &Path) -> Self {
        Self { main: main.to_owned(), tables: BTreeMap::new() }
    }
}

/// The additional tables in memory.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    joined: &'static [Joined],
    tables: HashMap<&'static str, Rows>,
}

impl Tables {
    /// Reads the tables that the format needs. A required table that is missing is a problem of the file.
    pub(crate) fn open(file: &ImportFile, format: &FileFormat) -> Result<(Self, Vec<Problem>), OpenError> {
        let joined = match format {
            FileFormat::Delimited(_) | FileFormat::FolioUsers => &[][..],
            FileFormat::EvergreenUsers => OF_USERS,
            FileFormat::EvergreenLoans => OF_LOANS,
            FileFormat::EvergreenRequests => OF_REQUESTS,
            FileFormat::EvergreenCharges => OF_CHARGES,
        };
        let mut tables = HashMap::new();
        let mut problems = Vec::new();
        for (name, is_required) in format.tables() {
            match file.tables.get(*name) {
                None if *is_required => problems.push(Problem::on_line(1, FileProblem::TableMissing(name))),
                None => {}
                Some(path) if *name == "usergroups" => {
                    tables.insert(*name, groups(path).map_err(|problem| of_table(name, problem))?);
                }
                Some(path) => {
                    tables.insert(*name, table(path, name).map_err(|problem| of_table(name, problem))?);
                }
            }
        }
        Ok((Self { joined, tables }, problems))
    }

    /// Returns the names of the additional columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.joined.iter().map(|joined| joined.name)
    }

    /// Adds the additional cells to a row with these columns.
    pub(crate) fn join(&self, names: &[String], row: &mut RawRow) {
        for joined in self.joined {
            let (value, note) = self.value(joined.value, names, row);
            if let Some(note) = note {
                row.notes.push(Note::in_column(row.line, joined.name, note));
            }
            row.cells.push(value);
        }
    }

    /// Returns the name of a group of FOLIO, or `None` if the table has none.
    pub(crate) fn group(&self, id: &str) -> Option<&str> {
        let row = self.tables.get("usergroups")?.get(id)?.first()?;
        row.first().map(String::as_str)
    }

    fn value(&self, joining: Joining, names: &[String], row: &RawRow) -> (String, Option<FileNote>) {
        let cell = |column: &str| {
            let index = names.iter().position(|name| name == column);
            index.and_then(|index| row.cells.get(index)).map_or("", |cell| cell.trim())
        };
        let rows = |table: &str, key: &str| self.tables.get(table).and_then(|rows| rows.get(key));
        let first = |columns: &[&str]| {
            let mut cells = columns.iter().map(|column| cell(column));
            cells.find(|cell| !cell.is_empty()).unwrap_or("").to_owned()
        };
        let value = match joining {
            Joining::Of { via, table, column } => {
                let found = via.iter().find_map(|via| rows(table, cell(via)));
                found.and_then(|rows| rows.first()?.get(column).cloned()).unwrap_or_default()
            }
            Joining::NameOf { via, table } => {
                let key = cell(via);
                match rows(table, key).and_then(|rows| rows.first()?.first()) {
                    Some(name) => name.clone(),
                    None if self.tables.contains_key(table) && !key.is_empty() => {
                        return (key.to_owned(), Some(FileNote::NoName));
                    }
                    None => key.to_owned(),
                }
            }
            Joining::Texts { via, table } => {
                let texts = rows(table, cell(via)).into_iter().flatten().flatten();
                texts.filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join("\n")
            }
            Joining::Sum { via, table } => {
                let amounts = rows(table, cell(via)).into_iter().flatten().filter_map(|row| row.first());
                let cents: Option<i64> = amounts.map(|amount| cents(amount)).sum();
                match cents {
                    Some(cents) if rows(table, cell(via)).is_some() => {
                        let sign = if cents < 0 { "-" } else { "" };
                        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
                    }
                    _ => String::new(),
                }
            }
            Joining::First(columns) => first(columns),
            Joining::FirstIf { flag, columns } if is_true(cell(flag)) => first(columns),
            Joining::RequestedRecord if cell("hold_type") == "T" => cell("target").to_owned(),
            Joining::FirstIf { .. } | Joining::RequestedRecord => String::new(),
            Joining::RequestStatus if !cell("cancel_time").is_empty() => "cancelled".to_owned(),
            Joining::RequestStatus if !cell("fulfillment_time").is_empty() => "fulfilled".to_owned(),
            Joining::RequestStatus => "open".to_owned(),
            Joining::Always(value) => value.to_owned(),
        };
        (value, None)
    }
}

/// Returns whether PostgreSQL printed a boolean that is true.
fn is_true(cell: &str) -> bool {
    ["t", "true", "1"].iter().any(|form| cell.eq_ignore_ascii_case(form))
}

fn of_table(table: &str, error: TableError) -> OpenError {
    let problem = match error {
        TableError::Io(error) => error.kind().to_string(),
        TableError::File(problem) => problem.to_string(),
    };
    OpenError::Table { table: table.to_owned(), problem }
}

enum TableError {
    Io(std::io::Error),
    File(FileProblem),
}

impl From<std::io::Error> for TableError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Problem> for TableError {
    fn from(problem: Problem) -> Self {
        Self::File(problem.what)
    }
}

/// Reads a table of an Evergreen export.
fn table(path: &Path, name: &'static str) -> Result<Rows, TableError> {
    let (key, columns) = TABLES
        .iter()
        .find(|(table, ..)| *table == name)
        .map_or(("id", &[][..]), |(_, key, columns)| (*key, *columns));
    let file = || open_regular(path);
    let encoding = encoding::detect(file()?, TextEncoding::Detect)?;
    let encoding = encoding.ok_or(TableError::File(FileProblem::Empty))?;
    let is_known = |name: &str| name == key || columns.contains(&name);
    let layout = Layout::detect(file()?, encoding, Delimited::default(), &is_known)??;
    let index = |column: &'static str| {
        let found = layout.names.iter().position(|name| name == column);
        found.ok_or(TableError::File(FileProblem::TableColumnMissing { table: name, column }))
    };
    let (key, columns) =
        (index(key)?, columns.iter().map(|column| index(column)).collect::<Result<Vec<_>, _>>()?);
    let mut rows = DelimitedRows::open(file()?, &layout, Columns::default())?;
    let mut table = Rows::new();
    while let Some(row) = rows.next()? {
        let row = row?;
        let cell = |index: usize| row.cells.get(index).map(|cell| cell.trim().to_owned()).unwrap_or_default();
        table.entry(cell(key)).or_default().push(columns.iter().map(|index| cell(*index)).collect());
    }
    Ok(table)
}

/// Reads FOLIO's groups: the answer of its API.
fn groups(path: &Path) -> Result<Rows, TableError> {
    let not_json = || TableError::File(FileProblem::NotJson);
    let answer: Value =
        serde_json::from_reader(std::io::BufReader::new(open_regular(path)?)).map_err(|_| not_json())?;
    let groups = answer.get("usergroups").unwrap_or(&answer).as_array().ok_or_else(not_json)?;
    let text = |group: &Value, name: &str| group.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(groups
        .iter()
        .filter_map(|group| Some((text(group, "id")?, vec![vec![text(group, "group")?]])))
        .collect())
}

/// Opens a regular file. A pipe would block.
pub(crate) fn open_regular(path: &Path) -> std::io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    File::open(path)
}

/// Returns an amount with two decimals in cents.
fn cents(amount: &str) -> Option<i64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "00"));
    if fraction.len() != 2 {
        return None;
    }
    format!("{whole}{fraction}").parse().ok()
}

/// The encoding of FOLIO's files if none is detected.
pub(crate) const fn utf8() -> FileEncoding {
    FileEncoding { encoding: UTF_8, is_guessed: false }
}
