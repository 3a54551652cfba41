//! Residue: the places where values of anonymised users were found, and the decisions about them.

use crate::components::undo::go_to;
use crate::components::{
    FilterProblem, PageLayout, PostButton, ProblemSummary, ReauthHint, Timestamp, choice, filter,
    filtered_list, flash, guarded_page, paging, query,
};
use crate::error::AppError;
use crate::form::error_for;
use crate::state::{actor, can_open, store};
use erasure::residue::{self, CurrentText, Finding, FindingDecision, FindingQuery};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::FieldErrors;
use policy::numbers::{counted, grouped};
use policy::{RunId, UserNumber};
use records::custom_field;
use serde::{Deserialize, Serialize};

/// The maximum number of shown characters of a text.
const SHOWN: usize = 300;

/// Identifies a finding, and the text that was shown.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FindingRef {
    place: i64,
    #[serde(default)]
    seen: String,
}

/// Removes the text of a finding. This cannot be undone.
#[server(prefix = "/do", endpoint = "remove_residue", input = PostUrl)]
async fn remove_residue(form: FindingRef) -> Result<(), AppError> {
    residue::decide(&store(), actor(), form.place, FindingDecision::Removed, &form.seen).await?;
    flash::redirect("/residue?done=residue-removed");
    Ok(())
}

/// Keeps the text of a finding, because it is about another person.
#[server(prefix = "/do", endpoint = "keep_residue", input = PostUrl)]
async fn keep_residue(form: FindingRef) -> Result<(), AppError> {
    let undo = residue::decide(&store(), actor(), form.place, FindingDecision::Kept, &form.seen).await?;
    go_to("/residue?done=residue-kept".to_owned(), undo.as_ref())
}

/// Records that the text of a finding is gone.
#[server(prefix = "/do", endpoint = "close_residue", input = PostUrl)]
async fn close_residue(form: FindingRef) -> Result<(), AppError> {
    let undo = residue::decide(&store(), actor(), form.place, FindingDecision::Gone, &form.seen).await?;
    go_to("/residue?done=residue-gone".to_owned(), undo.as_ref())
}

/// Identifies a decided finding.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DecidedFindingRef {
    place: i64,
}

/// Reopens the decision about a finding.
#[server(prefix = "/do", endpoint = "reopen_residue", input = PostUrl)]
async fn reopen_residue(form: DecidedFindingRef) -> Result<(), AppError> {
    residue::reopen(&store(), actor(), form.place).await?;
    flash::redirect("/residue?done=residue-reopened");
    Ok(())
}

/// Shows the findings.
#[component]
pub fn ResiduePage() -> impl IntoView {
    let show = query("show");
    let run = filter("run", |id| id.parse().ok().map(RunId));
    let mut errors = FieldErrors::default();
    let shown = choice(&mut errors, "show", |code| match code {
        "open" => Some(Some(false)),
        "decided" => Some(Some(true)),
        "all" => Some(None),
        _ => None,
    });
    let find = FindingQuery { decided: shown.unwrap_or(Some(false)), ..FindingQuery::default() };
    guarded_page(async move {
        let find = FindingQuery { run: run?, ..find };
        let (store, paging) = (store(), paging());
        let run = find.run.map(|run| run.to_string()).unwrap_or_default();
        let address = format!("/residue?run={run}&show={show}");
        let labels = custom_field::labels(&store.db).await?;
        let load = residue::findings(&store, &find, &paging);
        let list = filtered_list(&errors, address, &paging, load, |rows| {
            if rows.is_empty() {
                return view! {
                    <p class="empty">
                        "No findings to show. After each run Lethe searches the whole database for the values \
                         that it removed, and lists here what it finds."
                    </p>
                }
                .into_any();
            }
            let hint = can_open(KeepResidue::PATH).then(|| view! { <ReauthHint page="/residue" /> });
            view! { {hint} <ul class="places">{rows.into_iter().map(|found| finding_item(found, &labels)).collect_view()}</ul> }.into_any()
        })
        .await?;
        let paths = [RemoveResidue::PATH, KeepResidue::PATH, CloseResidue::PATH, ReopenResidue::PATH];
        let crumbs =
            vec![("Task centre".to_owned(), "/tasks".to_owned()), ("Runs".to_owned(), "/runs".to_owned())];
        let choices = [("open", "To decide"), ("decided", "Decided"), ("all", "All")].map(|(code, label)| {
            view! { <option value=code selected=show == code>{label}</option> }
        });
        Ok(view! {
            <PageLayout title="Residue" crumbs
                lead="Places where values of anonymised users were found. Lethe no longer stores the values: \
                      read each text and decide.">
                <ProblemSummary error=list.error.or_else(|| paths.into_iter().find_map(error_for)) />
                <form class="filters" method="get" action="/residue" role="search"
                    aria-label="Filter findings">
                    <input type="hidden" name="run" value=run />
                    <div class="field">
                        <label for="show">"Show"</label>
                        <select id="show" name="show" aria-describedby="show-problem">
                            {choices}
                        </select>
                        <FilterProblem field="show" errors />
                    </div>
                    <button type="submit">"Filter findings"</button>
                </form>
                {list.content}
            </PageLayout>
        })
    })
}

