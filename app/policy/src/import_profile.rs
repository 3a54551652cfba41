//! Import profiles: how a file of users, loans, requests or charges is read.
//!
//! A profile names the format of the file, the field that each column fills, and the notation of dates and amounts.
//! [`built_in`] returns the profiles that Lethe brings. Others are made on a page and saved.

mod built_in;
mod field_label;
mod form;
mod spelling;
mod target;

pub use built_in::{built_in, built_in_profiles};
pub use field_label::field_label;
pub use form::{ColumnForm, ProfileForm, code_of_name};
pub use spelling::{folded, suggested_target, target_of_name};
pub use target::{
    Content, KEY_TARGETS, Target, content_of, keys_of, label_of, offered_targets, required_of, targets,
};

use crate::dates::joined;
use crate::form::{FieldErrors, Problem};
use crate::import_options::{EmptyCells, ImportOptions};
use crate::stored::{Stored, coded_enum};
use crate::text::required_line;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum number of columns of a profile.
pub const MAX_COLUMNS: usize = 1_000;
/// Maximum number of values that mean "never".
const MAX_NEVER: usize = 20;
/// The last line that may contain the header.
pub const MAX_HEADER_LINE: u32 = 100;
/// Prefix of the target of a custom field.
pub const CUSTOM: &str = "custom.";

coded_enum! {
    /// The records that a file contains.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FileKind: "kind of the file" {
        /// Users.
        Users = "users",
        /// Loans.
        Loans = "loans",
        /// Requests.
        Requests = "requests",
        /// Charges and credits.
        Charges = "charges",
    }
}

impl FileKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Loans => "Loans",
            Self::Requests => "Requests",
            Self::Charges => "Charges and credits",
        }
    }
}

coded_enum! {
    /// The character encoding of a file.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TextEncoding: "encoding" {
        /// The import detects the encoding.
        #[default]
        Detect = "detect",
        /// UTF-8, with or without byte order mark.
        Utf8 = "utf8",
        /// UTF-16, little endian.
        Utf16Le = "utf16_le",
        /// UTF-16, big endian.
        Utf16Be = "utf16_be",
        /// Windows-1252 and ISO 8859-1.
        Windows1252 = "windows1252",
        /// ISO 8859-15.
        Iso885915 = "iso885915",
        /// Windows-1250, for Central Europe.
        Windows1250 = "windows1250",
        /// ISO 8859-2.
        Iso88592 = "iso88592",
        /// Windows-1251, Cyrillic.
        Windows1251 = "windows1251",
        /// KOI8-U, Cyrillic.
        Koi8U = "koi8_u",
        /// Windows-1253, Greek.
        Windows1253 = "windows1253",
        /// Windows-1254, Turkish.
        Windows1254 = "windows1254",
        /// Windows-1255, Hebrew.
        Windows1255 = "windows1255",
        /// Windows-1256, Arabic.
        Windows1256 = "windows1256",
        /// Windows-1257, Baltic.
        Windows1257 = "windows1257",
        /// Windows-1258, Vietnamese.
        Windows1258 = "windows1258",
        /// Macintosh.
        Macintosh = "macintosh",
        /// GBK and GB18030.
        Gbk = "gbk",
        /// Big5.
        Big5 = "big5",
        /// Shift JIS.
        ShiftJis = "shift_jis",
        /// EUC-JP.
        EucJp = "euc_jp",
        /// EUC-KR.
        EucKr = "euc_kr",
    }
}

impl TextEncoding {
    /// Returns the name, as the Encoding Standard has it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
            Self::Iso885915 => "ISO-8859-15",
            Self::Windows1250 => "windows-1250",
            Self::Iso88592 => "ISO-8859-2",
            Self::Windows1251 => "windows-1251",
            Self::Koi8U => "KOI8-U",
            Self::Windows1253 => "windows-1253",
            Self::Windows1254 => "windows-1254",
            Self::Windows1255 => "windows-1255",
            Self::Windows1256 => "windows-1256",
            Self::Windows1257 => "windows-1257",
            Self::Windows1258 => "windows-1258",
            Self::Macintosh => "macintosh",
            Self::Gbk => "GBK",
            Self::Big5 => "Big5",
            Self::ShiftJis => "Shift_JIS",
            Self::EucJp => "EUC-JP",
            Self::EucKr => "EUC-KR",
        }
    }
}

coded_enum! {
    /// The character between two cells.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Delimiter: "delimiter" {
        /// The import detects the delimiter.
        #[default]
        Detect = "detect",
        /// A comma.
        Comma = "comma",
        /// A semicolon.
        Semicolon = "semicolon",
        /// A tab.
        Tab = "tab",
        /// A vertical bar.
        Pipe = "pipe",
    }
}

impl Delimiter {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Comma => "Comma",
            Self::Semicolon => "Semicolon",
            Self::Tab => "Tab",
            Self::Pipe => "Vertical bar",
        }
    }
}

