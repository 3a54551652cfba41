//! The section of a preview's page about the second person: why one is needed, and the state of the request.

use super::table::{asker, decisions, status_tag};
use super::{DeclineRequest, RequestApproval, WithdrawRequest};
use crate::components::{PostButton, ProblemSummary, Timestamp, person_link};
use crate::form::error_for;
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::four_eyes::APPROVAL_HOURS;
use policy::{Action, ApprovalReason, RunId, SafetyLimits};
use safeguards::approval::{self, Approval, ApprovalStatus};
use task_centre::approval_workflow;
use trail::{Actor, Store};

/// The state of the approval that a preview needs.
pub(crate) struct SecondPerson {
    preview: RunId,
    why: ApprovalReason,
    newest: Option<Approval>,
    /// Why this member of staff cannot start the run yet.
    missing: Option<String>,
    actor: Actor,
    safety_limits: SafetyLimits,
}

impl SecondPerson {
    /// Reads the state. None if no second person is needed.
    pub(crate) async fn read(
        store: &Store,
        actor: Actor,
        preview: RunId,
    ) -> Result<Option<Self>, RecordsError> {
        let Some(why) = approval_workflow::needed_for(store, preview).await? else { return Ok(None) };
        let newest = approval::of_preview(store, preview).await?;
        let missing = approval_workflow::missing_for(store, actor, preview).await?;
        let safety_limits = store.settings.safety_limits;
        Ok(Some(Self { preview, why, newest, missing, actor, safety_limits }))
    }

    /// Returns whether this member of staff can start the run now.
    pub(crate) const fn is_ready(&self) -> bool {
        self.missing.is_none()
    }

    /// Renders the reason, the request, the decision and the next action.
    pub(crate) fn view(self) -> impl IntoView {
        let why = self.why.label(self.safety_limits);
        let text = format!(
            "A second person must approve this run, because {why}. That person must not have created this preview or \
             requested approval, and must not start the run. An approval is valid for {APPROVAL_HOURS} hours, for one \
             run of this preview."
        );
        let request = self.actor.may(Action::Preview).then(|| Request {
            function: RequestApproval::PATH,
            values: vec![("preview", self.preview.to_string())],
            page: format!("/runs/{}", self.preview),
        });
        section(text, (self.newest, self.missing), request, self.actor)
    }
}

/// The form that requests approval.
pub(crate) struct Request {
    pub(crate) function: &'static str,
    pub(crate) values: Vec<(&'static str, String)>,
    pub(crate) page: String,
}

/// Renders the section: the reason for a second person, the newest request, and the requirements that this member of
/// staff does not meet. If approval is needed now, the form that requests it follows.
pub(crate) fn section(
    text: String,
    (newest, missing): (Option<Approval>, Option<String>),
    request: Option<Request>,
    actor: Actor,
) -> impl IntoView {
    let status = newest.as_ref().map(|approval| approval.status);
    let can_ask = !matches!(status, Some(ApprovalStatus::Waiting | ApprovalStatus::Approved))
        || (missing.is_some() && is_unusable(newest.as_ref(), actor));
    let mut paths = vec![DeclineRequest::PATH, WithdrawRequest::PATH];
    paths.extend(request.as_ref().map(|request| request.function));
    let ask = request.filter(|_| missing.is_some() && can_ask).map(|Request { function, values, page }| {
        view! { <PostButton function page values label="Request approval" /> }
    });
    let decide = newest.as_ref().and_then(|approval| decisions(approval, actor, "/approvals"));
    let missing =
        missing.filter(|_| status == Some(ApprovalStatus::Approved)).map(|why| view! { <p>{why}"."</p> });
    view! {
        <section class="notice warning" aria-labelledby="second-person">
            <h2 id="second-person">"Second person required"</h2>
            <ProblemSummary error=paths.into_iter().find_map(error_for) />
            <p>{text}</p>
            {newest.as_ref().map(request_status)}
            {missing}
            {decide}
            {ask}
        </section>
    }
}

/// Returns whether the existing approval is useless to every other member of staff, too.
fn is_unusable(newest: Option<&Approval>, actor: Actor) -> bool {
    let approved = newest.filter(|approval| approval.status == ApprovalStatus::Approved);
    let by_actor = approved.is_some_and(|approval| {
        let second = approval.decision.as_ref().and_then(|(_, second, _)| second.as_ref());
        actor.staff.is_some() && second.map(|second| second.number) == actor.staff
    });
    approved.is_some() && !by_actor
}

/// Renders the status of a request, with its requester and decision.
pub(crate) fn request_status(approval: &Approval) -> impl IntoView + use<> {
    let decided = approval.decision.as_ref().and_then(|(_, by, at)| {
        let did = format!(" {} by ", approval.status.ended());
        by.as_ref().map(|by| view! { {did} {person_link(by)} " " <Timestamp at=*at /> "." })
    });
    let until = matches!(approval.status, ApprovalStatus::Waiting | ApprovalStatus::Approved)
        .then(|| view! { " Valid until " <Timestamp at=approval.expires_at /> "." });
    view! {
        <p>
            {status_tag(approval.status)} " Requested by " {asker(approval)} " "
            <Timestamp at=approval.asked_at /> "." {decided} {until}
        </p>
    }
}
