//! Access requests: a person asks what the library holds about them (article 15 of the GDPR).

use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::stored::coded_enum;
use crate::{dates, text};
use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// The number of days before the due date from which a request counts as due soon.
pub const DUE_SOON_DAYS: i64 = 7;

coded_enum! {
    /// The state of an access request.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AccessRequestState: "state of the access request" {
        /// It waits for an answer.
        Open = "open",
        /// The person has the data.
        Answered = "answered",
        /// The library declined it, with a reason.
        Declined = "declined",
        /// The person has withdrawn it.
        Withdrawn = "withdrawn",
    }
}

impl AccessRequestState {
    /// The states in which a request ends.
    pub const CLOSED: [Self; 3] = [Self::Answered, Self::Declined, Self::Withdrawn];

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Answered => "Answered",
            Self::Declined => "Declined",
            Self::Withdrawn => "Withdrawn",
        }
    }

    /// Returns the label of the choice that closes a request.
    pub const fn choice(self) -> &'static str {
        match self {
            Self::Open => "Still open",
            Self::Answered => "Answered: the person has the data",
            Self::Declined => "Declined, for the reason below",
            Self::Withdrawn => "Withdrawn by the person",
        }
    }
}

coded_enum! {
    /// The reason for declining an access request.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeclineReason: "reason for declining" {
        /// The person could not prove to be the user.
        IdentityNotProven = "identity_not_proven",
        /// The request is manifestly unfounded or excessive (article 12(5) of the GDPR).
        Excessive = "excessive",
        /// The data would affect the rights of others (article 15(4) of the GDPR).
        RightsOfOthers = "rights_of_others",
        /// Any other reason, given in the answer.
        Other = "other",
    }
}

impl DeclineReason {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::IdentityNotProven => "The person did not prove to be the user",
            Self::Excessive => "Manifestly unfounded or excessive (GDPR Art. 12(5))",
            Self::RightsOfOthers => "Rights of other people (GDPR Art. 15(4))",
            Self::Other => "Other reason, given in the answer",
        }
    }
}

/// Returns the day until which a request must be answered: one month after it was received (article 12(3) of the GDPR).
///
/// The month ends on the same day of the next month, or on its last day if the month is shorter. `None` beyond the
/// calendar.
pub fn due_on(received_on: NaiveDate) -> Option<NaiveDate> {
    received_on.checked_add_months(Months::new(1))
}

/// The form that records an access request, as entered.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessRequestForm {
    /// The number of the user.
    pub user: i64,
    /// The day on which the library received the request.
    pub received_on: String,
}

/// A validated access request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AccessRequestDraft {
    /// The user.
    pub user: UserNumber,
    /// The day on which the library received the request.
    pub received_on: NaiveDate,
    /// The day until which it must be answered.
    pub due_on: NaiveDate,
}

/// Validates the form.
pub fn validate(form: &AccessRequestForm, today: NaiveDate) -> Result<AccessRequestDraft, FieldErrors> {
    let received = dates::optional_past_date(&form.received_on, today)
        .and_then(|date| date.ok_or_else(|| Problem::required("the day on which the request was received")))
        .and_then(|date| Ok((date, due_on(date).ok_or(Problem::DateOutOfRange)?)));
    let (received_on, due_on) = received.map_err(|problem| FieldErrors::one("received_on", problem))?;
    Ok(AccessRequestDraft { user: UserNumber(form.user), received_on, due_on })
}

/// The form that closes an access request, as entered.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClosingForm {
    /// The id of the request.
    pub request: i64,
    /// The code of the state.
    pub state: String,
    /// The code of the reason for declining.
    pub decline_reason: String,
    /// The answer.
    pub answer: String,
}

/// The details of closing an access request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closing {
    /// The state.
    pub state: AccessRequestState,
    /// The reason for declining.
    pub decline_reason: Option<DeclineReason>,
    /// The answer.
    pub answer: Option<String>,
}

