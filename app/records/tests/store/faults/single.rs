//! One person, from the record: each change of a row fails in turn.

use super::inject::{Faults, Pattern};
use super::{PLACES, noted_in_audit};
use crate::canary::plant::{Person, Planter, rows_of};
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, for_each_database};
use policy::{NoteTreatment, RunId, UserNumber};
use records::{Actor, Store, certificate, residue, run};
use std::collections::BTreeSet;

/// More steps than one person can need.
const MOST: u64 = 500;

/// What a person's run says, without its number.
async fn said(store: &Store, id: RunId) -> String {
    let noted = run::read(store, id).await.unwrap();
    let counts = (noted.users, noted.previewed, noted.done, noted.skipped, noted.failed);
    format!("{:?} {counts:?} {:?} {:?} {:?}", noted.state, noted.tables, noted.failed_by, noted.errors)
}

async fn anonymise(store: &Store, person: &Person) -> Option<RunId> {
    let number = UserNumber(person.number);
    let done = run::anonymise_one(store, Actor::COMMAND_LINE, number, &number.to_string()).await;
    residue::background_scans().await;
    done.ok().map(|run| run.expect("nobody was anonymised before"))
}

/// Nothing is left of the person, and all is as with `like`: what is left of somebody else, and what the run says.
async fn assert_wholly_done(
    store: &Store,
    person: &Person,
    id: RunId,
    like: &(Vec<String>, String),
    at: &str,
) {
    let after = dump(store).await;
    assert!(!after.contains("canary"), "{at}: something is left");
    assert_eq!(rows_of(store.database(), person.number).await, like.0, "{at}");
    assert_eq!(said(store, id).await, like.1, "{at}");
    assert_eq!(noted_in_audit(&after, person.number), 1, "{at}");
    assert_eq!(certificate::verify_run(store, id).await.unwrap().doubts, [], "{at}");
}

/// Lets each step fail in turn, until somebody is anonymised before it comes to that. Gives the places at which a
/// failure was told and the person was as before.
async fn in_turn(
    store: &Store,
    faults: &Faults<'_>,
    pattern: fn(u64) -> Pattern,
    mut number: i64,
    like: &(Vec<String>, String),
) -> BTreeSet<String> {
    let planter = Planter::new(store.database(), 1).await;
    let mut person = planter.plant(number).await;
    let mut before = dump(store).await;
    let mut undone = BTreeSet::new();
    let mut done_all_the_same = 0;
    for step in 1..MOST {
        let at = format!("{:?}", pattern(step));
        faults.arm(pattern(step)).await;
        let done = anonymise(store, &person).await;
        let steps = faults.disarm().await;
        let Some(id) = done else {
            assert_eq!(dump(store).await, before, "{at}");
            undone = faults.struck().await;
            continue;
        };
        assert_wholly_done(store, &person, id, like, &at).await;
        if steps < step {
            assert!(done_all_the_same > 0, "the scan in the background writes, too");
            return undone;
        }
        // What failed came after the commit; the next step needs somebody who is not anonymised.
        done_all_the_same += 1;
        number += 1;
        person = planter.plant(number).await;
        before = dump(store).await;
    }
    panic!("it never came to an end");
}

#[tokio::test]
async fn whichever_change_of_a_row_fails_the_person_is_as_before_or_done() {
    for_each_database(async |store| {
        let first = library(&store, 1).await.remove(0);
        add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        let undisturbed = anonymise(&store, &first).await.unwrap();
        let like = (rows_of(store.database(), first.number).await, said(&store, undisturbed).await);
        let faults = Faults::install(&store).await;
        for (pattern, number) in [(Pattern::Once as fn(u64) -> Pattern, 100), (Pattern::From, 200)] {
            let undone = in_turn(&store, &faults, pattern, number, &like).await;
            for place in PLACES.into_iter().chain(["runs_insert", "run_members_insert"]) {
                assert!(undone.contains(place), "{place} was never struck: {undone:?}");
            }
        }
    })
    .await;
}
