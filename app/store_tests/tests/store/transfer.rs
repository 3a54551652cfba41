//! CSV import and export: the effect of a file on the library, and that an export can be imported again.

use crate::legal_holds::first_on_user;
use crate::support::{
    add, add_task, clock, day, dump_records, execute, five_days, for_each_database, import_loans,
    import_users, leaver,
};
use db::Settings;
use db::entity::{audit_events, custom_values, loans, user_roles, user_words, users};
use policy::{Role, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::io::Write as _;
use task_centre::run;
use trail::{Actor, Store};
use transfer::{ImportSummary, TransferError, export_loans, export_users};

/// Returns a file with this content.
pub fn file(content: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file.flush().unwrap();
    file
}

/// Returns the problems of a file as messages.
pub fn problems(result: Result<ImportSummary, TransferError>) -> Vec<String> {
    match result {
        Err(TransferError::File(problems)) => problems.problems.iter().map(ToString::to_string).collect(),
        other => panic!("no problems: {other:?}"),
    }
}

async fn import(store: &Store, content: &str) -> ImportSummary {
    import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await.unwrap()
}

async fn import_of_loans(store: &Store, content: &str) -> ImportSummary {
    import_loans(store, Actor::COMMAND_LINE, file(content).path(), false).await.unwrap()
}

async fn refused(store: &Store, content: &str) -> Vec<String> {
    let before = dump_records(store).await;
    let problems = problems(import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await);
    assert_eq!(dump_records(store).await, before, "a bad file changes nothing");
    problems
}

async fn user(store: &Store, user_id: &str) -> users::Model {
    let found = users::Entity::find().filter(users::Column::UserId.eq(user_id)).one(&store.db).await;
    found.unwrap().unwrap()
}

fn counts(summary: &ImportSummary) -> [u64; 5] {
    [summary.lines, summary.created, summary.changed, summary.unchanged, summary.skipped]
}

#[tokio::test]
async fn an_import_creates_changes_and_keeps_users() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let content = "\u{FEFF}last_name,user_id,external_id,first_name,email,birth_date,leaving_on,category,custom.locker\r\n\
                       Ng,ng,E1,Ana María,ng@example.org,1 Feb 1990,2018-01-15,student,A-1\r\n\
                       \"O'Brien, the younger\",ob,E2,,,,,,\r\n";
        let summary = import(&store, content).await;
        assert_eq!(counts(&summary), [2, 2, 0, 0, 0]);
        assert_eq!(summary.new_terms, 1);
        let ng = user(&store, "ng").await;
        assert!(ng.imported);
        assert_eq!((ng.birth_date, ng.leaving_on), (Some(day("1990-02-01")), Some(day("2018-01-15"))));
        assert_eq!((ng.created_on, ng.version), (Some(day("2018-01-21")), 1));
        assert_eq!(user(&store, "ob").await.last_name.as_deref(), Some("O'Brien, the younger"));
        let words = user_words::Entity::find().filter(user_words::Column::Word.eq("maria"));
        assert_eq!(words.one(&store.db).await.unwrap().unwrap().user_number, ng.number);

        assert_eq!(counts(&import(&store, content).await), [2, 0, 0, 2, 0], "the same again changes nothing");
        assert_eq!(user(&store, "ng").await, ng);

        // Matched by the external identifier, with a new UserID, name and locker. The other user isn't in the file.
        let summary =
            import(&store, "external_id,user_id,last_name,custom.locker\nE1,ng2,Ngo,B-2\n").await;
        assert_eq!(counts(&summary), [1, 0, 1, 0, 0]);
        let ngo = user(&store, "ng2").await;
        assert_eq!((ngo.number, ngo.version), (ng.number, 2));
        assert_eq!(ngo.email, ng.email, "a missing column changes nothing");
        let values = custom_values::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(values.iter().map(|row| row.value.as_str()).collect::<Vec<_>>(), ["B-2"]);
        let other = user(&store, "ob").await;
        assert_eq!((other.leaving_on, other.marked_on), (None, None), "a user missing from the file gets no date");
        let events = audit_events::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(
            events.iter().map(|event| event.detail.as_str()).collect::<Vec<_>>(),
            [
                "users,created=2,changed=0,touched=0",
                "users,created=0,changed=0,touched=0",
                "users,created=0,changed=1,touched=1"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn empty_cells_clear_fields_except_keys_and_dates_of_conditions() {
    for_each_database(async |store| {
        let before = add(
            &store,
            users::ActiveModel {
                imported: Set(false),
                phone: Set(Some("0170".to_owned())),
                barcode: Set(Some("B1".to_owned())),
                last_activity_on: Set(Some(day("2018-01-10"))),
                ..leaver("Ng")
            },
        )
        .await;
        let header =
            "user_id,last_name,phone,barcode,created_on,leaving_on,last_activity_on,marked_on,first_name";
        let summary = import(&store, &format!("{header}\nNg-id,Ng,,,,,,,First\n")).await;
        assert_eq!(counts(&summary), [1, 0, 1, 0, 0]);
        let after = user(&store, "Ng-id").await;
        let expected = users::Model {
            phone: None,
            leaving_on: None,
            imported: true,
            version: before.version + 1,
            ..before.clone()
        };
        assert_eq!(after, expected);
        import(&store, &format!("{header}\nNg-id,Ng,,,2016-10-01,,2018-01-01,2018-01-02,First\n")).await;
        let after = user(&store, "Ng-id").await;
        assert_eq!(after.last_activity_on, Some(day("2018-01-10")), "never backwards");
        assert_eq!((after.created_on, after.marked_on), (Some(day("2016-10-01")), Some(day("2018-01-02"))));
    })
    .await;
}

#[tokio::test]
async fn keys_of_other_users_are_rejected_at_their_line() {
    for_each_database(async |store| {
        import(&store, "last_name,external_id,user_id,barcode\nA,E1,u1,b1\nB,E2,u2,b2\nC,,u3,\n").await;
        let header = "last_name,external_id,user_id,barcode";
        let taken = "Another user already has this value. Enter a different one";
        let twice = "Already used on an earlier line. Each user may have only one line";
        let cases = [
            // The UserID and the barcode of another user.
            ("A,E1,u2,", format!("line 2, user_id: {taken}")),
            ("A,E1,u1,b2", format!("line 2, barcode: {taken}")),
            // A new user with the UserID of another user.
            ("New,E9,u1,", format!("line 2, user_id: {taken}")),
            ("New,E9,,b1", format!("line 2, barcode: {taken}")),
            ("New,E8,u8,\nNew,E9,u8,", format!("line 3, user_id: {twice}")),
            ("A,E1,,\nA,,u1,", format!("line 3, user_id: {twice}")),
            ("C,,u3,\nC,,u3,", format!("line 3, user_id: {twice}")),
        ];
        for (lines, expected) in cases {
            assert_eq!(refused(&store, &format!("{header}\n{lines}\n")).await, [expected], "{lines}");
        }
        // The same value twice, with more than a chunk of lines in between.
        let mut long = format!("{header}\n");
        long.extend((0..1_200).map(|n| format!("Many,M{n},m{n},\n")));
        long.push_str("Many,M7,,\n");
        assert_eq!(refused(&store, &long).await, [format!("line 1202, external_id: {twice}")]);
        // A user without an external identifier gets one. A freed UserID can be taken on a later line.
        let summary = import(&store, &format!("{header}\nC,E3,u3,\nA,E1,u1b,\nNew,E9,u1,\n")).await;
        assert_eq!(counts(&summary), [3, 1, 2, 0, 0]);
        assert_eq!(user(&store, "u3").await.external_id.as_deref(), Some("E3"));
        assert_eq!(user(&store, "u1").await.last_name.as_deref(), Some("New"));
    })
    .await;
}

#[tokio::test]
async fn an_import_grants_and_revokes_no_roles() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        execute(&store, "INSERT INTO user_roles VALUES (1, 'librarian', '2018-01-01')").await;
        import(&store, "user_id,last_name,roles\nNg-id,Ngo,\nnew,New,administrator\n").await;
        let roles = user_roles::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(roles.iter().map(|row| row.role).collect::<Vec<_>>(), [Role::Librarian]);
        assert_eq!(user(&store, "Ng-id").await.last_name.as_deref(), Some("Ng"), "no import changes staff");
    })
    .await;
}