fn finding_item(found: Finding, labels: &[(String, String)]) -> impl IntoView + use<> {
    let about = about(&found, labels);
    let kind = found.kind.label();
    let others =
        (found.others > 0).then(|| format!(" and of {}", counted(found.others, "other user", "other users")));
    let run = found.run.map(|run| {
        view! { " · " <a href=format!("/runs/{run}")>"Run "{run.to_string()}</a> }
    });
    let decided = found.decision.map(|(decision, _, at)| {
        let reopen = (decision != FindingDecision::Removed).then(|| {
            let about = about.clone();
            let values = vec![("place", found.id.to_string())];
            view! {
                <PostButton function=ReopenResidue::PATH page="/residue?show=decided" values label="Reopen decision" about />
            }
        });
        view! {
            <p class="decision"><span class="tag quiet">{decision.label()}</span> " " <Timestamp at /></p>
            {reopen}
        }
    });
    let open = decided.is_none();
    let text = match &found.now {
        CurrentText::Nothing => view! { <p class="hint">"Nothing is stored there now."</p> }.into_any(),
        CurrentText::Unreadable => view! {
            <p class="hint">
                "The text cannot be shown: the key of its row contains the value and was not recorded. Look \
                 for it in this column with database tools."
            </p>
        }
        .into_any(),
        CurrentText::Text { text, .. } => view! { <blockquote>{shortened(text)}</blockquote> }.into_any(),
    };
    let title = format!("The {kind} of ");
    view! {
        <li>
            <p>
                {title} <a href=format!("/users/{}", found.user)>{found.name.clone()}</a> {others}
                " was found in " {location(&found, labels)}
            </p>
            {text}
            {open.then(|| decisions(&found, about))}
            {decided}
            <p class="hint">"Found " <Timestamp at=found.found_at /> {run}</p>
        </li>
    }
}

/// Renders where a value was found: in which record, if it is in one.
fn location(found: &Finding, labels: &[(String, String)]) -> AnyView {
    let CurrentText::Text { owner: Some(owner), .. } = found.now else {
        let place = format!("{}: {}", found.table_label, found.column_label);
        return view! { <b>{place}</b> ", row " {found.row.clone()} }.into_any();
    };
    let record = view! { <a href=format!("/users/{owner}")>"user "{owner.to_string()}</a> };
    let column = found.column_label.clone();
    if found.table == "users" {
        return view! { <b>{column}</b> " of " {record} }.into_any();
    }
    if let Some((field, _)) = custom_field(found, labels) {
        return view! { <b>{field}</b> " of " {record} }.into_any();
    }
    let place = format!("{}: {column}", found.table_label);
    view! { <b>{place}</b> " of " {record} ", row " {found.row.clone()} }.into_any()
}

/// Returns the custom field of a finding with its user. None if the finding is in another table.
fn custom_field(found: &Finding, labels: &[(String, String)]) -> Option<(String, UserNumber)> {
    if found.table != "custom_values" {
        return None;
    }
    let (user, key) = found.row.split_once(',')?;
    let label = labels.iter().find(|(of, _)| of == key).map_or(key, |(_, label)| label);
    Some((format!("custom field “{label}”"), user.parse().ok()?))
}

/// Describes the place of a finding for screen readers, which read a button without the text around it.
fn about(found: &Finding, labels: &[(String, String)]) -> String {
    match custom_field(found, labels) {
        Some((field, user)) => format!("in {field} of user {user}"),
        None => format!("in {}, row {}", found.column_label, found.row),
    }
}

/// Renders the possible decisions. The audit records each decision.
fn decisions(found: &Finding, about: String) -> impl IntoView + use<> {
    let values = |seen: &str| vec![("place", found.id.to_string()), ("seen", seen.to_owned())];
    match &found.now {
        CurrentText::Nothing | CurrentText::Unreadable => view! {
            <PostButton function=CloseResidue::PATH page="/residue" values=values("") label="Record as gone" about />
        }
        .into_any(),
        CurrentText::Text { seen, removable, owner, .. } => {
            let remove = removable.then(|| {
                view! {
                    <details class="more">
                        <summary>"Remove this text"<span class="hidden">" "{about.clone()}</span></summary>
                        <p>"The whole text above is removed, including anything about other people. " <b>"This cannot be undone."</b></p>
                        <PostButton function=RemoveResidue::PATH page="/residue" values=values(seen)
                            label="Remove this text permanently" about=about.clone() danger=true />
                    </details>
                }
            });
            let record = (!removable).then(|| owner.map(|owner| {
                view! {
                    <p class="hint">
                        "This field identifies another user: "
                        <a href=format!("/users/{owner}")>"open that record"</a> "."
                    </p>
                }
            }));
            view! {
                <div class="buttons">
                    <PostButton function=KeepResidue::PATH page="/residue" values=values(seen)
                        label="Keep text" about />
                </div>
                {remove.filter(|_| can_open(RemoveResidue::PATH))}
                {record}
            }
            .into_any()
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("…".chars()).collect()
}

/// Describes the result of the residue search for a user's record.
pub(crate) fn status_text(status: residue::ResidueStatus) -> String {
    match status {
        residue::ResidueStatus::Clean => "no old values were found".to_owned(),
        residue::ResidueStatus::Found { open: 0, decided } => {
            format!("old values were found in {}; all decided", place_count(decided))
        }
        residue::ResidueStatus::Found { open, .. } => format!(
            "old values were found in {}, waiting for a \
                                                          decision",
            place_count(open)
        ),
        residue::ResidueStatus::Undeterminable => {
            "cannot be determined: the old values were gone before Lethe could search for them".to_owned()
        }
        residue::ResidueStatus::UnderWay => "in progress".to_owned(),
    }
}

fn place_count(count: u64) -> String {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if count == 1 { "1 place".to_owned() } else { format!("{} places", grouped(count)) }
}
