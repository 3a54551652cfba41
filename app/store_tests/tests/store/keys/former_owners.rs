//! A loan belongs to the user who owned the key on its day.

use super::{form_of, import, named, save};
use crate::anonymising::run_all;
use crate::support::{add_task, day, dump, five_days, for_each_database, import_loans};
use crate::suppression::on;
use crate::transfer::{file, problems};
use db::entity::{findings, key_periods, loans, users};
use policy::{Policy, Scope};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use std::fmt::Write as _;
use trail::{Actor, Store};
use transfer::{ImportSummary, TransferError};

const HEADER: &str = "item_barcode,branch,issued_on,due_on";

async fn lend(
    store: &Store,
    column: &str,
    key: &str,
    dates: &[&str],
) -> Result<ImportSummary, TransferError> {
    let mut content = format!("{column},{HEADER}\n");
    for (number, date) in dates.iter().enumerate() {
        writeln!(content, "{key},I{column}{key}{number},main,{date},2018-12-01").unwrap();
    }
    import_loans(store, Actor::COMMAND_LINE, file(&content).path(), false).await
}

/// Returns the days of the loans of a user.
async fn days_of(store: &Store, user: i64) -> Vec<String> {
    let loans =
        loans::Entity::find().filter(loans::Column::UserNumber.eq(user)).all(&store.db).await.unwrap();
    let mut days: Vec<String> = loans.iter().map(|loan| loan.issued_on.to_string()).collect();
    days.sort();
    days
}

async fn periods(store: &Store) -> u64 {
    key_periods::Entity::find().count(&store.db).await.unwrap()
}

