//! The key of the list: lost, foreign, destroyed.

use super::{ONE, anonymised, counts, held, import, keys_of, last_detail, task, try_import, users_of};
use crate::legal_holds::{staff, staff_actor};
use crate::restore::for_each_library;
use crate::support::{add, dump_records, for_each_database, leaver};
use db::RecordsError;
use policy::form::Problem;
use policy::user_form::UserForm;
use policy::{Action, Role, RunState, UserNumber};
use records::user;
use safeguards::approval;
use safeguards::suppression::destroy::{destroy, request_destruction};
use safeguards::suppression::key::status;
use task_centre::{approval_workflow, replay, run};
use trail::{Actor, Store};
use transfer::TransferError;

const DPO: UserNumber = UserNumber(901);
const SECOND: UserNumber = UserNumber(902);

fn dpo() -> Actor {
    staff_actor(DPO, Role::Dpo)
}

/// Returns the text of an error about the key.
fn stopped<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    match result {
        Err(RecordsError::Suppression(why)) => why,
        other => panic!("not stopped: {other:?}"),
    }
}

/// Checks that nothing can be anonymised, created or imported, and that nothing is changed by trying.
async fn everything_stops(store: &Store, cause: &str) {
    let before = dump_records(store).await;
    let imported = try_import(store, "external_id,last_name\nE9,New\n").await;
    let Err(TransferError::Records(error)) = imported else { panic!("{imported:?}") };
    let form = UserForm { last_name: "New".to_owned(), ..UserForm::default() };
    for why in [
        stopped(Err::<(), _>(error)),
        stopped(user::save(store, Actor::COMMAND_LINE, &form).await),
        stopped(run::anonymise_one(store, Actor::COMMAND_LINE, UserNumber(2), "2").await),
    ] {
        for part in [cause, "Nothing was changed", "LETHE_SUPPRESSION_KEY_FILE", "lethe suppression destroy"]
        {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
    assert_eq!(dump_records(store).await, before);
}

#[tokio::test]
async fn a_missing_or_another_key_stops_what_needs_it_and_says_what_to_do() {
    for_each_database(async |store| {
        anonymised(&store).await;
        add(&store, leaver("Waits")).await;
        let file = store.settings.suppression_key.clone();
        let key = std::fs::read(&file).unwrap();
        assert!(status(&store).await.unwrap().is_usable());

        std::fs::remove_file(&file).unwrap();
        everything_stops(&store, "is missing").await;
        for (content, cause) in [("0".repeat(64), "is another one"), ("no key".to_owned(), "cannot be read")]
        {
            std::fs::write(&file, content).unwrap();
            everything_stops(&store, cause).await;
            assert!(!status(&store).await.unwrap().is_usable());
        }

        std::fs::write(&file, key).unwrap();
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 1, 0, 0]);
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(2), "2").await.unwrap();
    })
    .await;
}

/// A bulk run stops, and continues once the key is back.
#[tokio::test]
async fn a_run_waits_for_the_key() {
    for_each_database(async |store| {
        anonymised(&store).await;
        add(&store, leaver("Waits")).await;
        let task = task(&store).await;
        let file = store.settings.suppression_key.clone();
        let key = std::fs::read(&file).unwrap();
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
        std::fs::remove_file(&file).unwrap();
        stopped(run::execute(&store, started).await);
        std::fs::write(&file, key).unwrap();
        let later = store.as_another_process(store.clock);
        tokio::time::sleep(store.settings.lease).await;
        assert_eq!(run::execute(&later, started).await.unwrap(), RunState::Succeeded);
        assert_eq!(keys_of(&store).await, 5);
    })
    .await;
}

