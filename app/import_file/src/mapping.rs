//! Which column fills which field, and how its cells are read.

use crate::amounts;
use crate::attributes;
use crate::damage::{self, Damage};
use crate::dates::{DateRule, without_time};
use crate::layout::column_at;
use crate::problem::{FileNote, FileProblem, Note, Problem};
use crate::rows::RawRow;
use policy::dates::joined;
use policy::import_profile::{
    CUSTOM, ColumnMapping, Content, DateFormat, FileFormat, FileKind, ImportProfile, OtherColumns,
    content_of, folded, keys_of, required_of, target_of_name,
};

/// The longest name of a column that a problem repeats. In a file without a header, the first line has personal data.
const MAX_REPEATED_NAME: usize = 40;

/// A column that fills a field.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its index in the row.
    pub(crate) index: usize,
    /// Its name in the file.
    pub(crate) name: String,
    /// The code of the attribute, if the cell has several.
    attribute: Option<String>,
    first_of_several: bool,
    /// The rule by which dates are read.
    pub(crate) dates: DateRule,
}

/// A field that the file fills.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) target: String,
    pub(crate) content: Content,
    pub(crate) sources: Vec<Source>,
}

/// The fields that the columns of a file fill.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) fields: Vec<Field>,
    pub(crate) problems: Vec<Problem>,
    /// The index and the name of the column with the attributes of users.
    attributes: Option<(usize, String)>,
}

/// The content of a row by field.
pub(crate) struct Mapped {
    pub(crate) cells: Vec<String>,
    pub(crate) notes: Vec<Note>,
}

/// Returns the field that the profile gives a column, or `None` if it is unknown or ignored.
pub(crate) fn target_of(profile: &ImportProfile, name: &str) -> Option<String> {
    if profile.is_own_format() {
        return target_of_name(profile.kind, name);
    }
    mapping_of(profile, name)?.target.clone()
}

/// Returns the mapping of a column: the one with its name, or with its name in another spelling.
fn mapping_of<'a>(profile: &'a ImportProfile, name: &str) -> Option<&'a ColumnMapping> {
    let wanted = folded(name);
    let same = || profile.columns.iter().find(|column| column.source == name);
    let similar =
        || profile.columns.iter().find(|column| !wanted.is_empty() && folded(&column.source) == wanted);
    same().or_else(similar)
}

impl Mapping {
    /// Maps the columns of a file. `custom` has the keys of the custom fields.
    pub(crate) fn new(
        profile: &ImportProfile,
        names: &[String],
        custom: &[String],
        header_line: u64,
    ) -> Self {
        let mut mapping = Self::default();
        for (index, name) in names.iter().enumerate() {
            mapping.add(profile, (index, name), custom, header_line);
        }
        mapping.add_attributes(profile, names, custom);
        if mapping.fields.is_empty() {
            mapping.problems = vec![Problem::on_line(header_line, FileProblem::NoHeader)];
            return mapping;
        }
        for needed in required_of(profile.kind) {
            if mapping.field(needed).is_none() {
                let column = profile.columns.iter().find(|column| column.target.as_deref() == Some(*needed));
                let name = column.map_or(*needed, |column| column.source.as_str());
                mapping.problems.push(Problem::in_column(header_line, name, FileProblem::ColumnMissing));
            }
        }
        let keys = keys_of(profile.kind);
        // A number that another database has given identifies no user here, except for loans.
        if mapping.problems.is_empty() && !keys.iter().any(|key| mapping.field(key).is_some()) {
            let problem = FileProblem::KeyMissing(joined(keys, "and"));
            mapping.problems.push(Problem::in_column(header_line, "user_id", problem));
        }
        mapping
    }

