//! A task stops at a file that closes too much.

use super::{CLI, confirm_settings, deliver, form, run_by_hand, run_of_night, save};
use crate::support::{add, for_each_database, leaver};
use db::entity::loans;
use policy::RunState;
use policy::import::ImportState;
use policy::task_form::TaskForm;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use task_centre::run;

#[tokio::test]
async fn a_file_with_default_returns_stops_the_run_and_waits_for_a_person() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let form = TaskForm { file_kind: "loans".to_owned(), ..form() };
        let task = save(&store, &form).await;
        let file = |returned: &str| {
            let lines = (0..40).map(|at| format!("Ng-id,I{at},main,2017-12-01,2018-01-01,{returned}\n"));
            format!("user_id,item_barcode,branch,issued_on,due_on,returned_on\n{}", lines.collect::<String>())
        };
        deliver(&store, "a.csv", &file(""), 5);
        assert_eq!(run_by_hand(&store, task).await.state, RunState::Succeeded);
        confirm_settings(&store, task).await;
        let open = async || {
            let open = loans::Entity::find().filter(loans::Column::ReturnedOn.is_null());
            open.count(&store.db).await.unwrap()
        };
        deliver(&store, "b.csv", &file("2017-12-31"), 5);
        let stopped = run_of_night(&store, 1).await;
        assert_eq!((stopped.state, open().await), (RunState::StoppedByLimit, 40));
        let preview = run::preview(&store, CLI, task).await.unwrap();
        let shown = run::read(&store, preview).await.unwrap();
        assert_eq!(shown.imports[0].state, ImportState::Checked);
        for why in [stopped.imports[0].reason.clone().unwrap(), shown.imports[0].reason.clone().unwrap()] {
            for part in ["closes 40 of 40 open loans", "40 of 40 lines set the same date of the past"] {
                assert!(why.contains(part), "{part}: {why}");
            }
        }
        let started = run::start(&store, CLI, preview, "40").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        assert_eq!(open().await, 0, "a person has started the run of its preview");
    })
    .await;
}
