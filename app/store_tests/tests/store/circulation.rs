//! Loans, requests and charges as staff process them, and the names that the catalogue shows.

use crate::support::{TODAY, add, day, execute, for_each_database, leaver};
use db::RecordsError;
use db::bulk_insert;
use db::entity::{audit_events, catalogue_records, catalogue_words, users};
use db::pagination::Paging;
use policy::user_form::UserForm;
use policy::{CatalogueRecordId, ChargeId, LoanId, RequestId, UserNumber};
use records::circulation::{self, Loans};
use records::{catalogue, user};
use safeguards::legal_hold;
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set};
use task_centre::run;
use trail::{Actor, Store};

const NG: UserNumber = UserNumber(1);

/// Adds a user with one open and one closed row of each kind, and an item in the catalogue.
async fn library(store: &Store) {
    add(store, users::ActiveModel { last_activity_on: Set(Some(day("2017-05-01"))), ..leaver("Ng") }).await;
    for sql in [
        "INSERT INTO catalogue_records (title, created_by, created_on) VALUES ('Dune', 1, '2017-01-01')",
        "INSERT INTO items (record_id, barcode, branch) VALUES (1, 'I1', 'main')",
        "INSERT INTO loans (user_number, item_id, branch, issued_on, due_on, returned_on, renewals) VALUES \
         (1, 1, 'main', '2017-01-01', '2017-02-01', '2017-01-20', 2), \
         (1, 1, 'main', '2017-05-01', '2017-06-01', NULL, 0)",
        "INSERT INTO requests (user_number, record_id, branch, placed_on, status, closed_on) VALUES \
         (1, 1, 'main', '2017-01-01', 'filled', '2017-01-02'), (1, 1, 'main', '2017-05-01', 'open', NULL)",
        "INSERT INTO charges (user_number, loan_id, kind, cents, charged_on, settled_on) VALUES \
         (1, 1, 'overdue', 250, '2017-01-01', '2017-01-02'), (1, 2, 'overdue', 100, '2017-05-01', NULL)",
        "INSERT INTO messages (user_number, kind, channel, sent_at, recipient) VALUES \
         (1, 'overdue', 'email', '2017-06-02 10:00:00+00:00', 'ng@example.org')",
        "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) \
         VALUES (1, 'dispute', '2017-06-02', '2018-06-02')",
    ] {
        execute(store, sql).await;
    }
}

async fn last_activity(store: &Store) -> Option<chrono::NaiveDate> {
    user::read(store, NG).await.unwrap().last_activity_on
}

async fn last_event(store: &Store) -> (String, Option<i64>, String) {
    let event = audit_events::Entity::find()
        .order_by_desc(audit_events::Column::Id)
        .one(&store.db)
        .await
        .unwrap()
        .unwrap();
    (event.action, event.subject_id, event.detail)
}

#[tokio::test]
async fn lists_show_the_rows_of_a_user_newest_first() {
    for_each_database(async |store| {
        library(&store).await;
        let all = Paging::default();
        let open = circulation::loans(&store, NG, Loans::Open, &all).await.unwrap();
        assert_eq!(open.rows.len(), 1);
        assert_eq!(open.rows[0].record.as_ref().unwrap().1, "Dune");
        assert_eq!(open.rows[0].item_barcode.as_deref(), Some("I1"));
        let past = circulation::loans(&store, NG, Loans::Past, &all).await.unwrap();
        assert_eq!((past.rows[0].id, past.rows[0].renewals), (LoanId(1), 2));
        let one = Paging { rows: Some(1), ..Paging::default() };
        let requests = circulation::requests(&store, NG, &one).await.unwrap();
        assert_eq!(requests.rows[0].id, RequestId(2));
        let next = Paging { after: requests.next, rows: Some(1), ..Paging::default() };
        let requests = circulation::requests(&store, NG, &next).await.unwrap();
        assert_eq!((requests.rows[0].id, requests.next), (RequestId(1), None));
        assert_eq!(circulation::charges(&store, NG, &all).await.unwrap().rows[0].cents, Some(100));
        let messages = circulation::messages(&store, NG, &all).await.unwrap();
        assert_eq!(messages.rows[0].recipient.as_deref(), Some("ng@example.org"));
        let holds = legal_hold::of_user(&store, NG).await.unwrap();
        assert_eq!((holds[0].reason, holds[0].released_on), (policy::LegalHoldReason::Dispute, None));
        assert_eq!(catalogue::made_by(&store, NG, &all).await.unwrap().rows[0].title, "Dune");
        let counts = user::read(&store, NG).await.unwrap().counts;
        let expected = user::UserCounts {
            open_loans: 1,
            past_loans: 1,
            open_requests: 1,
            requests: 2,
            unsettled_charges: 1,
            charges: 2,
            messages: 1,
            catalogue_records: 1,
            legal_holds: 1,
        };
        assert_eq!(counts, expected);
    })
    .await;
}

