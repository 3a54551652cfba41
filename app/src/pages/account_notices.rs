//! Notices to the owner of an account, on the account page. The banner shows unread ones.

use crate::components::{DataTable, PostButton, ProblemSummary, Timestamp, flash, text_columns};
use crate::error::AppError;
use crate::form::error_for;
use crate::state::{session, store};
use identity::staff::{self, Notice};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use serde::{Deserialize, Serialize};

const HERE: &str = "/account";

/// The time of the last shown notice.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadNoticesForm {
    until: String,
}

/// Marks the notices of the signed-in member of staff as read.
#[server(prefix = "/do", endpoint = "read_notices", input = PostUrl)]
pub(super) async fn read_notices(form: ReadNoticesForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    let until = form.until.parse().map_err(|_| AppError::Unreadable)?;
    staff::read_notices(&store(), session.user, until).await?;
    flash::redirect("/account?done=notices-read");
    Ok(())
}

/// Shows the notices on the account page. Empty if there are none.
#[component]
pub(super) fn AccountNotices(notices: Vec<Notice>) -> impl IntoView {
    let last = notices.first()?.last_at;
    let unread = notices.iter().any(|notice| !notice.is_read);
    let rows = notices
        .into_iter()
        .map(|notice| {
            let times = (notice.times > 1).then(|| format!(" ({} times)", notice.times));
            let new = (!notice.is_read).then(|| view! { <b>"New: "</b> });
            view! {
                <tr>
                    <td><Timestamp at=notice.last_at /></td>
                    <td>{new} {notice.kind.label()} {times}</td>
                </tr>
            }
        })
        .collect_view();
    let read = unread.then(|| {
        let values = vec![("until", last.to_rfc3339())];
        view! { <PostButton function=ReadNotices::PATH page=HERE values label="Mark notices as read" /> }
    });
    Some(view! {
        <section aria-labelledby="notices">
            <h2 id="notices">"Notices about your sign-in"</h2>
            <ProblemSummary error=error_for(ReadNotices::PATH) />
            <p>
                "If one of these was not you, change your password, end your other sessions and tell an \
                 administrator."
            </p>
            <DataTable label="List of notices" columns=text_columns(["Last time", "Notice"])>
                {rows}
            </DataTable>
            {read}
        </section>
    })
}
