//! Reads FOLIO's users one by one: an answer of its API, a list, or one object in each line.

use crate::decode::Decoded;
use crate::encoding::FileEncoding;
use crate::problem::{FileProblem, Problem};
use crate::records::MAX_RECORD_BYTES;
use crate::rows::RawRow;
use serde_json::Value;
use std::io::{self, Read};

/// The name of the list in an answer of the API.
const LIST: &[u8] = b"\"users\"";

/// The users of a file.
pub(crate) struct FolioRows<R> {
    text: Decoded<R>,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    may_have_more: bool,
    /// The paths of the cells, such as `personal.lastName`.
    paths: Vec<String>,
    place: Place,
}

/// Where the reader is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
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
        Self { text, buffer: Vec::new(), at: 0, line: 1, may_have_more: true, paths, place: Place::Start }
    }

    pub(crate) const fn get_ref(&self) -> &R {
        self.text.get_ref()
    }

    /// Returns the next user. After a problem in the syntax, the file ends.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<RawRow, Problem>>> {
        if self.place == Place::Start {
            self.place = self.start()?;
        }
        if self.place == Place::End {
            return self.skip_rest();
        }
        self.skip_blanks(true)?;
        let line = self.line;
        match self.byte(0)? {
            Some(b'{') => {}
            None if self.place == Place::Objects => return self.skip_rest(),
            Some(b']') if self.place == Place::List => return self.skip_rest(),
            None => return self.fail(Problem::on_line(line, FileProblem::CutOff)),
            Some(_) => return self.fail(Problem::on_line(line, FileProblem::NotJson)),
        }
        let Some(object) = self.object()? else {
            return self.fail(Problem::on_line(line, FileProblem::CutOff));
        };
        match serde_json::from_slice::<Value>(&object) {
            Ok(user) => {
                let cells = self.paths.iter().map(|path| cell(&user, path)).collect();
                Ok(Some(Ok(RawRow { line, cells, notes: Vec::new() })))
            }
            Err(_) => Ok(Some(Err(Problem::on_line(line, FileProblem::NotJson)))),
        }
    }

    /// Finds the begin of the users.
    fn start(&mut self) -> io::Result<Place> {
        self.skip_blanks(false)?;
        match self.byte(0)? {
            Some(b'[') => {
                self.advance(1);
                Ok(Place::List)
            }
            Some(b'{') => {
                if let Some(list) = self.list_in_object()? {
                    self.advance(list);
                    return Ok(Place::List);
                }
                Ok(Place::Objects)
            }
            _ => Ok(Place::Objects),
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
        let mut scan = Scan::default();
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
        self.place = Place::End;
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
