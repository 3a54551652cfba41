//! The message after a change, with the button that undoes it.

use crate::components::{PostButton, flash, own_address, query, user_address};
use crate::error::AppError;
use crate::state::{session, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use operations::undo::{self, Restored};
use serde::{Deserialize, Serialize};
use trail::Undo;

/// The query parameter that contains an undo.
const UNDO: &str = "undo";

/// The change to undo, encrypted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoForm {
    undo: String,
}

/// Undoes a change of this member of staff.
#[server(prefix = "/do", endpoint = "undo_change", input = PostUrl)]
pub(crate) async fn undo_change(form: UndoForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    let undo = session.open_undo(&form.undo).ok_or_else(|| {
        AppError::Refused("Only the member of staff who did this can undo it. Nothing was changed".to_owned())
    })?;
    let record = |user, tab: &str, done: &str| format!("{}?tab={tab}&done={done}", user_address(user));
    let page = match undo::undo(&store(), session.actor(), &undo).await? {
        Restored::Loan(user) => record(user, "loans", "loan-reopened"),
        Restored::Request(user) => record(user, "requests", "request-reopened"),
        Restored::Charge(user) => record(user, "charges", "charge-reopened"),
        Restored::Mark(user) => record(user, "details", "mark-restored"),
        Restored::NoMark(user) => record(user, "details", "mark-removed"),
        Restored::Role => "/staff?done=role-restored".to_owned(),
        Restored::SignIn => "/staff?done=sign-in-restored".to_owned(),
        Restored::UserSignIn(user) => record(user, "details", "user-sign-in-restored"),
        Restored::Finding => "/residue?done=residue-reopened".to_owned(),
    };
    flash::redirect(&page);
    Ok(())
}

/// Redirects to the page that reports a change. Its address contains the undo, if there is one.
pub(crate) fn go_to(page: String, undo: Option<&Undo>) -> Result<(), AppError> {
    let sealed = undo.and_then(|undo| session().map(|session| session.seal_undo(undo)));
    let page = match sealed.transpose().map_err(|error: RecordsError| AppError::from(error))? {
        Some(sealed) => format!("{page}{}{UNDO}={sealed}", if page.contains('?') { '&' } else { '?' }),
        None => page,
    };
    flash::redirect(&page);
    Ok(())
}

/// Shows the message about a change. Offers the undo of the page's address while there is time.
#[component]
pub(crate) fn Done(
    /// The message.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let sealed = query(UNDO);
    let is_open =
        session().and_then(|session| session.open_undo(&sealed)).is_some_and(|undo| undo.is_in_time());
    let undo = is_open.then(|| {
        let page = own_address();
        view! {
            <PostButton function=UndoChange::PATH page values=vec![("undo", sealed)] label="Undo"
                about="the last change" />
        }
    });
    view! {
        <div class="notice success">
            <p role="status">{label}</p>
            {undo}
        </div>
    }
}
