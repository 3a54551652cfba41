//! An import of loans, requests and charges removes no text about a user under a legal hold.

use super::{KINDS, ends, line};
use crate::legal_holds::first_on_user;
use crate::support::{add, day, execute, for_each_database, import_of, leaver};
use crate::transfer::file;
use policy::import_profile::FileKind;
use sea_orm::ConnectionTrait as _;
use trail::{Actor, Store};
use transfer::ImportSummary;

/// Imports a file whose empty cells empty their field.
async fn import(store: &Store, kind: FileKind, content: &str) -> ImportSummary {
    import_of((store, Actor::COMMAND_LINE), kind, file(content).path(), (false, None)).await.unwrap()
}

/// Returns the notes of all loans, requests or charges.
async fn notes(store: &Store, kind: FileKind) -> Vec<Option<String>> {
    let rows = store.db.query_all_raw(sea_orm::Statement::from_string(
        store.db.get_database_backend(),
        format!("SELECT note FROM {} ORDER BY id", kind.code()),
    ));
    rows.await.unwrap().iter().map(|row| row.try_get("", "note").unwrap()).collect()
}

#[tokio::test]
async fn a_line_that_removes_a_note_of_a_held_user_is_skipped_as_a_whole() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        for (kind, columns) in KINDS {
            let with = |end: &str, note: &str| format!("{columns}\n{}", line(kind, 1, (end, note)));
            assert_eq!(import(&store, kind, &with("", "dispute")).await.created, 1);
        }
        first_on_user(&store, ng).await;
        for (kind, columns) in KINDS {
            let with = |end: &str, note: &str| format!("{columns}\n{}", line(kind, 1, (end, note)));
            for (end, note) in [("", ""), ("", "settled"), ("2018-01-02", "")] {
                let done = import(&store, kind, &with(end, note)).await;
                assert_eq!((done.held, done.changed), (1, 0), "{kind:?} {end:?} {note:?}");
            }
            assert_eq!(notes(&store, kind).await, [Some("dispute".to_owned())]);
            assert_eq!(ends(&store, kind).await, [None], "the end of such a line is not applied");

            let done = import(&store, kind, &with("2018-01-02", "dispute")).await;
            assert_eq!((done.held, done.changed), (0, 1), "an end is not protected");
            let without_note = with("2018-01-03", "").replace(",note", "").replace(",\n", "\n");
            let done = import(&store, kind, &without_note).await;
            assert_eq!((done.held, done.changed), (0, 1), "a file without notes keeps them");
            assert_eq!(ends(&store, kind).await, [Some(day("2018-01-03"))]);
            let other = format!("{columns}\n{}", line(kind, 2, ("", "")));
            assert_eq!(import(&store, kind, &other).await.created, 1, "new lines are not protected");
            let noted = other.replace(",\n", ",new\n");
            assert_eq!(import(&store, kind, &noted).await.changed, 1, "a first note removes nothing");
        }
        execute(&store, "UPDATE legal_holds SET released_on = '2018-01-20'").await;
        for (kind, columns) in KINDS {
            let empty = format!("{columns}\n{}", line(kind, 1, ("", "")));
            assert_eq!(
                import(&store, kind, &empty).await.changed,
                1,
                "a released legal hold protects nothing"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn return_notes_and_cancel_reasons_are_protected_and_so_are_users_of_a_held_category() {
    for_each_database(async |store| {
        let ng = add(&store, leaver("Ng")).await.number;
        let loan =
            "user_id,item_barcode,branch,issued_on,due_on,return_note\nNg-id,I1,main,2017-12-01,2018-01-01,";
        let request = "user_id,title,branch,placed_on,cancel_reason\nNg-id,Emma,main,2017-12-01,";
        for (kind, line) in [(FileKind::Loans, loan), (FileKind::Requests, request)] {
            import(&store, kind, &format!("{line}damaged\n")).await;
        }
        for sql in [
            "INSERT INTO terms (kind, code, name) VALUES ('category', 'student', 'Student')".to_owned(),
            format!("UPDATE users SET category = 'student' WHERE number = {ng}"),
            "INSERT INTO legal_holds (category, reason, placed_on, review_on) \
             VALUES ('student', 'dispute', '2018-01-02', '2018-06-02')"
                .to_owned(),
        ] {
            execute(&store, &sql).await;
        }
        for (kind, line) in [(FileKind::Loans, loan), (FileKind::Requests, request)] {
            let done = import(&store, kind, &format!("{line}\n")).await;
            assert_eq!((done.held, done.changed), (1, 0), "{kind:?}");
        }
    })
    .await;
}
