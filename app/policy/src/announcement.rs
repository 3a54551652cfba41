//! The task type *Announce anonymising*: which users get an e-mail before they are anonymised, and its text.

use crate::form::Problem;
use crate::ids::TaskId;
use crate::notification::DeliveryProblem;
use crate::placeholders::{self, Placeholders};
use crate::stored::coded_enum;
use crate::text;
use serde::{Deserialize, Serialize};

/// The subject of a new task.
pub const STANDARD_SUBJECT: &str = "{library}: your account will be removed";

/// The text of a new task.
pub const STANDARD_TEXT: &str = "Dear {name},\n\n\
    your account has ended, or you have not used it for some time. We will therefore remove your personal data from \
    our records from {date} on. This cannot be undone.\n\n\
    To keep your account, open this page and press the button:\n\
    {link}\n\n\
    Signing in or borrowing something before that day keeps it, too. You do not need to do anything if you agree.\n\n\
    {library}\n\
    {contact}";

/// The number of days for which a link works after the day that its e-mail names: anonymising can be late.
pub const LINK_DAYS: u64 = 90;

/// A placeholder in subject or text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placeholder {
    /// The name of the user.
    Name,
    /// The first day on which the user can be anonymised.
    Date,
    /// The address of the page on which the user keeps the account.
    Link,
    /// The name of the library.
    Library,
    /// How users reach the library.
    Contact,
}

impl Placeholder {
    /// All placeholders, in the order of the form.
    pub const ALL: [Self; 5] = [Self::Name, Self::Date, Self::Link, Self::Library, Self::Contact];

    /// Returns the word between the braces.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Date => "date",
            Self::Link => "link",
            Self::Library => "library",
            Self::Contact => "contact",
        }
    }

    /// Returns what it becomes.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "the name of the user",
            Self::Date => "the first day on which the task can anonymise the user",
            Self::Link => "the address of the page on which the user keeps the account",
            Self::Library => "the name of the library",
            Self::Contact => "the contact of the library",
        }
    }
}

impl Placeholders for Placeholder {
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.word() == word)
    }
}

/// A number of days before the anonymising.
///
/// At least a week, so that a user has time to answer. At most a year, because a user forgets an earlier notice.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct NoticeDays(u32);

impl NoticeDays {
    /// Minimum number of days.
    pub const MIN: u32 = 7;
    /// Maximum number of days.
    pub const MAX: u32 = 365;

    /// Returns the number of days, or `None` if it is out of range.
    pub const fn new(days: u32) -> Option<Self> {
        if days >= Self::MIN && days <= Self::MAX { Some(Self(days)) } else { None }
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Parses the input of a form field: digits only.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().and_then(Self::new)).flatten().ok_or_else(out_of_range)
    }
}

impl Default for NoticeDays {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u32> for NoticeDays {
    type Error = Problem;

    fn try_from(days: u32) -> Result<Self, Problem> {
        Self::new(days).ok_or_else(out_of_range)
    }
}

impl From<NoticeDays> for u32 {
    fn from(days: NoticeDays) -> Self {
        days.0
    }
}

fn out_of_range() -> Problem {
    Problem::NotDays { min: NoticeDays::MIN.into(), max: NoticeDays::MAX.into() }
}

/// Which users get an e-mail before they are anonymised, when, and its text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementSettings {
    /// The task that will anonymise the users.
    pub task: TaskId,
    /// How long before their first day users are announced.
    pub days_before: NoticeDays,
    /// The subject, with placeholders.
    pub subject: String,
    /// The text, with placeholders.
    pub text: String,
}

impl AnnouncementSettings {
    /// Returns whether these settings go beyond confirmed ones: they select other users, or send another text.
    pub fn extend_beyond(&self, confirmed: &Self) -> bool {
        (self.task, &self.subject, &self.text) != (confirmed.task, &confirmed.subject, &confirmed.text)
            || self.days_before > confirmed.days_before
    }

    /// Returns which users get an e-mail, as a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "Users that task {} can anonymise within {} days get an e-mail that says how to keep the account.",
            self.task,
            self.days_before.get()
        )
    }

    /// Returns subject and text with filled placeholders.
    pub fn filled(&self, value: impl Fn(Placeholder) -> String) -> [String; 2] {
        [&self.subject, &self.text].map(|text| placeholders::filled(text, &value))
    }
}

/// Validates a subject. Only library and date can be in it: mail programs show subjects on locked screens.
pub fn subject(typed: &str) -> Result<String, Problem> {
    let subject = text::required_line(typed, "a subject")?;
    let allowed = |placeholder: &Placeholder| matches!(placeholder, Placeholder::Library | Placeholder::Date);
    match placeholders::in_text(&subject)?.iter().find(|placeholder| !allowed(placeholder)) {
        Some(placeholder) => Err(Problem::UnknownPlaceholder { word: placeholder.word().to_owned() }),
        None => Ok(subject),
    }
}

