//! The users of a run or preview: filters, order and pages. `member_table` renders the rows.

use super::PLACE;
use super::exclusion::{self, Exclusions};
use super::member_table::{Order, table};
use crate::components::{
    FilterProblem, Pages, ProblemSummary, choice, filter_error, options, paging, search_text,
};
use crate::error::{AppError, field_errors};
use crate::form::{self, action, failed_submission};
use crate::private_search;
use crate::state::can_open;
use crate::url::percent_encoded;
use db::RecordsError;
use db::pagination::{Page, Paging};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::numbers::{counted, grouped};
use policy::{Outcome, Reason, RunId, TaskType, VerdictKind, text};
use serde::{Deserialize, Serialize};
use task_centre::run::{self, Member, MemberQuery, MemberSort, Run};
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
    sort: String,
    order: String,
}

/// The code of the descending order.
const DESCENDING: &str = "desc";

/// Searches the users of a run.
#[allow(clippy::unused_async, reason = "server functions are async")]
#[server(prefix = "/do", endpoint = "find_run_users", input = PostUrl)]
pub(super) async fn find_run_users(form: MemberForm) -> Result<(), AppError> {
    let MemberForm { run, verdict, reason, outcome, q, sort, order } = form;
    let mut errors = FieldErrors::default();
    for (name, code, is_known) in [
        ("verdict", &verdict, VerdictKind::from_code(&verdict).is_some()),
        ("reason", &reason, Reason::from_code(&reason).is_some()),
        ("outcome", &outcome, Outcome::from_code(&outcome).is_some()),
        ("sort", &sort, MemberSort::from_code(&sort).is_some()),
        ("order", &order, order == DESCENDING),
    ] {
        // The list without the filter would be longer than the requested one.
        if !(code.is_empty() || is_known) {
            errors.add(name, Problem::UnknownChoice);
        }
    }
    errors.take("q", text::line(&q, text::MAX_SHORT_CHARS));
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let values = [
        ("verdict", verdict),
        ("reason", reason),
        ("outcome", outcome),
        ("q", q),
        ("sort", sort),
        ("order", order),
    ];
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
        if let Some((MemberForm { verdict, reason, outcome, q, sort, order, .. }, error)) =
            failed_submission(FindRunUsers::PATH)
        {
            let query = MemberQuery {
                verdict: VerdictKind::from_code(&verdict),
                reason: Reason::from_code(&reason),
                outcome: Outcome::from_code(&outcome),
                text: q,
                sort: MemberSort::from_code(&sort).unwrap_or_default(),
                descending: order == DESCENDING,
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
            sort: choice(&mut errors, "sort", MemberSort::from_code).unwrap_or_default(),
            descending: choice(&mut errors, "order", |code| (code == DESCENDING).then_some(())).is_some(),
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

    /// Returns the address of the page with these filters.
    pub(super) fn address(&self, run: RunId) -> String {
        self.address_in(&format!("/runs/{run}"), self.query.sort, self.query.descending)
    }

    /// Returns the address of the list in this order.
    pub(super) fn address_by(&self, run: RunId, sort: MemberSort, descending: bool) -> String {
        format!("{}{PLACE}", self.address_in(&format!("/runs/{run}"), sort, descending))
    }

    /// Returns the address of the page that begins after this key.
    fn address_after(&self, run: RunId, key: &str) -> String {
        let list = self.address(run);
        let glue = if list.contains('?') { '&' } else { '?' };
        format!("{list}{glue}after={}{PLACE}", percent_encoded(key))
    }

    /// Returns the address of the file with all users of the list.
    fn address_of_file(&self, run: RunId) -> String {
        self.address_in(&format!("/runs/{run}/users.csv"), self.query.sort, self.query.descending)
    }

    fn address_in(&self, path: &str, sort: MemberSort, descending: bool) -> String {
        let MemberQuery { verdict, reason, outcome, text, .. } = &self.query;
        let by_default = sort == MemberSort::default() && !descending;
        let values = [
            ("verdict", verdict.map_or("", VerdictKind::code).to_owned()),
            ("reason", reason.map_or("", Reason::code).to_owned()),
            ("outcome", outcome.map_or("", Outcome::code).to_owned()),
            ("q", text.clone()),
            ("sort", if by_default { "" } else { sort.code() }.to_owned()),
            ("order", if descending { DESCENDING } else { "" }.to_owned()),
        ];
        // A search that cannot be encrypted is left out.
        private_search::address(path, &values).unwrap_or_else(|_| path.to_owned())
    }
}

/// One page of the users of a run, and the number of matching users on all pages.
pub(super) struct MemberPage {
    members: Page<Member>,
    all: i64,
    task_type: TaskType,
}

impl MemberPage {
    /// Reads the requested page.
    pub(super) async fn read(store: &Store, run: &Run, search: &MemberSearch) -> Result<Self, RecordsError> {
        let task_type = run.settings.task_type();
        if search.is_wrong() {
            return Ok(Self { members: Page::default(), all: 0, task_type });
        }
        let members = run::members(store, run, &search.query, &search.paging).await?;
        let shown = i64::try_from(members.rows.len()).unwrap_or(i64::MAX);
        let is_whole = members.next.is_none() && search.paging.after.is_none();
        let all = if is_whole { shown } else { run::count_members(store, run.id, &search.query).await? };
        Ok(Self { members, all, task_type })
    }

    /// Returns the note that the page is not the complete list, which is printed, too.
    fn label(&self) -> Option<String> {
        let shown = i64::try_from(self.members.rows.len()).unwrap_or(i64::MAX);
        (shown < self.all)
            .then(|| format!("{} of {} shown.", grouped(shown), counted(self.all, "user", "users")))
    }
}

/// Renders the filters, the table of the users, and what can be done with them. `exclusions` is set for a preview.
pub(super) fn member_section(
    run: RunId,
    search: &MemberSearch,
    page: MemberPage,
    exclusions: Option<Exclusions>,
) -> impl IntoView + use<> {
    let is_preview = exclusions.is_some();
    let part = page.label().map(|label| view! { <p class="hint">{label}</p> });
    let MemberPage { members, task_type, .. } = page;
    let paged = search.paging.after.is_some();
    let next = members.next.as_deref().map(|key| search.address_after(run, key));
    let first = paged.then(|| format!("{}{PLACE}", search.address(run)));
    let here = exclusions.as_ref().map(|exclusions| exclusions.form(&members.rows, &search.address(run)));
    let export = search.address_of_file(run);
    let export = (!members.rows.is_empty() && can_open(&export)).then(|| {
        view! { <p class="on-screen"><a href=export>"Export these users as CSV"</a></p> }
    });
    let content = if search.is_wrong() {
        ().into_any()
    } else if members.rows.is_empty() {
        let label = if search.is_filtered() || paged {
            "No users match these filters."
        } else {
            "This list of users is no longer stored: a newer preview of the task has replaced it, or the preview was \
             discarded."
        };
        view! { <p class="empty">{label}</p> }.into_any()
    } else {
        let order = |sort: MemberSort, label: &'static str| {
            let MemberQuery { sort: now, descending, .. } = search.query;
            let is_current = sort == now;
            let href = search.address_by(run, sort, is_current && !descending);
            Order { label, href, direction: is_current.then_some(descending) }
        };
        let orders = [
            order(MemberSort::Number, "User number"),
            order(MemberSort::Name, "Name"),
            order(MemberSort::FirstDay, "First day"),
            order(MemberSort::Reason, "Verdict"),
        ];
        table(members.rows, orders, exclusions, task_type).into_any()
    };
    view! {
        <ProblemSummary error=search.problem.clone().or_else(exclusion::problem) />
        {filters(run, search, is_preview, task_type)}
        {part}
        <div id="users" data-live="people">
            {here}
            {content}
            <Pages first previous=None next />
        </div>
        {export}
    }
}

fn filters(run: RunId, search: &MemberSearch, preview: bool, task_type: TaskType) -> impl IntoView + use<> {
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
                    {options(Outcome::ALL, query.outcome, "All outcomes", Outcome::code, move |one| one.label_of(task_type))}
                </select>
                {wrong("outcome")}
            </div>
        }
        .into_any()
    };
    let clear = (search.is_filtered() || search.is_wrong()).then(|| {
        view! { <a class="button" href=format!("/runs/{run}{PLACE}")>"Show all users"</a> }
    });
    // The answer, a list or the page with a problem, opens at the list.
    let to = format!("{}{PLACE}", action(FindRunUsers::PATH, &format!("/runs/{run}")));
    let sorted = (query.sort != MemberSort::default() || query.descending).then(|| {
        view! {
            <input type="hidden" name="form[sort]" value=query.sort.code() />
            {query.descending.then(|| view! { <input type="hidden" name="form[order]" value=DESCENDING /> })}
        }
    });
    view! {
        <form class="filters" method="post" action=to role="search"
            aria-label="Find users">
            <form::Token />
            <input type="hidden" name="form[run]" value=run.to_string() />
            {sorted}
            <div class="field">
                <label for="q">"Find a user in this list"</label>
                <input id="q" name="form[q]" type="search" value=query.text.clone()
                    placeholder="User number, name, barcode" aria-invalid=search.errors.message("q").map(|_| "true")
                    aria-describedby="q-problem" />
                {wrong("q")}
            </div>
            {fields}
            <button type="submit">"Show users"</button>
            {clear}
        </form>
    }
}