#[tokio::test]
async fn a_return_is_not_activity_and_happens_once() {
    for_each_database(async |store| {
        library(&store).await;
        assert_eq!(circulation::return_loan(&store, Actor::COMMAND_LINE, LoanId(2)).await.unwrap().0, NG);
        assert_eq!(last_activity(&store).await, Some(day("2017-05-01")));
        assert_eq!(last_event(&store).await, ("loan_returned".to_owned(), Some(1), "loan=2".to_owned()));
        let past = circulation::loans(&store, NG, Loans::Past, &Paging::default()).await.unwrap();
        assert_eq!((past.rows[0].id, past.rows[0].returned_on), (LoanId(2), Some(day(TODAY))));
        let again = circulation::return_loan(&store, Actor::COMMAND_LINE, LoanId(2)).await;
        assert!(matches!(again, Err(RecordsError::Refused(why)) if why.contains("already been returned")));
        let nothing = circulation::return_loan(&store, Actor::COMMAND_LINE, LoanId(9)).await;
        assert!(matches!(nothing, Err(RecordsError::NotFound("loan"))));
    })
    .await;
}

#[tokio::test]
async fn cancelling_and_settling_are_not_activity_and_happen_once() {
    for_each_database(async |store| {
        library(&store).await;
        circulation::cancel_request(&store, Actor::COMMAND_LINE, RequestId(2)).await.unwrap();
        assert_eq!(
            last_event(&store).await,
            ("request_cancelled".to_owned(), Some(1), "request=2".to_owned())
        );
        circulation::settle_charge(&store, Actor::COMMAND_LINE, ChargeId(2)).await.unwrap();
        assert_eq!(last_event(&store).await, ("charge_settled".to_owned(), Some(1), "charge=2".to_owned()));
        assert_eq!(last_activity(&store).await, Some(day("2017-05-01")));
        let counts = user::read(&store, NG).await.unwrap().counts;
        assert_eq!((counts.open_requests, counts.unsettled_charges), (0, 0));
        let request = circulation::requests(&store, NG, &Paging::default()).await.unwrap().rows.remove(0);
        assert_eq!((request.status.as_str(), request.closed_on), ("cancelled", Some(day(TODAY))));
        let again = circulation::cancel_request(&store, Actor::COMMAND_LINE, RequestId(2)).await;
        assert!(matches!(again, Err(RecordsError::Refused(_))));
        let again = circulation::settle_charge(&store, Actor::COMMAND_LINE, ChargeId(2)).await;
        assert!(matches!(again, Err(RecordsError::Refused(_))));
    })
    .await;
}

/// An item of an anonymised borrower can be returned, and the return adds no personal data.
#[tokio::test]
async fn an_anonymised_borrower_does_not_stop_a_return() {
    for_each_database(async |store| {
        library(&store).await;
        execute(
            &store,
            "UPDATE users SET anonymised_on = '2018-01-01', replacement = 'Anonymised user 7F3KQ2', \
             first_name = NULL, last_name = NULL",
        )
        .await;
        circulation::return_loan(&store, Actor::COMMAND_LINE, LoanId(2)).await.unwrap();
        assert_eq!(last_activity(&store).await, Some(day("2017-05-01")));
        assert_eq!(user::read(&store, NG).await.unwrap().counts.open_loans, 0);
    })
    .await;
}

/// Adds a record of the catalogue with its search words.
async fn add_title(store: &Store, title: &str, author: Option<&str>) -> i64 {
    let record = catalogue_records::ActiveModel {
        title: Set(title.to_owned()),
        author: Set(author.map(str::to_owned)),
        created_on: Set(day("2017-01-01")),
        ..Default::default()
    };
    let id = record.insert(&store.db).await.unwrap().id;
    let words: Vec<_> = catalogue_words::Model::for_record(id, title, author).collect();
    bulk_insert::insert(&store.db, words).await.unwrap();
    id
}