#[tokio::test]
async fn a_guarantor_may_be_on_a_later_line() {
    for_each_database(async |store| {
        let mut content = "user_id,last_name,guarantor_user_id\nchild,Ng,mother\n".to_owned();
        content.extend((0..600).map(|n| format!("u{n},Many,{}\n", if n == 1 { "u0" } else { "" })));
        content.push_str("mother,Ng,\n");
        assert_eq!(counts(&import(&store, &content).await), [602, 602, 0, 0, 0]);
        let mother = user(&store, "mother").await.number;
        assert_eq!(user(&store, "child").await.guarantor_number, Some(mother));
        assert_eq!(user(&store, "u1").await.guarantor_number, Some(user(&store, "u0").await.number));
        assert_eq!(counts(&import(&store, &content).await), [602, 0, 0, 602, 0]);
        let changed = import(&store, "user_id,last_name,guarantor_user_id\nchild,Ng,u0\nu0,Many,\n").await;
        assert_eq!(counts(&changed), [2, 0, 1, 1, 0]);
        let missing = "No other user has this UserID";
        assert_eq!(
            refused(&store, "user_id,last_name,guarantor_user_id\nchild,Ng,nobody\nu0,Many,u0\n").await,
            [
                format!("line 2, guarantor_user_id: {missing}"),
                format!("line 3, guarantor_user_id: {missing}")
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let before = dump_records(&store).await;
        let content = file("user_id,last_name,category\nNg-id,Ngo,student\nnew,New,student\n");
        let summary = import_users(&store, Actor::COMMAND_LINE, content.path(), true).await.unwrap();
        assert_eq!((summary.dry_run, counts(&summary)), (true, [2, 1, 1, 0, 0]));
        let content =
            file("user_id,item_barcode,branch,issued_on,due_on\nNg-id,I1,main,2018-01-01,2018-02-01\n");
        let summary = import_loans(&store, Actor::COMMAND_LINE, content.path(), true).await.unwrap();
        assert_eq!((summary.created, summary.new_items, summary.new_terms), (1, 1, 1));
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn loans_are_created_once_with_the_category_of_their_day() {
    for_each_database(async |store| {
        import(&store, "user_id,external_id,last_name,category,department\nng,E1,Ng,student,law\n").await;
        let header = "user_id,item_barcode,title,branch,issued_on,due_on,returned_on,renewals,note";
        let content = format!(
            "{header}\nng,I1,A title,main,2017-12-01,2018-01-01,2017-12-20,2,\"Two\nlines\"\n\
             ng,I2,,main,2018-01-10,2018-02-10,,,\n"
        );
        let summary = import_of_loans(&store, &content).await;
        assert_eq!(counts(&summary), [2, 2, 0, 0, 0]);
        assert_eq!(summary.new_items, 2);
        let rows = loans::Entity::find().order_by_asc(loans::Column::IssuedOn).all(&store.db).await.unwrap();
        assert_eq!(rows[0].category.as_deref(), Some("student"));
        assert_eq!((rows[0].renewals, rows[0].note.as_deref()), (2, Some("Two\nlines")));
        assert_eq!(user(&store, "ng").await.last_activity_on, Some(day("2018-01-10")));
        assert_eq!(counts(&import_of_loans(&store, &content).await), [2, 0, 0, 2, 0]);

        // The loan is returned. A returned loan stays returned.
        let returned = format!("{header}\nng,I1,,main,2017-12-01,2018-01-01,,2,\nng,I2,,main,2018-01-10,2018-02-10,2018-01-20,,\n");
        assert_eq!(counts(&import_of_loans(&store, &returned).await), [2, 0, 2, 0, 0]);
        let rows = loans::Entity::find().order_by_asc(loans::Column::IssuedOn).all(&store.db).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.returned_on.is_some()).collect::<Vec<_>>(), [true, true]);
        assert_eq!(rows[0].note, None, "an empty cell empties the note");
        assert_eq!(user(&store, "ng").await.last_activity_on, Some(day("2018-01-10")), "a return is no activity");

        let bad = file(format!(
            "{header}\nnobody,I1,,main,2017-12-01,2018-01-01,,,\nng,I3,,main,2018-01-01,2018-02-01,,,\n\
             ng,I3,,main,2018-01-01,2018-02-01,,,\n"
        ));
        let before = dump_records(&store).await;
        assert_eq!(
            problems(import_loans(&store, Actor::COMMAND_LINE, bad.path(), false).await),
            [
                "line 2, user_id: There is no such user",
                "line 4, item_barcode: Same user, item and day as an earlier line, and neither loan was returned on \
                 that day"
            ]
        );
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}

async fn exported(store: &Store) -> (String, String) {
    let (mut users, mut loans) = (Vec::new(), Vec::new());
    export_users(store, Actor::COMMAND_LINE, &mut users).await.unwrap();
    export_loans(store, Actor::COMMAND_LINE, &mut loans).await.unwrap();
    (String::from_utf8(users).unwrap(), String::from_utf8(loans).unwrap())
}

#[tokio::test]
async fn an_anonymised_user_is_exported_empty_and_cannot_be_reimported() {
    for_each_database(async |store| {
        import(
            &store,
            "user_id,external_id,last_name,leaving_on,email\nng,E1,Canary,2018-01-01,c@example.org\n",
        )
        .await;
        let loan = "user_id,item_barcode,branch,issued_on,due_on,returned_on,note\n\
                    ng,I1,main,2017-12-01,2017-12-31,2017-12-20,told Canary\n";
        import_of_loans(&store, loan).await;
        let (before, loans_before) = exported(&store).await;
        assert!(before.contains("Canary") && loans_before.contains("Canary"));
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        let (after, loans_after) = exported(&store).await;
        assert!(
            !after.contains("Canary") && !after.contains("E1") && !after.contains("example.org"),
            "{after}"
        );
        assert!(!loans_after.contains("Canary") && !loans_after.contains("ng,"), "{loans_after}");
        assert_eq!(counts(&import(&store, &after).await), [1, 0, 0, 0, 1]);
        assert_eq!(counts(&import_of_loans(&store, &loans_after).await), [1, 0, 0, 0, 1]);
        // The old files create neither the user nor the loan again.
        let again = import(&store, &before).await;
        assert_eq!((counts(&again), again.suppressed), ([1, 0, 0, 0, 0], 1));
        assert_eq!(users::Entity::find().all(&store.db).await.unwrap().len(), 1);
        assert_eq!(counts(&import_of_loans(&store, loan).await), [1, 0, 0, 0, 1]);
        let loans = loans::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(loans.iter().map(|loan| loan.user_number).collect::<Vec<_>>(), [1]);
    })
    .await;
}

/// Returns the rows without the columns whose values a new library assigns.
fn comparable(csv: &str, leave_out: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let anonymised = header.iter().position(|name| name.starts_with("anonymised")).unwrap();
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| matches!(&row[anonymised], "" | "no"))
        .map(|row| {
            let cells = header.iter().zip(row.iter()).filter(|(name, _)| !leave_out.contains(name));
            cells.map(|(_, cell)| cell.to_owned()).collect()
        })
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn an_export_can_be_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/from.db?mode=rwc", folder.path().display());
    let from = operations::open_store(&url, clock(), Settings::in_folder(folder.path())).await.unwrap();
    demo::fill(&from, Actor::COMMAND_LINE, 600, 3).await.unwrap();
    execute(&from, "UPDATE users SET notes = '=HYPERLINK(\"x\")', first_name = '''-@Ada' WHERE number = 30")
        .await;
    // A user without a creation date gets the day of the import.
    execute(&from, "UPDATE users SET created_on = '2010-01-01' WHERE created_on IS NULL").await;
    let (users, loans) = exported(&from).await;
    assert!(users.contains("\"'=HYPERLINK(\"\"x\"\")\""), "formulas are escaped");
    assert!(users.contains("'+44 1632"), "phone numbers are escaped too");
    // Imported into the same library, it changes nothing except that users count as imported.
    let own = import(&from, &users).await;
    assert_eq!(own.created, 0);
    let own_loans = import_of_loans(&from, &loans).await;
    assert_eq!((own_loans.created, own_loans.changed), (0, 0));

    for_each_database(async |store| {
        execute(
            &store,
            "INSERT INTO custom_fields (key, label) VALUES ('locker', ''), ('programme', ''), ('emergency_contact', '')",
        )
        .await;
        let summary = import(&store, &users).await;
        assert_eq!(summary.lines, 600);
        assert_eq!(summary.created + summary.skipped, 600);
        assert!(summary.skipped > 0);
        let by_number = "user_number";
        let content = without_numbers(&loans);
        import_of_loans(&store, &content).await;
        let (users_again, loans_again) = exported(&store).await;
        let left_out = [by_number, "imported", "roles"];
        let [again, first] = [&users_again, &users].map(|csv| comparable(csv, &left_out));
        assert_eq!(again.iter().zip(&first).find(|(again, first)| again != first), None);
        assert_eq!(again.len(), first.len());
        let [again, first] = [&loans_again, &loans].map(|csv| comparable(csv, &[by_number]));
        assert_eq!(again.iter().zip(&first).find(|(again, first)| again != first), None);
        assert_eq!(again.len(), first.len());
    })
    .await;
}

/// Returns the loans without those of anonymised users, because user numbers differ between libraries.
fn without_numbers(loans: &str) -> String {
    let mut reader = csv::Reader::from_reader(loans.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = reader.headers().unwrap().clone();
    let [number, anonymised] =
        ["user_number", "anonymised"].map(|column| header.iter().position(|name| name == column).unwrap());
    writer.write_record(&header).unwrap();
    for row in reader.records().map(Result::unwrap).filter(|row| &row[anonymised] == "no") {
        let cells = row.iter().enumerate().map(|(place, cell)| if place == number { "" } else { cell });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[tokio::test]
async fn an_import_removes_no_value_under_a_legal_hold() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let header = "last_name,user_id,email,birth_date,phone,custom.locker";
        let whole = |name: &str| format!("{name},{name},{name}@example.org,1 Feb 1990,1,A-1");
        import(&store, &format!("{header}\n{}\n{}\n", whole("held"), whole("free"))).await;
        first_on_user(&store, user(&store, "held").await.number).await;
        let before = user(&store, "held").await;
        for lesser in [
            "Other,NAME,NAME@example.org,1 Feb 1990,1,A-1",
            "NAME,NAME,,1 Feb 1990,1,A-1",
            "NAME,NAME,NAME@example.org,,1,A-1",
            "NAME,NAME,NAME@example.org,1 Feb 1990,1,",
        ] {
            let [held, free] = ["held", "free"].map(|name| lesser.replace("NAME", name));
            let summary = import(&store, &format!("{header}\n{held}\n{free}\n")).await;
            assert_eq!((summary.held, summary.changed), (1, 1), "{lesser}");
            assert_eq!(user(&store, "held").await, before, "{lesser}");
        }
        let custom = custom_values::Entity::find().all(&store.db).await.unwrap();
        assert_eq!(custom.len(), 1, "the locker of the user under a legal hold");
        // Replacing a value removes the old one.
        let more = format!("{header}\n{}\n", whole("held").replace(",1,", ",2,"));
        let summary = import(&store, &more).await;
        assert_eq!((summary.held, summary.changed), (1, 0));
        assert_eq!(user(&store, "held").await, before);
    })
    .await;
}