/// Validates a text. It must contain the link, because without it a user can't answer.
pub fn text(typed: &str) -> Result<String, Problem> {
    let text = text::lines(typed, text::MAX_LONG_CHARS)?;
    if placeholders::in_text(&text)?.contains(&Placeholder::Link) {
        Ok(text)
    } else {
        Err(Problem::MissingPlaceholder { word: Placeholder::Link.word().to_owned() })
    }
}

coded_enum! {
    /// What became of an announcement.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AnnouncementState: "state of the announcement" {
        /// The e-mail is given to the mail server.
        Sending = "sending",
        /// The mail server has accepted the e-mail.
        Sent = "sent",
        /// The process ended while it sent the e-mail. It is not sent again.
        Unclear = "unclear",
        /// The e-mail did not arrive: its address doesn't exist, or rejects it.
        Bounced = "bounced",
        /// The e-mail could not be sent for now. The next run tries again.
        Failed = "failed",
        /// The user has answered and keeps the account.
        Kept = "kept",
    }
}

impl AnnouncementState {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sending => "Sending",
            Self::Sent => "Sent",
            Self::Unclear => "Unclear: the process ended while it sent the e-mail",
            Self::Bounced => "Bounced",
            Self::Failed => "Not sent",
            Self::Kept => "Account kept",
        }
    }

    /// Returns whether the user is not announced again for the same day.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Failed)
    }
}

/// The code of a user whose e-mail was rejected for good.
pub const BOUNCED: &str = "bounced";
/// The code of a user whose e-mail the mail server may or may not have.
pub const UNCLEAR: &str = "unclear";

/// Returns what happened to a user whose announcement failed with this code, and what to do.
pub fn failure_label(code: &str) -> String {
    match (code, DeliveryProblem::from_code(code)) {
        (BOUNCED, _) => "bounced: print a letter, and correct the e-mail address".to_owned(),
        (UNCLEAR, _) => {
            "the process ended while it sent the e-mail, which may have arrived; it is not sent again"
                .to_owned()
        }
        (_, Some(problem)) => {
            format!("{}; the next run tries again", text::inside_sentence(problem.label()))
        }
        (code, None) => format!("not sent; code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AnnouncementSettings {
        AnnouncementSettings {
            task: TaskId(3),
            days_before: NoticeDays::default(),
            subject: STANDARD_SUBJECT.to_owned(),
            text: STANDARD_TEXT.to_owned(),
        }
    }

    #[test]
    fn a_text_needs_the_link_and_knows_no_other_placeholder() {
        assert_eq!(text(STANDARD_TEXT), Ok(STANDARD_TEXT.to_owned()));
        let missing = Problem::MissingPlaceholder { word: "link".to_owned() };
        assert_eq!(text("Dear {name}"), Err(missing.clone()));
        assert_eq!(text(""), Err(missing));
        for (typed, word) in [("{link} {email}", "email"), ("{link} {due}", "due"), ("{link} {", "")] {
            assert_eq!(text(typed), Err(Problem::UnknownPlaceholder { word: word.to_owned() }), "{typed}");
        }
        assert!(matches!(text(&format!("{{link}}{}", "x".repeat(4_000))), Err(Problem::TooLong { .. })));
    }

    #[test]
    fn a_subject_names_no_user() {
        assert_eq!(subject(STANDARD_SUBJECT), Ok(STANDARD_SUBJECT.to_owned()));
        assert_eq!(subject("From {date} on"), Ok("From {date} on".to_owned()));
        for word in ["name", "link", "contact", "email"] {
            let problem = Problem::UnknownPlaceholder { word: word.to_owned() };
            assert_eq!(subject(&format!("About {{{word}}}")), Err(problem));
        }
        assert!(subject(" ").is_err());
        assert!(subject("a\nBcc: b@example.org").is_err(), "a further header");
    }

    #[test]
    fn the_days_are_a_week_to_a_year() {
        for (typed, days) in [("7", Some(7)), (" 365 ", Some(365)), ("6", None), ("366", None), ("-7", None)]
        {
            assert_eq!(NoticeDays::parse(typed).ok().map(NoticeDays::get), days, "{typed}");
        }
        assert!(serde_json::from_str::<NoticeDays>("6").is_err());
    }

    #[test]
    fn settings_that_reach_further_must_be_confirmed_again() {
        let confirmed = settings();
        let wider: [fn(&mut AnnouncementSettings); 4] = [
            |s| s.task = TaskId(4),
            |s| s.days_before = NoticeDays(31),
            |s| s.subject.push('!'),
            |s| s.text.push('!'),
        ];
        for change in wider {
            let mut settings = confirmed.clone();
            change(&mut settings);
            assert!(settings.extend_beyond(&confirmed), "{settings:?}");
        }
        let fewer = AnnouncementSettings { days_before: NoticeDays(29), ..confirmed.clone() };
        assert!(!fewer.extend_beyond(&confirmed) && !confirmed.extend_beyond(&confirmed));
    }

    #[test]
    fn placeholders_are_filled_in_subject_and_text() {
        let [subject, text] = settings().filled(|placeholder| placeholder.word().to_uppercase());
        assert_eq!(subject, "LIBRARY: your account will be removed");
        assert!(text.starts_with("Dear NAME,") && text.contains("\nLINK\n") && text.contains("from DATE on"));
    }
}
