//! The guided action *Anonymise this member of staff*.

use super::confirmation::{AnonymiseForm, confirmation};
use super::impact;
use crate::components::{Notice, PostButton, ProblemSummary, flash, user_address};
use crate::error::AppError;
use crate::form::error_for;
use crate::pages::approvals::{
    ApproveRequest, DeclineRequest, RequestStaffAnonymising, decisions, limits_reached,
    second_person::request_status,
};
use crate::state::{actor, can_open, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::dates::joined;
use policy::four_eyes::APPROVAL_HOURS;
use policy::{UserNumber, Verdict};
use records::user::{self, UserRecord};
use safeguards::approval::{self, ApprovalStatus};
use task_centre::approval_workflow;
use task_centre::run::{self, SinglePlan};
use trail::Store;

/// Anonymises a member of staff. This cannot be undone.
#[server(prefix = "/do", endpoint = "anonymise_staff", input = PostUrl)]
pub(super) async fn anonymise_staff(form: AnonymiseForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    run::anonymise_staff(&store(), actor(), number, &form.order()).await?;
    flash::redirect(&format!("{}?done=anonymised", user_address(number)));
    Ok(())
}

/// Renders the explanation, the approval of the second person, and the confirmation.
pub(super) async fn guide(
    store: &Store,
    user: &UserRecord,
    plan: &SinglePlan,
) -> Result<AnyView, RecordsError> {
    let impacts = user::impacts(store, user.number, &plan.policy).await?;
    let second = if can_open(AnonymiseStaff::PATH) {
        second_person(store, user, plan).await?
    } else {
        view! { <Notice kind="warning"><p>"Only a member of staff who manages staff can do this."</p></Notice> }
            .into_any()
    };
    let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
    let roles = joined(&roles, "and");
    Ok(view! {
        <ProblemSummary error=error_for(AnonymiseStaff::PATH) />
        <p>
            "Use this for a member of staff who has left. A second person must approve it. It cannot be \
             undone."
        </p>
        <h2>"What happens"</h2>
        <ol>
            <li>"Sign-in ends: password, second factor and all sessions are removed."</li>
            <li>{if roles.is_empty() { "The roles have already ended.".to_owned() } else { format!("The roles end: {roles}.") }}</li>
            <li>
                "The record is anonymised like that of any user: with the field settings above, including \
                 messages, notes, residue search, ledger and certificate."
            </li>
            <li>"Catalogue records then show the random name."</li>
        </ol>
        {impact::table(&impacts)}
        {second}
    }
    .into_any())
}

async fn second_person(store: &Store, user: &UserRecord, plan: &SinglePlan) -> Result<AnyView, RecordsError> {
    let number = user.number;
    let actor = actor();
    let newest = approval::of_user(store, number).await?;
    let missing = approval_workflow::missing_for_staff(store, actor, number).await?;
    let limits = limits_reached().await?;
    let is_blocked = matches!(plan.verdict, Verdict::Blocked(_));
    if missing.is_none() && !is_blocked {
        let form =
            confirmation(user, plan, AnonymiseStaff::PATH, format!("Anonymise member of staff {number}"));
        return Ok(view! { {limits} {form} }.into_any());
    }
    let status = newest.as_ref().map(|approval| approval.status);
    let ask = (missing.is_some() && status != Some(ApprovalStatus::Waiting)).then(|| {
        let values = vec![("user", number.to_string())];
        let page = format!("{}/anonymise", user_address(number));
        view! { <PostButton function=RequestStaffAnonymising::PATH page values label="Request approval" /> }
    });
    let decide = newest.as_ref().and_then(|approval| decisions(approval, actor, "/approvals"));
    let paths = [RequestStaffAnonymising::PATH, ApproveRequest::PATH, DeclineRequest::PATH];
    Ok(view! {
        <section class="notice warning" aria-labelledby="second-person">
            <h2 id="second-person">"Second person required"</h2>
            <ProblemSummary error=paths.into_iter().find_map(error_for) />
            <p>
                "One member of staff requests approval and another approves. The first one then anonymises \
                 the record here. An approval is valid for " {APPROVAL_HOURS.to_string()}
                 " hours and can be used once."
            </p>
            {newest.as_ref().map(request_status)}
            {missing.map(|why| view! { <p>{why}"."</p> })}
            {is_blocked.then(|| view! {
                <p>"First deal with " <a href="#blockers">"what blocks this record"</a>
                ". Nothing has been changed."</p>
            })}
            {decide}
            {ask}
        </section>
    }
    .into_any())
}

/// Renders why a fictitious user cannot be anonymised.
pub(super) fn fictitious(user: &UserRecord) -> impl IntoView + use<> {
    let edit = format!("{}/edit", user_address(user.number));
    view! {
        <Notice kind="warning">
            <p>
                "This record is fictitious: it is not a person and cannot be anonymised. If it contains the \
                 name of a person, edit it."
            </p>
            <p><a href=edit>"Edit user"</a></p>
        </Notice>
    }
}
