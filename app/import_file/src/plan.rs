//! The plan by which a file is read, with its detected properties.

use crate::dates::Evidence;
use crate::encoding::{self, FileEncoding};
use crate::file_kind;
use crate::folio::FolioRows;
use crate::layout::Layout;
use crate::mapping::{Mapping, folio_paths, target_of, with_custom_fields};
use crate::problem::{FileNote, FileProblem, Note, OpenError, Problem};
use crate::records::Columns;
use crate::rows::{DelimitedRows, RawRow};
use crate::sample::MAX_SHOWN_ROWS;
use crate::tables::{ImportFile, Tables, open_regular};
use policy::import_profile::{CUSTOM, DateFormat, Delimited, FileFormat, ImportProfile};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// The detected properties of a file, to show before an import. The rows are personal data.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Detected {
    /// The encoding.
    pub encoding: String,
    /// The delimiter, unless the file is JSON.
    pub delimiter: Option<char>,
    /// The line that names the columns, unless the file is JSON.
    pub header_line: Option<u64>,
    /// The columns that fill fields.
    pub columns: Vec<DetectedColumn>,
    /// The names of the columns that the import ignores.
    pub ignored: Vec<String>,
    /// The cells of these columns in the first ten rows.
    pub rows: Vec<Vec<String>>,
}

/// A column that fills a field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DetectedColumn {
    /// Its name in the file.
    pub name: String,
    /// The name of the field.
    pub target: String,
    /// The notation of its dates.
    pub dates: Option<DateFormat>,
    /// Whether its dates have two meanings, so that the format must be chosen.
    pub is_ambiguous: bool,
}

/// The plan by which a file is read.
#[derive(Debug)]
pub struct Plan {
    parts: Arc<Parts>,
    detected: Detected,
    problems: Vec<Problem>,
}

/// The data that reading the rows requires.
#[derive(Debug)]
struct Parts {
    profile: ImportProfile,
    encoding: FileEncoding,
    /// `None` for JSON.
    layout: Option<Layout>,
    /// The columns of the file and those that the tables add.
    names: Vec<String>,
    mapping: Mapping,
    tables: Tables,
}

/// A row of a file, by the fields of its kind.
#[derive(Debug)]
pub struct Row {
    /// The line where it begins.
    pub line: u64,
    /// The cells, in the order of [`Plan::targets`].
    pub cells: Vec<String>,
    /// Notes for staff about the row.
    pub notes: Vec<Note>,
}

/// The rows of a file.
pub struct Rows<R> {
    parts: Arc<Parts>,
    raw: RawRows<R>,
}

enum RawRows<R> {
    Delimited(DelimitedRows<R>),
    Folio(FolioRows<R>),
}

impl Plan {
    /// Detects how a file is read. `custom` has the keys of the custom fields.
    ///
    /// Problems of the whole file are in the plan, so that a page can show what was detected besides.
    pub fn detect(file: &ImportFile, profile: &ImportProfile, custom: &[String]) -> Result<Self, OpenError> {
        if !std::fs::metadata(&file.main)?.is_file() {
            return Err(OpenError::NotAFile);
        }
        let open = || open_regular(&file.main);
        let profile = with_custom_fields(profile, custom);
        let chosen = match profile.format {
            FileFormat::Delimited(delimited) => delimited,
            _ => Delimited::default(),
        };
        let Some(encoding) = encoding::detect(open()?, chosen.encoding)? else {
            return Ok(Self::failed(profile, Problem::on_line(1, FileProblem::Empty)));
        };
        if let Some(problem) = file_kind::problem(open()?, &profile.format)? {
            return Ok(Self::failed(profile, Problem::on_line(1, problem)));
        }
        let (tables, missing) = Tables::open(file, &profile.format)?;
        let layout = if profile.format == FileFormat::FolioUsers {
            None
        } else {
            let is_known = |name: &str| target_of(&profile, name).is_some();
            match Layout::detect(open()?, encoding, chosen, &is_known)? {
                Ok(layout) => Some(layout),
                Err(problem) => return Ok(Self::failed(profile, problem)),
            }
        };
        let names: Vec<String> = match &layout {
            Some(layout) => layout.names.iter().cloned().chain(tables.names().map(str::to_owned)).collect(),
            None => folio_paths(&profile),
        };
        let header_line = layout.as_ref().map_or(1, |layout| layout.header_line);
        let mapping = Mapping::new(&profile, &names, custom, header_line);
        let mut problems = missing;
        problems.extend(mapping.problems.iter().cloned());
        let parts = Parts { profile, encoding, layout, names, mapping, tables };
        Ok(Self::looked_at(parts, problems, open)?)
    }

