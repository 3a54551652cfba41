//! One user's record.

use super::actions::{CancelRequest, MarkUser, ReturnLoan, SettleCharge, UnmarkUser};
use super::tab::{Tab, tabs};
use super::{activity, crumbs, details, status};
use crate::components::{
    Day, PageAction, PageLayout, Pager, ProblemSummary, flash, guarded_page, own_address, paging, path_param,
    query, user_address,
};
use crate::form::error_for;
use crate::islands::Pending;
use crate::pages::access_requests::open_requests;
use crate::pages::catalogue::record_table;
use crate::pages::residue::status_text;
use crate::private_search;
use crate::state::{actor, can_open, store};
use crate::user_search::USERS;
use db::RecordsError;
use db::pagination::Page;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::{RunKind, UserNumber};
use records::access_request::{self, AccessRequest};
use records::catalogue;
use records::circulation::{self, Loans};
use records::user::{self, UserRecord};
use safeguards::legal_hold::{self, LegalHold};
use task_centre::{outlook, run};
use trail::{Store, library};

/// Shows a user's record with loans, requests, charges and messages.
#[component]
pub fn UserPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    let tab = Tab::from_code(&query("tab"));
    let just_anonymised = flash::code().as_deref() == Some("anonymised");
    guarded_page(async move {
        let store = store();
        let user = user::read(&store, number?).await?;
        let holds = legal_hold::of_user(&store, user.number).await?;
        let requests = access_request::of_user(&store, user.number).await?;
        let status = if user.is_anonymised() {
            None
        } else {
            let tasks = outlook::of_user(&store, user.number).await?;
            let asked = open_requests(&requests, None);
            Some(view! { {status::holds(&holds)} {asked} {status::outlook(&user, &tasks)} })
        };
        let content = content(&store, &user, (holds, requests), tab).await?;
        let residue =
            if user.is_anonymised() { erasure::residue::status(&store, user.number).await? } else { None };
        // The person of a bulk run has not asked for the erasure.
        let has_receipt = match &residue {
            Some((run, _)) if can_open("/runs/0/receipt") => {
                let run = run::read(&store, *run).await?;
                run.kind == RunKind::Single && run.grounds.is_none_or(|grounds| grounds.merged_into.is_none())
            }
            _ => false,
        };
        let found_by = found_by()?;
        let (title, name) = if user.is_anonymised() {
            (format!("User {} has been anonymised", user.number), None)
        } else {
            (format!("User {}", user.number), Some(user.name.clone()))
        };
        Ok(view! {
            <PageLayout title name crumbs=crumbs([]) actions=actions(&user)>
                <Refusals />
                {found_by}
                {head(&user, just_anonymised)}
                {status}
                {residue.map(|found| residue_search(found, has_receipt))}
                {tabs(user.number, tab, &user.counts)}
                {content}
            </PageLayout>
        })
    })
}

/// Links to the list of the search that opened this record, because its text is a key of this user alone.
fn found_by() -> Result<Option<impl IntoView>, RecordsError> {
    let text = query("q");
    if text.is_empty() {
        return Ok(None);
    }
    let list = private_search::address(USERS, &[("q", text.clone())])?;
    Ok(Some(view! {
        <p class="hint found-by">
            "The only exact match for “"{text}"”. " <a href=list>"Show all results"</a>
        </p>
    }))
}

/// Shows why a button of this page failed.
#[component]
fn Refusals() -> impl IntoView {
    let paths = [MarkUser::PATH, UnmarkUser::PATH, ReturnLoan::PATH, CancelRequest::PATH, SettleCharge::PATH];
    let error = paths.into_iter().find_map(error_for);
    view! { <ProblemSummary error /> }
}

/// Renders who the user is, or that the user has been anonymised.
fn head(user: &UserRecord, just_anonymised: bool) -> impl IntoView + use<> {
    if user.is_anonymised() {
        let done = just_anonymised.then(|| {
            view! { <p class="notice success" role="status">"Done. The identifying values have been removed."</p> }
        });
        let rules = user.rules_version.map(|version| format!(", under rules version {version}"));
        return view! {
            {done}
            <div class="gone">
                <p class="headline">{user.name.clone()}</p>
                <p>
                    "Anonymised on " <Day date=user.anonymised_on /> {rules}
                    ". Name, UserID, e-mail, sign-in and barcode have been removed from this database; the \
                     fields that the task keeps are shown below. Loans, requests and charges stay, so the \
                     library's statistics stay correct."
                </p>
            </div>
        }
        .into_any();
    }
    let tag = |shown: bool, class: &'static str, label: &'static str| {
        shown.then(|| view! { <span class=format!("tag {class}")>{label}</span> " " })
    };
    view! {
        <p>
            {tag(user.marked_on.is_some(), "due", "Marked for deletion")}
            {tag(user.counts.legal_holds > 0, "due", "Legal hold")}
            {tag(!user.roles.is_empty(), "ready", "Staff")}
            {tag(user.fictitious, "quiet", "Fictitious")}
            {tag(user.imported, "quiet", "Imported")}
            {tag(!user.imported, "quiet", "Not imported")}
        </p>
    }
    .into_any()
}

