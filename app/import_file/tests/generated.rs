//! Generated files with known content: no line is lost or invented, and damage is reported where it is.
#![allow(clippy::unwrap_used, reason = "tests")]

use encoding_rs::WINDOWS_1252;
use import_file::{FileProblem, ImportFile, Plan};
use policy::import_profile::{Delimited, FileFormat, FileKind, ImportProfile, TextEncoding, built_in};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::fs;
use std::path::Path;

const FILES: u64 = 100_000;
const DAMAGED_FILES: u64 = 500;

/// Names of the columns, in several spellings.
const COLUMNS: [(&str, &[&str]); 5] = [
    ("user_id", &["user_id", "User_ID", "Benutzerkennung", "user id"]),
    ("last_name", &["last_name", "Last name", "Nachname", "nom"]),
    ("barcode", &["barcode", "Card number", "Ausweisnummer"]),
    ("city", &["city", "Ort", "ville"]),
    ("notes", &["notes", "Bemerkungen"]),
];
const WORDS: [&str; 16] = [
    "Alder",
    "Müller",
    "Gonçalves",
    "O'Hara",
    "Zoë",
    "van der Berg",
    "likes maps",
    "x",
    "Élise",
    "12 High St",
    "=x",
    "-1",
    "#3",
    "\"quoted\"",
    "Birch; Cedar",
    "Fir, Oak",
];
/// Marks a byte that is no UTF-8.
const NOT_TEXT: &str = "\u{FFFF}";
const TITLES: [&str; 4] = ["List of patrons", "As of 15 Jan 2018", "Confidential", "2018"];

/// A generated file.
struct Generated {
    text: String,
    delimiter: char,
    line_end: &'static str,
    /// Line and cells of each row.
    rows: Vec<(u64, Vec<String>)>,
    /// Where each row begins in the text.
    starts: Vec<usize>,
    names: Vec<&'static str>,
    header: Vec<String>,
}

struct Generator {
    random: StdRng,
    text: String,
    line: u64,
    delimiter: char,
    line_end: &'static str,
}

impl Generator {
    fn chance(&mut self, one_in: u32) -> bool {
        self.random.random_range(0..one_in) == 0
    }

    fn end_line(&mut self) {
        self.text.push_str(self.line_end);
        self.line += 1;
    }

    fn word(&mut self) -> String {
        (*WORDS.choose(&mut self.random).unwrap()).to_owned()
    }

    fn cell(&mut self, target: &str) -> String {
        match target {
            "user_id" => format!("u{}", self.random.random_range(0..100_000)),
            "barcode" => format!("{:06}", self.random.random_range(0..1_000_000)),
            "notes" if self.chance(3) => {
                let lines: Vec<String> = (0..self.random.random_range(1..4)).map(|_| self.word()).collect();
                lines.join("\n")
            }
            _ if self.chance(5) => String::new(),
            _ => self.word(),
        }
    }

    /// Writes a cell with or without quotation marks, and with spaces that don't belong to it.
    fn write_cell(&mut self, cell: &str) {
        let special = [self.delimiter, '"', '\n', '\r'];
        let is_quoted = cell.contains(special) || self.chance(4);
        let space = if self.chance(10) { " " } else { "" };
        self.text.push_str(space);
        if is_quoted {
            let cell = cell.replace('"', "\"\"");
            self.line += cell.matches('\n').count() as u64;
            self.text.push('"');
            self.text.push_str(&cell.replace('\n', self.line_end));
            self.text.push('"');
        } else {
            self.text.push_str(cell);
            if self.chance(20) {
                self.text.push('\u{A0}');
            }
        }
    }

    fn write_row(&mut self, cells: &[String]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.text.push(self.delimiter);
            }
            self.write_cell(cell);
        }
    }

    fn blank_rows(&mut self) {
        while self.chance(8) {
            if self.chance(2) {
                self.text.push(self.delimiter);
            }
            self.end_line();
        }
    }
}

