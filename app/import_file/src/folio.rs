//! Reads FOLIO's users one by one: an answer of its API, a list, or one object in each line.

use crate::decode::Decoded;
use crate::encoding::FileEncoding;
use crate::problem::{FileNote, FileProblem, Note, Problem};
use crate::records::MAX_RECORD_BYTES;
use crate::rows::RawRow;
use serde_json::Value;
use std::io::{self, Read};

/// The name of the list in an answer of the API.
const LIST: &[u8] = b"\"users\"";
/// The number of users in the system, beside the list.
const TOTAL: &str = "totalRecords";
/// The object with the custom fields of a user.
const CUSTOM_FIELDS: &str = "customFields";

/// The users of a file.
pub(crate) struct FolioRows<R> {
    text: Decoded<R>,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    may_have_more: bool,
    /// The paths of the cells, such as `personal.lastName`.
    paths: Vec<String>,
    state: ReaderState,
    /// The object around the list that is being read, up to the list. Empty for a list alone.
    around: Vec<u8>,
    /// Number of users in lists so far.
    listed: u64,
    /// The number of users in the system, by the last answer. FOLIO estimates it in all answers but the last one.
    total: Option<u64>,
}

/// The position of the reader.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ReaderState {
    Start,
    /// In the list of users.
    List,
    /// Between objects without a list.
    Objects,
    End,
}

impl<R: Read> FolioRows<R> {
    pub(crate) fn open(file: R, encoding: FileEncoding, paths: Vec<String>) -> Self {
        let text = Decoded::new(file, encoding.encoding);
        Self {
            text,
            buffer: Vec::new(),
            at: 0,
            line: 1,
            may_have_more: true,
            paths,
            state: ReaderState::Start,
            around: Vec::new(),
            listed: 0,
            total: None,
        }
    }

    pub(crate) const fn get_ref(&self) -> &R {
        self.text.get_ref()
    }