    fn failed(profile: ImportProfile, problem: Problem) -> Self {
        let parts = Parts {
            profile,
            encoding: crate::tables::utf8(),
            layout: None,
            names: Vec::new(),
            mapping: Mapping::default(),
            tables: Tables::default(),
        };
        Self { parts: Arc::new(parts), detected: Detected::default(), problems: vec![problem] }
    }

    /// Looks at the rows: the formats of dates, and the first rows to show.
    fn looked_at(
        mut parts: Parts,
        mut problems: Vec<Problem>,
        open: impl Fn() -> io::Result<File>,
    ) -> io::Result<Self> {
        let header_line = parts.layout.as_ref().map(|layout| layout.header_line);
        let mut ambiguous = Vec::new();
        if problems.is_empty() {
            let evidence = parts.evidence(open()?)?;
            for (source, evidence) in parts.mapping.dates().zip(evidence) {
                if source.dates.format != DateFormat::Detect {
                    continue;
                }
                if let Some(format) = evidence.format() {
                    source.dates.format = format;
                } else {
                    ambiguous.push(source.index);
                    let line = header_line.unwrap_or(1);
                    problems.push(Problem::in_column(line, &source.name, FileProblem::AmbiguousDates));
                }
            }
        }
        let parts = Arc::new(parts);
        let mut rows = Vec::new();
        if !parts.mapping.fields.is_empty() {
            let mut raw = parts.raw_rows(open()?)?;
            let mut is_empty = true;
            while rows.len() < MAX_SHOWN_ROWS
                && let Some(row) = parts.next_raw(&mut raw)?
            {
                is_empty = false;
                rows.extend(row.ok().map(|row| parts.shown(&row)));
            }
            if is_empty && problems.is_empty() {
                problems.push(Problem::on_line(header_line.unwrap_or(1), FileProblem::NoRows));
            }
        }
        let detected = parts.detected(&ambiguous, rows);
        Ok(Self { parts, detected, problems })
    }

    /// Returns what was detected.
    pub const fn detected(&self) -> &Detected {
        &self.detected
    }

    /// Returns the problems of the whole file. With one, nothing can be imported.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the names of the fields that the file fills, in the order of [`Row::cells`].
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.parts.mapping.fields.iter().map(|field| field.target.as_str())
    }

    /// Returns the rows of the file, from its begin.
    pub fn rows<R: Read>(&self, file: R) -> io::Result<Rows<R>> {
        Ok(Rows { parts: Arc::clone(&self.parts), raw: self.parts.raw_rows(file)? })
    }
}

impl<R: Read> Rows<R> {
    /// Returns the file.
    pub const fn get_ref(&self) -> &R {
        match &self.raw {
            RawRows::Delimited(rows) => rows.get_ref(),
            RawRows::Folio(rows) => rows.get_ref(),
        }
    }

    /// Returns the next row with content, or `None` after the last one.
    pub fn next_row(&mut self) -> io::Result<Option<Result<Row, Problem>>> {
        let Some(row) = self.parts.next_raw(&mut self.raw)? else { return Ok(None) };
        Ok(Some(row.and_then(|row| {
            let line = row.line;
            let mapped = self.parts.mapping.read(&self.parts.profile, row)?;
            Ok(Row { line, cells: mapped.cells, notes: mapped.notes })
        })))
    }
}

