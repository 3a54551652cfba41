//! One user, anonymised from the record: each change of a row fails in turn.

use super::inject::{Faults, Pattern};
use super::{CHANGES, count_audit_events};
use crate::canary::plant::{Person, Planter, rows_of};
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, for_each_database};
use erasure::certificate;
use policy::{NoteTreatment, RunId, UserNumber};
use std::collections::BTreeSet;
use task_centre::run;
use trail::{Actor, Store};

/// More steps than one user can need.
const MAX_STEPS: u64 = 500;

/// Returns the run of a user as text, without its number.
async fn run_as_text(store: &Store, id: RunId) -> String {
    let run = run::read(store, id).await.unwrap();
    let counts = (run.users, run.previewed, run.done, run.skipped, run.failed);
    format!("{:?} {counts:?} {:?} {:?} {:?}", run.state, run.tables, run.failed_by, run.errors)
}

async fn anonymise(store: &Store, person: &Person) -> Option<RunId> {
    let number = UserNumber(person.number);
    let done = run::anonymise_one(store, Actor::COMMAND_LINE, number, &number.to_string()).await;
    run::background_scans().await;
    done.ok().map(|run| run.expect("the user was not anonymised before"))
}

/// Asserts that nothing is left of the user, and that rows and run are as for the user `like`.
async fn assert_completely_anonymised(
    store: &Store,
    person: &Person,
    id: RunId,
    like: &(Vec<String>, String),
    at: &str,
) {
    let after = dump(store).await;
    assert!(!after.contains("canary"), "{at}: a value is left");
    assert_eq!(rows_of(&store.db, person.number).await, like.0, "{at}");
    assert_eq!(run_as_text(store, id).await, like.1, "{at}");
    assert_eq!(count_audit_events(&after, person.number), 1, "{at}");
    assert_eq!(certificate::verify_run(store, id).await.unwrap().doubts, [], "{at}");
}

/// Lets each step fail in turn, until a user is anonymised before the step is reached. Returns the changes that
/// failed with an error and left the user unchanged.
async fn in_turn(
    store: &Store,
    faults: &Faults<'_>,
    pattern: fn(u64) -> Pattern,
    mut number: i64,
    like: &(Vec<String>, String),
) -> BTreeSet<String> {
    let planter = Planter::new(&store.db, 1).await;
    let mut person = planter.plant(number).await;
    let mut before = dump(store).await;
    let mut undone = BTreeSet::new();
    let mut failed_after_commit = 0;
    for step in 1..MAX_STEPS {
        let at = format!("{:?}", pattern(step));
        faults.arm(pattern(step)).await;
        let done = anonymise(store, &person).await;
        let steps = faults.disarm().await;
        let Some(id) = done else {
            assert_eq!(dump(store).await, before, "{at}");
            undone = faults.struck().await;
            continue;
        };
        assert_completely_anonymised(store, &person, id, like, &at).await;
        if steps < step {
            assert!(failed_after_commit > 0, "the background scan writes too");
            return undone;
        }
        // The failure came after the commit; the next step needs a user who isn't anonymised.
        failed_after_commit += 1;
        number += 1;
        person = planter.plant(number).await;
        before = dump(store).await;
    }
    panic!("anonymising takes more steps than expected");
}

#[tokio::test]
async fn a_failing_change_leaves_the_user_unchanged_or_anonymised() {
    for_each_database(async |store| {
        let first = library(&store, 1).await.remove(0);
        add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        let undisturbed = anonymise(&store, &first).await.unwrap();
        let like = (rows_of(&store.db, first.number).await, run_as_text(&store, undisturbed).await);
        let faults = Faults::install(&store).await;
        for (pattern, number) in [(Pattern::Once as fn(u64) -> Pattern, 100), (Pattern::From, 200)] {
            let undone = in_turn(&store, &faults, pattern, number, &like).await;
            for change in CHANGES.into_iter().chain(["runs_insert", "run_members_insert"]) {
                assert!(undone.contains(change), "{change} was never struck: {undone:?}");
            }
        }
    })
    .await;
}
