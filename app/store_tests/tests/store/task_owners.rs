//! The owners of tasks, and what happens to a task whose owner has left.

use crate::support::{add, execute, for_each_database, leaver};
use db::pagination::Paging;
use db::{Clock, RecordsError};
use operations::health::{self, ConditionKind};
use policy::form::{FieldErrors, Problem};
use policy::task_form::TaskForm;
use policy::{Role, TaskId, UserNumber};
use records::accounts;
use task_centre::task::{self, TaskQuery, WhyUnowned};
use trail::{Actor, Store, roles};

fn form(owner: Option<UserNumber>, visibility: &str) -> TaskForm {
    TaskForm {
        description: "Leavers".to_owned(),
        visibility: visibility.to_owned(),
        owner: owner.map(|owner| owner.to_string()).unwrap_or_default(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "daily".to_owned(),
        ..TaskForm::new_task()
    }
}

async fn person(store: &Store, user_id: &str, role: Role) -> UserNumber {
    let (user, _) = accounts::add(store, Actor::COMMAND_LINE, user_id, role).await.unwrap();
    accounts::set_demo_password(store, Actor::COMMAND_LINE, user, "plum tractor seventeen").await.unwrap();
    user
}

async fn staff_actor(store: &Store, user: UserNumber) -> Actor {
    let roles = roles::roles_of(&store.db, user).await.unwrap();
    Actor::signed_in(user, roles, Clock::system_now())
}

fn owner_problem(result: Result<impl std::fmt::Debug, RecordsError>) -> Problem {
    match result {
        Err(RecordsError::Invalid(FieldErrors(errors))) => {
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["owner"]);
            errors[0].problem.clone()
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the members of staff that the form offers.
async fn offered(store: &Store) -> Vec<UserNumber> {
    task::possible_owners(store).await.unwrap().into_iter().map(|person| person.number).collect()
}

#[tokio::test]
async fn the_owner_must_have_access_to_tasks() {
    for_each_database(async |store| {
        let student = UserNumber(add(&store, leaver("Ng")).await.number);
        let cataloguer = person(&store, "cat", Role::Cataloguer).await;
        let librarian = person(&store, "lib", Role::Librarian).await;
        assert_eq!(offered(&store).await, [librarian]);
        for visibility in ["shared", "private"] {
            for (owner, problem) in [
                (UserNumber(77), Problem::NoSuchUser),
                (student, Problem::NotTaskStaff),
                (cataloguer, Problem::NotTaskStaff),
            ] {
                let saved = task::save(&store, Actor::COMMAND_LINE, &form(Some(owner), visibility)).await;
                assert_eq!(owner_problem(saved), problem, "{visibility} {owner}");
            }
            task::save(&store, Actor::COMMAND_LINE, &form(Some(librarian), visibility)).await.unwrap();
        }
        let shared = task::save(&store, Actor::COMMAND_LINE, &form(None, "shared")).await.unwrap();
        assert_eq!(task::read(&store, Actor::COMMAND_LINE, shared).await.unwrap().draft.owner, None);
    })
    .await;
}

#[tokio::test]
async fn a_private_task_belongs_to_its_creator_unless_another_owner_is_named() {
    for_each_database(async |store| {
        let systems = person(&store, "sys", Role::SystemsLibrarian).await;
        let actor = staff_actor(&store, systems).await;
        let id = task::save(&store, actor, &form(None, "private")).await.unwrap();
        assert_eq!(task::read(&store, actor, id).await.unwrap().draft.owner, Some(systems));
        // If the owner is cleared, the member of staff who saves the task becomes its owner.
        let edit = TaskForm { id: id.to_string(), version: "1".to_owned(), ..form(None, "private") };
        task::save(&store, actor, &edit).await.unwrap();
        assert_eq!(task::read(&store, actor, id).await.unwrap().draft.owner, Some(systems));

        let file = task::export(&store, actor, id).await.unwrap();
        let imported = task::import(&store, Actor::COMMAND_LINE, file.clone()).await;
        assert!(matches!(owner_problem(imported), Problem::Required { .. }));
        let imported =
            task::import_for(&store, Actor::COMMAND_LINE, file.clone(), Some(systems)).await.unwrap();
        assert_eq!(task::read(&store, actor, imported).await.unwrap().draft.owner, Some(systems));
        let imported = task::import(&store, actor, file).await.unwrap();
        assert_eq!(task::read(&store, actor, imported).await.unwrap().draft.owner, Some(systems));
    })
    .await;
}

/// Both the form and the reassignment accept only an owner who can sign in.
#[tokio::test]
async fn the_owner_must_be_able_to_sign_in() {
    for_each_database(async |store| {
        let owner = person(&store, "sys", Role::SystemsLibrarian).await;
        let (invited, _) =
            accounts::add(&store, Actor::COMMAND_LINE, "new", Role::SystemsLibrarian).await.unwrap();
        let id = task::save(&store, Actor::COMMAND_LINE, &form(Some(owner), "private")).await.unwrap();
        // An invitation counts until it expires.
        task::save(&store, Actor::COMMAND_LINE, &form(Some(invited), "shared")).await.unwrap();
        assert_eq!(unowned(&store).await, []);
        assert_eq!(offered(&store).await, [invited, owner], "new and sys, by name");
        execute(
            &store,
            "UPDATE credentials SET expires_at = '2018-01-01 00:00:00+00:00' WHERE kind = 'invitation'",
        )
        .await;
        assert_eq!(unowned(&store).await.len(), 1, "only the task of the disabled owner");
        assert_eq!(offered(&store).await, [owner]);
        for visibility in ["shared", "private"] {
            let saved = task::save(&store, Actor::COMMAND_LINE, &form(Some(invited), visibility)).await;
            assert_eq!(owner_problem(saved), Problem::OwnerCannotSignIn, "{visibility}");
        }
        let given = task::reassign(&store, Actor::COMMAND_LINE, id, invited).await;
        assert_eq!(owner_problem(given), Problem::OwnerCannotSignIn);
        accounts::disable(&store, Actor::COMMAND_LINE, owner).await.unwrap();
        let saved = task::save(&store, Actor::COMMAND_LINE, &form(Some(owner), "shared")).await;
        assert_eq!(owner_problem(saved), Problem::OwnerCannotSignIn);
    })
    .await;
}

async fn unowned(store: &Store) -> Vec<(TaskId, WhyUnowned)> {
    let tasks = task::unowned(store, Actor::COMMAND_LINE).await.unwrap();
    tasks.into_iter().map(|task| (task.id, task.why)).collect()
}

async fn without_owner(store: &Store) -> usize {
    let conditions = health::read(store).await.unwrap().conditions;
    conditions.iter().filter(|one| one.what == ConditionKind::OwnerGone).count()
}

#[tokio::test]
async fn a_task_without_an_active_owner_is_listed_and_can_be_reassigned() {
    for_each_database(async |store| {
        let owner = person(&store, "sys", Role::SystemsLibrarian).await;
        let other = person(&store, "other", Role::SystemsLibrarian).await;
        let boss = staff_actor(&store, person(&store, "boss", Role::Administrator).await).await;
        let actor = staff_actor(&store, owner).await;
        let id = task::save(&store, actor, &form(None, "private")).await.unwrap();
        assert_eq!((unowned(&store).await, without_owner(&store).await), (vec![], 0));
        // A task with an active owner can't be reassigned.
        let taken = task::reassign(&store, boss, id, other).await;
        assert!(matches!(taken, Err(RecordsError::Refused(_))), "{taken:?}");

        accounts::disable(&store, Actor::COMMAND_LINE, owner).await.unwrap();
        assert_eq!(unowned(&store).await, [(id, WhyUnowned::CannotSignIn)]);
        assert_eq!(without_owner(&store).await, 1);
        let listed = task::unowned(&store, boss).await.unwrap();
        assert_eq!(listed[0].name.description_for(boss), "A private task", "its description stays private");
        accounts::revoke_role(&store, Actor::COMMAND_LINE, owner, Role::SystemsLibrarian).await.unwrap();
        assert_eq!(unowned(&store).await, [(id, WhyUnowned::MayNotSeeTasks)]);
        execute(&store, &format!("UPDATE users SET anonymised_on = '2018-01-01' WHERE number = {owner}"))
            .await;
        assert_eq!(unowned(&store).await, [(id, WhyUnowned::Anonymised)]);

        let student = UserNumber(add(&store, leaver("Ng")).await.number);
        assert_eq!(owner_problem(task::reassign(&store, boss, id, student).await), Problem::NotTaskStaff);
        let invisible = person(&store, "gone", Role::Librarian).await;
        accounts::disable(&store, Actor::COMMAND_LINE, invisible).await.unwrap();
        let refused = task::reassign(&store, boss, id, invisible).await;
        assert_eq!(owner_problem(refused), Problem::OwnerCannotSignIn);
        let forbidden = task::reassign(&store, staff_actor(&store, other).await, id, other).await;
        assert!(matches!(forbidden, Err(RecordsError::Forbidden(_))), "{forbidden:?}");

        task::reassign(&store, boss, id, other).await.unwrap();
        assert_eq!((unowned(&store).await, without_owner(&store).await), (vec![], 0));
        let new = staff_actor(&store, other).await;
        let mine = task::list(&store, new, &TaskQuery::default(), &Paging::default()).await.unwrap();
        assert_eq!(mine.rows[0].id, id);
        let dump = crate::support::dump(&store).await;
        assert_eq!(dump.matches("task_reassigned").count(), 1);
        assert!(dump.contains(&format!("owner={other}")), "the audit names the new owner");

        // The command line can reassign any task. An inactive task causes no condition.
        task::set_active(&store, staff_actor(&store, other).await, id, false).await.unwrap();
        accounts::disable(&store, Actor::COMMAND_LINE, other).await.unwrap();
        assert_eq!((unowned(&store).await.len(), without_owner(&store).await), (1, 0));
        execute(&store, "UPDATE tasks SET owner_number = NULL").await;
        assert_eq!(unowned(&store).await, [(id, WhyUnowned::NoOwner)]);
        task::reassign(&store, Actor::COMMAND_LINE, id, boss.staff.unwrap()).await.unwrap();
        assert_eq!(unowned(&store).await, []);
    })
    .await;
}
