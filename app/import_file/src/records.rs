//! Splits text into records and cells, strictly: a quotation mark never makes a record swallow other lines.
//!
//! A record with a wrong quotation mark is rejected at the line where the mark opens, and reading goes on with the next
//! line.

use crate::decode::Decoded;
use crate::problem::FileProblem;
use std::io::{self, Read};

/// Maximum size of a record in bytes.
pub(crate) const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;
/// Maximum number of cells of a record.
pub(crate) const MAX_CELLS: usize = 1_000;
/// From this many columns on, a line inside a cell can be recognised as a record.
const MIN_COLUMNS_OF_RECORD: usize = 3;

/// A record of a delimited file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The line where the record begins.
    pub(crate) line: u64,
    /// The cells. Bytes that are no text are invalid UTF-8.
    pub(crate) cells: Vec<Vec<u8>>,
    /// Whether a line end follows.
    pub(crate) has_line_end: bool,
}

impl Record {
    /// Returns whether no cell has visible content.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| std::str::from_utf8(cell).is_ok_and(|text| text.trim().is_empty()))
    }
}

/// A record that can't be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BadRecord {
    pub(crate) line: u64,
    /// The index of the cell, from 0.
    pub(crate) cell: Option<usize>,
    pub(crate) problem: FileProblem,
}

/// The columns of the file, which show where a cell can't go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// For each column, whether its cells can have line breaks. Without columns, every cell can.
    pub(crate) can_break: Vec<bool>,
}

/// The records of a text.
pub(crate) struct Records<R> {
    text: Decoded<R>,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    start: usize,
    /// The line where the next record begins.
    line: u64,
    delimiter: u8,
    /// Whether a carriage return alone ends a line.
    ends_with_return: bool,
    columns: Columns,
    may_have_more: bool,
}

/// The state of reading one record.
struct Cursor {
    at: usize,
    line: u64,
    cells: Vec<Vec<u8>>,
}

/// The end of a cell.
enum CellEnd {
    Delimiter,
    Line,
    File,
}

/// Why a record ended early.
enum Failure {
    Io(io::Error),
    /// The problem, and the begin of the line where it is.
    Bad(BadRecord, usize),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read> Records<R> {
    pub(crate) fn new(text: Decoded<R>, delimiter: u8, ends_with_return: bool) -> Self {
        Self {
            text,
            buffer: Vec::new(),
            start: 0,
            line: 1,
            delimiter,
            ends_with_return,
            columns: Columns::default(),
            may_have_more: true,
        }
    }

    /// Says what the columns are. Called after the header.
    pub(crate) fn set_columns(&mut self, columns: Columns) {
        self.columns = columns;
    }

    pub(crate) const fn get_ref(&self) -> &R {
        self.text.get_ref()
    }

    /// Returns the next record, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<Record, BadRecord>>> {
        self.forget_read();
        if self.byte(self.start)?.is_none() {
            return Ok(None);
        }
        let mut cursor = Cursor { at: self.start, line: self.line, cells: Vec::new() };
        let first = self.line;
        match self.record(&mut cursor) {
            Ok(has_line_end) => {
                self.start = cursor.at;
                self.line = cursor.line;
                Ok(Some(Ok(Record { line: first, cells: cursor.cells, has_line_end })))
            }
            Err(Failure::Io(error)) => Err(error),
            Err(Failure::Bad(bad, at)) => {
                // The next record begins in the line after the problem.
                self.line = bad.line;
                self.start = at;
                self.skip_line()?;
                Ok(Some(Err(bad)))
            }
        }
    }

    /// Reads the cells of a record. Returns whether a line end follows.
    fn record(&mut self, cursor: &mut Cursor) -> Result<bool, Failure> {
        loop {
            let end = self.cell(cursor)?;
            match end {
                CellEnd::Delimiter if cursor.cells.len() > MAX_CELLS => {
                    let problem = FileProblem::TooManyColumns { max: MAX_CELLS };
                    return Err(bad(cursor.line, None, problem, cursor.at));
                }
                CellEnd::Delimiter => {}
                CellEnd::Line => return Ok(true),
                CellEnd::File => return Ok(false),
            }
        }
    }

