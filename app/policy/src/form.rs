//! The problems of form fields, with messages that say what to do.

use crate::numbers::grouped;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First year that a date may have.
pub const FIRST_YEAR: i32 = 1900;
/// Last year that a date may have.
pub const LAST_YEAR: i32 = 2100;

/// A problem of one field. Its message is a sentence that the form shows.
#[derive(Clone, Debug, Deserialize, Eq, Error, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Problem {
    /// A required field is empty.
    #[error("Enter {what}")]
    Required {
        /// The name of the required value, with its article: "a description".
        what: String,
    },
    /// Nothing was chosen from a list.
    #[error("Choose {what}")]
    NotChosen {
        /// The name of the required choice, with its article: "a reason".
        what: String,
    },
    /// Too many characters.
    #[error("Enter at most {} characters", grouped(i64::try_from(*max).unwrap_or(i64::MAX)))]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// An invisible character, or one that changes the text direction.
    #[error("Remove the invisible characters (control or direction characters)")]
    ControlCharacter,
    /// Not an e-mail address.
    #[error("Enter an e-mail address like name@example.org, or leave it empty")]
    NotAnEmail,
    /// Not a whole number in the range.
    #[error("Enter a number of days from {} to {}", grouped(*min), grouped(*max))]
    NotDays {
        /// Minimum number of days.
        min: i64,
        /// Maximum number of days.
        max: i64,
    },
    /// Not an amount of money.
    #[error("Enter an amount like 12.50, without thousands separators")]
    NotAnAmount,
    /// Not a share in per cent.
    #[error("Enter a whole number of per cent from 0 to 100, or leave it empty for no limit")]
    NotPercent,
    /// The path points outside the folder of imports.
    #[error(
        "Enter a folder below the folder of imports, such as hr or hr/students, without a leading / and without .."
    )]
    NotASubfolder,
    /// Not a pattern of file names.
    #[error("Enter a file name without a folder, such as *.csv")]
    NotAFileName,
    /// Only a file of users can say which users are missing.
    #[error(
        "Choose that missing users are not changed: only a file of users can say which users are missing"
    )]
    AbsenceOfUsersOnly,
    /// A saved task would get another type.
    #[error("Choose the type that the task was created with. For another type, create another task")]
    TaskTypeFixed,
    /// The value belongs to another task type than the chosen one.
    #[error("Choose the task type that uses this value, or clear it")]
    OtherTaskType,
    /// Not a user number.
    #[error("Enter a user number, digits only")]
    NotAUserNumber,
    /// Not a number.
    #[error("Enter a number, digits only")]
    NotANumber,
    /// There is no such user.
    #[error("There is no user with this number")]
    NoSuchUser,
    /// A user who can't be this user's guarantor.
    #[error("Enter the number of another user who has not been anonymised")]
    NotAGuarantor,
    /// A user whose guarantor is, at any distance, this user.
    #[error("Enter another user: this user is already that user's guarantor, directly or through others")]
    GuarantorRing,
    /// The owner of a legal hold isn't a member of staff.
    #[error("Enter the user number of a member of staff")]
    NotStaff,
    /// The review date has passed or is too far away.
    #[error("Enter a date after today, at most two years ahead")]
    NotAReviewDate,
    /// Not a date.
    #[error("Enter a date like 15 Jan 2018 or 2018-01-15")]
    NotADate,
    /// A date with two meanings.
    #[error("Write the month as a word: {day_first} or {month_first}")]
    AmbiguousDate {
        /// The date if the day comes first.
        day_first: String,
        /// The date if the month comes first.
        month_first: String,
    },
    /// The date of a past event lies in the future.
    #[error("Enter a date no later than today")]
    FutureDate,
    /// The date is outside the accepted years.
    #[error("Enter a date from {FIRST_YEAR} to {LAST_YEAR}")]
    DateOutOfRange,
    /// The period ends before it starts.
    #[error("Enter a last day on or after the first day")]
    EndsBeforeStart,
    /// The date lies before the event that it follows.
    #[error("Enter a date on or after {what}")]
    TooEarly {
        /// The event, with its article: "the day of issue".
        what: String,
    },
    /// Not a time of day.
    #[error("Enter a time like 02:30")]
    NotATime,
    /// The value isn't an option of the field.
    #[error("Choose one of the options")]
    UnknownChoice,
    /// A scheduled task has a policy without conditions.
    #[error(
        "Tick at least one condition, or set the schedule to Manual only: a task without conditions selects \
         no users"
    )]
    NoCondition,
    /// A weekly schedule has no day.
    #[error("Tick at least one day of the week")]
    NoWeekday,
    /// The cron expression is invalid.
    #[error("Enter five fields: minute, hour, day, month, weekday (for example 30 2 * * mon)")]
    NotACronLine,
    /// The cron expression never matches.
    #[error("Enter a day that exists: this cron expression never matches a date")]
    CronNeverMatches,
    /// The cron expression matches too often.
    #[error("Enter a single minute, as in 30 2 * * mon: the task can start at most once an hour")]
    CronTooOften,
    /// A condition has a number but isn't ticked.
    #[error("Tick the condition, or clear the number")]
    ConditionNotTicked,
    /// The value belongs to another kind of schedule than the chosen one.
    #[error("Choose the schedule that uses this value, or clear it")]
    OtherSchedule,
    /// The owner of a task may not see tasks.
    #[error("Enter the user number of a member of staff who has access to tasks")]
    NotTaskStaff,
    /// The new owner of a task has no way to sign in.
    #[error("Enter the user number of a member of staff who can sign in")]
    OwnerCannotSignIn,
    /// The default task for single users would become private.
    #[error(
        "Choose Shared: this task is the default for single users. To make it private, set another task as \
         the default first"
    )]
    DefaultIsShared,
    /// A text that can't be the key of a custom field.
    #[error(
        "Enter a key of lower-case letters, digits and underscores that starts with a letter, like locker_2"
    )]
    NotAKey,
    /// Another custom field has this key.
    #[error("Another custom field has this key. Enter a different one")]
    KeyTaken,
    /// A task must not keep an identifier.
    #[error("This field identifies a person, so it is always removed. Choose to remove it")]
    IdentifierKept,
    /// A text that can't be a code.
    #[error("Enter a code of at most 40 lower-case letters, digits, hyphens and underscores")]
    NotACode,
    /// Not a line number in the range.
    #[error("Enter the number of a line, from 1 to {max}")]
    NotALine {
        /// The last line.
        max: u32,
    },
    /// A list is too long.
    #[error("Enter at most {}", grouped(i64::try_from(*max).unwrap_or(i64::MAX)))]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// A line of a list of users contains something else than user numbers.
    #[error("Correct line {line}: write user numbers only, digits without letters")]
    NoNumberInLine {
        /// The number of the line.
        line: u32,
    },
    /// Numbers of a list that no user has.
    #[error("There are no users with these numbers: {numbers}. Remove them from the list")]
    NoSuchUsers {
        /// The first of the numbers, with commas.
        numbers: String,
    },
    /// Two mappings have the same column.
    #[error("Map each column once: this one is already mapped")]
    SameColumn,
    /// Two columns fill the same field.
    #[error("Choose another field: a column already fills this one")]
    SameTarget,
    /// A placeholder that the text can't have.
    #[error("Use only the placeholders listed below: {{{word}}} is not one of them")]
    UnknownPlaceholder {
        /// The word between the braces.
        word: String,
    },
    /// A text lacks a placeholder.
    #[error("Enter {{{word}}} in the text: without it, users cannot answer")]
    MissingPlaceholder {
        /// The word between the braces.
        word: String,
    },
    /// Not an address to which webhooks can be posted.
    #[error("Enter an address such as https://monitoring.example.org/lethe, without a password")]
    NotAWebhookAddress,
    /// The address is in a private network.
    #[error(
        "Enter a public address, or allow private ones for this installation (LETHE_WEBHOOK_PRIVATE_ADDRESSES)"
    )]
    PrivateAddress,
    /// Another import profile has this name.
    #[error("Another import profile for these files has this name. Enter a different one")]
    ProfileNameTaken,
    /// Another user has this value.
    #[error("Another user already has this value. Enter a different one")]
    Taken,
    /// An anonymised user had this value.
    #[error(
        "An anonymised user had this value. Choose below whether this is a new membership of the same person or a \
         different person"
    )]
    Suppressed,
    /// The name has the form of a replacement name.
    #[error("Enter another name: this one is reserved for anonymised users")]
    Reserved,
    /// The password is too short.
    #[error("Enter at least {min} characters. Several unrelated words make a good password")]
    PasswordTooShort {
        /// Minimum number of characters.
        min: usize,
    },
    /// The password is easy to guess.
    #[error("Enter another password: this one is easy to guess")]
    PasswordGuessable,
    /// The password is known from a data breach or is public.
    #[error("Enter another password: this one is in lists of leaked passwords, which attackers try first")]
    PasswordBreached,
    /// Two entries differ that should be equal.
    #[error("Enter the same password twice")]
    PasswordsDiffer,
    /// A credential is wrong. The message doesn't say which one.
    #[error("{what} is incorrect")]
    NotProven {
        /// The credentials that were checked: "`UserID` or password".
        what: String,
    },
    /// The typed confirmation differs.
    #[error("Enter {expected} to confirm")]
    ConfirmationDiffers {
        /// The text to type.
        expected: String,
    },
    /// A case reference with other characters.
    #[error(
        "Enter the number of the case, like 2026-118: letters, digits, hyphens, slashes, full stops and underscores only"
    )]
    NotACaseReference,
    /// A case reference that identifies the user.
    #[error(
        "Enter a reference without e-mail address, name or identifier of the user: it stays after anonymising"
    )]
    PersonalCaseReference,
    /// Both records of a merge are the same one.
    #[error("Enter the number of another user")]
    SameRecord,
    /// An answer to an access request of an anonymised user.
    #[error("Leave the answer empty: the user has been anonymised, and an answer could name the person")]
    AnswerAfterAnonymising,
    /// A reason for declining an access request that isn't declined.
    #[error("Clear the reason: only a declined request has one")]
    ReasonWithoutDeclining,
    /// The record was changed after the form was opened.
    #[error("This was changed after you opened it. Open it again and repeat your change")]
    Stale,
}

impl Problem {
    /// Returns the problem of a missing value.
    pub fn required(what: &str) -> Self {
        Self::Required { what: what.to_owned() }
    }

    /// Returns the problem of a missing choice.
    pub fn not_chosen(what: &str) -> Self {
        Self::NotChosen { what: what.to_owned() }
    }
}

/// A problem and the name of its form field, such as `leaving_days`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// The name of the field in its form.
    pub field: String,
    /// The problem.
    pub problem: Problem,
}

/// All problems of one form.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Returns a list with one problem.
    pub fn one(field: &str, problem: Problem) -> Self {
        let mut errors = Self::default();
        errors.add(field, problem);
        errors
    }

    /// Adds a problem of a field.
    pub fn add(&mut self, field: &str, problem: Problem) {
        self.0.push(FieldError { field: field.to_owned(), problem });
    }

    /// Returns the value of a result, or adds its problem and returns `None`.
    pub fn take<T>(&mut self, field: &str, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(field, problem)).ok()
    }

    /// Returns the message of the first problem of a field.
    pub fn message(&self, field: &str) -> Option<String> {
        self.0.iter().find(|error| error.field == field).map(|error| error.problem.to_string())
    }

    /// Returns whether there are no problems.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