    /// Returns the next user. After a problem in the syntax, the file ends.
    ///
    /// A file can have several answers or lists, one after the other: the pages of an API.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<RawRow, Problem>>> {
        loop {
            if self.state == ReaderState::Start {
                self.state = self.start()?;
            }
            if self.state == ReaderState::End {
                return self.skip_rest();
            }
            self.skip_blanks(true)?;
            let line = self.line;
            match self.byte(0)? {
                Some(b'{') => break,
                None if self.state == ReaderState::Objects => return self.end(),
                Some(b']') if self.state == ReaderState::List => {
                    if let Some(problem) = self.end_of_list()? {
                        return self.fail(Problem::on_line(line, problem));
                    }
                }
                None => return self.fail(Problem::on_line(line, FileProblem::UserCutOff)),
                Some(_) => return self.fail(Problem::on_line(line, FileProblem::NotJson)),
            }
        }
        let line = self.line;
        let Some(object) = self.object()? else {
            return self.fail(Problem::on_line(line, FileProblem::UserCutOff));
        };
        self.listed += u64::from(self.state == ReaderState::List);
        match serde_json::from_slice::<Value>(&object) {
            Ok(user) => {
                let cells = self.paths.iter().map(|path| cell(&user, path)).collect();
                Ok(Some(Ok(RawRow { line, cells, notes: self.notes(line, &user) })))
            }
            Err(_) => Ok(Some(Err(Problem::on_line(line, FileProblem::InvalidUser)))),
        }
    }

    /// Returns a note if a custom field of the user is none of the library.
    fn notes(&self, line: u64, user: &Value) -> Vec<Note> {
        let fields = user.get(CUSTOM_FIELDS).and_then(Value::as_object).into_iter().flatten();
        let known = format!("{CUSTOM_FIELDS}.");
        let is_known = |key: &str| self.paths.iter().any(|path| path.strip_prefix(&known) == Some(key));
        let has_unknown = fields.into_iter().any(|(key, value)| !value.is_null() && !is_known(key));
        let note = has_unknown.then(|| Note::in_column(line, CUSTOM_FIELDS, FileNote::UnknownAttribute));
        note.into_iter().collect()
    }

    /// Reads the rest of the answer after its list, and finds what follows: another answer or list, or nothing.
    fn end_of_list(&mut self) -> io::Result<Option<FileProblem>> {
        self.advance(1);
        let mut answer = std::mem::take(&mut self.around);
        if !answer.is_empty() {
            answer.push(b']');
            let Some(rest) = self.rest_of_object()? else { return Ok(Some(FileProblem::UserCutOff)) };
            answer.extend(rest);
            let Ok(answer) = serde_json::from_slice::<Value>(&answer) else {
                return Ok(Some(FileProblem::NotJson));
            };
            let rest = answer.get("users").and_then(Value::as_array);
            if rest.is_none_or(|users| !users.is_empty()) {
                return Ok(Some(FileProblem::TwoLists));
            }
            self.total = answer.get(TOTAL).and_then(Value::as_u64);
        }
        self.skip_blanks(true)?;
        self.state = match self.byte(0)? {
            None | Some(b'{' | b'[') => ReaderState::Start,
            Some(_) => return Ok(Some(FileProblem::NotJson)),
        };
        Ok(None)
    }

    /// Takes the rest of the object around a list, or returns `None` if the file ends before.
    fn rest_of_object(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut scan = Scan { depth: 1, ..Scan::default() };
        self.bytes_until_closed(&mut scan)
    }

    /// Ends the file. Reports users that are missing from it.
    fn end(&mut self) -> io::Result<Option<Result<RawRow, Problem>>> {
        let line = self.line;
        let missing = self.total.take().filter(|total| *total > self.listed);
        match missing {
            Some(total) => {
                let listed = self.listed;
                self.fail(Problem::on_line(line, FileProblem::UsersMissing { listed, total }))
            }
            None => self.skip_rest(),
        }
    }

    /// Finds the beginning of the users.
    fn start(&mut self) -> io::Result<ReaderState> {
        self.skip_blanks(false)?;
        match self.byte(0)? {
            Some(b'[') => {
                self.advance(1);
                Ok(ReaderState::List)
            }
            Some(b'{') => {
                if let Some(list) = self.list_in_object()? {
                    self.around = self.buffer.get(self.at..self.at + list).unwrap_or_default().to_vec();
                    self.advance(list);
                    return Ok(ReaderState::List);
                }
                Ok(ReaderState::Objects)
            }
            _ => Ok(ReaderState::Objects),
        }
    }

    /// Returns where the list of users begins, if the first object has one. An object that is itself a user has none.
    fn list_in_object(&mut self) -> io::Result<Option<usize>> {
        let mut scan = Scan::default();
        let mut at = 0;
        while at < MAX_RECORD_BYTES
            && let Some(byte) = self.byte(at)?
        {
            let is_name = scan.depth == 1 && !scan.is_in_text && byte == b'"';
            if is_name && self.has(at, LIST)? {
                let mut after = at + LIST.len();
                while let Some(byte) = self.byte(after)?
                    && (byte.is_ascii_whitespace() || byte == b':')
                {
                    after += 1;
                }
                if self.byte(after)? == Some(b'[') {
                    return Ok(Some(after + 1));
                }
            }
            scan.step(byte);
            if scan.depth == 0 {
                return Ok(None);
            }
            at += 1;
        }
        Ok(None)
    }

    fn has(&mut self, at: usize, text: &[u8]) -> io::Result<bool> {
        self.byte(at + text.len())?;
        Ok(self.buffer.get(self.at + at..).is_some_and(|rest| rest.starts_with(text)))
    }

    /// Takes a complete object, or returns `None` if the file ends before.
    fn object(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.bytes_until_closed(&mut Scan::default())
    }

    /// Takes the bytes up to the end of the outermost object.
    fn bytes_until_closed(&mut self, scan: &mut Scan) -> io::Result<Option<Vec<u8>>> {
        let mut length = 0;
        loop {
            let Some(byte) = self.byte(length)?.filter(|_| length < MAX_RECORD_BYTES) else {
                return Ok(None);
            };
            scan.step(byte);
            length += 1;
            if scan.depth == 0 {
                break;
            }
        }
        let object = self.buffer[self.at..self.at + length].to_vec();
        self.advance(length);
        Ok(Some(object))
    }

    fn skip_blanks(&mut self, with_commas: bool) -> io::Result<()> {
        while let Some(byte) = self.byte(0)?
            && (byte.is_ascii_whitespace() || (with_commas && byte == b','))
        {
            self.advance(1);
        }
        Ok(())
    }

    /// Reads to the end, so that the digest covers the whole file.
    fn skip_rest(&mut self) -> io::Result<Option<Result<RawRow, Problem>>> {
        self.state = ReaderState::End;
        while self.may_have_more {
            self.buffer.clear();
            self.at = 0;
            self.may_have_more = self.text.append_to(&mut self.buffer)?;
        }
        Ok(None)
    }

    fn fail(&mut self, problem: Problem) -> io::Result<Option<Result<RawRow, Problem>>> {
        self.skip_rest()?;
        Ok(Some(Err(problem)))
    }

    fn byte(&mut self, offset: usize) -> io::Result<Option<u8>> {
        while self.at + offset >= self.buffer.len() && self.may_have_more {
            self.may_have_more = self.text.append_to(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.at + offset).copied())
    }

    fn advance(&mut self, bytes: usize) {
        const MUCH: usize = 64 * 1024;
        let passed = &self.buffer[self.at..self.at + bytes];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at += bytes;
        if self.at > MUCH {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
    }
}

/// Follows the nesting of JSON.
#[derive(Default)]
struct Scan {
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl Scan {
    const fn step(&mut self, byte: u8) {
        if self.is_in_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.is_in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Returns the value at a path as text. `address` is the primary address of a user, or the first one.
fn cell(user: &Value, path: &str) -> String {
    let found = match path.strip_prefix("address.") {
        Some(part) => address(user).and_then(|address| address.get(part)),
        None => path.split('.').try_fold(user, |value, name| value.get(name)),
    };
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let values = values.iter().filter_map(Value::as_str).collect::<Vec<_>>();
            values.join("; ")
        }
        Some(other) => other.to_string(),
    }
}

fn address(user: &Value) -> Option<&Value> {
    let all = user.get("personal")?.get("addresses")?.as_array()?;
    let is_primary = |address: &&Value| address.get("primaryAddress").and_then(Value::as_bool) == Some(true);
    all.iter().find(is_primary).or_else(|| all.first())
}
