//! The lines of import files that the suppression list holds, and the decisions about them.

use super::crumbs;
use crate::components::flash;
use crate::components::{
    Column, DataTable, Day, FieldProblem, FilterProblem, PageAction, PageLayout, ProblemSummary, choice,
    filtered_list, guarded_page, paging, person_link,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, can_open, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::numbers::grouped;
use policy::suppression::{HeldDecision, HeldSource};
use policy::{HeldLineId, ImportId};
use safeguards::suppression::held_line::{self, Chosen, HeldLine, Show};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HERE: &str = "/users/held-lines";
/// The prefix of the field of a line, before its id.
const LINE: &str = "line_";

/// The ticked lines and the decision.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct DecisionForm {
    /// The ticked lines, by `line_ID`.
    lines: BTreeMap<String, bool>,
    /// The codes of their decisions when the page was shown, by `line_ID`.
    before: BTreeMap<String, String>,
    /// Whether all lines to decide are chosen, also those on other pages.
    all: bool,
    /// The number of lines to decide when the page was shown.
    undecided: u64,
    /// The newest of these lines.
    newest: Option<HeldLineId>,
    /// The code of the decision.
    decision: String,
}

impl DecisionForm {
    fn is_ticked(&self, line: HeldLineId) -> bool {
        self.lines.get(&format!("{LINE}{line}")).is_some_and(|ticked| *ticked)
    }

    /// Returns the id of a line, and its decision when the page was shown.
    fn line(&self, name: &str) -> Result<(HeldLineId, Option<HeldDecision>), Problem> {
        let id = name.strip_prefix(LINE).and_then(|id| id.parse().ok()).ok_or(Problem::UnknownChoice)?;
        let before = match self.before.get(name).map_or("", String::as_str) {
            "" => None,
            code => Some(HeldDecision::from_code(code).ok_or(Problem::UnknownChoice)?),
        };
        Ok((id, before))
    }

    /// Returns the chosen lines and the decision.
    fn read(&self) -> Result<(Chosen, HeldDecision), FieldErrors> {
        let mut errors = FieldErrors::default();
        let ticked = self.lines.iter().filter(|(_, ticked)| **ticked);
        let lines: Result<Vec<_>, Problem> = ticked.map(|(name, _)| self.line(name)).collect();
        let chosen = match lines {
            Ok(_) if self.all => Ok(Chosen::Undecided { seen: self.undecided, newest: self.newest }),
            Ok(lines) if lines.is_empty() => Err(Problem::not_chosen("at least one line")),
            Ok(lines) => Ok(Chosen::Seen(lines)),
            Err(problem) => Err(problem),
        };
        let chosen = errors.take("lines", chosen);
        let decision = match self.decision.trim() {
            "" => Err(Problem::not_chosen("a decision")),
            code => HeldDecision::from_code(code).ok_or(Problem::UnknownChoice),
        };
        let decision = errors.take("decision", decision);
        chosen.zip(decision).ok_or(errors)
    }
}

/// Decides about the chosen lines.
#[server(prefix = "/do", endpoint = "decide_held_lines", input = PostUrl)]
async fn decide_held_lines(form: DecisionForm) -> Result<(), AppError> {
    let (chosen, decision) = form.read().map_err(AppError::Invalid)?;
    held_line::decide(&store(), actor(), &chosen, decision).await?;
    let done = if decision.creates_user() { "held-lines-created-later" } else { "held-lines-ignored" };
    flash::redirect(&format!("{HERE}?done={done}"));
    Ok(())
}

/// Shows the held lines.
#[component]
pub fn HeldLinesPage() -> impl IntoView {
    let mut errors = FieldErrors::default();
    let show = choice(&mut errors, "show", Show::from_code).unwrap_or_default();
    guarded_page(async move {
        let (store, paging) = (store(), paging());
        let undecided = held_line::undecided(&store.db).await?;
        let newest = held_line::newest_undecided(&store.db).await?;
        let (typed, error) = match failed_submission::<DecisionForm>(DecideHeldLines::PATH) {
            Some((form, error)) => (form, Some(error)),
            None => (DecisionForm::default(), error_for(DecideHeldLines::PATH)),
        };
        let page = format!("{HERE}?show={}", show.code());
        let load = held_line::list(&store, actor(), show, &paging);
        let of_form = field_errors(error.as_ref());
        let list = filtered_list(&errors, page.clone(), &paging, load, |rows| {
            if rows.is_empty() {
                return view! {
                    <p class="empty">
                        "No held lines. An import holds a line that would bring back an anonymised user. The external \
                         identifier decides; without one, the UserID, barcode or e-mail does."
                    </p>
                }
                .into_any();
            }
            decision_form(rows, (undecided, newest), &typed, &of_form, &page).into_any()
        })
        .await?;
        let shown = Show::ALL
            .map(|one| view! { <option value=one.code() selected=one == show>{one.label()}</option> });
        let actions = vec![PageAction::Link {
            label: "Show suppression list".to_owned(),
            href: "/suppression".to_owned(),
        }];
        Ok(view! {
            <PageLayout title="Held lines" crumbs=crumbs([]) actions
                lead="Lines of import files and requests of identity systems that would bring back an anonymised user. Lethe stores no value of a \
                      line: find it in the file by its number.">
                <ProblemSummary error=list.error.or(error) />
                <form class="filters" method="get" action=HERE role="search" aria-label="Filter held lines">
                    <div class="field">
                        <label for="show">"Show"</label>
                        <select id="show" name="show" aria-describedby="show-problem">{shown}</select>
                        <FilterProblem field="show" errors=errors.clone() />
                    </div>
                    <button type="submit">"Filter held lines"</button>
                </form>
                {list.content}
            </PageLayout>
        })
    })
}

