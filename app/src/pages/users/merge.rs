//! Merging two records of one person: choosing the other record, comparing both, and confirming.

use super::confirmation::{case_reference, typed_number};
use super::{crumbs, identity};
use crate::components::{
    Column, DataTable, FilterProblem, Notice, PageLayout, ProblemSummary, ReauthHint, filter_error, flash,
    guarded_page, path_param, person_link, query, task_link, user_address,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::pages::access_requests::open_requests;
use crate::pages::approvals::limits_reached;
use crate::state::{actor, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::dates::joined;
use policy::form::{FieldErrors, Problem};
use policy::numbers::grouped;
use policy::{ErasureReason, TaskId, UserNumber};
use records::access_request;
use records::user::{self, Namesakes, UserRecord};
use serde::{Deserialize, Serialize};
use task_centre::run::SingleOrder;
use task_centre::run::merge::{self, KeyFate, MergePlan, MergedKey, Pair, plan_merge};

/// The two records, the task whose settings were shown, and the confirmation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeForm {
    staying: i64,
    losing: i64,
    task: i64,
    version: i32,
    #[serde(default)]
    case_reference: String,
    #[serde(default)]
    confirm: String,
}

/// Merges two records. This cannot be undone.
#[server(prefix = "/do", endpoint = "merge_users", input = PostUrl)]
pub(super) async fn merge_users(form: MergeForm) -> Result<(), AppError> {
    let pair = Pair { staying: UserNumber(form.staying), losing: UserNumber(form.losing) };
    let order = SingleOrder {
        typed: &form.confirm,
        reason: ErasureReason::Error.code(),
        case_reference: &form.case_reference,
        shown: Some((TaskId(form.task), form.version)),
    };
    merge::merge(&store(), actor(), pair, &order).await?;
    flash::redirect(&format!("{}?done=users-merged", user_address(pair.staying)));
    Ok(())
}

/// Asks for the other record, then compares both and asks for confirmation.
#[component]
pub fn MergeUsersPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    let typed = query("with");
    guarded_page(async move {
        let store = store();
        let staying = user::read(&store, number?).await?;
        let mut errors = FieldErrors::default();
        let with = other(&typed, staying.number, &mut errors);
        let error = filter_error(&errors).or_else(|| error_for(MergeUsers::PATH));
        let content = if let Some(losing) = with {
            compared(&staying, &user::read(&store, losing).await?).await?
        } else {
            let namesakes = user::namesakes(&store, staying.number).await?;
            choice(&staying, &namesakes, typed, &errors).into_any()
        };
        let crumb = (format!("User {}", staying.number), user_address(staying.number));
        Ok(view! {
            <PageLayout title=format!("Merge user {} with a duplicate", staying.number) crumbs=crumbs([crumb])
                lead="Two records of one person become one. Loans, requests, charges and messages move; the other record \
                      is anonymised.">
                <ProblemSummary error />
                {content}
            </PageLayout>
        })
    })
}

/// Reads the number of the other record.
fn other(typed: &str, own: UserNumber, errors: &mut FieldErrors) -> Option<UserNumber> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    let number = typed.parse().map(UserNumber).map_err(|_| Problem::NotAUserNumber);
    errors.take("with", number.and_then(|with| if with == own { Err(Problem::SameRecord) } else { Ok(with) }))
}

/// Renders the choice of the other record.
fn choice(
    staying: &UserRecord,
    namesakes: &Namesakes,
    typed: String,
    errors: &FieldErrors,
) -> impl IntoView + use<> {
    let here = format!("{}/merge", user_address(staying.number));
    let links: Vec<_> = namesakes
        .first
        .iter()
        .map(|person| {
            let compare = format!("{here}?with={}", person.number);
            let label = format!("Compare with user {}", person.number);
            view! { <li>{person_link(person)}" – "<a href=compare>{label}</a></li> }
        })
        .collect();
    let same = (!links.is_empty())
        .then(|| view! { <h2>"Users with the same name"</h2><ul id="namesakes">{links}</ul> });
    let wrong = errors.message("with").map(|_| "true");
    view! {
        <p class="headline">{staying.name.clone()}</p>
        {same}
        <form class="filters" method="get" action=here>
            <div class="field">
                <label for="with">"User number of the duplicate"</label>
                <input id="with" name="with" type="text" inputmode="numeric" autocomplete="off" value=typed
                    aria-invalid=wrong aria-describedby="with-problem" />
                <FilterProblem field="with" errors=errors.clone() />
            </div>
            <button type="submit">"Compare records"</button>
        </form>
    }
}

