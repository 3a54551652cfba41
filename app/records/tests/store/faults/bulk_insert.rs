//! A run over several people: each change of a row fails in turn, once, for good, or again and again.

use super::inject::{Faults, Pattern};
use super::{PLACES, noted_in_audit};
use crate::anonymising::run_all;
use crate::canary::plant::{Person, Planter, whole_rows_of};
use crate::canary::search::found;
use crate::canary::{library, removes_everything};
use crate::support::{add, add_task, dump, execute, for_each_database, leaver};
use policy::personal_data::{RowOwner, TABLES};
use policy::{NoteTreatment, Outcome, RunId, RunState, TaskId};
use records::entity::{run_members, users};
use records::{Actor, Store, run};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;

/// More steps than a run over these people can need.
const MOST: u64 = 1_000;
/// People in whose record and around it canaries stand in every place, and others who have a name and no more.
const FULL: i64 = 2;
const PLAIN: i64 = 3;
const ALL: i64 = FULL + PLAIN;

/// One person of the run, and everything that the database held of them.
struct Before {
    person: Person,
    rows: Vec<String>,
}

/// What a run has found.
struct Scene {
    task: TaskId,
    bystander: i64,
    people: Vec<Before>,
    run: RunId,
}

impl Scene {
    /// Forgets earlier people and runs, and starts a run over new ones.
    async fn new(store: &Store, task: TaskId, bystander: i64) -> Self {
        for table in ["residue_hits", "certificates", "run_counts", "run_members", "audit_events"] {
            execute(store, &format!("DELETE FROM {table}")).await;
        }
        execute(store, "UPDATE runs SET preview_id = NULL").await;
        execute(store, "DELETE FROM runs").await;
        for table in TABLES.iter().rev() {
            match table.owner {
                RowOwner::NoUser => {}
                RowOwner::Loan(_) => execute(store, &format!("DELETE FROM {}", table.name)).await,
                RowOwner::User(number) => {
                    execute(store, &format!("DELETE FROM {} WHERE {number} > {bystander}", table.name)).await;
                }
            }
        }
        let planter = Planter::new(store.database(), bystander).await;
        let mut people = Vec::new();
        for number in bystander + 1..=bystander + FULL {
            people.push(planter.plant(number).await);
        }
        for number in bystander + FULL + 1..=bystander + ALL {
            let name = format!("canary-{number}-name");
            let uuid = Set(format!("key of {number}"));
            add(store, users::ActiveModel { number: Set(number), uuid, ..leaver(&name) }).await;
            people.push(Person { number, canaries: vec![name.clone()], present: vec![name] });
        }
        let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
        let run = run::start(store, Actor::COMMAND_LINE, preview, &ALL.to_string()).await.unwrap();
        let mut before = Vec::new();
        for person in people {
            let rows = whole_rows_of(store.database(), person.number).await;
            before.push(Before { person, rows });
        }
        Self { task, bystander, people: before, run }
    }

    /// Each person is as before or done, and the run says which.
    async fn assert_never_half(&self, store: &Store, at: &str) -> i64 {
        let after = dump(store).await;
        let members = run_members::Entity::find().filter(run_members::Column::RunId.eq(self.run.0));
        let members = members.all(store.database()).await.unwrap();
        assert_eq!(members.len(), self.people.len(), "{at}");
        let mut done = 0;
        for Before { person, rows } in &self.people {
            let number = person.number;
            let member = members.iter().find(|member| member.user_number == number).unwrap();
            let is_done = member.outcome.as_deref() == Some(Outcome::Done.code());
            if is_done {
                done += 1;
                assert_eq!(found(&person.canaries, after.as_bytes()), Vec::<&str>::new(), "{at}: {number}");
                assert!(!after.contains(&format!("canary-{number}-")), "{at}: {number}");
            } else {
                assert_eq!(&whole_rows_of(store.database(), number).await, rows, "{at}: {number}");
                let failed = member.outcome.as_deref() == Some(Outcome::Failed.code());
                assert!(failed || member.outcome.is_none(), "{at}: {number}");
            }
            assert_eq!(noted_in_audit(&after, number), usize::from(is_done), "{at}: {number}");
        }
        let told = run::read(store, self.run).await.unwrap();
        let with = |outcome: Outcome| {
            let outcome = Some(outcome.code());
            i64::try_from(members.iter().filter(|member| member.outcome.as_deref() == outcome).count())
                .unwrap()
        };
        assert_eq!(told.previewed, ALL, "{at}");
        let counts = [with(Outcome::Done), with(Outcome::Skipped), with(Outcome::Failed)];
        assert_eq!([told.done, told.skipped, told.failed], counts, "{at}");
        let left = whole_rows_of(store.database(), self.bystander).await;
        assert!(left.iter().any(|row| row.contains("Bystander")), "{at}");
        done
    }

