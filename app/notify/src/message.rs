//! The texts of notifications. They contain numbers, no names and no descriptions, because a mail leaves the library.

use crate::mail::Mail;
use policy::notification::Event;
use serde_json::{Value, json};
use trail::Store;
use trail::library::Library;

/// An event with the numbers that it is about.
pub(crate) type Notification = db::entity::notifications::Model;

/// Returns the mail about an event.
pub(crate) fn mail(store: &Store, library: &Library, notification: &Notification) -> Mail {
    let what = sentence(notification);
    let name = library.name.as_deref().unwrap_or("Lethe");
    let link = match link(store, notification) {
        Some(link) => format!("Open it: {link}"),
        None => format!("Open it in Lethe: {}", page(notification)),
    };
    let why = match notification.event {
        Event::Test => "A member of staff has sent this message to test the delivery.",
        _ => {
            "You get this message because you chose it on the page of your account. You can change that there."
        }
    };
    Mail { subject: format!("[{name}] {what}"), body: format!("{what}.\n\n{link}\n\n--\n{why}\n") }
}

/// Returns the body of a webhook as JSON.
pub(crate) fn webhook(store: &Store, notification: &Notification) -> Value {
    let number = |name: &str, id: Option<i64>| id.map(|id| (name.to_owned(), Value::from(id)));
    let mut data: serde_json::Map<String, Value> = [
        number("task", notification.task_id),
        number("run", notification.run_id),
        number("approval", notification.approval_id),
        number("legal_hold", notification.legal_hold_id),
    ]
    .into_iter()
    .flatten()
    .collect();
    data.insert("message".to_owned(), sentence(notification).into());
    if let Some(link) = link(store, notification) {
        data.insert("link".to_owned(), link.into());
    }
    json!({
        "type": notification.event.webhook_type(),
        "timestamp": notification.at.to_rfc3339(),
        "data": data,
    })
}

/// Returns what happened, without a full stop.
fn sentence(notification: &Notification) -> String {
    let run = match (notification.run_id, notification.task_id) {
        (Some(run), Some(task)) => format!("Run {run} of task {task}"),
        (Some(run), None) => format!("Run {run}"),
        (None, Some(task)) => format!("Task {task}"),
        (None, None) => "A run".to_owned(),
    };
    match notification.event {
        Event::ApprovalWaiting => {
            let request = notification.approval_id.map(|id| format!(" {id}")).unwrap_or_default();
            let of = match notification.run_id {
                Some(run) => format!(" for the run of preview {run}"),
                None => String::new(),
            };
            format!("Approval request{request}{of} is waiting for a second person")
        }
        Event::RunStopped => format!("{run} was stopped by a safety limit and is waiting for confirmation"),
        Event::RunFailed => format!("{run} failed, or failed for some users or lines, or found no file"),
        Event::RunMissed => format!("{run} was missed"),
        Event::FindingsOpen => format!("{run} left findings: old values of anonymised users were found"),
        Event::LegalHoldDue => {
            let hold = notification.legal_hold_id.map(|id| format!(" {id}")).unwrap_or_default();
            format!("Legal hold{hold} is due for review")
        }
        Event::HeldLinesWaiting => "Held lines are waiting for a decision".to_owned(),
        Event::Test => "This is a test message".to_owned(),
    }
}

/// Returns the path of the page about an event.
fn page(notification: &Notification) -> String {
    let of_run = || match (notification.run_id, notification.task_id) {
        (Some(run), _) => format!("/runs/{run}"),
        (None, Some(task)) => format!("/tasks/{task}"),
        (None, None) => "/runs".to_owned(),
    };
    match notification.event {
        Event::ApprovalWaiting => "/approvals".to_owned(),
        Event::FindingsOpen => {
            notification.run_id.map_or_else(|| "/residue".to_owned(), |run| format!("/residue?run={run}"))
        }
        Event::LegalHoldDue => "/legal-holds?show=due".to_owned(),
        Event::HeldLinesWaiting => "/users/held-lines".to_owned(),
        Event::Test => "/account".to_owned(),
        Event::RunStopped | Event::RunFailed | Event::RunMissed => of_run(),
    }
}

/// Returns the address of the page about an event. None if the installation has no public address.
fn link(store: &Store, notification: &Notification) -> Option<String> {
    let base = store.settings.public_url.as_deref()?.trim_end_matches('/');
    Some(format!("{base}{}", page(notification)))
}
