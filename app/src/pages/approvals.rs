//! Approvals: what waits for a second person, and what was decided.

mod actions;
mod one;
pub(crate) mod second;
mod table;

pub(crate) use actions::{ApproveRequest, AskApproval, DeclineRequest};

pub use one::ApprovalPage;

use crate::parts::{Frame, Pager, ProblemSummary, page, paging, query};
use crate::state::{actor, store};
use crate::submission::refusal;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use records::approval::{self, ApprovalQuery};
use records::page::Page;
use table::approval_table;

/// What waits for a second person, and what was decided.
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let show = query("show");
    let find = ApprovalQuery {
        waiting: match show.as_str() {
            "decided" => Some(false),
            "all" => None,
            _ => Some(true),
        },
        ..ApprovalQuery::default()
    };
    page(async move {
        let paging = paging();
        let paged = paging.after.is_some();
        let Page { rows, next } = approval::list(&store(), &find, &paging).await?;
        let content = if rows.is_empty() {
            view! {
                <p class="empty">
                    "Nothing stands here. What needs a second person is asked for on the page of a preview or of a legal \
                     hold."
                </p>
            }
            .into_any()
        } else {
            approval_table(rows, actor()).into_any()
        };
        let choices = [("waiting", "Waiting"), ("decided", "Decided or expired"), ("all", "All")]
            .map(|(code, words)| view! { <option value=code selected=show == code>{words}</option> });
        let list = format!("/approvals?show={show}");
        let paths = [ApproveRequest::PATH, DeclineRequest::PATH];
        Ok(view! {
            <Frame title="Approvals"
                lead="What one person asks for and another one approves: runs that reach further than before, and the \
                      release of legal holds.">
                <ProblemSummary error=paths.into_iter().find_map(refusal) />
                <form class="filters" method="get" action="/approvals" role="search" aria-label="Filter approvals">
                    <div class="field">
                        <label for="show">"Show"</label>
                        <select id="show" name="show">{choices}</select>
                    </div>
                    <button type="submit">"Filter approvals"</button>
                </form>
                {content}
                <Pager list paged next />
            </Frame>
        })
    })
}
