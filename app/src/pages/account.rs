//! The account of the signed-in member of staff: sessions, password, second factor.

use crate::components::{
    AskFirst, DataTable, FieldProblem, NewPasswordFields, PageLayout, PostButton, ProblemSummary, SignOut,
    Timestamp, UserName, flash, guarded_page, text_columns,
};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for};
use crate::pages::account_notices::AccountNotices;
use crate::pages::account_notifications::NotificationChoice;
use crate::pages::sign_in::{Connection, count_attempt};
use crate::rate_limit::AttemptKind;
use crate::state::{session, store};
use db::RecordsError;
use identity::session::{self, SessionSummary};
use identity::staff;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use notify::{choice, mail};
use policy::numbers::counted;
use records::user;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

const HERE: &str = "/account";

/// The current password, and a new one typed twice.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordForm {
    #[serde(default)]
    old: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeated: String,
}

/// Identifies a session.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionRef {
    session: String,
}

/// Changes the password of the signed-in member of staff.
#[server(prefix = "/do", endpoint = "change_password", input = PostUrl)]
pub(super) async fn change_password(form: PasswordForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    count_attempt(AttemptKind::Reauthentication, &session).await?;
    let (old, new) = (Zeroizing::new(form.old), Zeroizing::new(form.password));
    let token = session::change_password(&store(), &session, old, new, &form.repeated).await?;
    cookie::set_session(&token);
    flash::redirect("/account?done=password-changed");
    Ok(())
}

/// Ends another session of the signed-in member of staff.
#[server(prefix = "/do", endpoint = "end_session", input = PostUrl)]
pub(super) async fn end_session(form: SessionRef) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    session::end_one(&store(), &session, &form.session).await?;
    flash::redirect("/account?done=session-ended");
    Ok(())
}

/// Shows sessions, password and second factor.
#[component]
pub fn AccountPage() -> impl IntoView {
    guarded_page(async move {
        let store = store();
        let session = session().ok_or(RecordsError::NotFound("session"))?;
        let user = user::read(&store, session.user).await?;
        let sessions = session::list(&store, &session).await?;
        let has_app = session::has_app(&store, session.user).await?;
        let is_connected = session::is_connected(&store, session.user).await?;
        let connecting = session.connecting()?;
        let notices = staff::notices(&store, session.user).await?;
        let sign_in = store.settings.sign_in;
        let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
        let chosen = choice::read(&store, session.user).await?;
        let has_address = user.email.as_deref().is_some_and(mail::is_usable);
        let user_id = user.user_id.unwrap_or_default();
        let lead = format!("{}, signed in as {user_id}. {}", user.name, roles.join(", "));
        Ok(view! {
            <PageLayout title="Your account" lead=lead>
                <AccountNotices notices /> {sessions_view(sessions, sign_in)} {second_factor(has_app)} <Connection is_connected connecting />
                <NotificationChoice offered=choice::offered(session.actor()) chosen has_address can_send=mail::is_configured(&store) />
                {password_form(user_id)}
            </PageLayout>
        })
    })
}

fn sessions_view(sessions: Vec<SessionSummary>, sign_in: db::SignIn) -> impl IntoView {
    let rows = sessions
        .into_iter()
        .map(|one| {
            let end = if one.is_this {
                view! { "This session" }.into_any()
            } else {
                let values = vec![("session", one.id)];
                view! {
                    <AskFirst function=EndSession::PATH page=HERE values label="End session"
                        consequence="That browser is signed out. Unsaved changes there are lost." />
                }
                .into_any()
            };
            view! {
                <tr>
                    <td><Timestamp at=one.created_at /></td>
                    <td><Timestamp at=one.last_seen_at /></td>
                    <td>{one.browser}</td>
                    <td>{end}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="sessions">
            <h2 id="sessions">"Where you are signed in"</h2>
            <ProblemSummary error=error_for(EndSession::PATH) />
            <DataTable label="List of sessions" columns=text_columns(["Signed in", "Last request", "Browser", "Session"])>
                {rows}
            </DataTable>
            <p>
                "A session ends after " {minutes(sign_in.idle)} " without activity, and in any case after "
                {minutes(sign_in.longest)} ". Every page warns you beforehand, unless WebAssembly is \
                                            switched off."
            </p>
            <PostButton function=SignOut::PATH page="/sign-in" values=vec![] label="Sign out" />
        </section>
    }
}

fn minutes(time: Duration) -> String {
    let minutes = i64::try_from(time.as_secs() / 60).unwrap_or(i64::MAX);
    if minutes % 60 == 0 {
        counted(minutes / 60, "hour", "hours")
    } else {
        counted(minutes, "minute", "minutes")
    }
}

fn second_factor(has_app: bool) -> impl IntoView {
    let (status, label) = if has_app {
        (
            "An authenticator app is set up. Setting up another one replaces it and creates new recovery \
             codes.",
            "Set up another app",
        )
    } else {
        (
            "Not set up. An authenticator app on your phone protects your account if your password becomes \
             known.",
            "Set up an authenticator app",
        )
    };
    view! {
        <section aria-labelledby="second">
            <h2 id="second">"Second factor"</h2>
            <p>{status}</p>
            <p><a href="/sign-in/app?page=/account">{label}</a></p>
        </section>
    }
}

fn password_form(user_id: String) -> impl IntoView {
    let error = error_for(ChangePassword::PATH);
    let errors = field_errors(error.as_ref());
    let post = action(ChangePassword::PATH, HERE);
    view! {
        <section aria-labelledby="change">
            <h2 id="change">"Change your password"</h2>
            <ProblemSummary error />
            <form method="post" action=post class="narrow">
                <crate::form::Token />
                <UserName user_id />
                <div class="field">
                    <label for="old">"Current password"</label>
                    <input id="old" type="password" name="form[old]" autocomplete="current-password" aria-describedby="old-problem" />
                    <FieldProblem field="old" errors=errors.clone() />
                </div>
                <NewPasswordFields note="Your other sessions will end." errors />
                <div class="buttons"><button type="submit">"Change password"</button></div>
            </form>
        </section>
    }
}
