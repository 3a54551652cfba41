//! The safety limits of one file: which shares of users, dates and keys stop an import as a whole.

use crate::form::Problem;
use crate::numbers::{counted, grouped};
use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

/// Number of users or lines up to which shares don't apply, so that small files aren't stopped.
pub const MAX_WITHOUT_PERCENT: u64 = 20;

/// Number of recent days on which the ends of loans, requests and charges don't count as the same date. A file with the
/// changes of a day has the same end on most lines.
pub const RECENT_DAYS: u64 = 7;

/// A share in per cent, from 0 to 100.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Returns the share, or `None` above 100.
    pub const fn new(percent: u8) -> Option<Self> {
        if percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// Returns the number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Parses a share. Returns `None` for an empty text: no limit.
    pub fn parse(text: &str) -> Result<Option<Self>, Problem> {
        let text = text.trim();
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().ok().and_then(Self::new).map(Some).ok_or(Problem::NotPercent)
    }

    /// Returns whether `part` of `whole` is more than this share.
    const fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        part.saturating_mul(100) > whole.saturating_mul(self.0 as u64)
    }
}

impl TryFrom<u8> for Percent {
    type Error = &'static str;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        Self::new(percent).ok_or("a share above 100 per cent")
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

coded_enum! {
    /// The records or lines that a safety limit of a file counts.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportLimit: "safety limit of the import" {
        /// Users in earlier files of the same source that the file doesn't contain.
        Missing = "missing",
        /// Users that the file creates.
        New = "new",
        /// Users that the file changes.
        Changed = "changed",
        /// Users who have left according to the file, and hadn't before.
        Leaving = "leaving",
        /// Open loans, requests or charges that the file ends.
        Closed = "closed",
        /// Lines that set a date of the past to the same day.
        Uniform = "uniform",
        /// Lines with a wrong key.
        Damaged = "damaged",
    }
}

impl ImportLimit {
    /// Returns the name of the field in the form.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Missing => "limits.missing",
            Self::New => "limits.new",
            Self::Changed => "limits.changed",
            Self::Leaving => "limits.leaving",
            Self::Closed => "limits.closed",
            Self::Uniform => "limits.uniform",
            Self::Damaged => "limits.damaged",
        }
    }

    /// Returns the label of the limit in the form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "Missing users",
            Self::New => "New users",
            Self::Changed => "Changed users",
            Self::Leaving => "Leaving users",
            Self::Closed => "Closed loans, requests or charges",
            Self::Uniform => "Lines with the same date",
            Self::Damaged => "Lines with a damaged key",
        }
    }

    /// Returns what the share is a share of, and why it is limited.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Missing => {
                "Share of the users in earlier files of this task. A file that was cut off lacks many. Leave this \
                 empty for a file that contains only changes."
            }
            Self::New => "Share of all users. Many new users can be known users with other keys.",
            Self::Changed => "Share of the imported users.",
            Self::Leaving => "Share of the imported users. Users who have left may be anonymised.",
            Self::Closed => {
                "Share of the open loans, requests or charges. Without them, users may be anonymised. Loans are closed by \
                 their return, charges when they are settled."
            }
            Self::Uniform => {
                "Share of the lines. The same leaving date, mark or last activity on many lines, such as 1 Jan 1900, \
                 is often a default of the other system. So is the same end of loans, requests or charges, unless it lies \
                 in the last 7 days."
            }
            Self::Damaged => "Share of the lines. A spreadsheet damages identifiers and barcodes.",
        }
    }

    /// Returns the share beyond which a file is stopped unless a task says otherwise.
    const fn default_percent(self) -> Percent {
        Percent(match self {
            Self::Missing | Self::Damaged => 5,
            Self::New => 20,
            Self::Changed | Self::Closed | Self::Uniform => 50,
            Self::Leaving => 10,
        })
    }
}

