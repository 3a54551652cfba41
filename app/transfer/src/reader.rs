//! Reads the lines of a CSV file with their numbers.

use super::columns::CUSTOM;
use super::problem::{FileProblems, LineProblem, TransferError, in_cell, on_line};
use csv::{ByteRecord, ReaderBuilder};
use db::RecordsError;
use db::checksum::Summed;
use db::csv_text::unescaped;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum length of one line in bytes. An unclosed quotation mark must not exhaust memory.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The columns of a file: positions by name.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Header {
    /// Returns whether the file has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.places.contains_key(column)
    }

    /// Returns the names in file order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// One line with data.
#[derive(Debug)]
pub(super) struct Line {
    /// Number of the line in the file.
    pub(super) number: u64,
    header: Arc<Header>,
    cells: Vec<String>,
}

impl Line {
    /// Returns the content of a column, or an empty text if the file has no such column.
    pub(super) fn cell(&self, column: &str) -> &str {
        let place = self.header.places.get(column);
        place.and_then(|place| self.cells.get(*place)).map_or("", String::as_str)
    }
}

/// The lines of a file.
pub(super) struct Lines {
    csv: csv::Reader<Limited<Summed<File>>>,
    left: Arc<AtomicU64>,
    header: Arc<Header>,
    ended: bool,
}

impl Lines {
    /// Opens a file and reads its header. `known` decides which columns are allowed; `needed` are required.
    pub(super) fn open(
        file: &Path,
        known: impl Fn(&str) -> bool,
        needed: &[&str],
    ) -> Result<Self, TransferError> {
        let file = File::open(file)?;
        if !file.metadata()?.is_file() {
            let why =
                "Only a regular file can be imported, because it is read twice. This is a pipe or a folder";
            return Err(RecordsError::Refused(why.to_owned()).into());
        }
        let left = Arc::new(AtomicU64::new(MAX_BYTES));
        let limited =
            Limited { inner: BufReader::new(Summed::new(file)), left: Arc::clone(&left), last: b'\n' };
        let csv = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(limited);
        let empty = Header { names: Vec::new(), places: BTreeMap::new() };
        let mut lines = Self { csv, left, header: Arc::new(empty), ended: false };
        lines.header = Arc::new(lines.read_header(known, needed)?);
        Ok(lines)
    }

    /// Returns the columns.
    pub(super) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Returns the SHA-256 of what was read. Complete after the last line.
    pub(super) fn sha256(&self) -> String {
        self.csv.get_ref().inner.get_ref().sha256()
    }

    fn read_header(
        &mut self,
        known: impl Fn(&str) -> bool,
        needed: &[&str],
    ) -> Result<Header, TransferError> {
        let mut problems = FileProblems::default();
        let record = match self.read() {
            Some(Ok(record)) => record,
            Some(Err(problem)) => {
                problems.add(problem);
                return Err(problems.into());
            }
            None => {
                problems.add(on_line(1, "The file is empty. Its first line must name the columns"));
                return Err(problems.into());
            }
        };
        let mut header = Header { names: Vec::new(), places: BTreeMap::new() };
        for (place, name) in record.iter().enumerate() {
            let Ok(name) = std::str::from_utf8(name) else {
                problems.add(in_cell(1, &column_at(place), NOT_UTF8.to_owned()));
                continue;
            };
            let name = name.trim_start_matches('\u{FEFF}').trim().to_owned();
            if !known(&name) {
                problems.add(unknown(place, &name));
            } else if header.places.insert(name.clone(), place).is_some() {
                problems.add(in_cell(1, &name, "This column appears twice".to_owned()));
            }
            header.names.push(name);
        }
        if header.places.is_empty() {
            // The first line may contain personal data, so it isn't repeated.
            let mut problems = FileProblems::default();
            problems.add(on_line(1, "No known column names found. The first line must name the columns"));
            return Err(problems.into());
        }
        for column in needed {
            if !header.has(column) {
                problems.add(in_cell(1, column, "This column is missing".to_owned()));
            }
        }
        problems.refuse()?;
        Ok(header)
    }