coded_enum! {
    /// The notation of dates. Each may be followed by a time of day, which is ignored.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DateFormat: "date format" {
        /// The import detects the format of each column, and asks if there are several.
        #[default]
        Detect = "detect",
        /// `2018-01-15`.
        Iso = "iso",
        /// `15.01.2018`.
        DayMonthYearDots = "day_month_year_dots",
        /// `15/01/2018`.
        DayMonthYear = "day_month_year",
        /// `01/15/2018`.
        MonthDayYear = "month_day_year",
        /// `15-01-2018`.
        DayMonthYearHyphens = "day_month_year_hyphens",
        /// `20180115`.
        Compact = "compact",
        /// `43115`: the days since 30 December 1899, as a spreadsheet stores a date.
        ExcelSerial = "excel_serial",
    }
}

impl DateFormat {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Iso => "year-month-day",
            Self::DayMonthYearDots => "day.month.year",
            Self::DayMonthYear => "day/month/year",
            Self::MonthDayYear => "month/day/year",
            Self::DayMonthYearHyphens => "day-month-year",
            Self::Compact => "yearmonthday",
            Self::ExcelSerial => "serial number of a spreadsheet",
        }
    }

    /// Returns 15 January 2018 in this format.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Detect | Self::Iso => "2018-01-15",
            Self::DayMonthYearDots => "15.01.2018",
            Self::DayMonthYear => "15/01/2018",
            Self::MonthDayYear => "01/15/2018",
            Self::DayMonthYearHyphens => "15-01-2018",
            Self::Compact => "20180115",
            Self::ExcelSerial => "43115",
        }
    }
}

coded_enum! {
    /// The notation of amounts.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DecimalFormat: "format of amounts" {
        /// The import detects the format of each amount. `1,234` has two meanings and is rejected.
        #[default]
        Detect = "detect",
        /// `1,234.50`.
        Point = "point",
        /// `1.234,50`.
        Comma = "comma",
    }
}

impl DecimalFormat {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Detect => "Detect",
            Self::Point => "1,234.50",
            Self::Comma => "1.234,50",
        }
    }
}

coded_enum! {
    /// What happens to columns without a mapping.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OtherColumns: "treatment of other columns" {
        /// Such a column is a problem of the file.
        #[default]
        Reject = "reject",
        /// The import ignores such a column and reports it.
        Ignore = "ignore",
    }
}

impl OtherColumns {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reject => "Reject the file",
            Self::Ignore => "Ignore the column and report it",
        }
    }
}

/// The format of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Cells between delimiters (CSV).
    Delimited(Delimited),
    /// The answer of FOLIO's users API, with the table `usergroups`.
    FolioUsers,
    /// Evergreen's table `actor.usr`, with the tables `card` and `usr_address`.
    EvergreenUsers,
    /// Evergreen's table `action.circulation`.
    EvergreenLoans,
    /// Evergreen's table `action.hold_request`, with the table `hold_request_note`.
    EvergreenRequests,
    /// Evergreen's table `money.grocery`.
    EvergreenCharges,
}

impl FileFormat {
    /// Returns the names of the additional tables, and whether each is required.
    pub const fn tables(&self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Delimited(_) => &[],
            Self::FolioUsers => &[("usergroups", false)],
            Self::EvergreenUsers => {
                &[("card", true), ("usr_address", true), ("grp_tree", false), ("org_unit", false)]
            }
            Self::EvergreenLoans => &[("copy", false), ("org_unit", false)],
            Self::EvergreenRequests => &[("hold_request_note", false), ("org_unit", false)],
            Self::EvergreenCharges => &[("billing", false)],
        }
    }

    /// Returns the kind of the records, or `None` if the format has several.
    pub const fn kind(&self) -> Option<FileKind> {
        match self {
            Self::Delimited(_) => None,
            Self::FolioUsers | Self::EvergreenUsers => Some(FileKind::Users),
            Self::EvergreenLoans => Some(FileKind::Loans),
            Self::EvergreenRequests => Some(FileKind::Requests),
            Self::EvergreenCharges => Some(FileKind::Charges),
        }
    }
}

/// The properties of a delimited file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Delimited {
    /// The character encoding.
    pub encoding: TextEncoding,
    /// The character between two cells.
    pub delimiter: Delimiter,
    /// The line that names the columns, or `None` if the import detects it. The first line of a file is 1.
    pub header_line: Option<u32>,
}

/// The field that a column fills.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMapping {
    /// The name of the column in the file.
    pub source: String,
    /// The name of the field, or `None` if the column is ignored.
    pub target: Option<String>,
    /// The notation of dates in this column, if it differs from that of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateFormat>,
    /// Whether a cell can contain several values. The first one is imported, the others are reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_of_several: bool,
}