#[tokio::test]
async fn the_catalogue_is_searched_by_any_word_of_title_and_author_and_by_barcode() {
    for_each_database(async |store| {
        let mut ids = Vec::new();
        for (title, author) in [
            ("Dune", Some("Herbert, Frank")),
            ("dune messiah", Some("Herbert, Frank")),
            ("Emma", None),
            ("Duno", None),
            ("Über die Straße", None),
        ] {
            ids.push(add_title(&store, title, author).await);
        }
        let item = format!(
            "INSERT INTO items (record_id, barcode, branch) VALUES ({}, '31000004711', 'main')",
            ids[2]
        );
        execute(&store, &item).await;
        let both = || vec!["Dune", "dune messiah"];
        for (typed, expected) in [
            ("", vec!["Dune", "dune messiah", "Duno", "Emma", "Über die Straße"]),
            ("DUNE", both()),
            ("d", vec!["Dune", "dune messiah", "Duno", "Über die Straße"]),
            ("messiah", vec!["dune messiah"]),
            ("messiah, dune", vec!["dune messiah"]),
            ("frank herbert", both()),
            ("“Dune” Herbert", both()),
            ("ueber strasse", vec!["Über die Straße"]),
            ("uber", vec!["Über die Straße"]),
            ("*31000004711*", vec!["Emma"]),
            ("3100 000 4711", vec!["Emma"]),
            ("dune emma", vec![]),
            ("x", vec![]),
            ("%", vec![]),
        ] {
            let mut titles = Vec::new();
            let mut paging = Paging { rows: Some(2), ..Paging::default() };
            loop {
                let page = catalogue::list(&store, typed, &paging).await.unwrap();
                titles.extend(page.rows.into_iter().map(|row| row.title));
                paging.after = page.next;
                if paging.after.is_none() {
                    break;
                }
            }
            assert_eq!(titles, expected, "{typed}");
        }
    })
    .await;
}

/// Rule 11: the name in the form, and the replacement name.
#[tokio::test]
async fn the_catalogue_shows_the_present_name_of_the_user() {
    for_each_database(async |store| {
        library(&store).await;
        add(&store, leaver("Staff")).await;
        execute(&store, "INSERT INTO user_roles VALUES (2, 'cataloguer', '2018-01-01')").await;
        execute(&store, "UPDATE catalogue_records SET changed_by = 2, changed_on = '2017-02-01'").await;
        let names = async || {
            let record = catalogue::read(&store, CatalogueRecordId(1)).await.unwrap();
            (record.created_by.unwrap().name, record.changed_by.unwrap().name)
        };
        assert_eq!(names().await, ("First Ng".to_owned(), "First Staff".to_owned()));
        let items = catalogue::items(&store, Actor::COMMAND_LINE, CatalogueRecordId(1), &Paging::default())
            .await
            .unwrap();
        assert_eq!(items.rows[0].on_loan.as_ref().unwrap().borrower.as_ref().unwrap().name, "First Ng");

        let renamed = user::read(&store, UserNumber(2)).await.unwrap();
        let renamed = UserForm { last_name: "Married".to_owned(), ..user::form_of(&renamed) };
        user::save(&store, Actor::COMMAND_LINE, &renamed).await.unwrap();
        circulation::return_loan(&store, Actor::COMMAND_LINE, LoanId(2)).await.unwrap();
        circulation::cancel_request(&store, Actor::COMMAND_LINE, RequestId(2)).await.unwrap();
        circulation::settle_charge(&store, Actor::COMMAND_LINE, ChargeId(2)).await.unwrap();
        execute(&store, "UPDATE legal_holds SET released_on = '2018-01-01'").await;
        crate::support::add_task(&store, &crate::support::five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, NG, "1").await.unwrap();
        let (made, changed) = names().await;
        assert!(policy::replacement::is_replacement(&made), "{made}");
        assert_eq!(changed, "First Married");
        let items = catalogue::items(&store, Actor::COMMAND_LINE, CatalogueRecordId(1), &Paging::default())
            .await
            .unwrap();
        assert!(items.rows[0].on_loan.is_none());
        let missing = catalogue::read(&store, CatalogueRecordId(9)).await;
        assert!(matches!(missing, Err(RecordsError::NotFound("catalogue record"))));
    })
    .await;
}
