//! A run of several users: each change of a row fails in turn, once, permanently or repeatedly.

use super::inject::{Faults, Pattern};
use super::{CHANGES, count_audit_events};
use crate::anonymising::run_all;
use crate::canary::plant::{Person, Planter, whole_rows_of};
use crate::canary::search::found;
use crate::canary::{library, removes_everything};
use crate::support::{add, add_task, dump, execute, for_each_database, leaver};
use db::entity::{run_members, users};
use policy::personal_data::{RowOwner, TABLES};
use policy::{NoteTreatment, Outcome, RunId, RunState, TaskId};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use task_centre::run;
use trail::{Actor, Store};

/// More steps than a run of these users can need.
const MAX_STEPS: u64 = 1_000;
/// Number of users with canaries in every column, and of users with only a name.
const FULL: i64 = 2;
const PLAIN: i64 = 3;
const ALL: i64 = FULL + PLAIN;

/// One user of the run, with all rows as they were before.
struct Before {
    person: Person,
    rows: Vec<String>,
}

/// The state before a run.
struct Scene {
    task: TaskId,
    bystander: i64,
    people: Vec<Before>,
    run: RunId,
}

impl Scene {
    /// Deletes earlier users and runs, and starts a run of new ones.
    async fn new(store: &Store, task: TaskId, bystander: i64) -> Self {
        let of_runs = ["findings", "certificates", "run_counts", "run_members", "audit_events"];
        for table in of_runs.into_iter().chain(["notification_deliveries", "notifications"]) {
            execute(store, &format!("DELETE FROM {table}")).await;
        }
        execute(store, "UPDATE runs SET preview_id = NULL").await;
        execute(store, "DELETE FROM announcements").await;
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
        let planter = Planter::new(&store.db, bystander).await;
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
            let rows = whole_rows_of(&store.db, person.number).await;
            before.push(Before { person, rows });
        }
        Self { task, bystander, people: before, run }
    }

    /// Asserts that each user is unchanged or anonymised, and that the run says which. Returns the number anonymised.
    async fn assert_none_half_anonymised(&self, store: &Store, at: &str) -> i64 {
        let after = dump(store).await;
        let members = run_members::Entity::find().filter(run_members::Column::RunId.eq(self.run.0));
        let members = members.all(&store.db).await.unwrap();
        assert_eq!(members.len(), self.people.len(), "{at}");
        let mut done = 0;
        for Before { person, rows } in &self.people {
            let number = person.number;
            let member = members.iter().find(|member| member.user_number == number).unwrap();
            let is_done = member.outcome == Some(Outcome::Done);
            if is_done {
                done += 1;
                assert_eq!(found(&person.canaries, after.as_bytes()), Vec::<&str>::new(), "{at}: {number}");
                assert!(!after.contains(&format!("canary-{number}-")), "{at}: {number}");
            } else {
                assert_eq!(&whole_rows_of(&store.db, number).await, rows, "{at}: {number}");
                let failed = member.outcome == Some(Outcome::Failed);
                assert!(failed || member.outcome.is_none(), "{at}: {number}");
            }
            assert_eq!(count_audit_events(&after, number), usize::from(is_done), "{at}: {number}");
        }
        let run = run::read(store, self.run).await.unwrap();
        let with = |outcome: Outcome| {
            i64::try_from(members.iter().filter(|member| member.outcome == Some(outcome)).count()).unwrap()
        };
        assert_eq!(run.previewed, ALL, "{at}");
        let counts = [with(Outcome::Done), with(Outcome::Skipped), with(Outcome::Failed)];
        assert_eq!([run.done, run.skipped, run.failed], counts, "{at}");
        let left = whole_rows_of(&store.db, self.bystander).await;
        assert!(left.iter().any(|row| row.contains("Bystander")), "{at}");
        done
    }

    /// Lets the next process complete the run.
    async fn assert_next_process_completes(&self, store: &Store, at: &str) {
        execute(store, "UPDATE runs SET holder = NULL WHERE holder IS NOT NULL").await;
        run::work(store).await.unwrap();
        let run = run::read(store, self.run).await.unwrap();
        let state = if run.failed > 0 { RunState::CompletedWithFailures } else { RunState::Succeeded };
        assert_eq!(run.done + run.failed, ALL, "{at}");
        assert!(run.state == state || run.done == 0, "{at}: {:?}", run.state);
        self.assert_none_half_anonymised(store, at).await;
    }

    /// Lets another run anonymise the users that failed in this one.
    async fn assert_next_run_completes(&self, store: &Store, at: &str) {
        if run::read(store, self.run).await.unwrap().failed > 0 {
            assert_eq!(run_all(store, self.task).await.1, RunState::Succeeded, "{at}");
        }
        let after = dump(store).await;
        assert!(!after.contains("canary"), "{at}");
        for Before { person, .. } in &self.people {
            assert_eq!(count_audit_events(&after, person.number), 1, "{at}: {}", person.number);
        }
    }
}

