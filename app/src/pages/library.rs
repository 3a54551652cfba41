//! The library's settings: name, currency, address and contact, and its logo.

use crate::components::{
    AskFirst, FieldProblem, Logo, PageLayout, ProblemSummary, escaped, flash, guarded_page, query,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::currency::Currency;
use policy::form::FieldErrors;
use policy::library::{LibraryForm, LogoProblem, MAX_LOGO_BYTES, MAX_LOGO_PIXELS};
use trail::library;

const HERE: &str = "/library";

/// Saves name, currency, address and contact of the library.
#[server(prefix = "/do", endpoint = "save_library", input = PostUrl)]
pub(super) async fn save_library(form: LibraryForm) -> Result<(), AppError> {
    library::save(&store(), actor(), &form).await?;
    flash::redirect("/library?done=library-saved");
    Ok(())
}

/// Removes the logo of the library.
#[server(prefix = "/do", endpoint = "remove_logo", input = PostUrl)]
pub(super) async fn remove_logo() -> Result<(), AppError> {
    library::remove_logo(&store(), actor()).await?;
    flash::redirect("/library?done=logo-removed");
    Ok(())
}

/// Shows the settings of the library and the forms that change them.
#[component]
pub fn LibraryPage() -> impl IntoView {
    let failed = query("failed");
    guarded_page(async move {
        let store = store();
        let logo = library::read(&store.db).await?.logo_digest;
        let (typed, error) = match failed_submission::<LibraryForm>(SaveLibrary::PATH) {
            Some((typed, error)) => (typed, Some(error)),
            None => (library::form(&store, actor()).await?, error_for(SaveLibrary::PATH)),
        };
        let problem = match failed.as_str() {
            "other-session" => {
                Some("The form was opened in another session. Choose the picture again.".to_owned())
            }
            code => LogoProblem::from_code(code).map(LogoProblem::label),
        };
        Ok(view! {
            <PageLayout title="Library settings"
                lead="Name and logo appear on every page, on printed pages and in letters.">
                <ProblemSummary error=error.clone().or_else(|| error_for(RemoveLogo::PATH)) />
                {problem.map(|text| view! {
                    <div class="notice danger" role="alert" id="problems" tabindex="-1" autofocus><p>{text}</p></div>
                })}
                {settings_form(typed, error.as_ref())}
                {logo_form(logo)}
            </PageLayout>
        })
    })
}

fn settings_form(typed: LibraryForm, error: Option<&AppError>) -> impl IntoView {
    let errors = field_errors(error);
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    let currencies = Currency::all().into_iter().map(|currency| {
        let code = currency.code();
        view! { <option value=code selected=typed.currency == code>{code} " – " {currency.name()}</option> }
    });
    view! {
        <form method="post" action=action(SaveLibrary::PATH, HERE) class="narrow" novalidate data-guard="">
            <Token />
            <input type="hidden" name="form[based_on]" value=typed.based_on />
            <div class="field">
                <label for="name">"Name"</label>
                <input id="name" name="form[name]" value=typed.name autocomplete="organization"
                    aria-invalid=wrong("name") aria-describedby="name-problem" />
                <FieldProblem field="name" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="currency">"Currency"</label>
                <select id="currency" name="form[currency]" aria-invalid=wrong("currency")
                    aria-describedby="currency-help currency-problem">
                    {currencies.collect_view()}
                </select>
                <p class="hint" id="currency-help">
                    "Shown with every amount. Changing the currency does not convert stored amounts."
                </p>
                <FieldProblem field="currency" errors=errors.clone() />
            </div>
            {lines("address", "Postal address", "The sender of letters, as it appears on them.", typed.address, &errors)}
            {lines("contact", "Contact", "For users: telephone, e-mail address, opening hours. Do not name staff.",
                typed.contact, &errors)}
            <div class="buttons"><button type="submit" data-shortcut="s">"Save library settings"</button></div>
        </form>
    }
}

fn lines(
    field: &'static str,
    label: &'static str,
    help: &'static str,
    value: String,
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let wrong = errors.message(field).is_some().then_some("true");
    view! {
        <div class="field">
            <label for=field>{label}</label>
            <textarea id=field name=format!("form[{field}]") rows="4" aria-invalid=wrong
                aria-describedby=format!("{field}-help {field}-problem")>
                {escaped(&value)}
            </textarea>
            <p class="hint" id=format!("{field}-help")>{help}</p>
            <FieldProblem field errors=errors.clone() />
        </div>
    }
}

/// The form that uploads the logo. It works without WebAssembly.
fn logo_form(digest: Option<String>) -> impl IntoView {
    let shown = digest.map(|digest| {
        view! {
            <p class="logo-preview"><Logo digest /></p>
            <AskFirst function=RemoveLogo::PATH page=HERE values=vec![] label="Remove logo"
                consequence="Pages and letters show the name of the library without a logo." />
        }
    });
    view! {
        <section aria-labelledby="logo-heading">
            <h2 id="logo-heading">"Logo"</h2>
            {shown}
            <form class="narrow" method="post" action="/library/logo/upload" enctype="multipart/form-data">
                <Token />
                <div class="field">
                    <label for="file">"Picture"</label>
                    <input id="file" name="file" type="file" accept="image/png,image/jpeg,image/webp" required
                        aria-describedby="file-help" />
                    <p class="hint" id="file-help">
                        "PNG, JPEG or WebP, at most " {(MAX_LOGO_BYTES / 1_000).to_string()} " KB and "
                        {MAX_LOGO_PIXELS.to_string()} " pixels on each side. It replaces the current logo."
                    </p>
                </div>
                <div class="buttons"><button type="submit">"Upload logo"</button></div>
            </form>
        </section>
    }
}
