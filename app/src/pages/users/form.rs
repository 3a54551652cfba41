//! The pages that create and edit a user.

use super::crumbs;
use super::inputs::{Inputs, tick};
use crate::components::undo::go_to;
use crate::components::{PageLayout, ProblemSummary, guarded_page, path_param, user_address};
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for, failed_submission};
use crate::state::{actor, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::suppression::HeldDecision;
use policy::user_field::{FieldKind, FieldValue, Section, UserField};
use policy::user_form::UserForm;
use policy::{Action, TermKind, UserNumber};
use records::custom_field;
use records::user::{self, UserRecord};
use std::collections::HashMap;
use trail::Store;
use trail::person::Person;
use trail::terms::{self, Term};

/// Saves a user.
#[server(prefix = "/do", endpoint = "save_user", input = PostUrl)]
pub(super) async fn save_user(form: UserForm) -> Result<(), AppError> {
    let created = form.number.trim().is_empty();
    let (number, undo) = user::save_undoable(&store(), actor(), &form).await?;
    let done = match (created, &undo) {
        (true, _) => "user-created",
        (false, None) => "user-saved",
        (false, Some(_)) => "user-sign-in-removed",
    };
    go_to(format!("{}?done={done}", user_address(number)), undo.as_ref())
}

/// Shows the form of a new user.
#[component]
pub fn NewUserPage() -> impl IntoView {
    guarded_page(async {
        let store = store();
        let form = form_view(&store, UserForm::default(), None, "/users/new", "/users").await?;
        Ok(view! {
            <PageLayout title="Create user" crumbs=crumbs([])
                lead="A user created here counts as not imported. Only the last name is required.">
                {form}
            </PageLayout>
        })
    })
}

/// Shows the form of a user's record.
#[component]
pub fn EditUserPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    guarded_page(async move {
        let store = store();
        let user = user::read(&store, number?).await?;
        if user.is_anonymised() {
            return Err(RecordsError::Refused(format!(
                "User {} has been anonymised. This cannot be undone, and the record cannot be edited.",
                user.number
            )));
        }
        let here = user_address(user.number);
        let edit = format!("{here}/edit");
        let form = form_view(&store, user::form_of(&user), Some(&user), &edit, &here).await?;
        Ok(view! {
            <PageLayout title=format!("Edit user {}", user.number)
                crumbs=crumbs([(format!("User {}", user.number), here)])>
                <p class="hint">{if user.roles.is_empty() { REMOVING } else { REMOVING_STAFF }}</p>
                {form}
            </PageLayout>
        })
    })
}

/// The hint about removing identifying fields.
const REMOVING: &str = "Emptying or overwriting identifying fields (names, UserID, e-mail, barcode and the \
                        like) counts as anonymising: it requires a recent sign-in and counts towards the \
                        safety limits. To anonymise a user, use “Anonymise user” on the record.";

/// The same hint for a member of staff.
const REMOVING_STAFF: &str = "This user is staff. Identifying fields can be corrected here, but not removed: \
                              use “Anonymise this member of staff” on the record, and “Disable sign-in” on \
                              the Staff page.";

