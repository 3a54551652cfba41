//! A parsed line of a user file, and how it changes a record.

use super::columns::{CUSTOM, KEYS};
use super::reader::{Header, Line};
use chrono::NaiveDate;
use db::entity::users;
use policy::dates::optional_past_date;
use policy::form::{FieldErrors, Problem};
use policy::user_form::{UserDraft, UserForm, validate};
use policy::{TermKind, text};

/// The validated content of a line.
#[derive(Debug)]
pub(super) struct UserLine {
    pub(super) number: u64,
    pub(super) draft: UserDraft,
    created_on: Option<NaiveDate>,
    last_activity_on: Option<NaiveDate>,
    marked_on: Option<NaiveDate>,
    fictitious: Option<bool>,
    pub(super) guarantor: Option<String>,
    /// Whether the line is about a user who is already anonymised.
    pub(super) anonymised: bool,
}

impl UserLine {
    /// Validates a line. Dates of past events can't lie after `today`.
    pub(super) fn of(line: &Line, header: &Header, today: NaiveDate) -> Result<Self, FieldErrors> {
        if !line.cell("anonymised_on").trim().is_empty() {
            return Ok(Self::anonymised(line.number));
        }
        let custom = header.names().iter().filter_map(|name| {
            name.strip_prefix(CUSTOM).map(|key| (key.to_owned(), line.cell(name).to_owned()))
        });
        let cell = |column: &str| line.cell(column).to_owned();
        let form = UserForm {
            user_id: cell("user_id"),
            title: cell("title"),
            first_name: cell("first_name"),
            middle_name: cell("middle_name"),
            last_name: cell("last_name"),
            preferred_name: cell("preferred_name"),
            email: cell("email"),
            phone: cell("phone"),
            mobile: cell("mobile"),
            street: cell("street"),
            postcode: cell("postcode"),
            city: cell("city"),
            country: cell("country"),
            birth_date: cell("birth_date"),
            gender: cell("gender"),
            language: cell("language"),
            barcode: cell("barcode"),
            external_id: cell("external_id"),
            category: cell("category"),
            department: cell("department"),
            branch: cell("branch"),
            leaving_on: cell("leaving_on"),
            notes: cell("notes"),
            custom: custom.collect(),
            ..UserForm::default()
        };
        let (draft, mut errors) = match validate(&form, today) {
            Ok(draft) => (draft, FieldErrors::default()),
            Err(errors) => (UserDraft::default(), errors),
        };
        let mut date =
            |column: &str| errors.take(column, optional_past_date(line.cell(column), today)).flatten();
        let [created_on, last_activity_on, marked_on] =
            [date("created_on"), date("last_activity_on"), date("marked_on")];
        let fictitious = errors.take("fictitious", yes_or_no(line.cell("fictitious"))).flatten();
        let guarantor =
            errors.take("guarantor_user_id", text::line(line.cell("guarantor_user_id"), text::SHORT));
        if KEYS.iter().all(|key| line.cell(key).trim().is_empty()) {
            errors.add("user_id", Problem::required("a UserID, a barcode or an external identifier"));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let guarantor = guarantor.filter(|text| !text.is_empty());
        Ok(Self {
            number: line.number,
            draft,
            created_on,
            last_activity_on,
            marked_on,
            fictitious,
            guarantor,
            anonymised: false,
        })
    }

    fn anonymised(number: u64) -> Self {
        Self {
            number,
            draft: UserDraft::default(),
            created_on: None,
            last_activity_on: None,
            marked_on: None,
            fictitious: None,
            guarantor: None,
            anonymised: true,
        }
    }

    /// Returns the line's value in a key column.
    pub(super) fn key(&self, column: &str) -> Option<&str> {
        match column {
            "external_id" => self.draft.external_id.as_deref(),
            "user_id" => self.draft.user_id.as_deref(),
            _ => self.draft.barcode.as_deref(),
        }
    }

    /// Returns the codes of category, department and branch, with their kinds.
    pub(super) fn terms(&self) -> impl Iterator<Item = (TermKind, &str)> {
        let draft = &self.draft;
        [
            (TermKind::Category, &draft.category),
            (TermKind::Department, &draft.department),
            (TermKind::Branch, &draft.branch),
        ]
        .into_iter()
        .filter_map(|(kind, code)| Some((kind, code.as_deref()?)))
    }

    /// Applies the line to a record. [`super`] describes the treatment of empty cells.
    pub(super) fn apply(self, user: &mut users::Model, header: &Header) {
        let draft = self.draft;
        for (column, value, place) in [
            ("title", draft.title, &mut user.title),
            ("first_name", draft.first_name, &mut user.first_name),
            ("middle_name", draft.middle_name, &mut user.middle_name),
            ("last_name", draft.last_name, &mut user.last_name),
            ("preferred_name", draft.preferred_name, &mut user.preferred_name),
            ("email", draft.email, &mut user.email),
            ("phone", draft.phone, &mut user.phone),
            ("mobile", draft.mobile, &mut user.mobile),
            ("street", draft.street, &mut user.street),
            ("postcode", draft.postcode, &mut user.postcode),
            ("city", draft.city, &mut user.city),
            ("country", draft.country, &mut user.country),
            ("gender", draft.gender, &mut user.gender),
            ("language", draft.language, &mut user.language),
            ("category", draft.category, &mut user.category),
            ("department", draft.department, &mut user.department),
            ("branch", draft.branch, &mut user.branch),
            ("notes", draft.notes, &mut user.notes),
        ] {
            if header.has(column) {
                *place = value;
            }
        }
        for (value, place) in [
            (draft.user_id, &mut user.user_id),
            (draft.barcode, &mut user.barcode),
            (draft.external_id, &mut user.external_id),
        ] {
            if value.is_some() {
                *place = value;
            }
        }
        if header.has("birth_date") {
            user.birth_date = draft.birth_date;
        }
        if header.has("leaving_on") {
            user.leaving_on = draft.leaving_on;
        }
        user.created_on = self.created_on.or(user.created_on);
        user.last_activity_on = self.last_activity_on.max(user.last_activity_on);
        user.marked_on = self.marked_on.or(user.marked_on);
        user.fictitious = self.fictitious.unwrap_or(user.fictitious);
        user.imported = true;
    }
}

/// Parses yes or no. Returns `None` for an empty cell.
fn yes_or_no(text: &str) -> Result<Option<bool>, Problem> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "true" | "1" => Ok(Some(true)),
        "no" | "false" | "0" => Ok(Some(false)),
        _ => Err(Problem::UnknownChoice),
    }
}