    fn cell(&mut self, cursor: &mut Cursor) -> Result<CellEnd, Failure> {
        let mut at = cursor.at;
        while let Some(byte) = self.byte(at)?
            && (byte == b' ' || byte == b'\t')
            && byte != self.delimiter
        {
            at += 1;
        }
        match self.byte(at)? {
            Some(b'"') => self.quoted(cursor, at, false),
            // `="00123"` is how some programs keep the zeros of a number in a spreadsheet.
            Some(b'=') if self.byte(at + 1)? == Some(b'"') => self.quoted(cursor, at + 1, true),
            _ => self.unquoted(cursor),
        }
    }

    fn unquoted(&mut self, cursor: &mut Cursor) -> Result<CellEnd, Failure> {
        let from = cursor.at;
        let mut at = from;
        loop {
            let delimiter = self.delimiter;
            let ends = |byte: &u8| *byte == delimiter || matches!(*byte, b'\n' | b'\r' | b'"');
            let waiting = self.buffer.get(at..).unwrap_or_default();
            at += waiting.iter().position(ends).unwrap_or(waiting.len());
            self.limit(cursor, at)?;
            match self.byte(at)? {
                Some(b'"') => {
                    let (line, cell) = (cursor.line, Some(cursor.cells.len()));
                    return Err(bad(line, cell, FileProblem::QuoteInCell, at));
                }
                Some(byte) if !ends(&byte) => {}
                end => {
                    cursor.cells.push(self.buffer[from..at].to_vec());
                    return self.end(cursor, at, end);
                }
            }
        }
    }

    /// Reads a cell whose quotation mark opens at `open`.
    fn quoted(&mut self, cursor: &mut Cursor, open: usize, is_formula: bool) -> Result<CellEnd, Failure> {
        let (opened, index) = (cursor.line, cursor.cells.len());
        let unclosed = || bad(opened, Some(index), FileProblem::UnclosedQuote, open);
        let mut cell = if is_formula { b"=\"".to_vec() } else { Vec::new() };
        let mut at = open + 1;
        loop {
            let waiting = self.buffer.get(at..).unwrap_or_default();
            let plain =
                waiting.iter().position(|byte| matches!(byte, b'"' | b'\n' | b'\r')).unwrap_or(waiting.len());
            cell.extend_from_slice(&waiting[..plain]);
            at += plain;
            if at - self.start > MAX_RECORD_BYTES {
                return Err(unclosed());
            }
            match self.byte(at)? {
                None => return Err(unclosed()),
                Some(b'"') if self.byte(at + 1)? == Some(b'"') => {
                    cell.push(b'"');
                    at += 2;
                }
                Some(b'"') => break,
                Some(byte @ (b'\n' | b'\r')) => {
                    let length = self.line_end(at, byte)?;
                    if length == 0 {
                        cell.push(byte);
                        at += 1;
                    } else {
                        cell.push(b'\n');
                        cursor.line += 1;
                        at += length;
                    }
                }
                Some(_) => {}
            }
        }
        at += 1;
        while matches!(self.byte(at)?, Some(b' ' | b'\t')) && self.byte(at)? != Some(self.delimiter) {
            at += 1;
        }
        let end = self.byte(at)?;
        if end.is_some_and(|byte| byte != self.delimiter && !matches!(byte, b'\n' | b'\r')) {
            let is_one_line = cursor.line == opened;
            let problem = if is_one_line { FileProblem::QuoteInCell } else { FileProblem::UnclosedQuote };
            return Err(bad(opened, Some(index), problem, open));
        }
        if cursor.line > opened && !self.can_go_on(index, &cell) {
            return Err(unclosed());
        }
        if is_formula {
            cell.push(b'"');
        }
        cursor.cells.push(cell);
        self.end(cursor, at, end)
    }

