//! Requests for the approval of a second person, and the decisions.

mod actions;
mod one;
pub(crate) mod second_person;
mod table;

pub(crate) use actions::{
    ApproveRequest, DeclineRequest, RequestApproval, RequestMoreChanges, RequestStaffAnonymising,
    WithdrawRequest,
};
pub(crate) use table::decisions;

pub use one::ApprovalPage;

use crate::components::{
    FilterProblem, PageLayout, PostButton, ProblemSummary, choice, filtered_list, guarded_page, paging, query,
};
use crate::form::error_for;
use crate::state::{actor, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::Action;
use policy::form::FieldErrors;
use policy::four_eyes::APPROVAL_HOURS;
use policy::numbers::grouped;
use safeguards::approval::{self, ApprovalQuery};
use safeguards::limits;
use table::approval_table;

/// Shows the requests for approval.
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let show = query("show");
    let mut errors = FieldErrors::default();
    let shown = choice(&mut errors, "show", |code| match code {
        "waiting" => Some(Some(true)),
        "decided" => Some(Some(false)),
        "all" => Some(None),
        _ => None,
    });
    let find = ApprovalQuery { waiting: shown.unwrap_or(Some(true)), ..ApprovalQuery::default() };
    guarded_page(async move {
        let (store, paging) = (store(), paging());
        let load = approval::list(&store, &find, &paging);
        let list = filtered_list(&errors, format!("/approvals?show={show}"), &paging, load, |rows| {
            if rows.is_empty() {
                return view! {
                    <p class="empty">
                        "Nothing to approve. Approval is requested on the page of a preview, an import, a legal hold or a \
                         member of staff, and for more manual changes on this page. For rules updates it is requested \
                         on the command line."
                    </p>
                }
                .into_any();
            }
            approval_table(rows, actor()).into_any()
        })
        .await?;
        let choices = [("waiting", "Waiting"), ("decided", "Decided or expired"), ("all", "All")]
            .map(|(code, label)| view! { <option value=code selected=show == code>{label}</option> });
        let more = limits_reached().await?;
        let paths =
            [ApproveRequest::PATH, DeclineRequest::PATH, WithdrawRequest::PATH, RequestMoreChanges::PATH];
        Ok(view! {
            <PageLayout title="Approvals"
                lead="Requests that another member of staff must approve: runs, rules updates, releases of \
                      legal holds, imports, more manual changes, anonymising staff.">
                <ProblemSummary error=list.error.or_else(|| paths.into_iter().find_map(error_for)) />
                <form class="filters" method="get" action="/approvals" role="search" aria-label="Filter approvals">
                    <div class="field">
                        <label for="show">"Show"</label>
                        <select id="show" name="show" aria-describedby="show-problem">{choices}</select>
                        <FilterProblem field="show" errors />
                    </div>
                    <button type="submit">"Filter approvals"</button>
                </form>
                {more}
                {list.content}
            </PageLayout>
        })
    })
}

/// Returns the safety limits that the actor has reached, and the button to request more changes. None if no limit is
/// reached.
pub(crate) async fn limits_reached() -> Result<Option<impl IntoView + use<>>, RecordsError> {
    let actor = actor();
    if !actor.may(Action::EditUsers) {
        return Ok(None);
    }
    let reached = limits::reached(&store(), actor).await?;
    Ok((!reached.is_empty()).then(|| {
        let lines = reached
            .iter()
            .map(|one| {
                let (limit, counted) = (grouped(one.limit), one.counted.label().trim_end_matches(','));
                view! { <li>{format!("{limit} users {counted} in {}", one.window.label())}</li> }
            })
            .collect_view();
        view! {
            <section class="notice warning" aria-labelledby="limits">
                <h2 id="limits">"Safety limit reached"</h2>
                <p>"You have reached a safety limit:"</p>
                <ul>{lines}</ul>
                <p>
                    "Request approval from a second person, or wait. An approval is valid for "
                    {APPROVAL_HOURS.to_string()} " hours, for as many users as the daily limit."
                </p>
                <PostButton function=RequestMoreChanges::PATH page="/approvals" values=Vec::new()
                    label="Request approval for more changes" />
            </section>
        }
    }))
}