    /// Returns the next line with data, or `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Line, LineProblem>> {
        let record = match self.read()? {
            Ok(record) => record,
            Err(problem) => return Some(Err(problem)),
        };
        let number = self.line_of(&record);
        let columns = self.header.names.len();
        if record.len() != columns {
            let problem = format!("This line has {} cells, but the first line has {columns}", record.len());
            return Some(Err(on_line(number, &problem)));
        }
        let mut cells = Vec::with_capacity(columns);
        for (cell, name) in record.iter().zip(&self.header.names) {
            match std::str::from_utf8(cell) {
                Ok(text) => cells.push(unescaped(text).to_owned()),
                Err(_) => return Some(Err(in_cell(number, name, NOT_UTF8.to_owned()))),
            }
        }
        Some(Ok(Line { number, header: Arc::clone(&self.header), cells }))
    }

    /// Returns the first line number of the record read last.
    fn line_of(&self, record: &ByteRecord) -> u64 {
        let breaks = record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        self.csv.position().line().saturating_sub(breaks + 1)
    }

    fn read(&mut self) -> Option<Result<ByteRecord, LineProblem>> {
        if self.ended {
            return None;
        }
        self.left.store(MAX_BYTES, Ordering::Relaxed);
        let mut record = ByteRecord::new();
        match self.csv.read_byte_record(&mut record) {
            Ok(true) => Some(Ok(record)),
            Ok(false) => {
                self.ended = true;
                None
            }
            Err(_) => {
                self.ended = true;
                let line = self.csv.position().line();
                Some(Err(on_line(
                    line,
                    "The file cannot be read from here on: the line is too long. A closing quotation mark may be \
                     missing",
                )))
            }
        }
    }
}

const NOT_UTF8: &str = "This is not UTF-8 text. Save the file as UTF-8";

fn column_at(place: usize) -> String {
    format!("column {}", place + 1)
}

/// Reports an unknown column. Repeats its name only if it looks like one.
///
/// In a file without a header, the first line may contain personal data.
fn unknown(place: usize, name: &str) -> LineProblem {
    let looks = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-' | b' '));
    let column = if looks { name.to_owned() } else { column_at(place) };
    let problem = if looks && name.starts_with(CUSTOM) {
        "There is no custom field with this key. Add the field first, or remove the column"
    } else {
        "Unknown column. Remove or rename it"
    };
    in_cell(1, &column, problem.to_owned())
}

/// Limits the length of each line and normalises line ends: CRLF becomes LF, and the last line ends with LF.
///
/// Line numbers can therefore be counted by LF.
struct Limited<R> {
    inner: BufReader<R>,
    left: Arc<AtomicU64>,
    /// The last byte returned.
    last: u8,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let Some(room) = buffer.len().checked_sub(1).filter(|room| *room > 0) else { return Ok(0) };
        let waiting = self.inner.fill_buf()?;
        if waiting.is_empty() {
            let open = self.last != b'\n';
            self.last = b'\n';
            buffer[0] = b'\n';
            return Ok(usize::from(open));
        }
        let taken = waiting.len().min(room);
        let mut written = 0;
        for byte in &waiting[..taken] {
            // A carriage return is held back until the next byte is known.
            if self.last == b'\r' && *byte != b'\n' {
                buffer[written] = b'\r';
                written += 1;
            }
            if *byte != b'\r' {
                buffer[written] = *byte;
                written += 1;
            }
            self.last = *byte;
        }
        self.inner.consume(taken);
        let bytes = u64::try_from(taken).unwrap_or(u64::MAX);
        let left = self.left.load(Ordering::Relaxed).saturating_sub(bytes);
        self.left.store(left, Ordering::Relaxed);
        // An empty result would signal the end of the file.
        if written == 0 { self.read(buffer) } else { Ok(written) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// Returns number and cells of the lines of a file with columns a and b.
    fn lines(content: &str) -> Vec<(u64, String, String)> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content.as_bytes()).expect("written");
        let mut lines =
            Lines::open(file.path(), |name| ["a", "b"].contains(&name), &["a"]).expect("a header");
        std::iter::from_fn(|| lines.next())
            .map(|line| line.expect("a right line"))
            .map(|line| (line.number, line.cell("a").to_owned(), line.cell("b").to_owned()))
            .collect()
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for end in ["\n", "\r\n"] {
            let content = format!("b,a{end}1,2{end}{end}\"x{end}y\",3{end}{end}{end}4,\"c\rd\"{end}5,6");
            let expected = [(2, "2", "1"), (4, "3", "x\ny"), (8, "c\rd", "4"), (9, "6", "5")];
            let expected = expected.map(|(line, a, b)| (line, a.to_owned(), b.to_owned()));
            assert_eq!(lines(&content), expected, "{end:?}");
            assert_eq!(lines(&format!("\u{FEFF}{content}{end}")), expected, "{end:?}");
        }
    }

    #[test]
    fn long_files_lose_nothing_between_buffers() {
        let rows: Vec<String> = (0..30_000).map(|n| format!("{n},\"{}\r\n\"", "x".repeat(n % 7))).collect();
        let read = lines(&format!("a,b\r\n{}", rows.join("\r\n")));
        assert_eq!(read.len(), rows.len());
        for (n, (line, a, b)) in read.into_iter().enumerate() {
            assert_eq!((line, a), (2 + 2 * n as u64, n.to_string()));
            assert_eq!(b, format!("{}\n", "x".repeat(n % 7)));
        }
    }
}
