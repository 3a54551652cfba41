//! The rules and people of a run, and the treatment of each field.

use crate::components::{Day, Timestamp, task_link};
use crate::pages::runs::state_tag;
use erasure::certificate::Certificate;
use leptos::prelude::*;
use policy::numbers::counted;
use policy::{Channel, RunKind, TaskId, TreatedFields, UserNumber, summary};
use trail::task_name::TaskName;

/// Renders the fields by treatment.
pub(crate) fn fields(fields: &TreatedFields) -> impl IntoView + use<> {
    let lists = [
        ("Removed", &fields.removed),
        ("Generalised", &fields.generalised),
        ("Kept", &fields.kept),
        ("As in the run that first anonymised the user", &fields.as_before),
    ];
    let lines = lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(label, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            view! { <dt>{label}</dt><dd>{names.join("; ")}</dd> }
        })
        .collect_view();
    view! { <dl class="facts">{lines}</dl> }
}

pub(super) fn rules(says: &Certificate, task: Option<&(TaskId, TaskName)>) -> impl IntoView + use<> {
    let who = match says.kind {
        RunKind::Single => "One user, from the record. Conditions and scope are ignored.".to_owned(),
        RunKind::Reapply => "Users anonymised under earlier rules.".to_owned(),
        RunKind::Replay => {
            "Users in the ledger who were anonymised after the restored backup was made.".to_owned()
        }
        _ => summary::selection(&says.policy.conditions, says.policy.scope),
    };
    // The certificate contains the number of the task only: its name can change and is not proven.
    let task = says.task.map(|number| {
        let version = says.task_version.map(|version| format!(", version {version}")).unwrap_or_default();
        view! { {task.map(task_link)} " (task " {number.to_string()} {version} ")" }
    });
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(says.state, says.residue.open_places)}</dd>
            <dt>"Started by"</dt><dd>{starter(says)}</dd>
            <dt>"Approved by"</dt><dd>{approver(says)}</dd>
            <dt>"Users"</dt><dd>{who}</dd>
            {says.listed.map(|users| view! {
                <dt>"Limited to"</dt><dd>{counted(users, "listed user", "listed users")}</dd>
            })}
            {(says.excluded > 0).then(|| view! {
                <dt>"Excluded by staff"</dt><dd>{counted(says.excluded, "eligible user", "eligible users")}</dd>
            })}
            {says.reason.map(|reason| view! { <dt>"Reason"</dt><dd>{reason.label()}</dd> })}
            {says.case_reference.clone().map(|case| view! { <dt>"Case reference"</dt><dd>{case}</dd> })}
            {says.merged_into.map(|into| view! { <dt>"Merged into"</dt><dd>"User "{into.to_string()}</dd> })}
            <dt>"Task"</dt><dd>{task}</dd>
            <dt>"Assessed on"</dt><dd><Day date=says.day /></dd>
            <dt>"Started"</dt><dd><Timestamp at=says.created_at /></dd>
            <dt>"Ended"</dt><dd><Timestamp at=says.finished_at /></dd>
            <dt>"Interrupted"</dt><dd>{counted(says.interruptions.into(), "time", "times")}</dd>
            <dt>"Rules version"</dt><dd>{says.rules_version}</dd>
            <dt>"Policy (SHA-256)"</dt><dd><code>{says.policy_sha256.clone()}</code></dd>
            <dt>"Preview fingerprint"</dt><dd>{says.fingerprint.clone().map(|text| view! { <code>{text}</code> })}</dd>
        </dl>
    }
}

/// Renders who started the run: a member of staff, or the channel.
fn starter(says: &Certificate) -> AnyView {
    let channel = Channel::from_code(&says.channel);
    match (says.started_by, channel) {
        (Some(number), _) => user_link(number),
        (None, Some(channel)) => channel.label().into_any(),
        (None, None) => says.channel.clone().into_any(),
    }
}

fn approver(says: &Certificate) -> AnyView {
    says.approved_by.map_or_else(|| "No second person was needed".into_any(), user_link)
}

fn user_link(number: UserNumber) -> AnyView {
    view! { <a href=format!("/users/{number}")>"User " {number.to_string()}</a> }.into_any()
}