#[tokio::test]
async fn an_empty_list_gets_a_new_key() {
    for_each_database(async |store| {
        let file = store.settings.suppression_key.clone();
        let key = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        anonymised(&store).await;
        assert_ne!(std::fs::read(&file).unwrap(), key);
        assert_eq!(counts(&import(&store, ONE).await), [0, 0, 0, 1, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn destroying_the_key_ends_the_list() {
    for_each_database(async |store| {
        staff(&store, DPO, Role::Dpo).await;
        anonymised(&store).await;
        import(&store, ONE).await;
        let file = store.settings.suppression_key.clone();
        let key = std::fs::read(&file).unwrap();
        for role in [Role::Administrator, Role::SystemsLibrarian, Role::Librarian] {
            let refused = destroy(&store, staff_actor(DPO, role), "DESTROY").await;
            assert!(
                matches!(refused, Err(RecordsError::Forbidden(Action::DestroySuppressionKey))),
                "{role:?}"
            );
        }
        for typed in ["", "destroy", "REPLACE"] {
            let refused = destroy(&store, dpo(), typed).await;
            let Err(RecordsError::Invalid(errors)) = refused else { panic!("{refused:?}") };
            let expected = "DESTROY".to_owned();
            assert_eq!(
                errors.message("confirm"),
                Some(Problem::ConfirmationDiffers { expected }.to_string())
            );
        }
        assert_eq!((keys_of(&store).await, std::fs::read(&file).unwrap()), (4, key.clone()));

        let done = destroy(&store, dpo(), "DESTROY").await.unwrap();
        assert_eq!((done.keys, done.held_lines), (4, 1));
        assert_eq!(keys_of(&store).await, 0);
        assert!(held(&store).await.is_empty());
        assert_ne!(std::fs::read(&file).unwrap(), key);
        assert_eq!(last_detail(&store, "suppression_key_destroyed").await, "keys=4,held_lines=1");
        assert_eq!(status(&store).await.unwrap().found, Some(done.fingerprint));
        let users = users_of(&store).await;
        assert_eq!(import(&store, ONE).await.created, 1, "the list no longer holds the line");
        assert_eq!(users_of(&store).await, users + 1);

        // A copy of the destroyed key is not accepted again, even for an empty list.
        std::fs::write(&file, key).unwrap();
        let why = stopped(
            user::save(
                &store,
                Actor::COMMAND_LINE,
                &UserForm { last_name: "New".to_owned(), ..UserForm::default() },
            )
            .await,
        );
        assert!(why.contains("was destroyed earlier"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_lost_key_is_destroyed_to_continue() {
    for_each_database(async |store| {
        anonymised(&store).await;
        std::fs::remove_file(&store.settings.suppression_key).unwrap();
        destroy(&store, Actor::COMMAND_LINE, "DESTROY").await.unwrap();
        assert!(status(&store).await.unwrap().is_usable());
        assert_eq!(import(&store, ONE).await.created, 1);
    })
    .await;
}

#[tokio::test]
async fn with_four_eyes_another_data_protection_officer_approves() {
    for_each_database(async |store| {
        anonymised(&store).await;
        for number in [DPO, SECOND] {
            staff(&store, number, Role::Dpo).await;
        }
        assert!(approval::four_eyes(&store, Action::DestroySuppressionKey).await.unwrap());
        let refused = |result: Result<_, RecordsError>| match result {
            Err(RecordsError::Refused(why)) => why,
            other => panic!("{:?}", other.map(|(): ()| ())),
        };
        let alone = destroy(&store, dpo(), "DESTROY").await.map(drop);
        assert!(refused(alone).contains("needs two people"));
        let request = request_destruction(&store, dpo()).await.unwrap();
        let own = destroy(&store, dpo(), "DESTROY").await.map(|_| ());
        assert!(refused(own).contains("Another member of staff"));
        let own = approval_workflow::approve(&store, dpo(), request).await;
        assert!(refused(own).contains("Another member of staff"));
        let forbidden =
            approval_workflow::approve(&store, staff_actor(SECOND, Role::Administrator), request).await;
        assert!(matches!(forbidden, Err(RecordsError::Forbidden(Action::DestroySuppressionKey))));
        assert_eq!(keys_of(&store).await, 4);
        approval_workflow::approve(&store, staff_actor(SECOND, Role::Dpo), request).await.unwrap();
        assert_eq!(keys_of(&store).await, 0);
        assert!(
            last_detail(&store, "suppression_key_destroyed").await.contains(&format!("approval={request}"))
        );
    })
    .await;
}

/// The list of a backup from before the destruction has another key: the replay waits for a decision.
#[tokio::test]
async fn a_restored_list_with_a_destroyed_key_is_emptied_before_the_replay() {
    for_each_library(async |mut library| {
        let store = library.open().await;
        anonymised(&store).await;
        add(&store, leaver("Later")).await;
        let backup = library.backup(store).await;
        let store = library.open().await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(2), "2").await.unwrap();
        destroy(&store, Actor::COMMAND_LINE, "DESTROY").await.unwrap();
        store.db.clone().close().await.unwrap();

        let store = library.restore(backup).await;
        assert_eq!(keys_of(&store).await, 4);
        stopped(replay::replay(&store, |_| ()).await.map(|_| ()));
        destroy(&store, Actor::COMMAND_LINE, "DESTROY").await.unwrap();
        replay::replay(&store, |_| ()).await.unwrap().unwrap();
        assert_eq!(keys_of(&store).await, 1, "the key of the user who was anonymised again");
    })
    .await;
}