async fn form_view(
    store: &Store,
    saved: UserForm,
    user: Option<&UserRecord>,
    page: &str,
    back: &str,
) -> Result<impl IntoView + use<>, RecordsError> {
    let (form, error) = match failed_submission::<UserForm>(SaveUser::PATH) {
        Some((typed, error)) => (typed, Some(error)),
        None => (saved, error_for(SaveUser::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let again = matches!(error, Some(AppError::Stale)).then(
        || view! { <p><a href=page.to_owned()>"Open the record again"</a>" (your entries will be lost)"</p> },
    );
    let mut terms = HashMap::new();
    for kind in TermKind::ALL {
        terms.insert(kind.code(), terms::choices(store, kind).await?);
    }
    let custom = custom_field::labels(&store.db).await?;
    let sign_in = user.map_or(UserIdAccess::Editable, UserIdAccess::for_user);
    let asks_membership = is_suppressed(&errors) || !form.suppressed.is_empty();
    let guarantor = user.and_then(|user| user.guarantor.as_ref());
    let fields = fields(&form, &Inputs { errors }, &terms, &custom, sign_in, guarantor);
    let membership = asks_membership.then(|| membership(&form));
    let removals = user.map(|user| removals(user, &form));
    let back = back.to_owned();
    let button = if user.is_some() { "Save user" } else { "Create user" };
    Ok(view! {
        <ProblemSummary error />
        {again}
        <form method="post" action=action(SaveUser::PATH, page) novalidate data-guard="">
            <crate::form::Token />
            <input type="hidden" name="form[number]" value=form.number.clone() />
            <input type="hidden" name="form[version]" value=form.version.clone() />
            {fields}
            {membership}
            {removals}
            <div class="buttons">
                <button class="primary" type="submit" data-shortcut="s">{button}</button>
                <a href=back>"Cancel"</a>
            </div>
        </form>
    })
}

/// Whether this form may change the UserID.
#[derive(Clone, Copy, Eq, PartialEq)]
enum UserIdAccess {
    Editable,
    /// The user is a member of staff: only another member who manages staff may change the UserID.
    ReadOnly,
}

impl UserIdAccess {
    fn for_user(user: &UserRecord) -> Self {
        let actor = actor();
        let may = actor.may(Action::ManageStaff) && actor.staff != Some(user.number);
        if user.roles.is_empty() || may { Self::Editable } else { Self::ReadOnly }
    }
}

fn fields(
    form: &UserForm,
    inputs: &Inputs,
    terms: &Terms,
    custom: &[(String, String)],
    sign_in: UserIdAccess,
    guarantor: Option<&Person>,
) -> impl IntoView + use<> {
    let group = |legend: &'static str, sections: &[Section], more: Option<AnyView>| {
        let fields = form.fields().filter(|(field, _)| sections.contains(&field.section));
        let (wide, columns): (Vec<_>, Vec<_>) =
            fields.partition(|(field, _)| matches!(field.kind, FieldKind::Flag | FieldKind::Lines));
        let [columns, wide] = [columns, wide].map(|fields| {
            fields
                .into_iter()
                .map(|(field, value)| input(field, value, inputs, terms, sign_in))
                .collect_view()
        });
        view! {
            <fieldset>
                <legend>{legend}</legend>
                <div class="columns">{columns}{more}</div>
                {wide}
            </fieldset>
        }
    };
    let value = |key: &String| form.custom.get(key).map_or("", String::as_str);
    let custom: Vec<_> = custom.iter().map(|(key, label)| inputs.custom(key, label, value(key))).collect();
    let custom = (!custom.is_empty()).then(|| {
        view! { <fieldset><legend>"Custom fields"</legend><div class="columns">{custom}</div></fieldset> }
    });
    let saved = guarantor.map(|saved| format!(". Saved: {}, {}", saved.number, saved.name));
    let hint = format!("User number of another user{}", saved.unwrap_or_default());
    let guarantor = inputs.text_with_hint("guarantor", "Guarantor", &form.guarantor, hint);
    view! {
        {group("Names", &[Section::Names], None)}
        {group("Library", &[Section::Library, Section::Dates], Some(guarantor))}
        {group("Contact", &[Section::Contact], None)}
        {group("About the person", &[Section::Person], None)}
        {custom}
    }
}

/// The choices of the term fields, by field.
type Terms = HashMap<&'static str, Vec<Term>>;

/// Renders the input of a field.
fn input(
    field: &UserField,
    value: FieldValue<'_>,
    inputs: &Inputs,
    terms: &Terms,
    sign_in: UserIdAccess,
) -> Option<AnyView> {
    let UserField { name, label, .. } = *field;
    let text = value.text().unwrap_or_default();
    let is_ticked = value == FieldValue::Flag(true);
    Some(match (name, sign_in) {
        ("user_id", UserIdAccess::Editable) => {
            inputs.text_with_hint(name, label, text, "The login name; must be unique".to_owned())
        }
        ("user_id", UserIdAccess::ReadOnly) => {
            let why = "Only another staff member with permission to manage staff can change this UserID: the user is \
                       a member of staff.";
            inputs.read_only(name, label, text, why)
        }
        ("fictitious", UserIdAccess::Editable) => {
            let label =
                "Fictitious: the record is not a person (for example a department or a display shelf)";
            tick(name, label, is_ticked)
        }
        ("fictitious", UserIdAccess::ReadOnly) => return None,
        _ => match field.kind {
            FieldKind::Line | FieldKind::Key | FieldKind::LastName => inputs.text(name, label, text),
            FieldKind::Email => inputs.email(name, label, text),
            FieldKind::Lines => inputs.lines(name, label, text),
            FieldKind::PastDate | FieldKind::Date => inputs.date(name, label, text),
            FieldKind::Term => inputs.term(name, label, text, terms.get(name).cloned().unwrap_or_default()),
            FieldKind::Flag => tick(name, label, is_ticked),
        },
    })
}

/// Returns whether a key of the form is on the suppression list.
fn is_suppressed(errors: &FieldErrors) -> bool {
    errors.0.iter().any(|error| matches!(error.problem, Problem::Suppressed))
}

/// Renders the decision about a new user whose key is on the suppression list.
fn membership(form: &UserForm) -> impl IntoView + use<> {
    let decisions = HeldDecision::ALL.into_iter().filter(|decision| decision.creates_user()).map(|decision| {
        let (id, code) = (format!("suppressed-{}", decision.code()), decision.code());
        let hint = format!("{id}-hint");
        let consequence = match decision {
            HeldDecision::DifferentPerson => {
                "The key now belongs to another person. The new record gets no loans of the previous owner."
            }
            _ => {
                "The same person is a user again. The new record gets no loans of the anonymised record, which \
                 stays anonymised."
            }
        };
        view! {
            <div class="choice">
                <input id=id.clone() name="form[suppressed]" type="radio" value=code checked=form.suppressed == code
                    aria-describedby=hint.clone() />
                <label for=id>{decision.label()}</label>
                <p class="hint" id=hint>{consequence}</p>
            </div>
        }
    });
    view! {
        <fieldset id="suppressed" tabindex="-1">
            <legend>"An anonymised user had this key"</legend>
            {decisions.collect_view()}
        </fieldset>
    }
}

/// Renders the checkboxes that remove the photo and the credentials.
fn removals(user: &UserRecord, form: &UserForm) -> impl IntoView + use<> {
    // The Staff page removes the credentials of staff; anonymising removes their photo.
    let is_staff = user.is_staff();
    let photo =
        (user.has_photo && !is_staff).then(|| tick("remove_photo", "Remove photo", form.remove_photo));
    let sign_in = (user.can_sign_in && !is_staff).then(|| {
        tick("remove_sign_in", "Remove password, second factor, tokens and sessions", form.remove_sign_in)
    });
    (photo.is_some() || sign_in.is_some())
        .then(|| view! { <fieldset><legend>"Photo and sign-in"</legend>{photo}{sign_in}</fieldset> })
}