/// Validates the form. A reason is required if the request is declined, and rejected otherwise. The answer is required
/// if the reason is *other*.
pub fn validate_closing(form: &ClosingForm) -> Result<Closing, FieldErrors> {
    let mut errors = FieldErrors::default();
    let state = AccessRequestState::from_code(form.state.trim())
        .filter(|state| *state != AccessRequestState::Open)
        .ok_or_else(|| Problem::not_chosen("how the request ended"));
    let state = errors.take("state", state);
    let reason = form.decline_reason.trim();
    let decline_reason = match (state, DeclineReason::from_code(reason)) {
        (Some(AccessRequestState::Declined), None) => {
            errors.add("decline_reason", Problem::not_chosen("a reason for declining"));
            None
        }
        (Some(AccessRequestState::Declined) | None, reason) => reason,
        (Some(_), _) if reason.is_empty() => None,
        (Some(_), _) => {
            errors.add("decline_reason", Problem::ReasonWithoutDeclining);
            None
        }
    };
    let answer = errors.take("answer", text::lines(&form.answer, text::MAX_LONG_CHARS));
    if decline_reason == Some(DeclineReason::Other) && answer.as_ref().is_some_and(String::is_empty) {
        errors.add("answer", Problem::required("the reason for declining"));
    }
    match (state, answer) {
        (Some(state), Some(answer)) if errors.is_empty() => {
            Ok(Closing { state, decline_reason, answer: Some(answer).filter(|answer| !answer.is_empty()) })
        }
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_request_is_due_one_month_after_it_was_received() {
        for (received, due) in [
            ("2018-01-15", "2018-02-15"),
            ("2018-01-31", "2018-02-28"),
            ("2020-01-30", "2020-02-29"),
            ("2018-02-28", "2018-03-28"),
            ("2018-12-31", "2019-01-31"),
        ] {
            assert_eq!(due_on(day(received)), Some(day(due)), "{received}");
        }
        assert_eq!(due_on(NaiveDate::MAX), None);
    }

    #[test]
    fn the_received_date_is_a_past_date() {
        let today = day("2018-01-21");
        let received = |text: &str| {
            let form = AccessRequestForm { user: 7, received_on: text.to_owned() };
            validate(&form, today).map_err(|errors| errors.message("received_on").unwrap_or_default())
        };
        let draft = received("15 Jan 2018").expect("valid");
        assert_eq!((draft.user, draft.due_on), (UserNumber(7), day("2018-02-15")));
        assert!(received("2018-01-21").is_ok());
        for wrong in ["", "2018-01-22", "03/04/2018", "soon"] {
            assert!(received(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reason_belongs_to_declining() {
        let closed = |state: &str, reason: &str, answer: &str| {
            let form = ClosingForm {
                request: 1,
                state: state.to_owned(),
                decline_reason: reason.to_owned(),
                answer: answer.to_owned(),
            };
            let fields = |errors: FieldErrors| {
                errors.0.into_iter().map(|error| error.field).collect::<Vec<_>>().join(",")
            };
            validate_closing(&form).map_err(fields)
        };
        let answered = closed("answered", "", " By letter ").expect("valid");
        assert_eq!(answered.answer.as_deref(), Some("By letter"));
        assert_eq!(closed("withdrawn", "", "").expect("valid").answer, None);
        let declined = closed("declined", "excessive", "").expect("valid");
        assert_eq!(declined.decline_reason, Some(DeclineReason::Excessive));
        assert!(closed("declined", "other", "No such user").is_ok());
        for (state, reason, answer, fields) in [
            ("", "", "", "state"),
            ("open", "", "", "state"),
            ("declined", "", "", "decline_reason"),
            ("declined", "rude", "", "decline_reason"),
            ("declined", "other", " ", "answer"),
            ("answered", "excessive", "", "decline_reason"),
            ("answered", "", "a\0", "answer"),
        ] {
            assert_eq!(closed(state, reason, answer), Err(fields.to_owned()), "{state} {reason}");
        }
    }
}