fn generate(seed: u64) -> Generated {
    let mut random = StdRng::seed_from_u64(seed);
    let delimiter = *[',', ';', '\t', '|'].choose(&mut random).unwrap();
    let line_end = *["\n", "\r\n", "\r"].choose(&mut random).unwrap();
    let mut file = Generator { random, text: String::new(), line: 1, delimiter, line_end };
    if file.chance(8) {
        file.text.push_str("sep=");
        file.text.push(delimiter);
        file.end_line();
    }
    while file.chance(4) {
        let title = *TITLES.choose(&mut file.random).unwrap();
        file.text.push_str(title);
        file.end_line();
    }
    file.blank_rows();
    let mut columns = COLUMNS.to_vec();
    while columns.len() > 3 && file.chance(3) {
        columns.pop();
    }
    let names: Vec<&str> = columns.iter().map(|(target, _)| *target).collect();
    let header: Vec<String> =
        columns.iter().map(|(_, names)| (*names.choose(&mut file.random).unwrap()).to_owned()).collect();
    file.write_row(&header);
    let has_trailing = file.chance(5);
    if has_trailing {
        file.text.push(delimiter);
    }
    file.end_line();
    let (mut rows, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..file.random.random_range(1..9) {
        file.blank_rows();
        let cells: Vec<String> = names.iter().map(|name| file.cell(name)).collect();
        rows.push((file.line, cells.clone()));
        starts.push(file.text.len());
        file.write_row(&cells);
        if has_trailing {
            file.text.push(delimiter);
        }
        file.end_line();
    }
    Generated { text: file.text, delimiter, line_end, rows, starts, names, header }
}

fn profile(encoding: TextEncoding) -> ImportProfile {
    let lethe = built_in("lethe", FileKind::Users).unwrap();
    ImportProfile { format: FileFormat::Delimited(Delimited { encoding, ..Delimited::default() }), ..lethe }
}

/// Returns the bytes of a text in an encoding, and the profile to read it.
fn encoded(text: &str, random: &mut StdRng) -> (Vec<u8>, ImportProfile) {
    let utf16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
    };
    let detect = TextEncoding::Detect;
    let (bytes, encoding) = match random.random_range(0..8) {
        0 => (format!("\u{FEFF}{text}").into_bytes(), detect),
        1 => (utf16("\u{FEFF}", u16::to_le_bytes), detect),
        2 => (utf16("\u{FEFF}", u16::to_be_bytes), detect),
        3 => (utf16("", u16::to_le_bytes), detect),
        4 => (utf16("", u16::to_be_bytes), detect),
        5 => (WINDOWS_1252.encode(text).0.into_owned(), TextEncoding::Windows1252),
        _ => (text.as_bytes().to_vec(), detect),
    };
    (bytes, profile(encoding))
}

struct Read {
    rows: Vec<(u64, Vec<String>)>,
    problems: Vec<(u64, Option<String>, FileProblem)>,
}

fn read(path: &Path, profile: &ImportProfile) -> Read {
    let plan = Plan::detect(&ImportFile::single(path), profile, &[]).unwrap();
    let mut read = Read { rows: Vec::new(), problems: Vec::new() };
    for problem in plan.problems() {
        read.problems.push((problem.line, problem.column.clone(), problem.what.clone()));
    }
    if !read.problems.is_empty() {
        return read;
    }
    let mut rows = plan.rows(fs::File::open(path).unwrap()).unwrap();
    while let Some(row) = rows.next_row().unwrap() {
        match row {
            Ok(row) => read.rows.push((row.line, row.cells)),
            Err(problem) => read.problems.push((problem.line, problem.column, problem.what)),
        }
    }
    read
}

#[test]
fn no_line_of_a_generated_file_is_lost_or_invented() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || read_generated((0..FILES).skip(first).step_by(threads)));
        }
    });
}

fn read_generated(seeds: impl Iterator<Item = u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for seed in seeds {
        let mut file = generate(seed);
        let mut random = StdRng::seed_from_u64(!seed);
        if random.random_range(0..6) == 0 {
            file.text.truncate(file.text.len() - file.line_end.len());
        }
        let (bytes, profile) = encoded(&file.text, &mut random);
        fs::write(&path, &bytes).unwrap();
        let read = read(&path, &profile);
        assert_eq!(read.problems, [], "seed {seed}: {:?}", file.text);
        assert_eq!(read.rows, file.rows, "seed {seed}: {:?}", file.text);
    }
}