/// Numbers of runs that anonymised none, some and all of their users, and the changes that failed.
struct Seen {
    none: u64,
    some: u64,
    all: u64,
    struck: BTreeSet<String>,
}

/// Lets every `apart`-th step fail in turn, until a run completes before it reaches the step.
async fn in_turn(store: &Store, pattern: fn(u64) -> Pattern, apart: usize) -> Seen {
    // Each turn begins with an empty audit.
    let on =
        if store.db.get_database_backend() == DatabaseBackend::Postgres { " ON audit_events" } else { "" };
    execute(store, &format!("DROP TRIGGER audit_events_deleted{on}")).await;
    library(store, 0).await;
    let bystander = 1;
    let task = add_task(store, &removes_everything(NoteTreatment::Mark)).await;
    let faults = Faults::install(store).await;
    let mut seen = Seen { none: 0, some: 0, all: 0, struck: BTreeSet::new() };
    for step in (1..).step_by(apart) {
        assert!(step < MAX_STEPS);
        let at = format!("{:?}", pattern(step));
        let scene = Scene::new(store, task, bystander).await;
        faults.arm(pattern(step)).await;
        let state = run::execute(store, scene.run).await;
        let steps = faults.disarm().await;
        match scene.assert_none_half_anonymised(store, &at).await {
            0 => seen.none += 1,
            ALL => seen.all += 1,
            _ => seen.some += 1,
        }
        if steps < step {
            assert_eq!(state.unwrap(), RunState::Succeeded);
            break;
        }
        scene.assert_next_process_completes(store, &at).await;
        // A further run after each turn would take too long.
        if step % 10 == 1 {
            scene.assert_next_run_completes(store, &at).await;
        }
    }
    seen.struck = faults.struck().await;
    seen
}

#[tokio::test]
async fn repeated_failures_leave_no_user_half_anonymised() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::Each, 1).await;
        assert!(seen.none > 0 && seen.some > 0 && seen.all > 0);
        let mut changes = CHANGES.to_vec();
        // For the first user anonymised alone they are inserted, for the second they are updated.
        changes.extend(["run_members_update", "runs_update", "run_counts_update"]);
        let missed: Vec<&str> = changes.into_iter().filter(|change| !seen.struck.contains(*change)).collect();
        assert_eq!(missed, Vec::<&str>::new(), "struck: {:?}", seen.struck);
    })
    .await;
}

#[tokio::test]
async fn a_single_failure_leaves_no_user_out() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::Once, 7).await;
        // A failure while it takes up the run or records progress ends it. Otherwise it retries each user alone.
        assert!(seen.some == 0 && seen.all > seen.none);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_leaves_no_user_half_anonymised() {
    for_each_database(async |store| {
        let seen = in_turn(&store, Pattern::From, 7).await;
        assert!(seen.some == 0 && seen.none > 0 && seen.all > 0);
    })
    .await;
}