/// An import profile.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub struct ImportProfile {
    /// The code, unique among the profiles of a kind of files.
    pub code: String,
    /// The name that pages show.
    pub name: String,
    /// The records in the file.
    pub kind: FileKind,
    /// The format of the file.
    pub format: FileFormat,
    /// The columns. Without any, columns are recognised by the names of their fields.
    pub columns: Vec<ColumnMapping>,
    /// What happens to other columns.
    pub other_columns: OtherColumns,
    /// The notation of dates.
    pub dates: DateFormat,
    /// Whether day and month must have two digits. [`DateFormat::Detect`] requires them after a year only.
    pub two_digit_days: bool,
    /// The notation of amounts.
    pub decimals: DecimalFormat,
    /// Dates that mean "never", such as `9999-12-31`. They empty their field.
    pub never: Vec<String>,
    /// The column with attributes in the form `CODE:value,…`. They fill the custom fields with these keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
}

impl Stored for ImportProfile {
    const NAME: &'static str = "import profile";
}

impl ImportProfile {
    /// Returns the profile of Lethe's own files of a kind.
    pub fn of(kind: FileKind) -> Self {
        built_in::lethe(kind)
    }

    /// Returns the options of an import that asks for nothing else.
    pub fn default_options(&self) -> ImportOptions {
        ImportOptions { empty_cells: self.empty_cells(), ..ImportOptions::default() }
    }

    /// Returns the kind of file and the name of the profile: `Users: Koha patrons (CSV)`.
    pub fn label(&self) -> String {
        format!("{}: {}", self.kind.label(), self.name)
    }

    /// Returns whether the file is one that Lethe exports: it has no mapping of columns.
    pub const fn is_own_format(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns what empty cells do unless an option says otherwise. Lethe's own format has every field, so an empty cell is
    /// an empty field. Other systems leave out what they don't know.
    pub const fn empty_cells(&self) -> EmptyCells {
        if self.is_own_format() { EmptyCells::Clear } else { EmptyCells::Keep }
    }

    /// Returns whether two profiles read a file in the same way. Code and name don't matter.
    pub fn reads_like(&self, other: &Self) -> bool {
        let other = Self { code: self.code.clone(), name: self.name.clone(), ..other.clone() };
        *self == other
    }

    /// Validates the profile. `custom` returns whether a custom field has this key.
    pub fn validate(&self, custom: impl Fn(&str) -> bool) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        errors.take("name", required_line(&self.name, "a name"));
        if !is_code(&self.code) {
            errors.add("code", Problem::NotACode);
        }
        if self.format.kind().is_some_and(|kind| kind != self.kind) {
            errors.add("kind", Problem::UnknownChoice);
        }
        if let FileFormat::Delimited(Delimited { header_line: Some(line), .. }) = self.format
            && !(1..=MAX_HEADER_LINE).contains(&line)
        {
            errors.add("header_line", Problem::NotALine { max: MAX_HEADER_LINE });
        }
        self.validate_columns(custom, &mut errors);
        if self.never.len() > MAX_NEVER {
            errors.add("never", Problem::TooMany { max: MAX_NEVER });
        }
        for value in &self.never {
            errors.take("never", required_line(value, "a value that means never"));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn validate_columns(&self, custom: impl Fn(&str) -> bool, errors: &mut FieldErrors) {
        if self.columns.len() > MAX_COLUMNS {
            return errors.add("columns", Problem::TooMany { max: MAX_COLUMNS });
        }
        let mut sources = BTreeMap::new();
        let mut filled = BTreeMap::new();
        for (place, column) in self.columns.iter().enumerate() {
            let field = |part: &str| format!("columns.{place}.{part}");
            errors.take(&field("source"), required_line(&column.source, "the name of the column"));
            if sources.insert(column.source.as_str(), place).is_some() {
                errors.add(&field("source"), Problem::SameColumn);
            }
            let Some(target) = column.target.as_deref() else { continue };
            let Some(content) =
                content_of(self.kind, target).filter(|_| target.strip_prefix(CUSTOM).is_none_or(&custom))
            else {
                errors.add(&field("target"), Problem::UnknownChoice);
                continue;
            };
            if filled.insert(target, place).is_some() && !content.joins() {
                errors.add(&field("target"), Problem::SameTarget);
            }
            if column.dates.is_some() && content != Content::Date {
                errors.add(&field("dates"), Problem::UnknownChoice);
            }
        }
        if self.columns.is_empty() {
            return;
        }
        for needed in required_of(self.kind) {
            if !filled.contains_key(needed) {
                let what = format!("a column for the field {}", label_of(self.kind, needed));
                errors.add("columns", Problem::not_chosen(&what));
            }
        }
        if !keys_of(self.kind).iter().any(|key| filled.contains_key(key)) {
            let keys: Vec<String> = keys_of(self.kind).iter().map(|key| label_of(self.kind, key)).collect();
            let what = format!("a column for one of these fields: {}", joined(&keys, "or"));
            errors.add("columns", Problem::not_chosen(&what));
        }
    }
}

/// Returns whether a text can be the code of a profile: lower-case letters, digits, hyphens and underscores.
fn is_code(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=40).contains(&code.len()) && code.bytes().all(fits)
}

#[cfg(test)]
mod tests;
