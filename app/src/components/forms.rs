//! Parts of forms: what is wrong, and buttons that do one thing.

use super::percent_encoded;
use crate::error::AppError;
use crate::form_post;
use crate::picked::{CALENDAR, iso_or_empty, picker_name};
use crate::state::{can_open, session};
use leptos::prelude::*;
use policy::dates;
use policy::form::FieldErrors;
use policy::password::SHORTEST;
use policy::permission::FRESH_MINUTES;

/// A notice above the content.
#[component]
pub(crate) fn Notice(
    /// `info`, `warning`, `danger` or `success`.
    kind: &'static str,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! { <div class=format!("notice {kind}")>{children()}</div> }
}

/// Why a form was not carried out, above the form, with a link to each wrong field.
#[component]
pub(crate) fn ProblemSummary(
    /// Why, if the form was posted.
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

/// The space for the problem of one field; it is there also when there is none, so that nothing moves.
/// The field names it with `aria-describedby="{field}-problem"`.
#[component]
pub(crate) fn FieldProblem(
    /// The field, named as in its form.
    field: &'static str,
    /// The errors of the form.
    errors: FieldErrors,
) -> impl IntoView {
    view! { <p class="problem" id=format!("{field}-problem")>{errors.of(field)}</p> }
}

/// The problem of a filter. There is no space for it where there is none.
#[component]
pub(crate) fn FilterProblem(
    /// The filter, named as in its form.
    field: &'static str,
    /// The errors of the form.
    errors: FieldErrors,
) -> impl IntoView {
    errors.of(field).is_some().then(|| view! { <FieldProblem field errors /> })
}

/// The fields for a date: text, and the browser's own date picker beside it.
#[component]
pub(crate) fn DateInput(
    /// The id of the text field.
    id: &'static str,
    /// The name under which the text is posted.
    #[prop(into)]
    name: String,
    /// What was typed.
    value: String,
    /// Whether it is wrong.
    wrong: bool,
    /// Ids of what describes the field.
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

/// Says, before a form for what cannot be undone, that the sign-in is too old for it: so that nobody types in vain.
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

/// A button that posts one small form.
#[component]
pub(crate) fn PostButton(
    /// Path of the server function.
    function: &'static str,
    /// The page that the button is on.
    #[prop(into)]
    page: String,
    /// Hidden values of its form.
    values: Vec<(&'static str, String)>,
    /// What it does, as action and object.
    #[prop(into)]
    label: String,
    /// More words for screen readers, which do not show the row of the button.
    #[prop(optional, into)]
    about: Option<String>,
    /// Whether it does what cannot be undone.
    #[prop(optional)]
    danger: bool,
) -> impl IntoView {
    let class = danger.then_some("danger");
    let hidden = values
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=format!("form[{name}]") value=value /> });
    can_open(function).then(|| {
        view! {
            <form class="inline" method="post" action=form_post::action(function, &page)>
                <form_post::Token />
                {hidden.collect_view()}
                <button class=class type="submit">
                    {label} {about.map(|about| view! { <span class="hidden">" "{about}</span> })}
                </button>
            </form>
        }
    })
}

/// A button behind a question: it opens to what happens, and the button that does it.
#[component]
pub(crate) fn AskFirst(
    /// Path of the server function.
    function: &'static str,
    /// The page that the button is on.
    #[prop(into)]
    page: String,
    /// Hidden values of its form.
    values: Vec<(&'static str, String)>,
    /// What it does, as action and object.
    #[prop(into)]
    label: String,
    /// More words for screen readers, which do not show the row of the button.
    #[prop(optional, into)]
    about: Option<String>,
    /// What happens then, and what cannot be undone.
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

/// Tells the browser's password manager whose password a form is about.
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
                "At least " {SHORTEST} " characters of any kind. " {note}
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
