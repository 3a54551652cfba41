//! The banner on every page: conditions that need attention although no user watches them. Empty if all is well.

use crate::components::{Day, Timestamp};
use crate::state::{actor, can_open, session, store};
use chrono::{DateTime, Duration, Utc};
use identity::staff;
use leptos::prelude::*;
use operations::health::{self, Condition, ConditionKind};
use policy::SafetyLimits;
use policy::four_eyes::COOLING_OFF_HOURS;
use policy::numbers::{counted, grouped};
use safeguards::approval;
use trail::{Actor, Store};

/// The maximum number of lines. The list of runs shows the rest.
const LINES: usize = 3;
const HELD_LINES: &str = "/users/held-lines";
const NOTIFICATIONS: &str = "/notifications";

/// Shows what needs attention, with a link to each run or task.
#[component]
pub(crate) fn Banner() -> impl IntoView {
    let (store, actor, may_see) = (store(), actor(), can_open("/runs"));
    Suspend::new(async move {
        // If the database does not answer, the page itself reports it.
        let conditions =
            if may_see { health::read(&store).await.unwrap_or_default().conditions } else { Vec::new() };
        let approvals = approvals(&store, actor).await;
        let notices = notices(&store).await;
        if conditions.is_empty() && approvals.is_none() && notices.is_none() {
            return ().into_any();
        }
        let safety_limits = store.settings.safety_limits;
        let more = conditions.len().saturating_sub(LINES);
        let lines = conditions.into_iter().take(LINES).map(|one| line(one, safety_limits)).collect_view();
        let more = (more > 0).then(|| view! { <li><a href="/runs">"and "{more}" more"</a></li> });
        view! {
            <div class="banner" role="status" aria-label="Needs attention">
                <ul>{notices} {approvals} {lines} {more}</ul>
            </div>
        }
        .into_any()
    })
}

/// Returns the line about the newest unread notice of the signed-in member of staff. None if there is none.
async fn notices(store: &Store) -> Option<impl IntoView + use<>> {
    let session = session().filter(|session| session.actor().staff.is_some())?;
    let notices = staff::notices(store, session.user).await.ok()?;
    let unread = notices.iter().find(|notice| !notice.is_read)?;
    let (at, label) = (unread.last_at, unread.kind.label());
    Some(view! {
        <li>
            <a href="/account">"Your account"</a> ": " {label} " (" <Timestamp at=at /> "). Read the notices there."
        </li>
    })
}

/// Returns the number of requests that the signed-in member of staff may decide, at most one page of them.
async fn approvals(store: &Store, actor: Actor) -> Option<impl IntoView + use<>> {
    let count = approval::decidable(store, actor).await.ok()?;
    let wait = if count == 1 { " is waiting for you." } else { " are waiting for you." };
    (count > 0)
        .then(|| view! { <li><a href="/approvals">{counted(count, "approval", "approvals")}</a>{wait}</li> })
}

/// Returns the link to an audit action if the member of staff may read the audit, otherwise to the approvals.
fn audit_or_approvals(action: &str) -> String {
    if can_open("/audit") { format!("/audit?action={action}") } else { "/approvals".to_owned() }
}

