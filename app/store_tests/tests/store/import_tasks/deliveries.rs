//! Imports by a task of a file that comes again, and of the additional tables of an export.

use super::{conditions, confirm_settings, count, deliver, folder, form, run_by_hand, run_of_night, save};
use crate::anonymising::run_all;
use crate::support::{add_task, five_days, for_each_database};
use crate::suppression::held;
use db::entity::users;
use policy::import::ImportState;
use policy::suppression::HeldDecision;
use policy::task_form::TaskForm;
use policy::{HeldLineId, Policy, RunState, Scope};
use safeguards::suppression::held_line::{self, Chosen};
use sea_orm::{EntityTrait, QueryOrder};
use task_centre::run;
use trail::{Actor, Store};

async fn categories(store: &Store) -> Vec<Option<String>> {
    let users = users::Entity::find().order_by_asc(users::Column::ExternalId).all(&store.db).await.unwrap();
    users.into_iter().map(|user| user.category).collect()
}

#[tokio::test]
async fn a_file_with_a_held_line_is_read_again_after_the_decision() {
    for_each_database(async |store| {
        let task = save(&store, &form()).await;
        confirm_settings(&store, task).await;
        let content = "external_id,last_name,leaving_on\nE1,Alder,2018-01-02\nE2,Birch,\n";
        deliver(&store, "1.csv", content, 5);
        assert_eq!(run_of_night(&store, 1).await.state, RunState::Succeeded);
        let leavers = add_task(&store, &Policy { scope: Scope::All, ..five_days() }).await;
        assert_eq!(run_all(&store, leavers).await.1, RunState::Succeeded);
        let content = "external_id,last_name,leaving_on\nE1,Alder,2018-01-02\nE2,Birch,\nE3,Cedar,\n";
        for night in 2..4 {
            deliver(&store, "next.csv", content, 5);
            let again = run_of_night(&store, night).await;
            assert_eq!(again.imports[0].state, ImportState::Imported, "the decision can come at any time");
            assert_eq!(held(&store).await.len(), 1);
        }
        let line = Chosen::Lines(vec![HeldLineId(held(&store).await[0].id)]);
        held_line::decide(&store, Actor::COMMAND_LINE, &line, HeldDecision::NewMembership).await.unwrap();
        deliver(&store, "decided.csv", content, 5);
        let decided = run_of_night(&store, 4).await;
        assert_eq!(decided.imports[0].counts.as_ref().map(|counts| counts.created), Some(1));
        deliver(&store, "complete.csv", content, 5);
        assert_eq!(run_of_night(&store, 5).await.imports[0].state, ImportState::Unchanged);
    })
    .await;
}

#[tokio::test]
async fn a_group_has_the_name_in_the_table_beside_the_file() {
    let export = r#"{"users":[{"id":"f-1","patronGroup":"g-1","personal":{"lastName":"Alder"}}]}"#;
    for_each_database(async |store| {
        let folio = TaskForm { profile: "folio".to_owned(), file_pattern: "*.json".to_owned(), ..form() };
        let task = save(&store, &folio).await;
        deliver(&store, "users.json", export, 5);
        let groups =
            deliver(&store, "usergroups.json", r#"{"usergroups":[{"id":"g-1","group":"staff"}]}"#, 9);
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert_eq!(run::read(&store, preview).await.unwrap().imports.len(), 1, "a table is no file of users");
        assert_eq!(run_by_hand(&store, task).await.state, RunState::Succeeded);
        assert_eq!(categories(&store).await, [Some("staff".to_owned())]);
        assert!(!groups.exists(), "it is deleted with its file");

        // Without the table, the group keeps its name.
        deliver(&store, "users.json", export, 5);
        let alone = run_of_night(&store, 1).await;
        assert_eq!(alone.imports[0].counts.as_ref().map(|counts| counts.unchanged), Some(1));
        assert_eq!(categories(&store).await, [Some("staff".to_owned())]);

        // A changed table is another export, although the file is the same.
        deliver(&store, "users.json", export, 5);
        deliver(&store, "usergroups.json", r#"{"usergroups":[{"id":"g-1","group":"alumni"}]}"#, 5);
        assert_eq!(run_of_night(&store, 2).await.imports[0].state, ImportState::Imported);
        assert_eq!(categories(&store).await, [Some("alumni".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn a_missing_table_rejects_the_file_and_a_later_one_completes_it() {
    for_each_database(async |store| {
        let evergreen =
            TaskForm { profile: "evergreen".to_owned(), file_pattern: "usr*.csv".to_owned(), ..form() };
        let task = save(&store, &evergreen).await;
        confirm_settings(&store, task).await;
        let main = "id,card,usrname,family_name,profile,home_ou,mailing_address,billing_address,expire_date\n\
                    2,12,ana,Alder,5,7,31,,2018-01-15 10:26:51-04\n";
        deliver(&store, "usr.csv", main, 5);
        deliver(
            &store,
            "usr_address.csv",
            "id,street1,street2,city,country,post_code\n31,1 High St,,Bern,CH,3000\n",
            5,
        );
        let rejected = run_of_night(&store, 1).await;
        assert_eq!((rejected.state, count(&store).await), (RunState::Failed, 0));
        assert!(!conditions(&store).await.is_empty());
        // Copied with its older time.
        deliver(&store, "card.csv", "id,usr,barcode\n12,2,999\n", 60);
        let complete = run_of_night(&store, 2).await;
        let reason = complete.imports[0].reason.as_deref();
        assert_eq!((complete.state, complete.imports.len()), (RunState::Succeeded, 1), "{reason:?}");
        let user = users::Entity::find().one(&store.db).await.unwrap().unwrap();
        assert_eq!((user.barcode.as_deref(), user.city.as_deref()), (Some("999"), Some("Bern")));
        assert_eq!(std::fs::read_dir(folder(&store)).unwrap().count(), 0, "no table with addresses is left");
    })
    .await;
}
