//! Legal holds: reasons not to anonymise a user or category, with a review date.

use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::stored::coded_enum;
use crate::task_form::optional_user;
use crate::{dates, text};
use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};

/// Maximum number of days until the review. It ensures that each legal hold gets reviewed.
pub const MAX_DAYS_TO_REVIEW: i64 = 731;

coded_enum! {
    /// The reason for a legal hold. A code instead of free text, which could contain personal data.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LegalHoldReason: "reason of the legal hold" {
        /// A dispute or a lawsuit.
        Dispute = "dispute",
        /// Money is being collected.
        DebtCollection = "debt_collection",
        /// An investigation: theft, damage, misuse.
        Investigation = "investigation",
        /// An order of an authority or court.
        AuthorityOrder = "authority_order",
        /// Restriction of processing, requested by the person (article 18 of the GDPR).
        Restriction = "restriction",
        /// Any other reason, known to the owner.
        Other = "other",
    }
}

impl LegalHoldReason {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dispute => "Dispute or lawsuit",
            Self::DebtCollection => "Debt collection",
            Self::Investigation => "Investigation",
            Self::AuthorityOrder => "Order of an authority or court",
            Self::Restriction => "Restriction requested by the person (GDPR Art. 18)",
            Self::Other => "Other reason",
        }
    }
}

/// The form for a new legal hold, as entered.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LegalHoldForm {
    /// Number of the user; empty for a legal hold on a category.
    pub user: String,
    /// Code of the user category; empty for a legal hold on one user.
    pub category: String,
    /// Code of the reason.
    pub reason: String,
    /// Number of the responsible member of staff; empty for the actor.
    pub owner: String,
    /// The review date.
    pub review_on: String,
}

/// The user or category under a legal hold. A form has the number and the code, a page has the names.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalHoldTarget<User = UserNumber, Category = String> {
    /// One user.
    User(User),
    /// All users of a category.
    Category(Category),
}

/// A validated legal hold form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LegalHoldDraft {
    /// The user or category.
    pub on: LegalHoldTarget,
    /// The reason.
    pub reason: LegalHoldReason,
    /// The responsible member of staff, or `None` for the actor.
    pub owner: Option<UserNumber>,
    /// The review date.
    pub review_on: NaiveDate,
}

/// Validates the form. The caller checks in the database that user, owner and category exist.
pub fn validate(form: &LegalHoldForm, today: NaiveDate) -> Result<LegalHoldDraft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let on = target(form, &mut errors);
    let reason = errors.take(
        "reason",
        LegalHoldReason::from_code(form.reason.trim()).ok_or_else(|| Problem::not_chosen("a reason")),
    );
    let owner = errors.take("owner", optional_user(&form.owner));
    let review_on = errors.take("review_on", review_date(&form.review_on, today));
    match (on, reason, owner, review_on) {
        (Some(on), Some(reason), Some(owner), Some(review_on)) => {
            Ok(LegalHoldDraft { on, reason, owner, review_on })
        }
        _ => Err(errors),
    }
}

/// Parses a review date: after today, at most [`MAX_DAYS_TO_REVIEW`] days ahead.
pub fn review_date(text: &str, today: NaiveDate) -> Result<NaiveDate, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::required("a review date"));
    }
    let date = dates::parse_date(text)?;
    let latest = today + Duration::days(MAX_DAYS_TO_REVIEW);
    if date > today && date <= latest { Ok(date) } else { Err(Problem::NotAReviewDate) }
}

fn target(form: &LegalHoldForm, errors: &mut FieldErrors) -> Option<LegalHoldTarget> {
    let user = errors.take("user", optional_user(&form.user))?;
    let category = errors.take("category", text::line(&form.category, text::MAX_SHORT_CHARS))?;
    match (user, category.is_empty()) {
        (Some(user), true) => Some(LegalHoldTarget::User(user)),
        (None, false) => Some(LegalHoldTarget::Category(category)),
        _ => {
            errors.add("category", Problem::not_chosen("a user category"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes one field of a valid form invalid.
    type Change = fn(&mut LegalHoldForm);

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn form(change: impl FnOnce(&mut LegalHoldForm)) -> LegalHoldForm {
        let mut form = LegalHoldForm {
            user: "7".to_owned(),
            reason: "dispute".to_owned(),
            review_on: "2018-03-01".to_owned(),
            ..LegalHoldForm::default()
        };
        change(&mut form);
        form
    }

    #[test]
    fn a_valid_form_is_parsed() {
        let draft = validate(&form(|_| ()), day("2018-01-21")).expect("a valid form");
        assert_eq!(draft.on, LegalHoldTarget::User(UserNumber(7)));
        assert_eq!(
            (draft.reason, draft.owner, draft.review_on),
            (LegalHoldReason::Dispute, None, day("2018-03-01"))
        );
        let of_category = form(|form| (form.user, form.category) = (String::new(), "STUDENT".to_owned()));
        let draft = validate(&of_category, day("2018-01-21")).expect("a valid form");
        assert_eq!(draft.on, LegalHoldTarget::Category("STUDENT".to_owned()));
    }

    #[test]
    fn each_invalid_field_is_reported() {
        let cases: [(&str, Change); 9] = [
            ("category", |form| form.user.clear()),
            ("category", |form| form.category = "STUDENT".to_owned()),
            ("user", |form| form.user = "seven".to_owned()),
            ("reason", |form| form.reason = "because he is rude".to_owned()),
            ("owner", |form| form.owner = "me".to_owned()),
            ("review_on", |form| form.review_on.clear()),
            ("review_on", |form| form.review_on = "2018-01-21".to_owned()),
            ("review_on", |form| form.review_on = "2020-01-23".to_owned()),
            ("review_on", |form| form.review_on = "some day".to_owned()),
        ];
        for (field, change) in cases {
            let errors = validate(&form(change), day("2018-01-21")).expect_err(field);
            assert_eq!(errors.0.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
        assert_eq!(review_date("2018-01-22", day("2018-01-21")), Ok(day("2018-01-22")));
        assert_eq!(review_date("2020-01-22", day("2018-01-21")), Ok(day("2020-01-22")));
    }
}
