//! Creating, editing and marking users manually; photos; the impact of anonymising.

use crate::support::{
    TODAY, add, add_task, day, dump, execute, five_days, for_each_database, import_loans, import_users,
    leaver,
};
use crate::transfer::{file, problems};
use db::RecordsError;
use db::entity::{audit_events, user_words};
use policy::form::Problem;
use policy::user_form::UserForm;
use policy::{Field, Policy, Treatment, UserNumber};
use records::user::{self, ImpactKind, ImportedDate};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use task_centre::run;
use trail::{Actor, Store};

fn form() -> UserForm {
    UserForm {
        user_id: "ang".to_owned(),
        first_name: "Ana".to_owned(),
        last_name: "Ng".to_owned(),
        barcode: "B1".to_owned(),
        external_id: "E1".to_owned(),
        ..UserForm::default()
    }
}

async fn save(store: &Store, form: &UserForm) -> Result<UserNumber, RecordsError> {
    user::save(store, Actor::COMMAND_LINE, form).await
}

async fn edit_form(store: &Store, number: UserNumber) -> UserForm {
    user::form_of(&user::read(store, number).await.unwrap())
}

async fn words_of(store: &Store, number: UserNumber) -> Vec<String> {
    let rows = user_words::Entity::find()
        .filter(user_words::Column::UserNumber.eq(number.0))
        .all(&store.db)
        .await
        .unwrap();
    let mut words: Vec<String> = rows.into_iter().map(|row| row.word).collect();
    words.sort();
    words
}

async fn events(store: &Store) -> Vec<(String, String)> {
    let rows =
        audit_events::Entity::find().order_by_asc(audit_events::Column::Id).all(&store.db).await.unwrap();
    rows.into_iter().map(|row| (row.action, row.detail)).collect()
}

fn problem(result: Result<UserNumber, RecordsError>, field: &str) -> Option<String> {
    match result {
        Err(RecordsError::Invalid(errors)) => errors.message(field),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_user_is_not_imported_and_found_at_once() {
    for_each_database(async |store| {
        let number = save(&store, &form()).await.unwrap();
        let record = user::read(&store, number).await.unwrap();
        assert_eq!(record.name, "Ana Ng");
        assert_eq!((record.imported, record.created_on, record.version), (false, Some(day(TODAY)), 1));
        assert_eq!(words_of(&store, number).await, ["ana", "ang", "b1", "e1", "ng"]);
        assert_eq!(events(&store).await, [("user_created".to_owned(), String::new())]);
        assert_ne!(
            save(&store, &UserForm { last_name: "Ng".to_owned(), ..UserForm::default() }).await.unwrap(),
            number
        );
    })
    .await;
}

#[tokio::test]
async fn an_edit_changes_only_edited_fields_and_the_audit_names_them() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let number = save(&store, &form()).await.unwrap();
        let unchanged = edit_form(&store, number).await;
        save(&store, &unchanged).await.unwrap();
        assert_eq!(user::read(&store, number).await.unwrap().version, 1, "the record is unchanged");

        let edited = UserForm {
            last_name: "Nguyễn".to_owned(),
            notes: "two\nlines".to_owned(),
            birth_date: "1 Feb 1990".to_owned(),
            custom: [("locker".to_owned(), "17".to_owned())].into(),
            ..unchanged
        };
        save(&store, &edited).await.unwrap();
        let record = user::read(&store, number).await.unwrap();
        assert_eq!((record.name.as_str(), record.version), ("Ana Nguyễn", 2));
        assert_eq!((record.custom[0].label.as_str(), record.custom[0].value.as_str()), ("Locker", "17"));
        assert_eq!(words_of(&store, number).await, ["ana", "ang", "b1", "e1", "nguyen"]);
        let (action, detail) = events(&store).await.pop().unwrap();
        assert_eq!(
            (action.as_str(), detail.as_str()),
            ("user_changed", "last_name,birth_date,notes,custom.locker")
        );

        save(&store, &UserForm { custom: [].into(), ..edit_form(&store, number).await }).await.unwrap();
        assert_eq!(user::read(&store, number).await.unwrap().custom[0].value, "");
        let unknown = UserForm {
            custom: [("shoe".to_owned(), "44".to_owned())].into(),
            ..edit_form(&store, number).await
        };
        assert!(problem(save(&store, &unknown).await, "custom.shoe").is_some());
    })
    .await;
}