#[tokio::test]
async fn old_loans_of_a_new_library_belong_to_the_present_owners() {
    for_each_database(async |store| {
        import(&store, "last_name,user_id\nNg,ng\n").await;
        assert_eq!(lend(&store, "user_id", "NG", &["2012-03-01", "2018-01-20"]).await.unwrap().created, 2);
        assert_eq!(periods(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_loan_follows_the_key_on_its_day() {
    // The key moves by a file, by a swap in a file, and by forms.
    for way in ["file", "swap", "form"] {
        for column in ["user_id", "barcode"] {
            for_each_database(async |store| {
                let header = format!("last_name,external_id,{column}");
                import(&store, &format!("{header}\nOld,E1,k1\nNew,E2,k2\n")).await;
                let (old, new) = (named(&store, "Old").await.number, named(&store, "New").await.number);
                let later = on(&store, "2018-02-10");
                match way {
                    "file" => {
                        import(&later, &format!("{header}\nNew,E2,K1\nOld,E1,k3\n")).await;
                    }
                    "swap" => {
                        import(&later, &format!("{header}\nNew,E2,K1\nOld,E1,k2\n")).await;
                    }
                    _ => {
                        for (name, key) in [("Old", "k3"), ("New", "K1")] {
                            let mut form = form_of(&later, name).await;
                            key.clone_into(form.text_mut(column).unwrap());
                            save(&later, &form).await.unwrap();
                        }
                    }
                }
                let later = on(&store, "2018-03-01");
                let summary = lend(&later, column, "k1", &["2015-01-01", "2018-02-09", "2018-02-10"]).await;
                assert_eq!(summary.unwrap().created, 3, "{way} {column}");
                assert_eq!(days_of(&store, old).await, ["2015-01-01", "2018-02-09"], "{way} {column}");
                assert_eq!(days_of(&store, new).await, ["2018-02-10"], "{way} {column}");
                let again = lend(&later, column, "K1", &["2015-01-01"]).await.unwrap();
                assert_eq!((again.created, again.rejected), (1, 0), "another item");
                // The former key of the new owner.
                if way != "swap" {
                    lend(&later, column, "k2", &["2018-02-01"]).await.unwrap();
                    assert_eq!(days_of(&store, new).await, ["2018-02-01", "2018-02-10"]);
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn loans_of_an_anonymised_former_owner_are_skipped() {
    for_each_database(async |store| {
        let task = add_task(&store, &Policy { scope: Scope::All, ..five_days() }).await;
        let header = "last_name,external_id,user_id,leaving_on";
        import(&store, &format!("{header}\nGone,E1,ng,2018-01-02\nStays,E3,st,\n")).await;
        run_all(&store, task).await;
        // The login goes to another person.
        let later = on(&store, "2018-03-05");
        import(&later, &format!("{header}\nHeir,E2,NG,\n")).await;
        let later = on(&store, "2018-04-01");
        let dates = ["2016-05-01", "2018-01-20", "2018-03-04", "2018-03-05", "2018-03-20"];
        let summary = lend(&later, "user_id", "ng", &dates).await.unwrap();
        assert_eq!((summary.created, summary.skipped, summary.rejected), (2, 3, 0));
        assert_eq!(days_of(&store, named(&store, "Heir").await.number).await, ["2018-03-05", "2018-03-20"]);
        assert_eq!(lend(&later, "user_id", "st", &["2016-05-01"]).await.unwrap().created, 1);
    })
    .await;
}

/// Also if the source says that the new owner was created before the former one was anonymised.
#[tokio::test]
async fn a_creation_date_in_the_file_gives_no_loans_of_an_anonymised_user() {
    for_each_database(async |store| {
        let task = add_task(&store, &Policy { scope: Scope::All, ..five_days() }).await;
        import(&store, "last_name,external_id,user_id,leaving_on\nGone,E1,ng,2018-01-02\n").await;
        run_all(&store, task).await;
        import(&store, "last_name,external_id,user_id,created_on\nHeir,E2,ng,2010-01-01\n").await;
        let summary = lend(&store, "user_id", "ng", &["2016-05-01", "2018-01-05"]).await.unwrap();
        assert_eq!((summary.created, summary.skipped), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn anonymising_removes_the_former_keys() {
    for_each_database(async |store| {
        let task = add_task(&store, &Policy { scope: Scope::All, ..five_days() }).await;
        let header = "last_name,external_id,barcode,leaving_on";
        let prior = "Prior,E3,canarythree,\n";
        import(&store, &format!("{header}\nGone,E1,canaryone,2018-01-02\nHeir,E2,B2,\n{prior}")).await;
        let later = on(&store, "2018-01-22");
        import(&later, &format!("{header}\nGone,E1,canarythree,2018-01-02\nPrior,E3,B3,\n")).await;
        let last = on(&store, "2018-01-23");
        import(&last, &format!("{header}\nGone,E1,canarytwo,2018-01-02\nHeir,E2,canaryone,\n")).await;
        assert_eq!(periods(&store).await, 5);
        run_all(&last, task).await;
        let gone =
            users::Entity::find().filter(users::Column::AnonymisedOn.is_not_null()).one(&store.db).await;
        let gone = gone.unwrap().unwrap();
        assert_eq!((gone.scim_id, gone.barcode_key, gone.external_id_key), (None, None, None));
        let theirs = key_periods::Entity::find().filter(key_periods::Column::UserNumber.eq(gone.number));
        assert_eq!(theirs.count(&store.db).await.unwrap(), 0);
        assert!(!dump(&store).await.contains("canarytwo"));
        assert_eq!(findings::Entity::find().count(&store.db).await.unwrap(), 0, "keys of others are theirs");
        // The loans of the former owner are still recognised: never the heir's, never a problem.
        let later = on(&store, "2018-03-01");
        let dates = ["2016-05-01", "2018-01-22", "2018-01-23"];
        let summary = lend(&later, "barcode", "canaryone", &dates).await.unwrap();
        assert_eq!((summary.created, summary.skipped), (1, 2));
        assert_eq!(lend(&later, "barcode", "canarytwo", &["2018-01-22"]).await.unwrap().skipped, 1);
        assert_eq!(days_of(&store, named(&store, "Heir").await.number).await, ["2018-01-23"]);
    })
    .await;
}

#[tokio::test]
async fn a_loan_of_an_unknown_owner_is_rejected_with_the_reason() {
    for_each_database(async |store| {
        let header = "last_name,external_id,barcode";
        import(&store, &format!("{header}\nOld,E1,k1\nNew,E2,k2\n")).await;
        import(&on(&store, "2018-02-01"), &format!("{header}\nOld,E1,k3\n")).await;
        // For nine days no user has the key.
        import(&on(&store, "2018-02-10"), &format!("{header}\nNew,E2,k1\n")).await;
        let later = on(&store, "2018-03-01");
        lend(&later, "barcode", "k1", &["2018-01-31", "2018-02-10"]).await.unwrap();
        assert_eq!(named(&store, "New").await.last_activity_on, Some(day("2018-02-10")));
        let found = problems(lend(&later, "barcode", "k1", &["2018-02-05"]).await);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("Another user had this key on that day"), "{found:?}");
        let found = problems(lend(&later, "barcode", "unknown", &["2018-02-05"]).await);
        assert_eq!(found, ["line 2, barcode: There is no such user"]);
    })
    .await;
}