fn line(condition: Condition, safety_limits: SafetyLimits) -> impl IntoView {
    let Condition { what, task, run, since } = condition;
    match what {
        ConditionKind::Fault(fault) => return view! { <li>{fault.to_string()}"."</li> }.into_any(),
        ConditionKind::ClockDiffers { seconds } => {
            return view! { <li>{clock_differs(seconds)}</li> }.into_any();
        }
        _ => {}
    }
    if let Some((href, link, rest)) = installation_line(&what, since) {
        return view! { <li><a href=href>{link}</a>{rest}</li> }.into_any();
    }
    // A private task of another owner is overdue like any other, but it is neither named nor linked.
    let (name, to_task) = match task {
        None => ("a task".to_owned(), None),
        Some((_, name)) if !name.is_shown_to(actor()) => ("a private task".to_owned(), None),
        Some((id, name)) => (format!("“{}”", name.description_for(actor())), Some(format!("/tasks/{id}"))),
    };
    let to_task = to_task.or_else(|| Some("/tasks".to_owned()));
    let to_run = run.map(|id| format!("/runs/{id}"));
    let the_run = run.map(|id| format!("Run {id} of {name}")).unwrap_or_default();
    let moment = move || view! { <Timestamp at=since /> };
    let (href, link, rest) = match what {
        ConditionKind::Overdue => {
            (to_task, name, view! { " is overdue: it should have started " {moment()} "." }.into_any())
        }
        ConditionKind::NotStarted => (
            to_run,
            the_run,
            view! { " has been waiting since " {moment()} " and has not started." }.into_any(),
        ),
        ConditionKind::Stalled => {
            (to_run, the_run, view! { " has made no progress since " {moment()} "." }.into_any())
        }
        ConditionKind::Interrupted => {
            (to_run, the_run, " was interrupted. Lethe will resume it automatically.".into_any())
        }
        ConditionKind::StoppedByLimit(safety_limit) => {
            let why = safety_limit.map(|safety_limit| format!(" {}.", safety_limit.label(safety_limits)));
            (to_run, the_run, view! { " was stopped and is waiting for confirmation." {why} }.into_any())
        }
        ConditionKind::Failed { people: 0 } => (to_run, the_run, " failed.".into_any()),
        ConditionKind::Failed { people } => {
            let people = counted(people, "user", "users");
            (to_run, the_run, format!(" ended with failures: {people} could not be anonymised.").into_any())
        }
        ConditionKind::ImportFailed { lines: 0 } => {
            (to_run, the_run, " could not import all files.".into_any())
        }
        ConditionKind::ImportFailed { lines } => {
            let lines = counted(lines, "line was", "lines were");
            (to_run, the_run, format!(" did not import all lines: {lines} rejected.").into_any())
        }
        ConditionKind::NoFile => (
            to_run,
            the_run,
            view! { " found no file to import " {moment()} ". Check whether the other system delivers files." }
                .into_any(),
        ),
        ConditionKind::AllSkipped { skipped } => {
            let people = counted(skipped, "user", "users");
            (to_run, the_run, format!(" anonymised no users: {people} skipped.").into_any())
        }
        ConditionKind::Missed { times } => {
            let more = (times > 1).then(|| format!(" and {} more", grouped(times - 1)));
            (to_run, name, view! { " missed its run of " {moment()} {more} "." }.into_any())
        }
        // Handled above.
        ConditionKind::Fault(_)
        | ConditionKind::ClockDiffers { .. }
        | ConditionKind::KeyFile
        | ConditionKind::SuppressionKey
        | ConditionKind::PasswordOnly
        | ConditionKind::FourEyesOff
        | ConditionKind::LegalHoldsDue { .. }
        | ConditionKind::HeldLinesWaiting { .. }
        | ConditionKind::AccessRequestsDue { .. }
        | ConditionKind::NotificationsFailed { .. }
        | ConditionKind::CodesGuessed { .. }
        | ConditionKind::LimitReached { .. }
        | ConditionKind::FourEyesEnding
        | ConditionKind::SettingsWeakened { .. } => (None, String::new(), ().into_any()),
        ConditionKind::OwnerGone => (
            to_task,
            name,
            view! {
                " runs on schedule, but its owner cannot sign in or has no access to tasks. "
                {can_open("/tasks/owners").then(|| view! { <a href="/tasks/owners">"Reassign the task"</a>"." })}
            }
            .into_any(),
        ),
        ConditionKind::FindingsOpen { findings } => {
            let review = run.map_or_else(|| "/residue".to_owned(), |id| format!("/residue?run={id}"));
            let href =
                if can_open(&review) { Some(review) } else { to_run.or_else(|| Some("/runs".to_owned())) };
            let of_run = run.map(|id| format!(" of run {id}")).unwrap_or_default();
            let wait = if findings == 1 { "is waiting" } else { "are waiting" };
            let rest = format!("{of_run} {wait} for a decision: old values of anonymised users were found.");
            (href, counted(findings, "finding", "findings"), rest.into_any())
        }
    };
    view! { <li><a href=href.unwrap_or_default()>{link}</a>{rest}</li> }.into_any()
}

