//! The users of a run or preview as a CSV file.

use super::members::{Member, MemberQuery, count_members, page_key, read};
use super::read::Run;
use chrono::NaiveDate;
use db::{RecordsError, csv_text};
use policy::dates::iso;
use policy::numbers::grouped;
use policy::{Action, Blocker, Reason, TaskType, VerdictKind};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The maximum number of users in a file.
const MAX_USERS: i64 = 100_000;
/// Number of users read at a time.
const USERS_PER_READ: u64 = 2_000;

/// The columns.
const HEADER: [&str; 12] = [
    "user_number",
    "name",
    "verdict",
    "reason",
    "first_day",
    "leaving_on",
    "last_activity_on",
    "marked_on",
    "excluded_by",
    "exclusion_reason",
    "outcome",
    "outcome_reason",
];

/// Returns the users that match a filter as CSV, in its order. Records the export in the audit. Rejects more than
/// `MAX_USERS` users, so that no file is incomplete.
pub async fn members_csv(
    store: &Store,
    actor: Actor,
    run: &Run,
    query: &MemberQuery,
) -> Result<String, RecordsError> {
    actor.require(Action::ExportRunUsers)?;
    let users = count_members(store, run.id, query).await?;
    if users > MAX_USERS {
        return Err(RecordsError::Refused(format!(
            "These are {} users, and a file has at most {}. Choose a verdict or reason",
            grouped(users),
            grouped(MAX_USERS)
        )));
    }
    // Record the event before reading the first user, so that no export goes unrecorded.
    let subject = Subject::Run(run.id.0);
    audit::record_event_in_own_tx(store, actor, AuditAction::Exported, subject, "run_users").await?;
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = read(store, run, query, after.as_deref(), USERS_PER_READ).await?;
        after = page.last().map(|member| page_key(member, query.sort));
        let task_type = run.settings.task_type();
        rows.extend(page.into_iter().map(|member| cells(task_type, member)));
        // A user who comes back with another order meanwhile must not lengthen the file for ever.
        if after.is_none() || rows.len() >= usize::try_from(MAX_USERS).unwrap_or(usize::MAX) {
            break;
        }
    }
    csv_text::file(&HEADER, rows)
}

fn cells(task_type: TaskType, member: Member) -> [String; 12] {
    let date = |date: Option<NaiveDate>| match date {
        Some(date) if member.dates_by_month => date.format("%Y-%m").to_string(),
        date => date.map(iso).unwrap_or_default(),
    };
    let verdict = member.reason.verdict();
    let reason = match verdict {
        VerdictKind::Blocked => member.blockers.iter().map(Blocker::label).collect::<Vec<_>>().join("; "),
        _ => member.reason.label().to_owned(),
    };
    let first_day = date(member.first_day.filter(|_| verdict != VerdictKind::AlreadyAnonymised));
    let (by, why) = match member.exclusion {
        Some(exclusion) => {
            (exclusion.by.unwrap_or_else(|| "command line".to_owned()), exclusion.reason.label())
        }
        None => (String::new(), ""),
    };
    let outcome = member.outcome.map_or("", |outcome| outcome.label_of(task_type)).to_owned();
    let outcome_reason = member.outcome_reason.map(|reason: Reason| reason.label().to_owned());
    [
        member.number.to_string(),
        member.name,
        verdict.label().to_owned(),
        reason,
        first_day,
        date(member.leaving_on),
        date(member.last_activity_on),
        date(member.marked_on),
        by,
        why.to_owned(),
        outcome,
        outcome_reason.or(member.failure).unwrap_or_default(),
    ]
}
