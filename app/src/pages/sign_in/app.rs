//! The setup of an authenticator app.

use super::{bare_page, count_attempt, remember_caller, return_page};
use crate::components::{FieldProblem, Notice, ProblemSummary, guarded_page};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for};
use crate::rate_limit::AttemptKind;
use crate::state::{session, store};
use crate::url::percent_encoded;
use db::RecordsError;
use identity::session::{self, Stage};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use qrcode::QrCode;
use qrcode::render::svg::Color;
use serde::{Deserialize, Serialize};

/// The first code of the app.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmForm {
    #[serde(default)]
    code: String,
}

/// Completes the setup. The recovery codes are shown once.
#[server(prefix = "/do", endpoint = "confirm_app", input = PostUrl)]
pub(super) async fn confirm_app(form: ConfirmForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    count_attempt(AttemptKind::NewApp, &session).await?;
    let (codes, token) = session::confirm_setup(&store(), &session, &form.code).await?;
    cookie::set_session(&token);
    remember_caller(session.user).await;
    Err(AppError::Shown(codes))
}

/// Shows the secret and asks for the first code.
#[component]
pub fn SetUpAppPage() -> impl IntoView {
    let error = error_for(ConfirmApp::PATH);
    let wanted = return_page();
    guarded_page(async move {
        if let Some(AppError::Shown(codes)) = error {
            return Ok(recovery_codes(codes, wanted).into_any());
        }
        let session = session().ok_or(RecordsError::NotFound("session"))?;
        // A reload of the page with the codes sends the form of the previous session.
        if session.stage == Stage::SignedIn && matches!(error, Some(AppError::OtherSession)) {
            return Ok(set_up_already(wanted).into_any());
        }
        let setup = match session::begin_setup(&store(), &session).await {
            Err(RecordsError::SignInAgain | RecordsError::ConfirmSignIn) => {
                leptos_axum::redirect("/sign-in/again?page=/account&for=sign-in");
                return Ok(().into_any());
            }
            setup => setup?,
        };
        let errors = field_errors(error.as_ref());
        let picture = picture(&setup.address);
        let secret =
            setup.secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        let post = action(ConfirmApp::PATH, &format!("/sign-in/app?page={}", percent_encoded(&wanted)));
        Ok(bare_page(
            "Set up your second factor",
            view! {
                <p>
                    "A second factor protects your account: a 6-digit code from an authenticator app on your \
                     phone. Roles that can anonymise users require it."
                </p>
                <ol class="steps">
                    <li>"Open an authenticator app and add an account."</li>
                    <li>
                        "Scan this QR code" {picture.is_none().then_some(" (it could not be created)")}
                        " or type the key: " <code class="secret">{secret}</code>
                        {picture.map(|picture| view! { <div class="qr" inner_html=picture></div> })}
                    </li>
                    <li>"Enter the code that the app shows now."</li>
                </ol>
                <ProblemSummary error />
                <form method="post" action=post class="narrow">
                    <crate::form::Token />
                    <div class="field">
                        <label for="code">"Code"</label>
                        <input
                            id="code" name="form[code]" autocomplete="one-time-code" inputmode="numeric"
                            required aria-describedby="code-problem"
                        />
                        <FieldProblem field="code" errors />
                    </div>
                    <div class="buttons"><button class="primary" type="submit">"Set up app"</button></div>
                </form>
            },
        )
        .into_any())
    })
}

/// Returns the address as a QR code. It is drawn on the server, so that the secret is sent to no other service.
fn picture(address: &str) -> Option<String> {
    let code = QrCode::new(address.as_bytes()).ok()?;
    let svg =
        code.render().min_dimensions(200, 200).dark_color(Color("#000")).light_color(Color("#fff")).build();
    let svg = svg.split_once("<svg")?.1;
    Some(format!("<svg role=\"img\" aria-label=\"QR code for the authenticator app\"{svg}"))
}

/// Renders the page after the recovery codes have been shown.
fn set_up_already(wanted: String) -> impl IntoView {
    let again = format!("/sign-in/app?page={}", percent_encoded(&wanted));
    bare_page(
        "Your second factor",
        view! {
            <Notice kind="success"><p>"Your authenticator app is set up."</p></Notice>
            <p>
                "Your recovery codes were shown once and cannot be shown again. If you have not saved them, "
                <a href=again>"set up the app again"</a> ": you will get new recovery codes, and the old ones \
                                                         will stop working."
            </p>
            <p class="buttons"><a class="button primary" href=wanted>"Continue"</a></p>
        },
    )
}

/// Renders the recovery codes, once.
fn recovery_codes(codes: Vec<String>, wanted: String) -> impl IntoView {
    let codes = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    bare_page(
        "Your recovery codes",
        view! {
            <Notice kind="success"><p>"Your authenticator app is set up."</p></Notice>
            <p>
                "Keep these codes somewhere safe that is not your phone. Each code signs you in once, \
                 instead of a code from the app. "
                <b>"They will not be shown again."</b>
            </p>
            <ul class="codes" id="codes">{codes}</ul>
            <p class="buttons scripted on-screen">
                <button type="button" data-copy="codes">"Copy codes"</button>
                <button type="button" data-print="">"Print codes"</button>
            </p>
            <p class="buttons"><a class="button primary" href=wanted>"I have saved them – continue"</a></p>
        },
    )
}