/// Returns link target, link text and message of a condition of the installation, not of a task or run.
fn installation_line(what: &ConditionKind, since: DateTime<Utc>) -> Option<(String, String, AnyView)> {
    let moment = move || view! { <Timestamp at=since /> };
    let message = match *what {
        ConditionKind::PasswordOnly => (
            "/account".to_owned(),
            "Second factors are off".to_owned(),
            ": every member of staff can sign in with a password alone, even to anonymise users \
             (LETHE_ALLOW_PASSWORD_ONLY=1). Use this for demonstrations only."
                .into_any(),
        ),
        ConditionKind::KeyFile => (
            "/".to_owned(),
            "The key file".to_owned(),
            " is missing, cannot be read or contains another key (LETHE_KEY_FILE). Restore the file from its \
             own copy: without it Lethe cannot start again."
                .into_any(),
        ),
        ConditionKind::SuppressionKey => (
            if can_open("/suppression") { "/suppression" } else { "/" }.to_owned(),
            "The key of the suppression list".to_owned(),
            " is missing, cannot be read or is another one (LETHE_SUPPRESSION_KEY_FILE). Until it is restored or \
             destroyed, no user is anonymised, created or imported."
                .into_any(),
        ),
        ConditionKind::FourEyesOff => (
            "/approvals".to_owned(),
            "Four eyes are off".to_owned(),
            ": one member of staff can start any run alone (LETHE_FOUR_EYES=off).".into_any(),
        ),
        ConditionKind::CodesGuessed { accounts } => (
            if can_open("/audit") { "/audit" } else { "/account" }.to_owned(),
            "Wrong codes".to_owned(),
            view! {
                " have ended sign-ins of " {counted(accounts, "member", "members")} " of staff since " {moment()}
                ". Their passwords have probably been stolen: create invitations for them."
            }
            .into_any(),
        ),
        ConditionKind::LimitReached { actors } => (
            audit_or_approvals("limit_reached"),
            "A safety limit".to_owned(),
            format!(
                " stopped manual changes or imports by {} in the last 24 hours. More changes need a second \
                 person.",
                counted(actors, "member of staff", "members of staff")
            )
            .into_any(),
        ),
        ConditionKind::FourEyesEnding => {
            let until = since + Duration::hours(COOLING_OFF_HOURS);
            (
                "/approvals".to_owned(),
                "Four eyes".to_owned(),
                view! {
                    " will end " <Timestamp at=until /> ": fewer than two members of staff can approve, or the setting was \
                     changed. Until then a second person is needed."
                }
                .into_any(),
            )
        }
        ConditionKind::SettingsWeakened { settings } => (
            audit_or_approvals("protection_weakened"),
            counted(settings, "safety setting", "safety settings"),
            view! {
                {if settings == 1 { " was weakened " } else { " were weakened " }} {moment()} ". The previous limits remain in force for " {COOLING_OFF_HOURS.to_string()} " hours."
            }
            .into_any(),
        ),
        _ => return waiting_line(what, since),
    };
    Some(message)
}

/// Returns link target, link text and message of a condition that counts what waits for staff.
fn waiting_line(what: &ConditionKind, since: DateTime<Utc>) -> Option<(String, String, AnyView)> {
    let message = match *what {
        ConditionKind::LegalHoldsDue { holds } => (
            "/legal-holds?show=due".to_owned(),
            counted(holds, "legal hold", "legal holds"),
            if holds == 1 {
                " is due for review. It stays in force until it is released.".into_any()
            } else {
                " are due for review. They stay in force until they are released.".into_any()
            },
        ),
        ConditionKind::HeldLinesWaiting { lines } => (
            if can_open(HELD_LINES) { HELD_LINES } else { "/" }.to_owned(),
            counted(lines, "held line", "held lines"),
            view! {
                {if lines == 1 { " has" } else { " have" }} " been waiting for a decision since "
                <Day date=Some(since.with_timezone(&store().clock.zone()).date_naive()) />
                ": they would bring back anonymised users."
            }
            .into_any(),
        ),
        ConditionKind::AccessRequestsDue { requests } => (
            if can_open("/access-requests") { "/access-requests" } else { "/" }.to_owned(),
            counted(requests, "access request", "access requests"),
            if requests == 1 {
                " is due within a week or overdue.".into_any()
            } else {
                " are due within a week or overdue.".into_any()
            },
        ),
        ConditionKind::NotificationsFailed { deliveries } => (
            if can_open(NOTIFICATIONS) { "/notifications?state=failed" } else { "/" }.to_owned(),
            counted(deliveries, "notification", "notifications"),
            " could not be delivered. An administrator can try again or discard them.".into_any(),
        ),
        _ => return None,
    };
    Some(message)
}

/// Returns the message about a wrong clock.
fn clock_differs(seconds: i64) -> String {
    let (by, way) =
        (counted(seconds.abs(), "second", "seconds"), if seconds > 0 { "ahead" } else { "behind" });
    format!(
        "The clock of this server is {by} {way} of the database or of another server. Set the clocks of all \
         servers: a server that is more than a minute off starts no tasks."
    )
}