#[tokio::test]
async fn unique_values_of_another_user_are_taken() {
    for_each_database(async |store| {
        let first = save(&store, &form()).await.unwrap();
        let before = dump(&store).await;
        let second = save(&store, &form()).await;
        let Err(RecordsError::Invalid(errors)) = second else { panic!("{second:?}") };
        for field in ["user_id", "barcode", "external_id"] {
            assert_eq!(errors.message(field), Some(Problem::Taken.to_string()), "{field}");
        }
        assert_eq!(dump(&store).await, before);
        // A user's own values don't count as taken, and empty values never do.
        save(&store, &UserForm { phone: "1".to_owned(), ..edit_form(&store, first).await }).await.unwrap();
        for _ in 0..2 {
            save(&store, &UserForm { last_name: "Ng".to_owned(), ..UserForm::default() }).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn codes_must_exist_and_guarantors_must_be_other_users() {
    for_each_database(async |store| {
        let number = save(&store, &UserForm { category: "anything".to_owned(), ..form() }).await.unwrap();
        execute(&store, "INSERT INTO terms VALUES ('category', 'student', 'Student')").await;
        let edit = edit_form(&store, number).await;
        let with_category = |code: &str| UserForm { category: code.to_owned(), ..edit.clone() };
        assert!(problem(save(&store, &with_category("nothing")).await, "category").is_some());
        save(&store, &with_category("anything")).await.unwrap();
        save(&store, &with_category("student")).await.unwrap();
        let record = user::read(&store, number).await.unwrap();
        assert_eq!(record.category.unwrap().name, "Student");

        let edit = edit_form(&store, number).await;
        let with_guarantor = |typed: &str| UserForm { guarantor: typed.to_owned(), ..edit.clone() };
        add(&store, leaver("Gone")).await;
        execute(&store, "UPDATE users SET anonymised_on = '2018-01-01' WHERE number = 2").await;
        let parent =
            save(&store, &UserForm { last_name: "Parent".to_owned(), ..UserForm::default() }).await.unwrap();
        for typed in ["1", "2", "99"] {
            assert!(problem(save(&store, &with_guarantor(typed)).await, "guarantor").is_some(), "{typed}");
        }
        save(&store, &with_guarantor("3")).await.unwrap();
        assert_eq!(user::read(&store, number).await.unwrap().guarantor.unwrap().name, "Parent");
        assert_eq!(user::read(&store, parent).await.unwrap().guarantees_for[0].number, number);
    })
    .await;
}

#[tokio::test]
async fn a_stale_form_is_rejected() {
    for_each_database(async |store| {
        let number = save(&store, &form()).await.unwrap();
        let opened = edit_form(&store, number).await;
        save(&store, &UserForm { phone: "1".to_owned(), ..opened.clone() }).await.unwrap();
        assert!(matches!(save(&store, &opened).await, Err(RecordsError::Stale)));

        let opened = edit_form(&store, number).await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, "1").await.unwrap();
        run::background_scans().await;
        let anonymised = dump(&store).await;
        assert!(matches!(save(&store, &opened).await, Err(RecordsError::Stale)));
        let version = user::read(&store, number).await.unwrap().version.to_string();
        let guessed = UserForm { version, ..opened };
        assert!(matches!(save(&store, &guessed).await, Err(RecordsError::Refused(_))));
        for marked in [
            user::mark_for_deletion(&store, Actor::COMMAND_LINE, number).await,
            user::unmark(&store, Actor::COMMAND_LINE, number).await,
        ] {
            assert!(matches!(marked, Err(RecordsError::Refused(_))));
        }
        assert_eq!(dump(&store).await, anonymised);
        assert_eq!(words_of(&store, number).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn marking_and_undeleting_are_recorded_once() {
    for_each_database(async |store| {
        let number = save(&store, &form()).await.unwrap();
        for _ in 0..2 {
            user::mark_for_deletion(&store, Actor::COMMAND_LINE, number).await.unwrap();
        }
        assert_eq!(user::read(&store, number).await.unwrap().marked_on, Some(day(TODAY)));
        for _ in 0..2 {
            user::unmark(&store, Actor::COMMAND_LINE, number).await.unwrap();
        }
        assert_eq!(user::read(&store, number).await.unwrap().marked_on, None);
        let actions: Vec<String> = events(&store).await.into_iter().map(|(action, _)| action).collect();
        assert_eq!(actions, ["user_created", "user_marked", "user_unmarked"]);
        let unknown = user::mark_for_deletion(&store, Actor::COMMAND_LINE, UserNumber(9)).await;
        assert!(matches!(unknown, Err(RecordsError::NotFound("user"))));
    })
    .await;
}

#[tokio::test]
async fn the_impact_counts_the_rows_of_the_user() {
    for_each_database(async |store| {
        execute(
            &store,
            "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker'), ('shoe', 'Shoe')",
        )
        .await;
        let custom = [("locker", "1"), ("shoe", "44")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let number =
            save(&store, &UserForm { birth_date: "1990-01-01".to_owned(), custom: custom.into(), ..form() })
                .await
                .unwrap();
        execute(
            &store,
            "INSERT INTO loans (user_number, branch, issued_on, due_on, returned_on, note) VALUES \
             (1, 'main', '2017-01-01', '2017-02-01', '2017-01-20', 'call her'), \
             (1, 'main', '2017-01-01', '2017-02-01', '2017-01-20', NULL)",
        )
        .await;
        let policy = Policy {
            fields: [(Field::BirthDate, Treatment::Decade)].into(),
            keep_custom: vec!["shoe".to_owned()],
            ..five_days()
        };
        let impacts = user::impacts(&store, number, &policy).await.unwrap();
        let count = |list: &[user::ImpactCount], what: ImpactKind| {
            list.iter().find(|effect| effect.what == what).map(|effect| effect.count)
        };
        let value = |words: &str| ImpactKind::Value(words.to_owned());
        assert_eq!(count(&impacts.removed, value("UserID (login name)")), Some(1));
        assert_eq!(count(&impacts.removed, value("Phone")), Some(0));
        assert_eq!(count(&impacts.removed, ImpactKind::Custom("Locker".to_owned())), Some(1));
        assert_eq!(count(&impacts.removed, ImpactKind::Texts("Note", "Loans")), Some(1));
        assert_eq!(count(&impacts.removed, ImpactKind::Rows("Search words of users")), Some(5));
        assert_eq!(count(&impacts.generalised, value("Birth date")), Some(1));
        assert_eq!(count(&impacts.kept, ImpactKind::Custom("Shoe".to_owned())), Some(1));
        assert_eq!(count(&impacts.kept, ImpactKind::Rows("Loans")), Some(2));
        assert_eq!(count(&impacts.kept, value("User category")), Some(0));
    })
    .await;
}

/// A file only moves the last activity forward; those who may import can correct it.
#[tokio::test]
async fn the_last_activity_is_never_in_the_future_and_can_be_corrected() {
    for_each_database(async |store| {
        let number = UserNumber(add(&store, leaver("Ng")).await.number);
        for future in ["2081-05-01", "2018-01-22"] {
            let content = format!("user_id,last_name,last_activity_on\nNg-id,Ng,{future}\n");
            let refused = import_users(&store, Actor::COMMAND_LINE, file(content).path(), false).await;
            let expected = format!("line 2, last_activity_on: {}", Problem::FutureDate);
            assert_eq!(problems(refused), [expected]);
            let content =
                format!("user_id,item_barcode,branch,issued_on,due_on\nNg-id,I1,main,{future},2090-01-01\n");
            let refused = import_loans(&store, Actor::COMMAND_LINE, file(content).path(), false).await;
            assert_eq!(problems(refused), [format!("line 2, issued_on: {}", Problem::FutureDate)]);
            let corrected =
                user::correct_date(&store, Actor::COMMAND_LINE, number, ImportedDate::LastActivity, future)
                    .await;
            let Err(RecordsError::Invalid(errors)) = corrected else { panic!("{future}") };
            assert_eq!(errors.message("last_activity_on"), Some(Problem::FutureDate.to_string()));
        }
        let correct = async |date: &str| {
            user::correct_date(&store, Actor::COMMAND_LINE, number, ImportedDate::LastActivity, date)
                .await
                .unwrap()
        };
        assert!(correct("20 Jan 2018").await);
        assert!(!correct("2018-01-20").await, "nothing changes");
        assert!(correct("2017-05-01").await, "backwards");
        let record = user::read(&store, number).await.unwrap();
        assert_eq!((record.last_activity_on, record.version), (Some(day("2017-05-01")), 3));
        let changed = ("user_changed".to_owned(), "last_activity_on".to_owned());
        assert_eq!(events(&store).await.into_iter().filter(|event| *event == changed).count(), 2);
        let empty =
            user::correct_date(&store, Actor::COMMAND_LINE, number, ImportedDate::LastActivity, " ").await;
        assert!(matches!(empty, Err(RecordsError::Invalid(_))));
    })
    .await;
}

/// A file can also deliver a wrong creation date, from which inactivity counts.
#[tokio::test]
async fn the_creation_date_can_be_corrected_with_an_audit_event_and_counts_towards_the_limits() {
    for_each_database(async |store| {
        let number = UserNumber(add(&store, leaver("Ng")).await.number);
        let correct = async |date: &str| {
            user::correct_date(&store, Actor::COMMAND_LINE, number, ImportedDate::Created, date).await
        };
        for wrong in ["", "2018-01-22", "never"] {
            let Err(RecordsError::Invalid(errors)) = correct(wrong).await else { panic!("{wrong}") };
            assert!(errors.message("created_on").is_some());
        }
        assert!(correct("2017-09-01").await.unwrap());
        assert!(!correct("1 Sep 2017").await.unwrap(), "nothing changes");
        assert_eq!(user::read(&store, number).await.unwrap().created_on, Some(day("2017-09-01")));
        let changes = async || {
            use sea_orm::PaginatorTrait as _;
            db::entity::manual_changes::Entity::find().count(&store.db).await.unwrap()
        };
        assert_eq!(changes().await, 0, "a later date makes no user eligible earlier");
        assert!(correct("2010-09-01").await.unwrap());
        assert_eq!(changes().await, 1);
        let event = ("user_changed".to_owned(), "created_on".to_owned());
        assert_eq!(events(&store).await.into_iter().filter(|one| *one == event).count(), 2);
    })
    .await;
}
