//! The keys of merged records: what the record that stays owns is not suppressed, and loans find their borrower.

use super::{count, merge_into, user};
use crate::support::{add, add_task, five_days, for_each_database, import_loans, import_users, leaver};
use crate::transfer::file;
use db::entity::users;
use policy::UserNumber;
use sea_orm::Set;
use task_centre::run;
use trail::{Actor, Store};

const CLI: Actor = Actor::COMMAND_LINE;

/// Adds the record that stays, with a barcode, and the duplicate with other keys.
async fn duplicates(store: &Store) {
    let staying = users::ActiveModel {
        barcode: Set(Some("B-1".to_owned())),
        email: Set(Some("ng@example.org".to_owned())),
        ..leaver("Ng")
    };
    add(store, staying).await;
    let losing = users::ActiveModel {
        barcode: Set(Some("B-2".to_owned())),
        email: Set(Some("NG@example.org".to_owned())),
        external_id: Set(Some("E-2".to_owned())),
        ..leaver("Ngo")
    };
    add(store, losing).await;
    add_task(store, &five_days()).await;
}

#[tokio::test]
async fn the_record_that_stays_takes_over_the_keys_that_it_lacks_and_they_are_not_suppressed() {
    for_each_database(async |store| {
        duplicates(&store).await;
        merge_into(&store, 1, 2).await.unwrap();
        let stays = user(&store, 1).await;
        assert_eq!(stays.external_id.as_deref(), Some("E-2"));
        assert_eq!(stays.external_id_key.as_deref(), Some("e-2"));
        assert_eq!((stays.barcode.as_deref(), stays.user_id.as_deref()), (Some("B-1"), Some("Ng-id")));
        assert_eq!(stays.email.as_deref(), Some("ng@example.org"));
        let found =
            "SELECT COUNT(*) AS n FROM user_words WHERE user_number = 1 AND word LIKE 'e2%' OR word = 'b1'";
        assert!(count(&store, found).await > 0, "the search finds the new key");
        // UserID and barcode of the duplicate; neither its external identifier nor the shared address.
        assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM suppressed_keys").await, 2);
        for (kind, keys) in [("external_id", 0), ("email", 0), ("user_id", 1), ("barcode", 1)] {
            let sql = format!("SELECT COUNT(*) AS n FROM suppressed_keys WHERE kind = '{kind}'");
            assert_eq!(count(&store, &sql).await, keys, "{kind}");
        }
        // The next file of the identity system finds the record that stays, and creates no user.
        let users = file("external_id,last_name\nE-2,Ng\n");
        let summary = import_users(&store, CLI, users.path(), false).await.unwrap();
        assert_eq!(summary.created, 0);
        assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM users").await, 2);
        let back = file("barcode,last_name\nB-2,Ngo\n");
        import_users(&store, CLI, back.path(), false).await.unwrap();
        assert_eq!(
            count(&store, "SELECT COUNT(*) AS n FROM users").await,
            2,
            "the duplicate does not return"
        );
        assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM held_lines").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_loan_with_the_card_of_the_duplicate_belongs_to_the_record_that_stays() {
    for_each_database(async |store| {
        duplicates(&store).await;
        merge_into(&store, 1, 2).await.unwrap();
        let text = "barcode,item_barcode,branch,issued_on,due_on\nB-2,I1,main,2017-05-01,2018-12-01\n";
        let summary = import_loans(&store, CLI, file(text).path(), false).await.unwrap();
        assert_eq!(summary.created, 1, "{summary:?}");
        assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM loans WHERE user_number = 1").await, 1);
        // Anonymising the record that stays suppresses its former keys, too.
        run::anonymise_one(&store, CLI, UserNumber(1), "1").await.unwrap_err();
        crate::support::execute(&store, "UPDATE loans SET returned_on = '2018-01-01'").await;
        run::anonymise_one(&store, CLI, UserNumber(1), "1").await.unwrap().unwrap();
        run::background_scans().await;
        assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM key_periods").await, 0);
        let listed = "SELECT COUNT(*) AS n FROM suppressed_keys WHERE kind = 'external_id'";
        assert_eq!(count(&store, listed).await, 1);
    })
    .await;
}