/// The safety limits of one file. `None` means no limit.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportLimits {
    /// Share of the imported users that the file lacks.
    pub missing: Option<Percent>,
    /// New users, as a share of all users.
    pub new: Option<Percent>,
    /// Changed users, as a share of the imported users.
    pub changed: Option<Percent>,
    /// Users who have left according to the file, as a share of the imported users.
    pub leaving: Option<Percent>,
    /// Open loans, requests or charges that the file ends, as a share of all open ones.
    pub closed: Option<Percent>,
    /// Lines that set the same date of the past.
    pub uniform: Option<Percent>,
    /// Lines with a wrong key.
    pub damaged: Option<Percent>,
}

impl Default for ImportLimits {
    fn default() -> Self {
        let of = |limit: ImportLimit| Some(limit.default_percent());
        Self {
            missing: of(ImportLimit::Missing),
            new: of(ImportLimit::New),
            changed: of(ImportLimit::Changed),
            leaving: of(ImportLimit::Leaving),
            closed: of(ImportLimit::Closed),
            uniform: of(ImportLimit::Uniform),
            damaged: of(ImportLimit::Damaged),
        }
    }
}

/// The content and effect of a file, as the limits count them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ImportFigures {
    /// Number of lines.
    pub lines: u64,
    /// Number of all users before the import.
    pub users: u64,
    /// Number of imported users before the import who were neither anonymised nor had left.
    pub imported: u64,
    /// Number of those in earlier files of the same source.
    pub expected: u64,
    /// Number of expected users that the file lacks.
    pub missing: u64,
    /// Number of users created.
    pub new: u64,
    /// Number of users changed.
    pub changed: u64,
    /// Number of users who have left according to the file, and hadn't before.
    pub leaving: u64,
    /// Number of loans, requests or charges that were open before the import.
    pub open: u64,
    /// Number of those that the file ends.
    pub closed: u64,
    /// Number of lines that set the most frequent date of the past.
    pub uniform: u64,
    /// Number of lines with a wrong key.
    pub damaged: u64,
    /// Whether the file is the first one of users.
    pub is_first: bool,
}

/// The safety limit whose count confirms a file. `None` counts the users who lose identifying values or become eligible
/// earlier: the limits of the installation.
pub type CountedBy = Option<ImportLimit>;

/// Returns the label of the field for the number that confirms a file.
pub const fn number_label(by: CountedBy) -> &'static str {
    match by {
        None => "Number of users that the file touches",
        Some(ImportLimit::Missing) => "Number of users that the file lacks",
        Some(ImportLimit::New) => "Number of users that the file creates",
        Some(ImportLimit::Changed) => "Number of users that the file changes",
        Some(ImportLimit::Leaving) => "Number of users who have left according to the file",
        Some(ImportLimit::Closed) => "Number of lines that close a loan, request or charge",
        Some(ImportLimit::Uniform) => "Number of lines with the same date",
        Some(ImportLimit::Damaged) => "Number of lines with a damaged key",
    }
}

/// Returns the number with its noun.
pub fn counted_by(by: CountedBy, count: i64) -> String {
    match by {
        Some(ImportLimit::Closed | ImportLimit::Uniform | ImportLimit::Damaged) => {
            counted(count, "line", "lines")
        }
        _ => counted(count, "user", "users"),
    }
}

/// Returns what a file does beyond its limit, as the end of a sentence that begins with the file.
pub fn effect(by: CountedBy, count: i64) -> String {
    let count = counted_by(by, count);
    match by {
        None => format!("removes or replaces identifying values of {count}, or makes them eligible earlier"),
        Some(ImportLimit::Missing) => format!("lacks {count} of earlier files"),
        Some(ImportLimit::New) => format!("creates {count}"),
        Some(ImportLimit::Changed) => format!("changes {count}"),
        Some(ImportLimit::Leaving) => format!("sets a past leaving date for {count}"),
        Some(ImportLimit::Closed) => format!("closes loans, requests or charges in {count}"),
        Some(ImportLimit::Uniform) => format!("sets the same date of the past in {count}"),
        Some(ImportLimit::Damaged) => format!("has {count} with a damaged key"),
    }
}