/// Renders the result of the residue search, and the links to certificate and receipt.
fn residue_search(
    (run, status): (policy::RunId, erasure::residue::ResidueStatus),
    has_receipt: bool,
) -> impl IntoView {
    let is_under_way = matches!(status, erasure::residue::ResidueStatus::UnderWay);
    let pending = is_under_way.then(|| {
        view! { " " <Pending here=own_address() /> }
    });
    let review = matches!(status, erasure::residue::ResidueStatus::Found { .. })
        .then(|| view! { " " <a href=format!("/residue?run={run}")>"Review"</a> });
    view! {
        <p data-live="residue" aria-live="polite">
            "Residue search: " {status_text(status)} "." {pending} {review} " "
            <a href=format!("/runs/{run}/certificate")>"Certificate"</a> " "
            {has_receipt.then(|| view! { <a href=format!("/runs/{run}/receipt")>"Receipt for the person"</a> })}
        </p>
    }
}

/// Returns the entries of the actions panel. An anonymised user has none.
fn actions(user: &UserRecord) -> Vec<PageAction> {
    if user.is_anonymised() {
        return Vec::new();
    }
    let here = user_address(user.number);
    let (label, function) = match user.marked_on {
        None => ("Mark for deletion", MarkUser::PATH),
        Some(_) => ("Remove deletion mark", UnmarkUser::PATH),
    };
    let edit = |label: &str, form: &str| PageAction::Link {
        label: label.to_owned(),
        href: format!("{here}/{form}"),
    };
    let mut actions = vec![
        edit("Edit user", "edit"),
        PageAction::Post {
            label: label.to_owned(),
            function,
            values: vec![("user", user.number.to_string())],
        },
    ];
    if !user.fictitious && !user.is_staff() {
        actions.push(edit("Merge with a duplicate", "merge"));
    }
    if user.fictitious {
        let why = "A fictitious user is not a person and cannot be anonymised.".to_owned();
        actions.push(PageAction::Unavailable { label: "Anonymise user".to_owned(), why });
        return actions;
    }
    if !user.is_staff() {
        actions.push(edit("Print letter before erasure", "letter"));
    }
    let label = if user.is_staff() { "Anonymise this member of staff" } else { "Anonymise user" }.to_owned();
    actions.push(if user.counts.legal_holds > 0 {
        let why = "This user is under legal hold. It must be released first.".to_owned();
        PageAction::Unavailable { label, why }
    } else {
        PageAction::Danger { label, href: format!("{here}/anonymise") }
    });
    actions
}

/// Loads and renders the content of the tab.
async fn content(
    store: &Store,
    user: &UserRecord,
    (holds, requests): (Vec<LegalHold>, Vec<AccessRequest>),
    tab: Tab,
) -> Result<AnyView, RecordsError> {
    let number = user.number;
    let paging = paging();
    let paged = paging.after.is_some();
    let list = tab.address(number);
    let with_pager = |table: AnyView, next: Option<String>| {
        view! { {table} <Pager list=list.clone() paged next /> }.into_any()
    };
    Ok(match tab {
        Tab::Details => {
            let can_see_data = access_request::can_see_data(store, actor(), number).await?;
            details::view(user, (holds, requests), can_see_data, store.clock.today()).into_any()
        }
        Tab::Loans => {
            let Page { rows, next, .. } = circulation::loans(store, number, Loans::Open, &paging).await?;
            with_pager(activity::open_loans(rows, &list, store.clock.today()), next)
        }
        Tab::History => {
            let Page { rows, next, .. } = circulation::loans(store, number, Loans::Past, &paging).await?;
            with_pager(activity::past_loans(rows), next)
        }
        Tab::Requests => {
            let Page { rows, next, .. } = circulation::requests(store, number, &paging).await?;
            with_pager(activity::requests(rows, &list), next)
        }
        Tab::Charges => {
            let Page { rows, next, .. } = circulation::charges(store, number, &paging).await?;
            let currency = library::read(&store.db).await?.currency;
            with_pager(activity::charges(rows, &list, currency), next)
        }
        Tab::Messages => {
            let Page { rows, next, .. } = circulation::messages(store, number, &paging).await?;
            with_pager(activity::messages(rows), next)
        }
        Tab::Catalogue => {
            let Page { rows, next, .. } = catalogue::made_by(store, number, &paging).await?;
            let table = if rows.is_empty() {
                activity::empty_list("This user has neither created nor changed any catalogue records.")
            } else {
                record_table("Catalogue records created or last changed by this user", rows).into_any()
            };
            with_pager(table, next)
        }
    })
}
