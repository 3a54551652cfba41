//! On the page of a preview: why its run needs a second person, and how that stands.

use super::table::{asker, decisions, standing_tag};
use super::{AskApproval, DeclineRequest, WithdrawRequest};
use crate::pages::users::person_link;
use crate::parts::{Moment, PostButton, ProblemSummary};
use crate::submission::refusal;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::four_eyes::APPROVAL_HOURS;
use policy::{Action, Brakes, RunId, WhyTwo};
use records::approval::{self, Approval, Standing};
use records::{Actor, RecordsError, Store};

/// How a preview stands whose run needs a second person.
pub(crate) struct Second {
    preview: RunId,
    why: WhyTwo,
    newest: Option<Approval>,
    /// Why this member of staff cannot start the run yet.
    missing: Option<String>,
    actor: Actor,
    brakes: Brakes,
}

impl Second {
    /// Reads it; None where no second person is needed.
    pub(crate) async fn of(
        store: &Store,
        actor: Actor,
        preview: RunId,
    ) -> Result<Option<Self>, RecordsError> {
        let Some(why) = approval::needed_for(store, preview).await? else { return Ok(None) };
        let newest = approval::of_preview(store, preview).await?;
        let missing = approval::missing_for(store, actor, preview).await?;
        let brakes = store.settings().brakes;
        Ok(Some(Self { preview, why, newest, missing, actor, brakes }))
    }

    /// Whether this member of staff can start the run now.
    pub(crate) const fn is_settled(&self) -> bool {
        self.missing.is_none()
    }

    /// Why a second person is needed, what was asked and decided, and what can be done next.
    pub(crate) fn view(self) -> impl IntoView {
        let why = self.why.words(self.brakes);
        let standing = self.newest.as_ref().map(|approval| approval.standing);
        let told = self.newest.as_ref().map(told);
        let decide = self.newest.as_ref().and_then(|approval| decisions(approval, self.actor, "/approvals"));
        let can_ask =
            !matches!(standing, Some(Standing::Waiting | Standing::Approved)) || self.is_of_no_use();
        let ask = (self.missing.is_some() && can_ask && self.actor.may(Action::Preview)).then(|| {
            let values = vec![("preview", self.preview.to_string())];
            let page = format!("/runs/{}", self.preview);
            view! { <PostButton function=AskApproval::PATH page values words="Ask for approval" /> }
        });
        let missing = self
            .missing
            .filter(|_| standing == Some(Standing::Approved))
            .map(|why| view! { <p>{why}"."</p> });
        let paths = [AskApproval::PATH, DeclineRequest::PATH, WithdrawRequest::PATH];
        view! {
            <section class="notice warning" aria-labelledby="second-person">
                <h2 id="second-person">"Two people are needed"</h2>
                <ProblemSummary error=paths.into_iter().find_map(refusal) />
                <p>
                    "A second person has to approve this run, because " {why} ". That is somebody who has neither made \
                     this preview nor asked, and does not start the run. An approval holds for "
                    {APPROVAL_HOURS.to_string()} " hours, for this preview only, and once."
                </p>
                {told}
                {missing}
                {decide}
                {ask}
            </section>
        }
    }

    /// Whether there is an approval that somebody else could not use either.
    fn is_of_no_use(&self) -> bool {
        let approved = self.newest.as_ref().filter(|approval| approval.standing == Standing::Approved);
        let by_actor = approved.is_some_and(|approval| {
            let second = approval.decision.as_ref().and_then(|(_, second, _)| second.as_ref());
            self.actor.staff.is_some() && second.map(|second| second.number) == self.actor.staff
        });
        approved.is_some() && self.missing.is_some() && !by_actor
    }
}

/// How a request stands, who asked and who decided.
pub(crate) fn told(approval: &Approval) -> impl IntoView + use<> {
    let decided = approval.decision.as_ref().and_then(|(_, by, at)| {
        let did = format!(" {} by ", approval.standing.ended());
        by.as_ref().map(|by| view! { {did} {person_link(by)} " " <Moment at=*at /> "." })
    });
    let until = matches!(approval.standing, Standing::Waiting | Standing::Approved)
        .then(|| view! { " Until " <Moment at=approval.expires_at /> "." });
    view! {
        <p>
            {standing_tag(approval.standing)} " Asked for by " {asker(approval.asked_by.as_ref())} " "
            <Moment at=approval.asked_at /> "." {decided} {until}
        </p>
    }
}