/// A safety limit that a file exceeds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Exceeded {
    /// The limit.
    pub limit: ImportLimit,
    /// The number of users or lines.
    pub count: u64,
    /// The number of which it is a share.
    pub of: u64,
    /// The permitted share.
    pub percent: Percent,
}

impl Exceeded {
    /// Returns what the file does, as a sentence without its full stop.
    pub fn label(self) -> String {
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let (count, of, percent) = (number(self.count), number(self.of), self.percent.get());
        let what = match self.limit {
            ImportLimit::Missing => format!("the file lacks {count} of {of} users of this task"),
            ImportLimit::New => format!("the file creates {count} users in a library with {of} users"),
            ImportLimit::Changed => format!("the file changes {count} of {of} imported users"),
            ImportLimit::Leaving => format!("{count} of {of} imported users have left according to the file"),
            ImportLimit::Closed => format!("the file closes {count} of {of} open loans, requests or charges"),
            ImportLimit::Uniform => format!("{count} of {of} lines set the same date of the past"),
            ImportLimit::Damaged => format!("{count} of {of} lines have a damaged key"),
        };
        format!("{what}; the limit is {percent} per cent")
    }
}

impl ImportLimits {
    /// Returns the limits of a file that a person imports by hand. Such a file may contain any part of the users, so
    /// the number of missing or changed users says nothing. The limits of the installation count users who leave.
    pub fn of_a_part() -> Self {
        Self { missing: None, changed: None, leaving: None, ..Self::default() }
    }

    /// Returns the permitted share.
    pub const fn share(&self, limit: ImportLimit) -> Option<Percent> {
        match limit {
            ImportLimit::Missing => self.missing,
            ImportLimit::New => self.new,
            ImportLimit::Changed => self.changed,
            ImportLimit::Leaving => self.leaving,
            ImportLimit::Closed => self.closed,
            ImportLimit::Uniform => self.uniform,
            ImportLimit::Damaged => self.damaged,
        }
    }

    /// Returns a permitted share to change.
    pub const fn of_mut(&mut self, limit: ImportLimit) -> &mut Option<Percent> {
        match limit {
            ImportLimit::Missing => &mut self.missing,
            ImportLimit::New => &mut self.new,
            ImportLimit::Changed => &mut self.changed,
            ImportLimit::Leaving => &mut self.leaving,
            ImportLimit::Closed => &mut self.closed,
            ImportLimit::Uniform => &mut self.uniform,
            ImportLimit::Damaged => &mut self.damaged,
        }
    }

    /// Returns the limits that a file exceeds.
    pub fn exceeded(&self, figures: ImportFigures) -> Vec<Exceeded> {
        let one = |limit| self.exceeded_one(limit, figures);
        ImportLimit::ALL.into_iter().filter_map(one).collect()
    }

    fn exceeded_one(&self, limit: ImportLimit, figures: ImportFigures) -> Option<Exceeded> {
        let percent = self.share(limit)?;
        let (count, of) = match limit {
            ImportLimit::Missing => (figures.missing, figures.expected),
            // The first import of a library creates all its users, and their dates can't be compared.
            ImportLimit::New | ImportLimit::Uniform if figures.is_first => return None,
            ImportLimit::New => (figures.new, figures.users),
            ImportLimit::Changed => (figures.changed, figures.imported),
            ImportLimit::Leaving => (figures.leaving, figures.imported),
            ImportLimit::Closed => (figures.closed, figures.open),
            ImportLimit::Uniform => (figures.uniform, figures.lines),
            ImportLimit::Damaged => (figures.damaged, figures.lines),
        };
        let is_large = match limit {
            ImportLimit::Uniform | ImportLimit::Damaged => figures.lines >= MAX_WITHOUT_PERCENT,
            _ => count > MAX_WITHOUT_PERCENT,
        };
        let is_exceeded = is_large && percent.is_exceeded_by(count, of);
        is_exceeded.then_some(Exceeded { limit, count, of, percent })
    }