    /// The next process takes the run up.
    async fn assert_comes_to_its_end(&self, store: &Store, at: &str) {
        execute(store, "UPDATE runs SET holder = NULL WHERE holder IS NOT NULL").await;
        run::work(store).await.unwrap();
        let told = run::read(store, self.run).await.unwrap();
        let state = if told.failed > 0 { RunState::CompletedWithFailures } else { RunState::Succeeded };
        assert_eq!(told.done + told.failed, ALL, "{at}");
        assert!(told.state == state || told.done == 0, "{at}: {:?}", told.state);
        self.assert_never_half(store, at).await;
    }

    /// Another run does who failed in this one.
    async fn assert_is_caught_up(&self, store: &Store, at: &str) {
        if run::read(store, self.run).await.unwrap().failed > 0 {
            assert_eq!(run_all(store, self.task).await.1, RunState::Succeeded, "{at}");
        }
        let after = dump(store).await;
        assert!(!after.contains("canary"), "{at}");
        for Before { person, .. } in &self.people {
            assert_eq!(noted_in_audit(&after, person.number), 1, "{at}: {}", person.number);
        }
    }
}

/// What was seen: runs after which nobody was done, some people, everybody; and what was struck.
struct Seen {
    nobody: u64,
    some: u64,
    everybody: u64,
    struck: BTreeSet<String>,
}

/// Lets steps fail in turn, from the first on, so many apart, until a run is through before it comes to the next.
async fn in_turn(store: &Store, pattern: fn(u64) -> Pattern, apart: usize) -> Seen {
    // Each turn begins with an empty audit.
    let on = if store.database().get_database_backend() == DatabaseBackend::Postgres {
        " ON audit_events"
    } else {
        ""
    };
    execute(store, &format!("DROP TRIGGER audit_events_deleted{on}")).await;
    library(store, 0).await;
    let bystander = 1;
    let task = add_task(store, &removes_everything(NoteTreatment::Mark)).await;
    let faults = Faults::install(store).await;
    let mut seen = Seen { nobody: 0, some: 0, everybody: 0, struck: BTreeSet::new() };
    for step in (1..).step_by(apart) {
        assert!(step < MOST);
        let at = format!("{:?}", pattern(step));
        let scene = Scene::new(store, task, bystander).await;
        faults.arm(pattern(step)).await;
        let state = run::execute(store, scene.run).await;
        let steps = faults.disarm().await;
        match scene.assert_never_half(store, &at).await {
            0 => seen.nobody += 1,
            ALL => seen.everybody += 1,
            _ => seen.some += 1,
        }
        if steps < step {
            assert_eq!(state.unwrap(), RunState::Succeeded);
            break;
        }
        scene.assert_comes_to_its_end(store, &at).await;
        // A run of its own each time would take too long.
        if step % 10 == 1 {
            scene.assert_is_caught_up(store, &at).await;
        }
    }
    seen.struck = faults.struck().await;
    seen
}

#[tokio::test]
async fn changes_that_fail_again_and_again_leave_nobody_half_done() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::Each, 1).await;
        assert!(seen.nobody > 0 && seen.some > 0 && seen.everybody > 0);
        let mut places = PLACES.to_vec();
        // Of the first person who is done alone they are inserted, of the second one updated.
        places.extend(["run_members_update", "runs_update", "run_counts_update"]);
        let missed: Vec<&str> = places.into_iter().filter(|place| !seen.struck.contains(*place)).collect();
        assert_eq!(missed, Vec::<&str>::new(), "struck: {:?}", seen.struck);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_fails_once_leaves_nobody_undone() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::Once, 7).await;
        // When it takes the run up, or says what it does, it stops; otherwise it tries again, person by person.
        assert!(seen.some == 0 && seen.everybody > seen.nobody);
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_nobody_half_done() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::From, 7).await;
        assert!(seen.some == 0 && seen.nobody > 0 && seen.everybody > 0);
    })
    .await;
}
