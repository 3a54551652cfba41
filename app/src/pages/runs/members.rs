//! The users of a run or preview: filters and table.

use crate::components::{
    Column, DataTable, FilterProblem, Pager, ProblemSummary, RecordDay, choice, filter_error, options,
    paging, search_text,
};
use crate::error::{AppError, field_errors};
use crate::form::{self, action, failed_submission};
use crate::private_search;
use db::RecordsError;
use db::pagination::{Page, Paging};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::dates::{joined, shown};
use policy::form::{FieldErrors, Problem};
use policy::numbers::{counted, grouped};
use policy::{Blocker, Outcome, Reason, RunId, VerdictKind, text};
use serde::{Deserialize, Serialize};
use task_centre::run::{self, Member, MemberQuery, Run};
use trail::Store;

/// A posted search for users of a run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MemberForm {
    run: i64,
    verdict: String,
    reason: String,
    outcome: String,
    q: String,
}

/// Searches the users of a run.
#[allow(clippy::unused_async, reason = "server functions are async")]
#[server(prefix = "/do", endpoint = "find_run_users", input = PostUrl)]
pub(super) async fn find_run_users(form: MemberForm) -> Result<(), AppError> {
    let MemberForm { run, verdict, reason, outcome, q } = form;
    let mut errors = FieldErrors::default();
    for (name, code, is_known) in [
        ("verdict", &verdict, VerdictKind::from_code(&verdict).is_some()),
        ("reason", &reason, Reason::from_code(&reason).is_some()),
        ("outcome", &outcome, Outcome::from_code(&outcome).is_some()),
    ] {
        // The list without the filter would be longer than the requested one.
        if !(code.is_empty() || is_known) {
            errors.add(name, Problem::UnknownChoice);
        }
    }
    errors.take("q", text::line(&q, text::SHORT));
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let values = [("verdict", verdict), ("reason", reason), ("outcome", outcome), ("q", q)];
    private_search::redirect_to_search(&format!("/runs/{run}"), &values)
}

/// The search of the page for users of a run.
pub(super) struct MemberSearch {
    pub(super) query: MemberQuery,
    pub(super) paging: Paging,
    problem: Option<AppError>,
    errors: FieldErrors,
}

impl MemberSearch {
    /// Reads the filters of the page's address, or of the rejected form.
    pub(super) fn from_page() -> Self {
        let problem = form::error_for(FindRunUsers::PATH).or_else(private_search::problem);
        if let Some((MemberForm { verdict, reason, outcome, q, .. }, error)) =
            failed_submission(FindRunUsers::PATH)
        {
            let query = MemberQuery {
                verdict: VerdictKind::from_code(&verdict),
                reason: Reason::from_code(&reason),
                outcome: Outcome::from_code(&outcome),
                text: q,
            };
            let errors = field_errors(Some(&error));
            let problem = filter_error(&errors).or(problem);
            return Self { query, paging: Paging::default(), problem, errors };
        }
        let mut errors = FieldErrors::default();
        let query = MemberQuery {
            verdict: choice(&mut errors, "verdict", VerdictKind::from_code),
            reason: choice(&mut errors, "reason", Reason::from_code),
            outcome: choice(&mut errors, "outcome", Outcome::from_code),
            text: search_text(&mut errors, "q"),
        };
        let problem = filter_error(&errors).or(problem);
        Self { query, paging: paging(), problem, errors }
    }

    /// Returns whether a filter is invalid. No list is shown then.
    fn is_wrong(&self) -> bool {
        !self.errors.is_empty()
    }

    fn is_filtered(&self) -> bool {
        let query = &self.query;
        query.verdict.is_some()
            || query.reason.is_some()
            || query.outcome.is_some()
            || !query.text.trim().is_empty()
    }

    /// Returns the address of the list with these filters.
    pub(super) fn address(&self, run: RunId) -> String {
        let MemberQuery { verdict, reason, outcome, text } = &self.query;
        let values = [
            ("verdict", verdict.map_or("", VerdictKind::code).to_owned()),
            ("reason", reason.map_or("", Reason::code).to_owned()),
            ("outcome", outcome.map_or("", Outcome::code).to_owned()),
            ("q", text.clone()),
        ];
        // A search that cannot be encrypted is left out.
        let list = format!("/runs/{run}");
        private_search::address(&list, &values).unwrap_or(list)
    }
}

/// One page of the users of a run, and the number of matching users on all pages.
pub(super) struct MemberPage {
    members: Page<Member>,
    all: i64,
}

impl MemberPage {
    /// Reads the requested page.
    pub(super) async fn read(store: &Store, run: &Run, search: &MemberSearch) -> Result<Self, RecordsError> {
        if search.is_wrong() {
            return Ok(Self { members: Page::default(), all: 0 });
        }
        let members = run::members(store, run, &search.query, &search.paging).await?;
        let shown = i64::try_from(members.rows.len()).unwrap_or(i64::MAX);
        let is_whole = members.next.is_none() && search.paging.after.is_none();
        let all = if is_whole { shown } else { run::count_members(store, run.id, &search.query).await? };
        Ok(Self { members, all })
    }

    /// Returns the note that the page is not the complete list, which is printed, too.
    fn label(&self) -> Option<String> {
        let shown = i64::try_from(self.members.rows.len()).unwrap_or(i64::MAX);
        (shown < self.all)
            .then(|| format!("{} of {} shown.", grouped(shown), counted(self.all, "user", "users")))
    }
}