    /// Returns whether a cell of several lines is plausible. Its column must allow line breaks, and no line in it may
    /// look like a record of the file.
    fn can_go_on(&self, index: usize, cell: &[u8]) -> bool {
        let columns = self.columns.can_break.len();
        if columns == 0 {
            return true;
        }
        if !self.columns.can_break.get(index).copied().unwrap_or(true) {
            return false;
        }
        if columns < MIN_COLUMNS_OF_RECORD {
            return true;
        }
        let mut lines = cell.split(|byte| *byte == b'\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            let delimiters = self.delimiters_of_record(line);
            let is_last = lines.peek().is_none();
            // The last line would be the begin of a record up to this column.
            let looks_like_record =
                delimiters + 1 >= columns || (is_last && index > 0 && delimiters == index && index > 1);
            if looks_like_record {
                return false;
            }
        }
        true
    }

    /// Counts the delimiters as between cells. In prose, a space follows.
    fn delimiters_of_record(&self, line: &[u8]) -> usize {
        let follows_space = |index: usize| line.get(index + 1) == Some(&b' ');
        let indexes = line.iter().enumerate().filter(|(_, byte)| **byte == self.delimiter);
        indexes.filter(|(index, _)| !follows_space(*index)).count()
    }

    fn end(&mut self, cursor: &mut Cursor, at: usize, end: Option<u8>) -> Result<CellEnd, Failure> {
        Ok(match end {
            None => {
                cursor.at = at;
                CellEnd::File
            }
            Some(byte @ (b'\n' | b'\r')) => {
                // Outside quotation marks, every carriage return ends the line.
                cursor.at = at + self.line_end(at, byte)?.max(1);
                cursor.line += 1;
                CellEnd::Line
            }
            Some(_) => {
                cursor.at = at + 1;
                CellEnd::Delimiter
            }
        })
    }

    /// Returns the number of bytes of the line end at an offset. A carriage return alone counts only in files that end
    /// their lines with it.
    fn line_end(&mut self, at: usize, byte: u8) -> io::Result<usize> {
        Ok(match byte {
            b'\n' => 1,
            _ if self.byte(at + 1)? == Some(b'\n') => 2,
            _ => usize::from(self.ends_with_return),
        })
    }

    fn limit(&self, cursor: &Cursor, at: usize) -> Result<(), Failure> {
        if at - self.start <= MAX_RECORD_BYTES {
            return Ok(());
        }
        Err(bad(cursor.line, None, FileProblem::TooLong, at))
    }

    /// Goes to the begin of the next line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let waiting = self.buffer.get(self.start..).unwrap_or_default();
            let plain =
                waiting.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(waiting.len());
            self.start += plain;
            match self.byte(self.start)? {
                None => return Ok(()),
                Some(byte @ (b'\n' | b'\r')) => {
                    self.start += self.line_end(self.start, byte)?.max(1);
                    self.line += 1;
                    return Ok(());
                }
                Some(_) => self.forget_read(),
            }
        }
    }

    /// Returns the byte at an offset of the buffer, and reads on if necessary. `None` is the end of the file.
    fn byte(&mut self, at: usize) -> io::Result<Option<u8>> {
        while at >= self.buffer.len() && self.may_have_more {
            self.may_have_more = self.text.append_to(&mut self.buffer)?;
        }
        Ok(self.buffer.get(at).copied())
    }

    /// Removes what has been read from the buffer, if it is much.
    fn forget_read(&mut self) {
        const MUCH: usize = 64 * 1024;
        if self.start > MUCH && self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
}

const fn bad(line: u64, cell: Option<usize>, problem: FileProblem, at: usize) -> Failure {
    Failure::Bad(BadRecord { line, cell, problem }, at)
}