    fn add(&mut self, profile: &ImportProfile, (index, name): (usize, &str), custom: &[String], line: u64) {
        let column = mapping_of(profile, name);
        if column.is_some_and(|column| column.target.is_none()) {
            // The profile says that this column is ignored.
            return;
        }
        let target = target_of(profile, name);
        let has_field =
            |target: &str| target.strip_prefix(CUSTOM).is_none_or(|key| custom.iter().any(|one| one == key));
        let Some(target) = target.filter(|target| has_field(target)) else {
            if profile.other_columns == OtherColumns::Reject {
                self.problems.push(unknown(line, index, name));
            }
            return;
        };
        let Some(content) = content_of(profile.kind, &target) else { return };
        let format = column.and_then(|column| column.dates).unwrap_or(profile.dates);
        let source = Source {
            index,
            name: name.to_owned(),
            attribute: None,
            first_of_several: column.is_some_and(|column| column.first_of_several),
            dates: DateRule {
                format,
                is_detected: format == DateFormat::Detect,
                two_digit_days: profile.two_digit_days,
            },
        };
        match self.fields.iter_mut().find(|field| field.target == target) {
            None => self.fields.push(Field { target, content, sources: vec![source] }),
            Some(field) if content.joins() && !profile.is_own_format() => field.sources.push(source),
            Some(_) => self.problems.push(Problem::in_column(line, name, FileProblem::ColumnTwice)),
        }
    }

    /// Maps the attributes that have a custom field.
    fn add_attributes(&mut self, profile: &ImportProfile, names: &[String], custom: &[String]) {
        let Some(attributes) = &profile.attributes else { return };
        let Some(index) = names.iter().position(|name| folded(name) == folded(attributes)) else { return };
        self.attributes = Some((index, names[index].clone()));
        for key in custom {
            let target = format!("{CUSTOM}{key}");
            if self.field(&target).is_some() {
                continue;
            }
            let dates = DateRule { format: DateFormat::Iso, is_detected: false, two_digit_days: true };
            let source = Source {
                index,
                name: names[index].clone(),
                attribute: Some(key.clone()),
                first_of_several: false,
                dates,
            };
            self.fields.push(Field { target, content: Content::Text, sources: vec![source] });
        }
    }

    pub(crate) fn field(&self, target: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.target == target)
    }

    /// Returns the columns with dates.
    pub(crate) fn dates(&mut self) -> impl Iterator<Item = &mut Source> {
        let dates = self.fields.iter_mut().filter(|field| field.content == Content::Date);
        dates.flat_map(|field| field.sources.iter_mut())
    }

    /// Returns whether the cells of a column can have line breaks. Cells that the import ignores can.
    pub(crate) fn can_break(&self, index: usize) -> bool {
        let mut of_column =
            self.fields.iter().filter(|field| field.sources.iter().any(|source| source.index == index));
        of_column.all(|field| field.content.has_lines())
    }

    /// Returns the codes of the attributes that have a custom field.
    fn codes_of_attributes(&self) -> impl Iterator<Item = &str> + Clone {
        let sources = self.fields.iter().flat_map(|field| &field.sources);
        sources.filter_map(|source| source.attribute.as_deref())
    }

    /// Reads the cells of a row. The first problem rejects it.
    pub(crate) fn read(&self, profile: &ImportProfile, row: RawRow) -> Result<Mapped, Problem> {
        let mut notes = row.notes;
        if let Some((index, name)) = &self.attributes
            && row
                .cells
                .get(*index)
                .is_some_and(|cell| attributes::has_other(cell, self.codes_of_attributes()))
        {
            notes.push(Note::in_column(row.line, name, FileNote::UnknownAttribute));
        }
        let mut cells = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let mut part_of = |source: &Source| {
                let cell = row.cells.get(source.index).map_or("", String::as_str);
                let part = read(cell, (field, source), profile, |note| {
                    notes.push(Note::in_column(row.line, &source.name, note));
                });
                part.map_err(|problem| Problem::in_column(row.line, &source.name, problem))
            };
            let value = match field.sources.as_slice() {
                // Most fields have one column, whose text they take over.
                [source] if field.content != Content::Address => part_of(source)?,
                sources => {
                    let mut value = String::new();
                    for source in sources {
                        join(&mut value, &part_of(source)?, field.content);
                    }
                    value
                }
            };
            cells.push(value);
        }
        Ok(Mapped { cells, notes })
    }
}

