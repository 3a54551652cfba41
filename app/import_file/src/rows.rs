//! Rows of a file as text, by the columns of the file.

use crate::encoding::FileEncoding;
use crate::layout::{Layout, column_at};
use crate::problem::{FileNote, FileProblem, Note, Problem};
use crate::records::{BadRecord, Columns, Record, Records};
use std::io::{self, Read};

/// A row before its cells are mapped to fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawRow {
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
    pub(crate) notes: Vec<Note>,
}

/// The rows of a delimited file.
pub(crate) struct DelimitedRows<R> {
    records: Records<R>,
    names: Vec<String>,
    encoding: FileEncoding,
}

impl<R: Read> DelimitedRows<R> {
    pub(crate) fn open(file: R, layout: &Layout, columns: Columns) -> io::Result<Self> {
        let mut records = layout.records(file)?;
        records.set_columns(columns);
        Ok(Self { records, names: layout.names.clone(), encoding: layout.encoding })
    }

    pub(crate) const fn get_ref(&self) -> &R {
        self.records.get_ref()
    }

    /// Returns the next row with content.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<RawRow, Problem>>> {
        while let Some(record) = self.records.next()? {
            match record {
                Ok(record) if record.is_blank() => {}
                Ok(record) => return Ok(Some(self.row(record))),
                Err(BadRecord { line, cell, problem }) => {
                    let column = cell.map(|index| self.name(index));
                    return Ok(Some(Err(Problem { line, column, what: problem })));
                }
            }
        }
        Ok(None)
    }

    fn row(&self, mut record: Record) -> Result<RawRow, Problem> {
        let (line, expected) = (record.line, self.names.len());
        let is_empty = |cell: &Vec<u8>| std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty());
        while record.cells.len() > expected && record.cells.last().is_some_and(is_empty) {
            record.cells.pop();
        }
        let found = record.cells.len();
        if found < expected && !record.has_line_end {
            return Err(Problem::on_line(line, FileProblem::CutOff));
        }
        if found != expected {
            return Err(Problem::on_line(line, FileProblem::CellCount { found, expected }));
        }
        let mut notes = Vec::new();
        if !record.has_line_end {
            notes.push(Note::on_line(line, FileNote::NoLineEnd));
        }
        let mut cells = Vec::with_capacity(expected);
        for (index, cell) in record.cells.into_iter().enumerate() {
            let text = String::from_utf8(cell).ok().filter(|text| self.is_in_encoding(text));
            let Some(text) = text else {
                let problem = FileProblem::NotText(self.encoding.encoding.name());
                return Err(Problem::in_column(line, &self.name(index), problem));
            };
            cells.push(text);
        }
        if cells.iter().zip(&self.names).all(|(cell, name)| cell.trim() == name.trim()) {
            return Err(Problem::on_line(line, FileProblem::HeaderAgain));
        }
        Ok(RawRow { line, cells, notes })
    }

    /// Returns whether a text is in the encoding of the file. In a file whose encoding was guessed, letters that make
    /// UTF-8 come from a part of the file in UTF-8.
    fn is_in_encoding(&self, text: &str) -> bool {
        let FileEncoding { encoding, is_guessed } = self.encoding;
        if !is_guessed || !encoding.is_single_byte() || text.is_ascii() {
            return true;
        }
        let (bytes, _, _) = encoding.encode(text);
        std::str::from_utf8(&bytes).is_err()
    }

    fn name(&self, index: usize) -> String {
        self.names.get(index).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| column_at(index))
    }
}
