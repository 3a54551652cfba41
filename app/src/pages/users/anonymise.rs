//! Anonymising one person: what goes, what stays, what blocks, the typed number, the one red button.

use super::tab::Tab;
use super::{address, by_hand, crumbs, effects};
use crate::error::AppError;
use crate::pages::tasks::task_link;
use crate::parts::{Count, FieldProblem, Frame, Notice, ProblemSummary, SignInFirst, named_in_path, page};
use crate::state::{actor, store};
use crate::submission::{action, refusal, submitted};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::FieldErrors;
use policy::numbers::counted;
use policy::{Blocker, Blockers, TaskId, UserNumber, Verdict};
use records::run::{self, SinglePlan};
use records::user::{self, UserRecord};
use serde::{Deserialize, Serialize};

/// Who, the number typed to confirm, and the task whose settings the page has shown.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnonymiseForm {
    user: i64,
    task: i64,
    version: i32,
    #[serde(default)]
    confirm: String,
}

/// Anonymises one person. Irreversible.
#[server(prefix = "/do", endpoint = "anonymise_user", input = PostUrl)]
pub(super) async fn anonymise_user(form: AnonymiseForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    let shown = (TaskId(form.task), form.version);
    run::anonymise_one_as_shown(&store(), actor(), number, &form.confirm, shown).await?;
    leptos_axum::redirect(&after(number));
    Ok(())
}

fn after(number: UserNumber) -> String {
    format!("{}?done=anonymised", address(number))
}

/// Asks for the last time, and says everything before.
#[component]
pub fn AnonymiseUserPage() -> impl IntoView {
    let number = named_in_path::<UserNumber>("user");
    page(async move {
        let store = store();
        let user = user::read(&store, number?).await?;
        if user.is_anonymised() {
            leptos_axum::redirect(&after(user.number));
        }
        let plan = run::plan_for_one(&store, user.number).await?;
        let content = match (plan.verdict, &plan.task) {
            (Verdict::AlreadyAnonymised, _) => view! { <p>"This user is anonymised already."</p> }.into_any(),
            _ if by_hand::applies(&user) => only_by_hand(&user).into_any(),
            (_, None) => no_task(&plan).into_any(),
            (verdict, Some(_)) => {
                let blockers = match verdict {
                    Verdict::Blocked(blockers) => Some(blockers),
                    _ => None,
                };
                let effects = user::effects(&store, user.number, &plan.policy).await?;
                view! {
                    {blockers.map(|blockers| blocked(&user, blockers))}
                    {settings(&plan)}
                    <h2>"What happens"</h2>
                    <p>
                        "The name becomes a random one, such as “Anonymised user 7F3KQ2”. It carries nothing of the \
                         old name, number or time. What is kept leads to that name and to nobody."
                    </p>
                    {effects::table(&effects)}
                    {catalogue(&user)}
                    {blockers.is_none().then(|| confirmation(&user, &plan))}
                }
                .into_any()
            }
        };
        Ok(view! {
            <Frame title=format!("Anonymise user {}", user.number)
                crumbs=crumbs([(format!("User {}", user.number), address(user.number))])>
                <ProblemSummary error=refusal(AnonymiseUser::PATH) />
                {(!user.is_anonymised()).then(|| who(&user))}
                {content}
            </Frame>
        })
    })
}

/// Who it is, so that namesakes are told apart.
fn who(user: &UserRecord) -> impl IntoView + use<> {
    let category = user.category.clone().map(|term| term.name);
    view! {
        <p class="headline">{user.name.clone()}</p>
        <dl class="facts">
            <dt>"User number"</dt><dd>{user.number.to_string()}</dd>
            <dt>"UserID"</dt><dd>{user.user_id.clone()}</dd>
            <dt>"User category"</dt><dd>{category}</dd>
        </dl>
    }
}

fn only_by_hand(user: &UserRecord) -> impl IntoView + use<> {
    let who = if user.fictitious {
        "This record is no person: it is fictitious."
    } else {
        "This user has a role in the library."
    };
    let edit = format!("{}/edit?by=hand", address(user.number));
    view! {
        <Notice kind="warning">
            <p>{who}" Such records are never anonymised by a task or from here, only by hand."</p>
            <p><a href=edit>"Edit the record by hand"</a></p>
        </Notice>
    }
}

