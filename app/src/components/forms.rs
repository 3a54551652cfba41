//! Components of forms: fields, errors and buttons.

use crate::error::AppError;
use crate::form;
use crate::picked::{CALENDAR, iso_or_empty, picker_name};
use crate::state::{can_open, session};
use crate::url::percent_encoded;
use leptos::prelude::*;
use policy::dates;
use policy::form::FieldErrors;
use policy::password::MIN_CHARACTERS;
use policy::permission::FRESH_MINUTES;

/// Shows a notice above the content.
#[component]
pub(crate) fn Notice(
    /// `info`, `warning`, `danger` or `success`.
    kind: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! { <div class=format!("notice {kind}")>{children()}</div> }
}

/// Shows above a form why it was rejected, with a link to each invalid field.
#[component]
pub(crate) fn ProblemSummary(
    /// The error, if the form was posted.
    error: Option<AppError>,
) -> impl IntoView {
    error.map(|error| {
        let links = match &error {
            AppError::Invalid(FieldErrors(errors)) => errors
                .iter()
                .map(|error| {
                    view! { <li><a href=format!("#{}", error.field)>{error.problem.to_string()}</a></li> }
                })
                .collect_view()
                .into_any(),
            _ => ().into_any(),
        };
        view! {
            <div class="notice danger" role="alert" id="problems" tabindex="-1" autofocus>
                <p><b>{error.to_string()}"."</b></p>
                <ul>{links}</ul>
            </div>
        }
    })
}

/// Shows the problem of a field. The space is there without a problem, too, so that the page does not jump.
#[component]
pub(crate) fn FieldProblem(
    /// The field, named as in its form.
    field: &'static str,
    /// The errors of the form.
    errors: FieldErrors,
) -> impl IntoView {
    view! { <p class="problem" id=format!("{field}-problem")>{errors.message(field)}</p> }
}

/// Shows the problem of a filter. Takes no space without a problem.
#[component]
pub(crate) fn FilterProblem(
    /// The filter, named as in its form.
    field: &'static str,
    /// The errors of the form.
    errors: FieldErrors,
) -> impl IntoView {
    errors.message(field).is_some().then(|| view! { <FieldProblem field errors /> })
}

/// Renders the text field of a date with the browser's date picker beside it.
#[component]
pub(crate) fn DateInput(
    /// The id of the text field.
    id: &'static str,
    /// The name of the posted text.
    #[prop(into)]
    name: String,
    /// The typed text.
    value: String,
    /// Whether the text is invalid.
    wrong: bool,
    /// The ids for `aria-describedby`.
    #[prop(into)]
    described: String,
) -> impl IntoView {
    let picked = iso_or_empty(&value);
    view! {
        <span class="dated">
            <input id=id name=name.clone() class="date" type="text" autocomplete="off" value=dates::as_shown(&value)
                aria-invalid=wrong.then_some("true") aria-describedby=described />
            <input name=picker_name(&name, &picked) type="date" value=picked.clone() aria-label=CALENDAR />
        </span>
    }
}

/// Warns before an irreversible form that it requires a new sign-in, before anything is typed in vain.
#[component]
pub(crate) fn ReauthHint(
    /// The page that the form is on.
    #[prop(into)]
    page: String,
) -> impl IntoView {
    let is_fresh = session().is_none_or(|session| session.is_fresh());
    (!is_fresh).then(|| {
        let again = format!("/sign-in/again?page={}", percent_encoded(&page));
        view! {
            <p class="hint">
                "You signed in more than " {FRESH_MINUTES} " minutes ago. First "
                <a href=again>"confirm it's you"</a> "; you will return to this page."
            </p>
        }
    })
}

/// Renders a button that posts one small form.
#[component]
pub(crate) fn PostButton(
    /// Path of the server function.
    function: &'static str,
    /// The page that the button is on.
    #[prop(into)]
    page: String,
    /// The hidden values of its form.
    values: Vec<(&'static str, String)>,
    /// The label: verb and object.
    #[prop(into)]
    label: String,
    /// Additional text for screen readers, which do not read the row of the button.
    #[prop(optional, into)]
    about: Option<String>,
    /// Whether the action is irreversible.
    #[prop(optional)]
    danger: bool,
) -> impl IntoView {
    let class = danger.then_some("danger");
    let hidden = values
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> });
    can_open(function).then(|| {
        view! {
            <form class="inline" method="post" action=form::action(function, &page)>
                <form::Token />
                {hidden.collect_view()}
                <button class=class type="submit">
                    {label} {about.map(|about| view! { <span class="hidden">" "{about}</span> })}
                </button>
            </form>
        }
    })
}

/// Renders a disclosure with the consequence of an action and the button that executes it.
#[component]
pub(crate) fn AskFirst(
    /// Path of the server function.
    function: &'static str,
    /// The page that the button is on.
    #[prop(into)]
    page: String,
    /// The hidden values of its form.
    values: Vec<(&'static str, String)>,
    /// The label: verb and object.
    #[prop(into)]
    label: String,
    /// Additional text for screen readers, which do not read the row of the button.
    #[prop(optional, into)]
    about: Option<String>,
    /// The consequence, and what cannot be undone.
    #[prop(into)]
    consequence: String,
) -> impl IntoView {
    let hidden = about.clone().map(|about| view! { <span class="hidden">" "{about}</span> });
    let about = about.unwrap_or_default();
    can_open(function).then(|| {
        view! {
            <details class="more">
                <summary>{label.clone()} {hidden}</summary>
                <p>{consequence}</p>
                <PostButton function page values label about danger=true />
            </details>
        }
    })
}

/// Names for the browser's password manager the user whose password the form contains.
#[component]
pub(crate) fn UserName(
    /// The `UserID`.
    user_id: String,
) -> impl IntoView {
    view! { <input type="text" autocomplete="username" value=user_id hidden readonly /> }
}

/// The fields of a new password, typed twice: `form[password]` and `form[repeated]`.
#[component]
pub(crate) fn NewPasswordFields(
    /// The sentence after the rule for passwords.
    note: &'static str,
    /// Whether the fields are the first of the form and must be filled in.
    #[prop(optional)]
    is_first: bool,
    /// The errors of the form.
    errors: FieldErrors,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for="password">"New password"</label>
            <input
                id="password" type="password" name="form[password]" autocomplete="new-password"
                required=is_first autofocus=is_first aria-describedby="password-help password-problem"
            />
            <p class="hint" id="password-help">
                "At least " {MIN_CHARACTERS} " characters of any kind. " {note}
            </p>
            <FieldProblem field="password" errors=errors.clone() />
        </div>
        <div class="field">
            <label for="repeated">"Repeat new password"</label>
            <input
                id="repeated" type="password" name="form[repeated]" autocomplete="new-password"
                required=is_first aria-describedby="repeated-problem"
            />
            <FieldProblem field="repeated" errors />
        </div>
    }
}
