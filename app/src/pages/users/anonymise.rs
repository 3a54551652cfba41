//! Anonymising a single user: what is removed, kept or blocks.

use super::confirmation::{AnonymiseForm, confirmation};
use super::tab::Tab;
use super::{crumbs, identity, impact, staff};
use crate::components::{
    Count, Notice, PageLayout, ProblemSummary, flash, guarded_page, path_param, task_link, user_address,
};
use crate::error::AppError;
use crate::form::error_for;
use crate::pages::access_requests::open_requests;
use crate::pages::approvals::limits_reached;
use crate::state::{actor, can_open, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::{Blocker, Blockers, UserNumber, Verdict};
use records::access_request;
use records::user::{self, UserRecord};
use task_centre::run::{self, SinglePlan};

/// Anonymises a single user. This cannot be undone.
#[server(prefix = "/do", endpoint = "anonymise_user", input = PostUrl)]
pub(super) async fn anonymise_user(form: AnonymiseForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    run::anonymise_one_for(&store(), actor(), number, &form.order()).await?;
    flash::redirect(&format!("{}?done=anonymised", user_address(number)));
    Ok(())
}

/// Asks for confirmation and shows the consequences.
#[component]
pub fn AnonymiseUserPage() -> impl IntoView {
    let number = path_param::<UserNumber>("user");
    guarded_page(async move {
        let store = store();
        let user = user::read(&store, number?).await?;
        if user.is_anonymised() {
            leptos_axum::redirect(&user_address(user.number));
        }
        let namesakes = user::namesakes(&store, user.number).await?;
        let requests = access_request::of_user(&store, user.number).await?;
        let plan = if user.is_staff() {
            run::plan_for_staff(&store, user.number).await?
        } else {
            run::plan_for_one(&store, user.number).await?
        };
        let blockers = match plan.verdict {
            Verdict::Blocked(blockers) => Some(blockers),
            _ => None,
        };
        let content = match (plan.verdict, &plan.task) {
            (Verdict::AlreadyAnonymised, _) => {
                view! { <p>"This user has already been anonymised."</p> }.into_any()
            }
            _ if user.fictitious => staff::fictitious(&user).into_any(),
            (_, None) => no_task().into_any(),
            (_, Some(_)) if user.is_staff() => {
                let guide = staff::guide(&store, &user, &plan).await?;
                view! { {blockers.map(|blockers| blocked(&user, blockers))} {settings(&plan)} {guide} }
                    .into_any()
            }
            (_, Some(_)) => {
                let limits = limits_reached().await?;
                let impacts = user::impacts(&store, user.number, &plan.policy).await?;
                view! {
                    {blockers.map(|blockers| blocked(&user, blockers))}
                    {settings(&plan)}
                    <h2>"What happens"</h2>
                    <p>
                        "The name is replaced by a random one, such as “Anonymised user 7F3KQ2”, which is \
                         unrelated to the old name, number or time. What is kept is linked only to that \
                         name."
                    </p>
                    {impact::table(&impacts)}
                    {catalogue(&user)}
                    {limits}
                    {blockers.is_none().then(|| {
                        let label = format!("Anonymise user {}", user.number);
                        confirmation(&user, &plan, AnonymiseUser::PATH, label)
                    })}
                }
                .into_any()
            }
        };
        Ok(view! {
            <PageLayout title=if user.is_staff() { format!("Anonymise member of staff {}", user.number) } else { format!("Anonymise user {}", user.number) }
                crumbs=crumbs([(format!("User {}", user.number), user_address(user.number))])>
                <ProblemSummary error=error_for(AnonymiseUser::PATH) />
                {(!user.is_anonymised()).then(|| identity::facts(&user, &namesakes))}
                {open_requests(&requests, Some(UNANSWERED))}
                {content}
            </PageLayout>
        })
    })
}

/// The consequence of anonymising a user with an open access request.
const UNANSWERED: &str = "Answer it first: after anonymising, the library can no longer say what it held.";

/// Renders the notice that no task sets the treatment of the fields.
pub(super) fn no_task() -> impl IntoView {
    let create = if can_open("/tasks/new") {
        view! { <p><a class="button" href="/tasks/new">"Create task"</a></p> }.into_any()
    } else {
        view! { <p>"Ask a systems librarian or an administrator to create it."</p> }.into_any()
    };
    view! {
        <Notice kind="warning">
            <p>
                "No shared task sets what happens to each field, so users cannot be anonymised yet. Create a \
                 shared task of the type Data maintenance › Anonymise user data. Its schedule can be Manual \
                 only: its field settings then apply to single users."
            </p>
            {create}
        </Notice>
    }
}

/// Renders the task whose field settings apply.
fn settings(plan: &SinglePlan) -> impl IntoView + use<> {
    plan.task.as_ref().map(|task| {
        view! {
            <p>
                "The field settings of the task "
                {task_link(task)}
                " apply. Its conditions and scope are ignored for a single user."
            </p>
        }
    })
}

fn catalogue(user: &UserRecord) -> impl IntoView + use<> {
    let count = user.counts.catalogue_records;
    (count > 0).then(|| {
        let list = Tab::Catalogue.address(user.number);
        view! {
            <p>
                "Catalogue records created or last changed by this user: "
                <a href=list><Count of=count /></a>
                ". They stay, and will show the random name."
            </p>
        }
    })
}

/// Renders the blockers, each with a link to the page that resolves it.
fn blocked(user: &UserRecord, blockers: Blockers) -> impl IntoView + use<> {
    let number = user.number;
    let counts = user.counts;
    let items: Vec<_> = blockers
        .iter()
        .map(|blocker| {
            let why = counts.of_blocker(blocker);
            let what = match blocker {
                Blocker::OpenLoan => "return loans",
                Blocker::OpenRequest => "cancel requests",
                Blocker::UnsettledCharge => "settle charges",
                Blocker::Guarantor => "see which accounts",
                Blocker::LegalHold => "see reason and review date",
            };
            view! {
                <li>{why} " – " <a href=Tab::for_blocker(blocker, number)>{what}</a></li>
            }
        })
        .collect();
    view! {
        <div class="notice warning" id="blockers">
            <h2>"Not possible yet"</h2>
            <p>"Deal with these first. Nothing has been changed."</p>
            <ul>{items}</ul>
        </div>
    }
}