/// Adds a part of a field: lines of an address are joined by commas, notes by line breaks.
fn join(value: &mut String, part: &str, content: Content) {
    let mut add = |text: &str, between: &str| {
        if !value.is_empty() && !text.is_empty() {
            value.push_str(between);
        }
        value.push_str(text);
    };
    match content {
        Content::Address => part.lines().for_each(|line| add(line.trim().trim_end_matches(','), ", ")),
        Content::Lines => add(part, "\n"),
        _ => add(part, " "),
    }
}

/// Reads one cell.
fn read(
    cell: &str,
    (field, source): (&Field, &Source),
    profile: &ImportProfile,
    mut note: impl FnMut(FileNote),
) -> Result<String, FileProblem> {
    let of_attribute = source.attribute.as_ref().map(|code| attributes::value(cell, code));
    let text = of_attribute.as_deref().unwrap_or(cell).trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let text = match damage::detect(text, field.content) {
        Damage::None => text,
        Damage::Lost => return Err(FileProblem::Damaged),
        Damage::Rounded => {
            note(FileNote::Rounded);
            text
        }
        Damage::Wrapped(inside) => {
            note(FileNote::Unwrapped);
            inside.trim()
        }
    };
    if text.contains('\u{FFFD}') {
        note(FileNote::LostLetter);
    }
    match field.content {
        Content::Date if is_never(text, source, profile) => Ok(String::new()),
        Content::Date => source.dates.read(text),
        Content::Amount => amounts::read(text, profile.decimals),
        Content::Email if source.first_of_several => Ok(first_of(text, note)),
        _ => Ok(text.to_owned()),
    }
}

/// Returns whether a date means "never".
fn is_never(text: &str, source: &Source, profile: &ImportProfile) -> bool {
    if profile.never.is_empty() {
        return false;
    }
    let date = source.dates.read(text).unwrap_or_default();
    let is_same = |never: &String| never == text || never == without_time(text) || *never == date;
    profile.never.iter().any(is_same)
}

/// Returns the first of several values.
fn first_of(text: &str, mut note: impl FnMut(FileNote)) -> String {
    let mut values =
        text.split([';', ',', '|', ' ', '\n', '\u{A0}']).filter(|value| !value.trim().is_empty());
    let first = values.next().unwrap_or_default().trim().to_owned();
    if values.next().is_some() {
        note(FileNote::FirstOfSeveral);
    }
    first
}

/// Reports an unknown column. Repeats its name only if it looks like one.
fn unknown(line: u64, index: usize, name: &str) -> Problem {
    let is_name = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-' | b' ');
    let is_plausible = !name.is_empty() && name.len() <= MAX_REPEATED_NAME && name.bytes().all(is_name);
    let column = if is_plausible { name.to_owned() } else { column_at(index) };
    let is_custom = is_plausible && name.starts_with(CUSTOM);
    let problem = if is_custom { FileProblem::UnknownCustomField } else { FileProblem::UnknownColumn };
    Problem::in_column(line, &column, problem)
}

/// Returns the paths of the cells of FOLIO's users.
pub(crate) fn folio_paths(profile: &ImportProfile) -> Vec<String> {
    profile.columns.iter().map(|column| column.source.clone()).collect()
}

/// Returns the profile with the columns of the custom fields of FOLIO.
pub(crate) fn with_custom_fields(profile: &ImportProfile, custom: &[String]) -> ImportProfile {
    let mut profile = profile.clone();
    if profile.format == FileFormat::FolioUsers && profile.kind == FileKind::Users {
        profile.columns.extend(custom.iter().map(|key| ColumnMapping {
            source: format!("customFields.{key}"),
            target: Some(format!("{CUSTOM}{key}")),
            ..Default::default()
        }));
    }
    profile
}