    /// Returns whether these limits let more pass than others.
    pub fn permit_more_than(&self, other: &Self) -> bool {
        ImportLimit::ALL.into_iter().any(|limit| match (self.share(limit), other.share(limit)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(now), Some(before)) => now > before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_whole_number_of_per_cent() {
        assert_eq!(Percent::parse(" 5 "), Ok(Percent::new(5)));
        assert_eq!(Percent::parse("5 %"), Ok(Percent::new(5)));
        assert_eq!(Percent::parse(""), Ok(None));
        for wrong in ["101", "-1", "5.5", "five", "1e1", "%%"] {
            assert_eq!(Percent::parse(wrong), Err(Problem::NotPercent), "{wrong}");
        }
    }

    #[test]
    fn each_limit_stops_just_above_its_share() {
        let within = ImportFigures {
            lines: 1000,
            users: 1000,
            imported: 1000,
            expected: 1000,
            missing: 50,
            new: 200,
            changed: 500,
            leaving: 100,
            open: 1000,
            closed: 500,
            uniform: 500,
            damaged: 50,
            is_first: false,
        };
        let limits = ImportLimits::default();
        assert_eq!(limits.exceeded(within), []);
        let beyond: [fn(&mut ImportFigures) -> &mut u64; 7] = [
            |f| &mut f.missing,
            |f| &mut f.new,
            |f| &mut f.changed,
            |f| &mut f.leaving,
            |f| &mut f.closed,
            |f| &mut f.uniform,
            |f| &mut f.damaged,
        ];
        for (limit, field) in ImportLimit::ALL.into_iter().zip(beyond) {
            let mut figures = within;
            *field(&mut figures) += 1;
            let found = limits.exceeded(figures);
            assert_eq!(found.iter().map(|one| one.limit).collect::<Vec<_>>(), [limit]);
            let mut without = limits;
            *without.of_mut(limit) = None;
            assert_eq!(without.exceeded(figures), [], "{limit:?}");
            assert!(without.permit_more_than(&limits) && !limits.permit_more_than(&without));
        }
    }

    #[test]
    fn shares_do_not_apply_to_a_few_users_or_to_the_first_import() {
        let limits = ImportLimits::default();
        let few = ImportFigures {
            lines: 19,
            users: 20,
            imported: 20,
            expected: 20,
            missing: 20,
            new: 20,
            changed: 20,
            leaving: 20,
            open: 20,
            closed: 20,
            uniform: 19,
            damaged: 19,
            is_first: false,
        };
        assert_eq!(limits.exceeded(few), []);
        let first = ImportFigures {
            lines: 5_000,
            users: 3,
            new: 5_000,
            uniform: 5_000,
            is_first: true,
            ..ImportFigures::default()
        };
        assert_eq!(limits.exceeded(first), []);
    }

    #[test]
    fn the_number_that_confirms_has_the_noun_of_its_limit() {
        for by in ImportLimit::ALL.into_iter().map(Some).chain([None]) {
            let noun = if number_label(by).contains("lines") { "2 lines" } else { "2 users" };
            assert_eq!(counted_by(by, 2), noun);
            assert!(effect(by, 2).contains(noun), "{}", effect(by, 2));
        }
    }

    #[test]
    fn the_label_has_the_numbers_and_the_limit() {
        let figures =
            ImportFigures { expected: 2_000, missing: 1_000, lines: 1_000, ..ImportFigures::default() };
        let labels: Vec<String> =
            ImportLimits::default().exceeded(figures).into_iter().map(Exceeded::label).collect();
        assert_eq!(labels, ["the file lacks 1,000 of 2,000 users of this task; the limit is 5 per cent"]);
        assert_eq!(ImportLimits::of_a_part().exceeded(figures), []);
    }
}
