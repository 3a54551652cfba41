//! What can be wrong with a form field, in words that say what to do.

use crate::dates::{FIRST_YEAR, LAST_YEAR};
use crate::numbers::grouped;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One thing that is wrong with one field. The message is a whole sentence for the person at the form.
#[derive(Clone, Debug, Deserialize, Eq, Error, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Problem {
    /// Nothing was entered where something is needed.
    #[error("Enter {what}")]
    Required {
        /// What is needed, with its article: "a description".
        what: String,
    },
    /// Nothing was chosen from a list.
    #[error("Choose {what}")]
    NotChosen {
        /// What is to be chosen, with its article: "a reason".
        what: String,
    },
    /// Too many characters.
    #[error("Enter at most {} characters", grouped(i64::try_from(*max).unwrap_or(i64::MAX)))]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// A character that cannot be seen or that turns text around.
    #[error("Remove the invisible characters (control or direction characters)")]
    ControlCharacter,
    /// Not an e-mail address.
    #[error("Enter an e-mail address like name@example.org, or leave it empty")]
    NotAnEmail,
    /// Not a whole number in the range.
    #[error("Enter a number of days from {} to {}", grouped(*min), grouped(*max))]
    NotDays {
        /// The least number of days.
        min: i64,
        /// The greatest number of days.
        max: i64,
    },
    /// Not a user number.
    #[error("Enter a user number, digits only")]
    NotAUserNumber,
    /// Not a number.
    #[error("Enter a number, digits only")]
    NotANumber,
    /// There is no such user.
    #[error("There is no user with this number")]
    NoSuchUser,
    /// A user who cannot guarantee for this one.
    #[error("Enter the number of another user who has not been anonymised")]
    NotAGuarantor,
    /// The owner of a legal hold who is no member of staff.
    #[error("Enter the user number of a member of staff")]
    NotStaff,
    /// A review date that has passed, or is too far away.
    #[error("Enter a date after today, at most two years ahead")]
    NotAReviewDate,
    /// Not a date.
    #[error("Enter a date like 15 Jan 2018 or 2018-01-15")]
    NotADate,
    /// A date that is written so that it has two meanings.
    #[error("Write the month as a word: {day_first} or {month_first}")]
    AmbiguousDate {
        /// The date if the day comes first.
        day_first: String,
        /// The date if the month comes first.
        month_first: String,
    },
    /// The date of a past event that is still to come.
    #[error("Enter a date no later than today")]
    FutureDate,
    /// A date too far away.
    #[error("Enter a date from {FIRST_YEAR} to {LAST_YEAR}")]
    DateOutOfRange,
    /// A period that ends before it begins.
    #[error("Enter a last day on or after the first day")]
    EndsBeforeStart,
    /// Not a time of day.
    #[error("Enter a time like 02:30")]
    NotATime,
    /// A value that is not among the choices of the field.
    #[error("Choose one of the options")]
    UnknownChoice,
    /// A task that runs by itself but whose policy has no condition.
    #[error(
        "Tick at least one condition, or set the schedule to Manual only: a task without conditions selects \
         no users"
    )]
    NoCondition,
    /// A weekly schedule without a day.
    #[error("Tick at least one day of the week")]
    NoWeekday,
    /// A cron line that cannot be read.
    #[error("Enter five fields: minute, hour, day, month, weekday (for example 30 2 * * mon)")]
    NotACronLine,
    /// A cron line whose day never comes.
    #[error("Enter a day that exists: this cron expression never matches a date")]
    CronNeverMatches,
    /// A cron line that starts the task too often.
    #[error("Enter a single minute, as in 30 2 * * mon: the task can start at most once an hour")]
    CronTooOften,
    /// A number beside a condition that isn't ticked.
    #[error("Tick the condition, or clear the number")]
    ConditionNotTicked,
    /// A value of another kind of schedule than the one that is chosen.
    #[error("Choose the schedule that uses this value, or clear it")]
    OtherSchedule,
    /// The owner of a task who may not see tasks.
    #[error("Enter the user number of a member of staff who may see tasks")]
    NotTaskStaff,
    /// The new owner of a task who has nothing with which to sign in.
    #[error("Enter the user number of a member of staff who can sign in")]
    OwnerCannotSignIn,
    /// The default for single users that would be hidden from others.
    #[error(
        "Choose Shared: this task is the default for single users. To make it private, set another task as \
         the default first"
    )]
    DefaultIsShared,
    /// A value that somebody else has.
    #[error("Another user already has this value. Enter a different one")]
    Taken,
    /// A name that looks like the name of an anonymised user.
    #[error("Enter another name: this one is reserved for anonymised users")]
    Reserved,
    /// A password that is too short.
    #[error("Enter at least {min} characters. Several unrelated words make a good password")]
    PasswordTooShort {
        /// The least number of characters.
        min: usize,
    },
    /// A password that is among the first that somebody would try.
    #[error("Enter another password: this one is easy to guess")]
    PasswordGuessable,
    /// A password that is known from a data breach or printed somewhere.
    #[error("Enter another password: this one is in lists of leaked passwords, which attackers try first")]
    PasswordBreached,
    /// Two entries that should be the same.
    #[error("Enter the same password twice")]
    PasswordsDiffer,
    /// `UserID` and password, or code, do not belong together. Which of them is wrong is not said.
    #[error("{what} is incorrect")]
    NotProven {
        /// What was asked for: "`UserID` or password".
        what: String,
    },
    /// The typed confirmation differs.
    #[error("Enter {expected} to confirm")]
    ConfirmationDiffers {
        /// What has to be typed.
        expected: String,
    },
    /// The record was changed by somebody else since the form was opened.
    #[error("This was changed after you opened it. Open it again and repeat your change")]
    Stale,
}

impl Problem {
    /// Asks for something that is missing.
    pub fn required(what: &str) -> Self {
        Self::Required { what: what.to_owned() }
    }

    /// Asks for a choice from a list.
    pub fn not_chosen(what: &str) -> Self {
        Self::NotChosen { what: what.to_owned() }
    }
}

/// A problem and the field it belongs to. The field is named as in the form: `leaving_days`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// The name of the field in its form.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// All problems of one form. Empty when there are none.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Exactly one problem.
    pub fn one(field: &str, problem: Problem) -> Self {
        let mut errors = Self::default();
        errors.add(field, problem);
        errors
    }

    /// Notes a problem of a field.
    pub fn add(&mut self, field: &str, problem: Problem) {
        self.0.push(FieldError { field: field.to_owned(), problem });
    }

    /// Takes the value out of a result and notes its problem, if it has one.
    pub fn take<T>(&mut self, field: &str, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(field, problem)).ok()
    }

    /// The first problem of a field, in words.
    pub fn of(&self, field: &str) -> Option<String> {
        self.0.iter().find(|error| error.field == field).map(|error| error.problem.to_string())
    }

    /// Whether there is no problem.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