/// Renders the filters and the table of the users.
pub(super) fn member_section(
    run: RunId,
    search: &MemberSearch,
    page: MemberPage,
    preview: bool,
) -> impl IntoView + use<> {
    let part = page.label().map(|label| view! { <p class="hint">{label}</p> });
    let members = page.members;
    let list = search.address(run);
    let paged = search.paging.after.is_some();
    let content = if search.is_wrong() {
        ().into_any()
    } else if members.rows.is_empty() {
        let label = if search.is_filtered() || paged {
            "No users match these filters."
        } else {
            "This list of users is no longer stored: a newer preview of the task has replaced it."
        };
        view! { <p class="empty">{label}</p> }.into_any()
    } else {
        table(members.rows, preview).into_any()
    };
    view! {
        <ProblemSummary error=search.problem.clone() />
        {filters(run, search, preview)}
        {part}
        <div data-live="people">
            {content}
            <Pager list paged next=members.next />
        </div>
    }
}

fn filters(run: RunId, search: &MemberSearch, preview: bool) -> impl IntoView + use<> {
    let query = &search.query;
    let wrong = |field: &'static str| view! { <FilterProblem field errors=search.errors.clone() /> };
    let fields = if preview {
        view! {
            <div class="field">
                <label for="verdict">"Verdict"</label>
                <select id="verdict" name="form[verdict]" aria-describedby="verdict-problem">
                    {options(VerdictKind::ALL, query.verdict, "All verdicts", VerdictKind::code, VerdictKind::label)}
                </select>
                {wrong("verdict")}
            </div>
            <div class="field">
                <label for="reason">"Reason"</label>
                <select id="reason" name="form[reason]" aria-describedby="reason-problem">
                    {options(Reason::ALL, query.reason, "All reasons", Reason::code, Reason::label)}
                </select>
                {wrong("reason")}
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="field">
                <label for="outcome">"Outcome"</label>
                <select id="outcome" name="form[outcome]" aria-describedby="outcome-problem">
                    {options(Outcome::ALL, query.outcome, "All outcomes", Outcome::code, Outcome::label)}
                </select>
                {wrong("outcome")}
            </div>
        }
        .into_any()
    };
    let clear = (search.is_filtered() || search.is_wrong()).then(|| {
        view! { <a class="button" href=format!("/runs/{run}#people")>"Show all users"</a> }
    });
    view! {
        <form class="filters" method="post" action=action(FindRunUsers::PATH, &format!("/runs/{run}")) role="search"
            aria-label="Find users">
            <form::Token />
            <input type="hidden" name="form[run]" value=run.to_string() />
            <div class="field">
                <label for="q">"Find a user in this list"</label>
                <input id="q" name="form[q]" type="search" value=query.text.clone()
                    placeholder="User number, name, barcode" aria-invalid=search.errors.of("q").map(|_| "true")
                    aria-describedby="q-problem" />
                {wrong("q")}
            </div>
            {fields}
            <button type="submit">"Show users"</button>
            {clear}
        </form>
    }
}

fn table(rows: Vec<Member>, preview: bool) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|member| {
            let number = member.number.to_string();
            let by_month = member.dates_by_month;
            let (tag, label) = if preview { verdict(&member) } else { outcome(&member) };
            view! {
                <tr>
                    <td class="number"><a href=format!("/users/{number}")>{number.clone()}</a></td>
                    <th scope="row">{member.name}</th>
                    <td><RecordDay date=member.leaving_on by_month /></td>
                    <td><RecordDay date=member.last_activity_on by_month /></td>
                    <td><RecordDay date=member.marked_on by_month /></td>
                    <td>{tag}</td>
                    <td>{label}</td>
                </tr>
            }
        })
        .collect_view();
    let (what, caption) = if preview {
        ("Verdict", "Users with verdict and reason")
    } else {
        ("Outcome", "Users with outcome and reason")
    };
    view! {
        <DataTable label="Users" caption=caption
            columns=vec![
                Column::number("User number"), Column::text("Name"), Column::text("Leaving date"),
                Column::text("Last activity"), Column::text("Marked for deletion"), Column::text(what),
                Column::text("Reason"),
            ]>
            {rows}
        </DataTable>
    }
}

/// Returns the class of a verdict's tag.
pub(super) const fn verdict_class(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Eligible => "tag ready",
        VerdictKind::Blocked => "tag due",
        VerdictKind::NotYet | VerdictKind::Excluded => "tag quiet",
        VerdictKind::AlreadyAnonymised => "tag proven",
    }
}

fn verdict(member: &Member) -> (AnyView, String) {
    let kind = member.reason.verdict();
    let label = match (kind, member.first_day) {
        (VerdictKind::Blocked, _) => {
            let blockers: Vec<&str> = member.blockers.iter().map(Blocker::label).collect();
            joined(&blockers, "and")
        }
        (VerdictKind::NotYet, Some(day)) if member.reason == Reason::Waiting => {
            format!("eligible from {}", shown(day))
        }
        _ => member.reason.label().to_owned(),
    };
    (view! { <span class=verdict_class(kind)>{kind.label()}</span> }.into_any(), label)
}

fn outcome(member: &Member) -> (AnyView, String) {
    let (class, outcome) = match member.outcome {
        Some(Outcome::Done) => ("tag proven", Outcome::Done.label()),
        Some(Outcome::Skipped) => ("tag quiet", Outcome::Skipped.label()),
        Some(Outcome::Failed) => ("tag bad", Outcome::Failed.label()),
        None => ("tag ready", "Remaining"),
    };
    let why = member.outcome_reason.map(|reason| reason.label().to_owned());
    let failed = member.failure.as_ref().map(|code| format!("unchanged; code {code}"));
    (view! { <span class=class>{outcome}</span> }.into_any(), why.or(failed).unwrap_or_default())
}
