//! What a file may not do: change staff, overwrite what a legal hold keeps, and touch more users than expected.

use crate::holds::{first_on_user, staff};
use crate::limits::limited;
use crate::support::{add, day, dump, execute, for_each_database, leaver};
use crate::transfer::file;
use policy::{Role, UserNumber};
use records::entity::users;
use records::health::{self, What};
use records::transfer::{ImportSummary, TransferError, import_users, import_users_confirmed};
use records::{Actor, RecordsError, Store, user};
use sea_orm::Set;

async fn import(store: &Store, content: &str) -> ImportSummary {
    import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await.unwrap()
}

/// The rows of a user in all tables that say who they are, what makes them staff and what lets them sign in.
async fn rows_of(store: &Store, number: UserNumber) -> Vec<String> {
    let tables = ["users|", "user_roles|", "credentials|", "user_words|", "custom_values|"];
    let number = number.to_string();
    let is_theirs = |line: &&str| {
        tables.iter().any(|table| line.starts_with(table)) && line.split('|').any(|cell| cell == number)
    };
    dump(store).await.lines().filter(is_theirs).map(str::to_owned).collect()
}

#[tokio::test]
async fn no_file_changes_a_member_of_staff() {
    for_each_database(async |store| {
        let chief = UserNumber(7001);
        let record = users::ActiveModel {
            number: Set(chief.0),
            external_id: Set(Some("E-CHIEF".to_owned())),
            barcode: Set(Some("B-CHIEF".to_owned())),
            email: Set(Some("chief@example.org".to_owned())),
            leaving_on: Set(None),
            marked_on: Set(None),
            ..leaver("Chief")
        };
        add(&store, record).await;
        execute(&store, "INSERT INTO user_roles (user_number, role, granted_on) VALUES (7001, 'administrator', '2017-01-01')").await;
        // Whoever can sign in and has no role any more is left alone, too.
        let former = users::ActiveModel { number: Set(7002), ..leaver("Former") };
        add(&store, former).await;
        execute(&store, "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES (7002, 'password', 'x', '2018-01-01 00:00:00+00:00')").await;
        let before = [rows_of(&store, chief).await, rows_of(&store, UserNumber(7002)).await];
        assert!(before.iter().all(|rows| rows.len() > 1));
        for lines in [
            "user_id,last_name,email\nChief-id,Chief,thief@example.org",
            "user_id,last_name,fictitious\nChief-id,Chief,yes",
            "user_id,last_name,leaving_on\nChief-id,Chief,2015-01-01",
            "user_id,last_name,marked_on\nChief-id,Chief,2015-01-01",
            "user_id,last_name\nChief-id,Other",
            "external_id,user_id,last_name\nE-CHIEF,new-id,Chief",
            "barcode,last_name,guarantor_user_id\nB-CHIEF,Chief,Former-id",
            "user_id,last_name,email\nFormer-id,Former,thief@example.org",
        ] {
            let done = import(&store, lines).await;
            assert_eq!((done.staff, done.staff_lines.as_slice(), done.changed), (1, &[2][..], 0), "{lines}");
        }
        // The UserID of a member of staff is not passed on within one file either.
        let passed_on = "external_id,user_id,last_name\nE-CHIEF,chief-old,Chief\nE-STUDENT,Chief-id,Student\n";
        let refused = import_users(&store, Actor::COMMAND_LINE, file(passed_on).path(), false).await;
        assert!(matches!(refused, Err(TransferError::File(_))), "{refused:?}");
        let after = [rows_of(&store, chief).await, rows_of(&store, UserNumber(7002)).await];
        assert_eq!(after, before);
        // The others of the file are written.
        let done = import(&store, "user_id,last_name\nChief-id,Other\nnew,New\n").await;
        assert_eq!((done.staff, done.created), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn no_file_overwrites_what_a_legal_hold_keeps() {
    for_each_database(async |store| {
        let record = users::ActiveModel {
            phone: Set(Some("020".to_owned())),
            notes: Set(Some("owes".to_owned())),
            birth_date: Set(Some(day("1990-02-01"))),
            ..leaver("Held")
        };
        let number = UserNumber(add(&store, record).await.number);
        execute(&store, "INSERT INTO custom_fields VALUES ('locker', 'Locker')").await;
        execute(&store, &format!("INSERT INTO custom_values VALUES ({number}, 'locker', 'A1')")).await;
        first_on_user(&store, number.0).await;
        let before = rows_of(&store, number).await;
        for line in [
            "user_id,last_name,phone\nHeld-id,Held,-",
            "user_id,last_name,phone\nHeld-id,Held,030",
            "user_id,last_name,notes\nHeld-id,Held,paid",
            "user_id,last_name,birth_date\nHeld-id,Held,1991-02-01",
            "user_id,last_name,custom.locker\nHeld-id,Held,B2",
            "user_id,last_name\nHeld-id,-",
        ] {
            let done = import(&store, line).await;
            assert_eq!((done.held, done.changed), (1, 0), "{line}");
        }
        assert_eq!(rows_of(&store, number).await, before);
        let done = import(&store, "user_id,last_name,leaving_on\nHeld-id,Held,2018-03-01").await;
        assert_eq!((done.held, done.changed), (0, 1), "a leaving date is no personal value");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_touches_many_users_needs_a_confirmation() {
    for_each_database(async |store| {
        staff(&store, UserNumber(8001), Role::Administrator).await;
        let users: Vec<String> = (0..30).map(|at| format!("u{at},Leaver{at},u{at}@example.org\n")).collect();
        let users = users.concat();
        import(&store, &format!("user_id,last_name,email\n{users}")).await;
        execute(&store, "UPDATE users SET leaving_on = NULL").await;
        let store = limited(&store, |limits| (limits.import_users, limits.import_percent) = (25, 100));
        let header = "user_id,last_name,email,leaving_on\n";
        let lines = |count: usize, email: &str, leaving: &str| {
            let lines = (0..count)
                .map(|at| format!("u{at},Leaver{at},{}{leaving}\n", email.replace('N', &at.to_string())));
            header.to_owned() + &lines.collect::<String>()
        };
        for (content, what) in [
            (lines(26, ",", ""), "emptied"),
            (lines(26, "-@example.org,", ""), "overwritten by nothing"),
            (lines(26, "uN@example.org,", "2018-01-10"), "mass marking"),
        ] {
            let before = dump(&store).await;
            let file = file(&content);
            let refused = import_users(&store, Actor::COMMAND_LINE, file.path(), false).await;
            let Err(TransferError::Records(RecordsError::Refused(why))) = refused else {
                panic!("{what}: {refused:?}")
            };
            assert!(why.contains("26 users") && why.contains("--confirm 26"), "{why}");
            let wrong =
                import_users_confirmed(&store, Actor::COMMAND_LINE, file.path(), false, Some(25)).await;
            assert!(wrong.is_err(), "another number confirms nothing");
            let kept = |dump: &str| {
                dump.lines().filter(|line| line.starts_with("users|")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(kept(&dump(&store).await), kept(&before), "{what}");
            let tried = import_users(&store, Actor::COMMAND_LINE, file.path(), true).await.unwrap();
            assert_eq!(tried.touched, 26, "a dry run tells the number");
        }
        let told = health::read(&store).await.unwrap().conditions;
        assert!(told.iter().any(|one| one.what == What::LimitReached { actors: 1 }), "{told:?}");
        // Up to the limit nothing is asked, and new users are never counted.
        let few = import(&store, &lines(25, "uN@example.org,", "2018-01-10")).await;
        assert_eq!((few.touched, few.changed), (25, 25));
        let all = lines(26, ",", "2018-01-10");
        let done =
            import_users_confirmed(&store, Actor::COMMAND_LINE, file(&all).path(), false, Some(26)).await;
        assert_eq!(done.unwrap().touched, 26);
        let record = user::find(&store, &user::UserQuery::default(), &records::page::Paging::default()).await;
        assert!(record.unwrap().rows.len() > 20);
    })
    .await;
}