fn decision_form(
    rows: Vec<HeldLine>,
    (undecided, newest): (u64, Option<HeldLineId>),
    typed: &DecisionForm,
    errors: &FieldErrors,
    page: &str,
) -> impl IntoView + use<> {
    let rows = rows.into_iter().map(|line| row(line, typed)).collect_view();
    let all = i64::try_from(undecided).unwrap_or(i64::MAX);
    let all = (all > 1).then(|| {
        view! {
            <div class="choice">
                <input id="all" name="form[all]" type="checkbox" value="true" checked=typed.all />
                <label for="all">"All " {grouped(all)} " lines to decide, also those on other pages"</label>
            </div>
        }
    });
    let decisions = HeldDecision::ALL
        .map(|decision| {
            let (id, code) = (format!("decision-{}", decision.code()), decision.code());
            let hint = format!("{id}-hint");
            view! {
                <div class="choice">
                    <input id=id.clone() name="form[decision]" type="radio" value=code
                        checked=typed.decision == code aria-describedby=hint.clone() />
                    <label for=id>{decision.label()}</label>
                    <p class="hint" id=hint>{decision.consequence()}</p>
                </div>
            }
        })
        .collect_view();
    view! {
        <form method="post" action=action(DecideHeldLines::PATH, page) novalidate>
            <Token />
            <input type="hidden" name="form[undecided]" value=undecided />
            {newest.map(|newest| view! {
                <input type="hidden" name="form[newest]" value=newest.to_string() />
            })}
            <div id="lines" tabindex="-1">
                <DataTable label="Held lines" caption="Held lines"
                    columns=vec![
                        Column::hidden("Choose"), Column::text("Held line"), Column::text("Suppressed key"),
                        Column::text("Line of the file"), Column::text("First seen"), Column::text("Last seen"),
                        Column::number("Arrived in"), Column::text("Decision"),
                    ]>
                    {rows}
                </DataTable>
            </div>
            {all}
            <FieldProblem field="lines" errors=errors.clone() />
            <fieldset id="decision" tabindex="-1">
                <legend>"Decision about the chosen lines"</legend>
                {decisions}
                <FieldProblem field="decision" errors=errors.clone() />
            </fieldset>
            <button class="primary" type="submit">"Save decision"</button>
        </form>
    }
}

fn row(line: HeldLine, typed: &DecisionForm) -> impl IntoView + use<> {
    let id = format!("{LINE}{}", line.id);
    let decision = match line.decision {
        None => view! { <span class="tag due">"To decide"</span> }.into_any(),
        Some(decision) => {
            let by = line.decided_by.as_ref().map(|by| view! { ", by " {person_link(by)} });
            view! {
                <span class="tag quiet">{decision.label()}</span> " " <Day date=line.decided_on /> {by}
            }
            .into_any()
        }
    };
    let place = match line.source {
        HeldSource::Users => view! { {grouped(line.line)} {line.import.map(import_link)} }.into_any(),
        HeldSource::Scim => "From the identity system".into_any(),
    };
    view! {
        <tr>
            <td>
                <input id=id.clone() name=format!("form[lines][{id}]") type="checkbox" value="true"
                    checked=typed.is_ticked(line.id) aria-label=format!("Choose held line {}", line.id) />
                <input type="hidden" name=format!("form[before][{id}]")
                    value=line.decision.map_or("", HeldDecision::code) />
            </td>
            <th scope="row">"Held line " {line.id.to_string()}</th>
            <td>{line.kind.label()}</td>
            <td>{place}</td>
            <td><Day date=line.first_seen_on /></td>
            <td><Day date=line.last_seen_on /></td>
            <td class="number">{line.source.times(line.times_seen)}</td>
            <td>{decision}</td>
        </tr>
    }
}

/// Names an import, with a link if the member of staff may open it.
fn import_link(import: ImportId) -> impl IntoView {
    let (href, name) = (format!("/users/import/{import}"), format!("import {import}"));
    let link = if can_open(&href) { view! { <a href=href>{name}</a> }.into_any() } else { name.into_any() };
    view! { ", " {link} }
}