/// Renders both records, what moves, and the form.
async fn compared(staying: &UserRecord, losing: &UserRecord) -> Result<AnyView, RecordsError> {
    let store = store();
    let plan = plan_merge(&store, Pair { staying: staying.number, losing: losing.number }).await?;
    let requests = access_request::of_user(&store, losing.number).await?;
    let limits = limits_reached().await?;
    let swap = format!("{}/merge?with={}", user_address(losing.number), staying.number);
    let end = match (&plan.why_not, &plan.task) {
        (Some(why), _) => {
            let why = format!("{why}.");
            view! { <Notice kind="warning"><p>{why}</p><p>"Nothing has been changed."</p></Notice> }
                .into_any()
        }
        (None, None) => super::anonymise::no_task().into_any(),
        (None, Some(_)) => view! { {limits} {confirmation(staying, losing, &plan)} }.into_any(),
    };
    Ok(view! {
        {open_requests(&requests, Some("It moves to the record that stays."))}
        {identity::side_by_side(staying, losing)}
        <p><a href=swap>"Keep user " {losing.number.to_string()} " instead"</a></p>
        {moves(&plan, staying.number)}
        {keys(&plan.keys, staying.number)}
        <h2>"What is removed"</h2>
        <p>
            "User " {staying.number.to_string()} " keeps its own fields. Those of user " {losing.number.to_string()}
            " are removed, with photo, custom fields and sign-in. Copy the values that you need to the other record first."
        </p>
        {plan.task.as_ref().map(|task| view! { <p>"The field settings of the task "{task_link(task)}" apply."</p> })}
        {end}
    }
    .into_any())
}

fn moves(plan: &MergePlan, staying: UserNumber) -> impl IntoView + use<> {
    let rows = plan
        .moves
        .iter()
        .map(|moved| {
            view! { <tr><th scope="row">{moved.label}</th><td class="number">{grouped(moved.rows)}</td></tr> }
        })
        .collect_view();
    let table = if plan.moves.is_empty() {
        view! { <p class="empty">"Nothing belongs to the other record."</p> }.into_any()
    } else {
        view! {
            <DataTable label="What moves" caption="What moves" columns=vec![
                Column::text("What"), Column::number("Rows"),
            ]>{rows}</DataTable>
        }
        .into_any()
    };
    view! {
        <h2>{format!("What moves to user {staying}")}</h2>
        <p>"Loans, requests and charges keep their branch, day, user category and department."</p>
        {table}
    }
}

/// Renders what becomes of UserID, barcode, external identifier and e-mail.
fn keys(keys: &[MergedKey], staying: UserNumber) -> impl IntoView + use<> {
    let lines: Vec<_> = [KeyFate::TakenOver, KeyFate::Same, KeyFate::Former]
        .into_iter()
        .filter_map(|fate| {
            let these: Vec<&str> =
                keys.iter().filter(|key| key.fate == fate).map(|key| key.kind.label()).collect();
            let what = match fate {
                KeyFate::TakenOver => format!("user {staying} has none and takes it over"),
                KeyFate::Same => "both records have the same".to_owned(),
                KeyFate::Former => format!(
                    "user {staying} has another. Old loans with it belong to user {staying}, and it is suppressed, so \
                     that no import creates the duplicate again"
                ),
            };
            (!these.is_empty()).then(|| view! { <li><b>{joined(&these, "and")}</b>": "{what}"."</li> })
        })
        .collect();
    (!lines.is_empty()).then(|| view! { <h2>"Keys of the duplicate"</h2><ul>{lines}</ul> })
}

fn confirmation(staying: &UserRecord, losing: &UserRecord, plan: &MergePlan) -> impl IntoView + use<> {
    let (form, errors) = match failed_submission::<MergeForm>(MergeUsers::PATH) {
        Some((form, error)) => (form, field_errors(Some(&error))),
        None => (MergeForm::default(), FieldErrors::default()),
    };
    let number = losing.number.to_string();
    let here = format!("{}/merge?with={number}", user_address(staying.number));
    let task = plan.task.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default();
    let label = format!("Merge into user {} and anonymise user {number}", staying.number);
    view! {
        <form class="confirm" method="post" action=action(MergeUsers::PATH, &here) novalidate>
            <Token />
            <h2>"This cannot be undone"</h2>
            <ReauthHint page=here.clone() />
            <input type="hidden" name="form[staying]" value=staying.number.to_string() />
            <input type="hidden" name="form[losing]" value=number.clone() />
            <input type="hidden" name="form[task]" value=task />
            <input type="hidden" name="form[version]" value=plan.version.to_string() />
            {case_reference(form.case_reference, &errors)}
            {typed_number("User number of the duplicate", number, ", the record that is anonymised.", form.confirm, errors)}
            <div class="buttons">
                <button class="danger" type="submit">{label}</button>
                <a href=user_address(staying.number)>"Cancel"</a>
            </div>
        </form>
    }
}
