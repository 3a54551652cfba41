//! The layout of a delimited file: delimiter, header and line ends.

use crate::decode::Decoded;
use crate::encoding::FileEncoding;
use crate::problem::{FileProblem, Problem};
use crate::records::{Record, Records};
use encoding_rs::UTF_8;
use policy::import_profile::{Delimited, Delimiter, MAX_HEADER_LINE};
use std::io::{self, Read};

/// The header is in the first part of the file. A record has at most 8 MB, but no header has.
const SAMPLE_BYTES: usize = 1024 * 1024;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The layout of a delimited file.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) encoding: FileEncoding,
    pub(crate) delimiter: u8,
    /// Whether a carriage return alone ends a line.
    pub(crate) ends_with_return: bool,
    pub(crate) header_line: u64,
    /// The names of the columns.
    pub(crate) names: Vec<String>,
}

/// A possible header.
struct Candidate {
    delimiter: u8,
    record: Record,
    /// Number of names that are known.
    known: usize,
}

impl Layout {
    /// Detects the layout. The header is the row with the most known names.
    pub(crate) fn detect(
        file: impl Read,
        encoding: FileEncoding,
        chosen: Delimited,
        is_known: &dyn Fn(&str) -> bool,
    ) -> io::Result<Result<Self, Problem>> {
        let sample = sample(file, encoding)?;
        let ends_with_return = !sample.contains(&b'\n') && sample.contains(&b'\r');
        let delimiters = delimiters(&sample, chosen.delimiter);
        let mut best: Option<Candidate> = None;
        let mut failure: Option<Problem> = None;
        for delimiter in delimiters {
            let records = Records::new(Decoded::new(sample.as_slice(), UTF_8), delimiter, ends_with_return);
            let found = header(records, chosen.header_line, is_known)?;
            match found {
                // A file of delimiters alone is empty for one of them.
                Err(problem) if problem.what == FileProblem::Empty => return Ok(Err(problem)),
                Err(problem) if failure.is_none() || problem.what != FileProblem::NoHeader => {
                    failure = Some(problem);
                }
                Ok((record, known)) if best.as_ref().is_none_or(|best| known > best.known) => {
                    best = Some(Candidate { delimiter, record, known });
                }
                Ok(_) | Err(_) => {}
            }
        }
        let Some(Candidate { delimiter, record, .. }) = best else {
            return Ok(Err(failure.unwrap_or_else(|| Problem::on_line(1, FileProblem::Empty))));
        };
        let header_line = record.line;
        Ok(names(record, encoding).map(|names| Self {
            encoding,
            delimiter,
            ends_with_return,
            header_line,
            names,
        }))
    }

    /// Returns the records after the header.
    pub(crate) fn records<R: Read>(&self, file: R) -> io::Result<Records<R>> {
        let text = Decoded::new(file, self.encoding.encoding);
        let mut records = Records::new(text, self.delimiter, self.ends_with_return);
        while let Some(record) = records.next()? {
            let line = record.map_or_else(|bad| bad.line, |record| record.line);
            if line >= self.header_line {
                break;
            }
        }
        Ok(records)
    }
}

fn sample(file: impl Read, encoding: FileEncoding) -> io::Result<Vec<u8>> {
    let mut text = Decoded::new(file, encoding.encoding);
    let mut sample = Vec::new();
    while sample.len() < SAMPLE_BYTES && text.append_to(&mut sample)? {}
    Ok(sample)
}

/// Returns the delimiters to try: the chosen one, the one that a line `sep=;` names, or all.
fn delimiters(sample: &[u8], chosen: Delimiter) -> Vec<u8> {
    let chosen = match chosen {
        Delimiter::Comma => b',',
        Delimiter::Semicolon => b';',
        Delimiter::Tab => b'\t',
        Delimiter::Pipe => b'|',
        Delimiter::Detect => {
            let line = sample.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
            let named = line.strip_prefix(b"\"").unwrap_or(line);
            let named = named.strip_prefix(b"sep=").or_else(|| named.strip_prefix(b"SEP="));
            match named.and_then(|named| named.first()).filter(|byte| DELIMITERS.contains(byte)) {
                Some(named) => *named,
                None => return DELIMITERS.to_vec(),
            }
        }
    };
    vec![chosen]
}

/// Finds the row with the most known names, or the row of a chosen line.
fn header(
    mut records: Records<&[u8]>,
    chosen: Option<u32>,
    is_known: &dyn Fn(&str) -> bool,
) -> io::Result<Result<(Record, usize), Problem>> {
    let mut best: Option<(Record, usize)> = None;
    let mut failure = FileProblem::Empty;
    while let Some(record) = records.next()? {
        let record = match record {
            Ok(record) if record.line > u64::from(MAX_HEADER_LINE) => break,
            Ok(record) => record,
            Err(bad) => {
                let says_why =
                    matches!(bad.problem, FileProblem::TooManyColumns { .. } | FileProblem::TooLong);
                failure = if says_why { bad.problem } else { FileProblem::NoHeader };
                continue;
            }
        };
        if record.is_blank() || chosen.is_some_and(|chosen| u64::from(chosen) != record.line) {
            continue;
        }
        if failure == FileProblem::Empty {
            failure = FileProblem::NoHeader;
        }
        let known = record.cells.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
        let known = known.filter(|name| is_known(name.trim())).count();
        if known > 0 && best.as_ref().is_none_or(|(_, most)| known > *most) {
            best = Some((record, known));
        }
    }
    Ok(best.ok_or_else(|| Problem::on_line(1, failure)))
}

/// Returns the names of a header without the trailing empty ones.
fn names(record: Record, encoding: FileEncoding) -> Result<Vec<String>, Problem> {
    let mut names = Vec::with_capacity(record.cells.len());
    for (index, cell) in record.cells.into_iter().enumerate() {
        let Ok(name) = std::str::from_utf8(&cell) else {
            let problem = FileProblem::NotText(encoding.encoding.name());
            return Err(Problem::in_column(record.line, &column_at(index), problem));
        };
        names.push(name.trim().to_owned());
    }
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    Ok(names)
}

/// Returns the name of a column without a name.
pub(crate) fn column_at(index: usize) -> String {
    format!("column {}", index + 1)
}
