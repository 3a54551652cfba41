//! The pages that create and edit a user.

use super::inputs::{Inputs, tick};
use super::{address, crumbs};
use crate::components::{PageLayout, ProblemSummary, guarded_page, path_param};
use crate::error::{AppError, field_errors};
use crate::form_post::{action, error_for, failed_submission};
use crate::pages::undo::go_to;
use crate::state::{actor, store};
use db::RecordsError;
use erasure::task;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::user_form::UserForm;
use policy::{Action, TermKind, UserNumber};
use records::user::{self, UserRecord};
use trail::Store;
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
    go_to(format!("{}?done={done}", address(number)), undo.as_ref())
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
        let here = address(user.number);
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
    let terms = [
        terms::choices(store, TermKind::Category).await?,
        terms::choices(store, TermKind::Department).await?,
        terms::choices(store, TermKind::Branch).await?,
    ];
    let custom = task::custom_fields(store).await?;
    let sign_in = user.map_or(UserIdAccess::Editable, UserIdAccess::for_user);
    let fields = fields(&form, &Inputs { errors }, terms, &custom, sign_in);
    let removals = user.map(|user| removals(user, &form));
    let back = back.to_owned();
    let button = if user.is_some() { "Save user" } else { "Create user" };
    Ok(view! {
        <ProblemSummary error />
        {again}
        <form method="post" action=action(SaveUser::PATH, page) novalidate>
            <crate::form_post::Token />
            <input type="hidden" name="form[number]" value=form.number.clone() />
            <input type="hidden" name="form[version]" value=form.version.clone() />
            {fields}
            {removals}
            <div class="buttons">
                <button class="primary" type="submit">{button}</button>
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
    terms: [Vec<Term>; 3],
    custom: &[(String, String)],
    sign_in: UserIdAccess,
) -> impl IntoView + use<> {
    let user_id = match sign_in {
        UserIdAccess::Editable => {
            inputs.hinted("user_id", "UserID", &form.user_id, "The login name; must be unique")
        }
        UserIdAccess::ReadOnly => {
            let why = "This user is staff: only another member of staff who manages staff can change it";
            inputs.fixed("user_id", "UserID", &form.user_id, why)
        }
    };
    let fictitious = (sign_in == UserIdAccess::Editable).then(|| {
        let label = "Fictitious: the record is not a person (for example a department or a display shelf)";
        tick("fictitious", label, form.fictitious)
    });
    let [categories, departments, branches] = terms;
    let value = |key: &String| form.custom.get(key).map_or("", String::as_str);
    let custom: Vec<_> = custom.iter().map(|(key, label)| inputs.custom(key, label, value(key))).collect();
    let custom = (!custom.is_empty()).then(|| {
        view! { <fieldset><legend>"Custom fields"</legend><div class="columns">{custom}</div></fieldset> }
    });
    view! {
        <fieldset>
            <legend>"Names"</legend>
            <div class="columns">
                {inputs.line("last_name", "Last name", &form.last_name)}
                {inputs.line("first_name", "First name", &form.first_name)}
                {inputs.line("middle_name", "Middle name", &form.middle_name)}
                {inputs.line("preferred_name", "Preferred name", &form.preferred_name)}
                {inputs.line("title", "Title", &form.title)}
            </div>
        </fieldset>
        <fieldset>
            <legend>"Library"</legend>
            <div class="columns">
                {user_id}
                {inputs.line("barcode", "Barcode", &form.barcode)}
                {inputs.line("external_id", "External identifier", &form.external_id)}
                {inputs.term("category", "User category", &form.category, categories)}
                {inputs.term("department", "Department", &form.department, departments)}
                {inputs.term("branch", "Branch", &form.branch, branches)}
                {inputs.date("leaving_on", "Leaving date", &form.leaving_on)}
                {inputs.hinted("guarantor", "Guarantor", &form.guarantor, "User number of another user")}
            </div>
            {fictitious}
        </fieldset>
        <fieldset>
            <legend>"Contact"</legend>
            <div class="columns">
                {inputs.email("email", "E-mail", &form.email)}
                {inputs.line("phone", "Phone", &form.phone)}
                {inputs.line("mobile", "Mobile", &form.mobile)}
                {inputs.line("street", "Street address", &form.street)}
                {inputs.line("postcode", "Postcode", &form.postcode)}
                {inputs.line("city", "City", &form.city)}
                {inputs.line("country", "Country", &form.country)}
            </div>
        </fieldset>
        <fieldset>
            <legend>"About the person"</legend>
            <div class="columns">
                {inputs.date("birth_date", "Birth date", &form.birth_date)}
                {inputs.line("gender", "Gender", &form.gender)}
                {inputs.line("language", "Language", &form.language)}
            </div>
            {inputs.lines("notes", "Notes about the user", &form.notes)}
        </fieldset>
        {custom}
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
