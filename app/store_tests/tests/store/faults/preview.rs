//! A preview, and the start of a run from it, are each one transaction: all of it is stored, or nothing.

use super::inject::{Faults, Pattern};
use crate::canary::{library, removes_everything};
use crate::support::{add_task, dump, for_each_database};
use db::RecordsError;
use db::entity::run_members;
use policy::{NoteTreatment, Reason, RunState};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use task_centre::run;
use trail::{Actor, Store};

/// Lets each step of an operation fail in turn, which must leave the database unchanged. Then lets it succeed.
async fn in_turn<T>(
    store: &Store,
    faults: &Faults<'_>,
    work: impl AsyncFn() -> Result<T, RecordsError>,
) -> (T, u64) {
    let before = dump(store).await;
    for step in 1.. {
        assert!(step < 500);
        faults.arm(Pattern::Once(step)).await;
        let done = work().await;
        let steps = faults.disarm().await;
        match done {
            Ok(done) => {
                assert!(steps < step, "step {step} failed without an error");
                return (done, steps);
            }
            Err(error) => assert_eq!(error.code(), "database", "step {step}"),
        }
        assert_eq!(dump(store).await, before, "step {step}");
    }
    unreachable!()
}

#[tokio::test]
async fn a_preview_and_a_start_are_atomic() {
    for_each_database(async |store| {
        library(&store, 4).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Empty)).await;
        // The next preview deletes its users.
        run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let faults = Faults::install(&store).await;

        let preview = async || run::preview(&store, Actor::COMMAND_LINE, task).await;
        let (preview, steps) = in_turn(&store, &faults, preview).await;
        assert!(steps >= 5 + 5 + 4, "old users, new users, the preview: {steps}");
        let stored = run::read(&store, preview).await.unwrap();
        let members = run_members::Entity::find().filter(run_members::Column::RunId.eq(preview.0));
        assert_eq!(members.count(&store.db).await.unwrap(), 5);
        assert_eq!((stored.state, stored.users, stored.previewed), (RunState::Succeeded, 5, 4));
        assert_eq!(stored.verdicts.iter().map(|(_, people)| people).sum::<i64>(), 5);
        assert!(stored.verdicts.contains(&(Reason::Eligible, 4)));

        let start = async || run::start(&store, Actor::COMMAND_LINE, preview, "4").await;
        let (started, steps) = in_turn(&store, &faults, start).await;
        assert!(steps >= 4 + 3, "users, the run, the task, the audit: {steps}");
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        assert!(!dump(&store).await.contains("canary"));
    })
    .await;
}