/// No task says what happens to the fields.
fn no_task(plan: &SinglePlan) -> impl IntoView + use<> {
    let tasks = i64::try_from(plan.tasks).unwrap_or(i64::MAX);
    if tasks == 0 {
        view! {
            <Notice kind="warning">
                <p>
                    "No task says what happens to each field, so nobody can be anonymised yet. Create a task of the \
                     type Data maintenance › Anonymise user data. It may be manual only: it then serves single users."
                </p>
                <p><a class="button" href="/tasks/new">"Create task"</a></p>
            </Notice>
        }
        .into_any()
    } else {
        view! {
            <Notice kind="warning">
                <p>
                    "There are "<Count of=tasks />" tasks, and none of them is \
                     marked as the default for single users. Open the task whose field settings shall apply and \
                     choose “Use as default for single users”, or create one for this."
                </p>
                <p><a href="/tasks">"Task centre"</a>" · "<a href="/tasks/new">"Create task"</a></p>
            </Notice>
        }
        .into_any()
    }
}

/// Which task's field settings apply.
fn settings(plan: &SinglePlan) -> impl IntoView + use<> {
    plan.task.as_ref().map(|task| {
        view! {
            <p>
                "The field settings of the task "
                {task_link(task)}
                " apply. Its conditions and its scope do not count for a single user."
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
                "Catalogue records made or last changed by this user: "
                <a href=list><Count of=count /></a>
                ". They stay, and show the random name from then on."
            </p>
        }
    })
}

/// What must be dealt with first, each with the place where that is done.
fn blocked(user: &UserRecord, blockers: Blockers) -> impl IntoView + use<> {
    let number = user.number;
    let counts = user.counts;
    let items: Vec<_> = blockers
        .iter()
        .map(|blocker| {
            let (why, what) = match blocker {
                Blocker::OpenLoan => {
                    (counted(counts.open_loans, "open loan", "open loans"), "return what is on loan")
                }
                Blocker::OpenRequest => (
                    counted(counts.open_requests, "open request", "open requests"),
                    "cancel what is requested",
                ),
                Blocker::UnsettledCharge => (
                    counted(
                        counts.unsettled_charges,
                        "unsettled charge or credit",
                        "unsettled charges or credits",
                    ),
                    "settle what is owed",
                ),
                Blocker::Guarantor => (blocker.words().to_owned(), "see for whom"),
                Blocker::LegalHold => {
                    (counted(counts.legal_holds, "legal hold", "legal holds"), "see why and until when")
                }
            };
            view! {
                <li>{why} " – " <a href=Tab::of_blocker(blocker, number)>{what}</a></li>
            }
        })
        .collect();
    view! {
        <div class="notice warning" id="blockers">
            <h2>"Not possible yet"</h2>
            <p>"This must be dealt with first. Nothing is changed before."</p>
            <ul>{items}</ul>
        </div>
    }
}

fn confirmation(user: &UserRecord, plan: &SinglePlan) -> impl IntoView + use<> {
    let number = user.number.to_string();
    let task = plan.task.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default();
    let here = format!("{}/anonymise", address(user.number));
    let (typed, errors) = match submitted::<AnonymiseForm>(AnonymiseUser::PATH) {
        Some((form, AppError::Invalid(errors))) => (form.confirm, errors),
        _ => (String::new(), FieldErrors::default()),
    };
    let wrong = errors.of("confirm").is_some().then_some("true");
    view! {
        <form class="confirm" method="post" action=action(AnonymiseUser::PATH, &here) novalidate>
            <crate::submission::Token />
            <h2>"This cannot be undone"</h2>
            <p>
                "No copy of what is removed is kept. Backups made before today keep the old values until they expire. \
                 After a restore Lethe anonymises this user again by itself, before it serves any page."
            </p>
            <SignInFirst page=here.clone() />
            <input type="hidden" name="form[user]" value=number.clone() />
            <input type="hidden" name="form[task]" value=task />
            <input type="hidden" name="form[version]" value=plan.version.to_string() />
            <div class="field">
                <label for="confirm">"User number"</label>
                <p class="hint" id="confirm-hint">"Type "<b>{number.clone()}</b>" to confirm."</p>
                <input id="confirm" name="form[confirm]" inputmode="numeric" autocomplete="off" value=typed
                    aria-invalid=wrong aria-describedby="confirm-hint confirm-problem" />
                <FieldProblem field="confirm" errors />
            </div>
            <div class="buttons">
                <button class="danger" type="submit">"Anonymise user "{number}</button>
                <a href=address(user.number)>"Cancel"</a>
            </div>
        </form>
    }
}