/// Damage in a file.
struct Damage {
    /// The column, if the damage concerns one.
    place: Option<usize>,
    /// The possible problems.
    problems: Vec<FileProblem>,
    /// By how many lines the rows after the damage have moved.
    moved: i64,
}

/// Damages a row of a file, or returns `None` if the row isn't suitable.
fn damage(file: &mut Generated, row: usize, random: &mut StdRng) -> Option<Damage> {
    let cells = file.rows[row].1.clone();
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\"").replace('\n', file.line_end));
    let mut texts: Vec<String> = cells.iter().map(quoted).collect();
    let place = random.random_range(0..cells.len());
    let is_plain = !cells[place].contains(['\n', '"', file.delimiter]);
    let is_one_line = !cells.iter().any(|cell| cell.contains('\n'));
    let expected = cells.len();
    let (place, problems) = match random.random_range(0..6) {
        0 if is_plain => {
            texts[place] = format!("\"{}", cells[place]);
            (Some(place), vec![FileProblem::UnclosedQuote, FileProblem::QuoteInCell])
        }
        1 if is_plain => {
            texts[place] = format!("a{}\"b", cells[place]);
            (Some(place), vec![FileProblem::QuoteInCell])
        }
        2 if is_one_line => {
            texts.remove(place);
            (None, vec![FileProblem::CellCount { found: expected - 1, expected }])
        }
        3 if is_one_line && !cells[expected - 1].is_empty() => {
            texts.insert(place, "extra".to_owned());
            (None, vec![FileProblem::CellCount { found: expected + 1, expected }])
        }
        4 => {
            let key = file.names.iter().position(|name| *name == "barcode")?;
            "2.9001E+13".clone_into(&mut texts[key]);
            (Some(key), vec![FileProblem::Damaged])
        }
        5 => {
            NOT_TEXT.clone_into(&mut texts[place]);
            (Some(place), vec![FileProblem::NotText("UTF-8")])
        }
        _ => return None,
    };
    let end = file.starts.get(row + 1).copied().unwrap_or(file.text.len());
    let damaged = format!("{}{}", texts.join(&file.delimiter.to_string()), file.line_end);
    let lines = |text: &str| i64::try_from(text.matches(file.line_end).count()).unwrap();
    let moved = lines(&damaged) - lines(&file.text[file.starts[row]..end]);
    file.text.replace_range(file.starts[row]..end, &damaged);
    Some(Damage { place, problems, moved })
}

#[test]
fn damage_is_reported_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut damaged = 0;
    for seed in 0.. {
        if damaged == DAMAGED_FILES {
            break;
        }
        let mut random = StdRng::seed_from_u64(!seed);
        let mut file = generate(seed);
        let row = random.random_range(0..file.rows.len());
        let Some(damage) = damage(&mut file, row, &mut random) else { continue };
        damaged += 1;
        let mut bytes = file.text.clone().into_bytes();
        if let Some(place) = file.text.find(NOT_TEXT) {
            bytes.splice(place..place + NOT_TEXT.len(), [0xFF]);
        }
        fs::write(&path, &bytes).unwrap();
        let read = read(&path, &profile(TextEncoding::Utf8));
        let context = || format!("seed {seed}: {:?}\n{:?}", file.text, read.problems);
        let (line, column, what) = read.problems.first().unwrap_or_else(|| panic!("{}", context()));
        assert_eq!(*line, file.rows[row].0, "{}", context());
        let expected = damage.place.map(|place| file.header[place].clone());
        assert_eq!(*column, expected, "{}", context());
        assert!(damage.problems.contains(what), "{}", context());
        let others = file.rows.iter().enumerate().filter(|(place, _)| *place != row);
        let others: Vec<(u64, Vec<String>)> = others
            .map(|(place, (line, cells))| {
                let moved = if place > row { damage.moved } else { 0 };
                (line.saturating_add_signed(moved), cells.clone())
            })
            .collect();
        assert_eq!(read.rows, others, "{}", context());
    }
}