impl Parts {
    fn raw_rows<R: Read>(&self, file: R) -> io::Result<RawRows<R>> {
        Ok(match &self.layout {
            None => RawRows::Folio(FolioRows::open(file, self.encoding, self.names.clone())),
            Some(layout) => {
                let can_break = (0..layout.names.len()).map(|index| self.mapping.can_break(index)).collect();
                RawRows::Delimited(DelimitedRows::open(file, layout, Columns { can_break })?)
            }
        })
    }

    /// Returns the next row with the cells of the additional tables.
    fn next_raw<R: Read>(&self, rows: &mut RawRows<R>) -> io::Result<Option<Result<RawRow, Problem>>> {
        let next = match rows {
            RawRows::Delimited(rows) => rows.next()?,
            RawRows::Folio(rows) => rows.next()?,
        };
        Ok(next.map(|row| {
            row.map(|mut row| {
                self.tables.join(&self.names, &mut row);
                self.name_group(&mut row);
                row
            })
        }))
    }

    /// Replaces the identifier of FOLIO's group by its name. An identifier without a name is left out: as a category, it
    /// would fit no policy and no legal hold.
    fn name_group(&self, row: &mut RawRow) {
        const GROUP: &str = "patronGroup";
        if self.layout.is_some() {
            return;
        }
        let Some(index) = self.names.iter().position(|name| name == GROUP) else { return };
        let Some(cell) = row.cells.get_mut(index).filter(|cell| !cell.is_empty()) else { return };
        if let Some(name) = self.tables.group(cell) {
            name.clone_into(cell);
        } else {
            cell.clear();
            row.notes.push(Note::in_column(row.line, GROUP, FileNote::GroupWithoutName));
        }
    }

    /// Reads the file once if the format of a column must be detected. Returns the evidence of each column with dates.
    fn evidence(&mut self, file: File) -> io::Result<Vec<Evidence>> {
        let indexes: Vec<(usize, bool)> = self
            .mapping
            .dates()
            .map(|source| (source.index, source.dates.format == DateFormat::Detect))
            .collect();
        let mut evidence = vec![Evidence::default(); indexes.len()];
        if !indexes.iter().any(|(_, is_open)| *is_open) {
            return Ok(evidence);
        }
        let mut rows = self.raw_rows(file)?;
        while let Some(row) = self.next_raw(&mut rows)? {
            let Ok(row) = row else { continue };
            for (evidence, (index, _)) in evidence.iter_mut().zip(&indexes) {
                let cell = row.cells.get(*index).map_or("", |cell| cell.trim());
                if !cell.is_empty() && !self.profile.never.iter().any(|never| never == cell) {
                    evidence.add(cell);
                }
            }
        }
        Ok(evidence)
    }

    /// Returns the cells of a row that fill fields.
    fn shown(&self, row: &RawRow) -> Vec<String> {
        let sources = self.mapping.fields.iter().flat_map(|field| &field.sources);
        sources.map(|source| row.cells.get(source.index).map_or("", |cell| cell.trim()).to_owned()).collect()
    }

    fn detected(&self, ambiguous: &[usize], rows: Vec<Vec<String>>) -> Detected {
        let columns = self.mapping.fields.iter().flat_map(|field| {
            field.sources.iter().map(|source| DetectedColumn {
                name: source.name.clone(),
                target: field.target.clone(),
                dates: (field.content == policy::import_profile::Content::Date)
                    .then_some(source.dates.format),
                is_ambiguous: ambiguous.contains(&source.index),
            })
        });
        let is_used = |index: usize| {
            self.mapping.fields.iter().any(|field| field.sources.iter().any(|source| source.index == index))
        };
        let ignored = self.layout.iter().flat_map(|layout| layout.names.iter().enumerate());
        let ignored =
            ignored.filter(|(index, name)| !is_used(*index) && !name.is_empty() && !name.starts_with(CUSTOM));
        Detected {
            encoding: self.encoding.encoding.name().to_owned(),
            delimiter: self.layout.as_ref().map(|layout| char::from(layout.delimiter)),
            header_line: self.layout.as_ref().map(|layout| layout.header_line),
            columns: columns.collect(),
            ignored: ignored.map(|(_, name)| name.clone()).collect(),
            rows,
        }
    }
}
