//! An import can't change staff, overwrite values under a legal hold, or change more users than allowed.

use crate::legal_holds::{first_on_user, staff, staff_actor, with_four_eyes};
use crate::limits::limited;
use crate::support::{
    add, day, dump, execute, for_each_database, import_users, import_users_confirmed, leaver,
    request_import_of_users,
};
use crate::transfer::file;
use db::entity::{audit_events, users};
use db::{RecordsError, Settings};
use operations::health::{self, ConditionKind};
use policy::{FourEyes, Role, UserNumber};
use records::user;
use safeguards::approval::{self, About};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use task_centre::approval_workflow;
use trail::{Actor, Store};
use transfer::{ImportSummary, TransferError};

async fn import(store: &Store, content: &str) -> ImportSummary {
    import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await.unwrap()
}

/// Returns all rows of a user that identify them, grant a role or let them sign in.
async fn rows_of(store: &Store, number: UserNumber) -> Vec<String> {
    let tables = ["users|", "user_roles|", "credentials|", "user_words|", "custom_values|"];
    let number = number.to_string();
    let is_theirs = |line: &&str| {
        tables.iter().any(|table| line.starts_with(table)) && line.split('|').any(|cell| cell == number)
    };
    dump(store).await.lines().filter(is_theirs).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_import_does_not_change_staff() {
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
        // A user without a role who can still sign in isn't changed either.
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
        // An import can't pass the UserID of a member of staff on to another user either.
        let passed_on = "external_id,user_id,last_name\nE-CHIEF,chief-old,Chief\nE-STUDENT,Chief-id,Student\n";
        let refused = import_users(&store, Actor::COMMAND_LINE, file(passed_on).path(), false).await;
        assert!(matches!(refused, Err(TransferError::File(_))), "{refused:?}");
        let after = [rows_of(&store, chief).await, rows_of(&store, UserNumber(7002)).await];
        assert_eq!(after, before);
        // The other lines of the file are imported.
        let done = import(&store, "user_id,last_name\nChief-id,Other\nnew,New\n").await;
        assert_eq!((done.staff, done.created), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_import_does_not_overwrite_values_under_a_legal_hold() {
    for_each_database(async |store| {
        let record = users::ActiveModel {
            phone: Set(Some("020".to_owned())),
            notes: Set(Some("owes".to_owned())),
            birth_date: Set(Some(day("1990-02-01"))),
            ..leaver("Held")
        };
        let number = UserNumber(add(&store, record).await.number);
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
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
        assert_eq!((done.held, done.changed), (0, 1), "a leaving date is not protected");
    })
    .await;
}

#[tokio::test]
async fn an_import_that_changes_many_users_needs_a_confirmation() {
    for_each_database(async |store| {
        staff(&store, UserNumber(8001), Role::Administrator).await;
        let users: Vec<String> = (0..30).map(|at| format!("u{at},Leaver{at},u{at}@example.org\n")).collect();
        let users = users.concat();
        import(&store, &format!("user_id,last_name,email\n{users}")).await;
        execute(&store, "UPDATE users SET leaving_on = NULL").await;
        let store = limited(&store, |limits| (limits.import_users, limits.import_percent) = (25, 100));
        let header = "user_id,last_name,email,leaving_on\n";
        let lines = |count: usize, email: &str, leaving: &str| {
            let lines = (0..count).map(|at| {
                let leaving = leaving.replace("DD", &format!("{:02}", at % 20 + 1));
                format!("u{at},Leaver{at},{}{leaving}\n", email.replace('N', &at.to_string()))
            });
            header.to_owned() + &lines.collect::<String>()
        };
        for (content, what) in [
            (lines(26, ",", ""), "emptied"),
            (lines(26, "-@example.org,", ""), "overwritten with a placeholder"),
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
            assert!(wrong.is_err(), "another number does not confirm it");
            let kept = |dump: &str| {
                dump.lines().filter(|line| line.starts_with("users|")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(kept(&dump(&store).await), kept(&before), "{what}");
            let tried = import_users(&store, Actor::COMMAND_LINE, file.path(), true).await.unwrap();
            assert_eq!(tried.touched, 26, "a dry run reports the number");
        }
        let conditions = health::read(&store).await.unwrap().conditions;
        assert!(
            conditions.iter().any(|one| one.what == ConditionKind::LimitReached { actors: 1 }),
            "{conditions:?}"
        );
        // Up to the limit, no confirmation is needed. New users never count.
        let few = import(&store, &lines(25, "uN@example.org,", "2018-01-DD")).await;
        assert_eq!((few.touched, few.changed), (25, 25));
        let all = lines(26, ",", "2018-01-10");
        let done =
            import_users_confirmed(&store, Actor::COMMAND_LINE, file(&all).path(), false, Some(26)).await;
        assert_eq!(done.unwrap().touched, 26);
        let record =
            user::find(&store, &user::UserQuery::default(), &db::pagination::Paging::default()).await;
        assert!(record.unwrap().rows.len() > 20);
    })
    .await;
}

/// Returns one line for each of these users.
fn file_of(users: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    users.map(|at| line(at) + "\n").collect()
}

/// Fills a library with this many users, and limits imports to 25 of them.
async fn students(store: &Store, count: usize) -> Store {
    let lines = file_of(0..count, |at| format!("u{at},First{at},Last{at},u{at}@example.org"));
    import(store, &format!("user_id,first_name,last_name,email\n{lines}")).await;
    let settings = db::Settings { four_eyes: FourEyes::Off, ..Settings::clone(&store.settings) };
    limited(&store.with_settings(settings), |limits| (limits.import_users, limits.import_percent) = (25, 100))
}

/// Returns a file that clears the e-mail of these users.
fn emptied(users: std::ops::Range<usize>) -> String {
    let lines = file_of(users, |at| format!("u{at},Last{at},"));
    format!("user_id,last_name,email\n{lines}")
}

async fn confirmed(
    store: &Store,
    content: &str,
    number: Option<u64>,
) -> Result<ImportSummary, TransferError> {
    import_users_confirmed(store, Actor::COMMAND_LINE, file(content).path(), false, number).await
}

fn refused<T: std::fmt::Debug>(result: Result<T, TransferError>) -> String {
    match result {
        Err(TransferError::Records(RecordsError::Refused(why))) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn emails(store: &Store) -> u64 {
    let with = users::Entity::find().filter(users::Column::Email.is_not_null());
    with.count(&store.db).await.unwrap()
}

/// Rule 18: several files just below the limit count like one file above it.
#[tokio::test]
async fn imports_below_the_limit_add_up_within_a_day() {
    for_each_database(async |store| {
        let store = students(&store, 100).await;
        import(&store, &emptied(0..15)).await;
        import(&store, &emptied(15..25)).await;
        let why = refused(confirmed(&store, &emptied(25..26), None).await);
        assert!(why.contains("makes 26 users") && why.contains("--confirm 1"), "{why}");
        refused(confirmed(&store, &emptied(25..35), Some(9)).await);
        assert_eq!(emails(&store).await, 75, "the file was not imported");
        let conditions = health::read(&store).await.unwrap().conditions;
        assert!(
            conditions.iter().any(|one| one.what == ConditionKind::LimitReached { actors: 1 }),
            "{conditions:?}"
        );
        let events = audit_events::Entity::find().filter(audit_events::Column::Action.eq("limit_reached"));
        assert_eq!(events.count(&store.db).await.unwrap(), 1, "it is recorded once an hour");
        // Neither the same lines again nor lines about new users count.
        import(&store, &emptied(0..25)).await;
        import(&store, "user_id,last_name\nnew,New\n").await;
        // Confirmed changes don't count again. Others count until the day is over.
        confirmed(&store, &emptied(25..35), Some(10)).await.unwrap();
        refused(confirmed(&store, &emptied(35..36), None).await);
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        import(&store, &emptied(35..60)).await;
        assert_eq!(emails(&store).await, 40);
    })
    .await;
}

/// Values replaced by two files count like values replaced by one.
#[tokio::test]
async fn replaced_values_add_up_over_imports() {
    for_each_database(async |store| {
        let store = students(&store, 60).await;
        let lines = file_of(0..60, |at| format!("u{at},Last{at},u{at}@new.example.org"));
        let moved = import(&store, &format!("user_id,last_name,email\n{lines}")).await;
        assert_eq!((moved.changed, moved.touched), (60, 0), "another mail server does not count");
        let lines = file_of(0..60, |at| format!("u{at},Qwert{at}"));
        let why = refused(confirmed(&store, &format!("user_id,last_name\n{lines}"), None).await);
        assert!(why.contains("60 users"), "{why}");
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        let lines = file_of(0..60, |at| format!("u{at},Asdf{at},Qwert{at}"));
        let why = refused(confirmed(&store, &format!("user_id,first_name,last_name\n{lines}"), None).await);
        assert!(why.contains("60 users"), "two values in one file count: {why}");
    })
    .await;
}

#[tokio::test]
async fn a_second_person_can_approve_an_import_above_the_limit() {
    for_each_database(async |store| {
        let (chief, ben) = (UserNumber(8001), UserNumber(8002));
        let store = with_four_eyes(&students(&store, 100).await, FourEyes::On);
        staff(&store, chief, Role::Administrator).await;
        staff(&store, ben, Role::SystemsLibrarian).await;
        let ask = async |content: &str| {
            request_import_of_users(&store, Actor::COMMAND_LINE, file(content).path()).await
        };
        assert!(refused(ask(&emptied(0..25)).await).contains("No second person is needed"));
        let content = emptied(0..40);
        let why = refused(confirmed(&store, &content, Some(40)).await);
        assert!(why.contains("40 users") && why.contains("approvals request --import"), "{why}");
        let request = ask(&content).await.unwrap();
        assert_eq!(ask(&content).await.unwrap(), request, "a repeated request returns the waiting one");
        assert!(refused(confirmed(&store, &content, Some(40)).await).contains("requested but not given yet"));
        let about = approval::read(&store, request).await.unwrap().about;
        assert!(
            matches!(&about, About::Import { users: 40, counted_by: None, sha256 } if sha256.len() == 64),
            "{about:?}"
        );
        let untyped = approval_workflow::approve_confirmed(
            &store,
            staff_actor(ben, Role::SystemsLibrarian),
            request,
            "4",
        )
        .await;
        assert!(matches!(untyped, Err(RecordsError::Invalid(_))));
        approval_workflow::approve_confirmed(&store, staff_actor(ben, Role::SystemsLibrarian), request, "40")
            .await
            .unwrap();
        // The approval is for this exact file.
        refused(confirmed(&store, &emptied(1..41), Some(40)).await);
        refused(confirmed(&store, &format!("{content}\n"), Some(40)).await);
        assert_eq!(emails(&store).await, 100);
        assert_eq!(confirmed(&store, &content, None).await.unwrap().touched, 40);
        assert_eq!(emails(&store).await, 60);
        let dump = dump(&store).await;
        assert!(dump.contains(&format!(",approval={request}")), "the audit names the approval");
        // The approval can be used once.
        execute(&store, "UPDATE users SET email = 'a@example.org' WHERE user_id LIKE 'u%'").await;
        assert!(refused(confirmed(&store, &content, Some(40)).await).contains("already been used"));
    })
    .await;
}
