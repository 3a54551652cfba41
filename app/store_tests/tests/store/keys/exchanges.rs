//! Lines that take keys from other users: swaps, chains, and what does not work.

use super::{all, counts, import, named, try_import};
use crate::anonymising::run_all;
use crate::import_modes::{accounted, valid_lines};
use crate::support::{add, add_task, execute, five_days, for_each_database, import_users_confirmed, leaver};
use crate::transfer::{file, problems};
use db::entity::{legal_holds, user_roles, users};
use policy::import_profile::FileKind;
use policy::{LegalHoldReason, Role};
use sea_orm::{ActiveModelTrait, Set};
use std::fmt::Write as _;
use trail::{Actor, Store};

const TAKEN: &str = "Another user already has this value. Enter a different one";
const TWICE: &str = "Already used on an earlier line. Each user may have only one line";
const HEADER: &str = "last_name,external_id,user_id,barcode";

async fn three(store: &Store) {
    let lines = "A,E1,u1,b1\nB,E2,u2,b2\nC,E3,u3,b3\n";
    assert_eq!(import(store, &format!("{HEADER}\n{lines}")).await.created, 3);
}

/// Returns UserID and barcode of the users A, B and C.
async fn keys(store: &Store) -> Vec<String> {
    let users = all(store).await;
    let abc = users.iter().filter(|user| matches!(user.last_name.as_deref(), Some("A" | "B" | "C")));
    abc.map(|user| {
        format!("{}/{}", user.user_id.as_deref().unwrap(), user.barcode.as_deref().unwrap_or_default())
    })
    .collect()
}

#[tokio::test]
async fn swaps_and_chains_are_applied() {
    for (lines, expected) in [
        ("A,E1,u1,b2\nB,E2,u2,b1", ["u1/b2", "u2/b1", "u3/b3"]),
        ("A,E1,u2,b1\nB,E2,u1,b2", ["u2/b1", "u1/b2", "u3/b3"]),
        ("A,E1,u2,b2\nB,E2,u1,b1", ["u2/b2", "u1/b1", "u3/b3"]),
        // A ring of three.
        ("A,E1,u1,b2\nB,E2,u2,b3\nC,E3,u3,b1", ["u1/b2", "u2/b3", "u3/b1"]),
        // A later line frees the key, directly or by taking one that a still later line frees.
        ("A,E1,u1,b2\nB,E2,u2,b9", ["u1/b2", "u2/b9", "u3/b3"]),
        ("A,E1,u1,b2\nB,E2,u2,b3\nC,E3,u3,b9", ["u1/b2", "u2/b3", "u3/b9"]),
        // An earlier line has freed it.
        ("C,E3,u3,b9\nB,E2,u2,b3\nA,E1,u1,b2", ["u1/b2", "u2/b3", "u3/b9"]),
        // Matched by UserID and in another spelling.
        ("A,,U1,B2\nB,,U2,B1", ["U1/B2", "U2/B1", "u3/b3"]),
    ] {
        for_each_database(async |store| {
            three(&store).await;
            let content = format!("{HEADER}\n{lines}\n");
            let changed = lines.lines().count() as u64;
            assert_eq!(counts(&import(&store, &content).await), [0, changed, 0, 0], "{lines}");
            assert_eq!(keys(&store).await, expected, "{lines}");
            assert_eq!(counts(&import(&store, &content).await), [0, 0, changed, 0], "{lines} again");
        })
        .await;
    }
}

#[tokio::test]
async fn a_new_user_gets_a_key_that_a_later_line_frees() {
    for_each_database(async |store| {
        three(&store).await;
        let content = format!("{HEADER}\nNew,E9,u1,b2\nA,E1,u9,b1\nB,E2,u2,b8\n");
        assert_eq!(counts(&import(&store, &content).await), [1, 2, 0, 0]);
        assert_eq!(keys(&store).await, ["u9/b1", "u2/b8", "u3/b3"]);
        let new = named(&store, "New").await;
        assert_eq!((new.user_id.as_deref(), new.barcode.as_deref()), (Some("u1"), Some("b2")));
    })
    .await;
}

#[tokio::test]
async fn keys_are_exchanged_across_chunks() {
    for_each_database(async |store| {
        let mut before = format!("{HEADER}\n");
        let mut after = before.clone();
        for number in 0..1_300 {
            writeln!(before, "N{number},E{number},u{number},b{number}").unwrap();
            // All barcodes move by one, in a ring. UserIDs are swapped between the ends of the file.
            let (barcode, user_id) = ((number + 1) % 1_300, 1_299 - number);
            writeln!(after, "N{number},E{number},u{user_id},b{barcode}").unwrap();
        }
        assert_eq!(import(&store, &before).await.created, 1_300);
        execute(&store, "DELETE FROM manual_changes").await;
        let after = file(&after);
        let actor = Actor::COMMAND_LINE;
        let done = import_users_confirmed(&store, actor, after.path(), false, Some(1_300)).await.unwrap();
        assert_eq!(counts(&done), [0, 1_300, 0, 0]);
        for (number, user) in (0..).zip(all(&store).await) {
            assert_eq!(user.barcode, Some(format!("b{}", (number + 1) % 1_300)));
            assert_eq!(user.user_id, Some(format!("u{}", 1_299 - number)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_no_line_frees_is_rejected_at_its_line() {
    for_each_database(async |store| {
        three(&store).await;
        let before = all(&store).await;
        for (lines, expected) in [
            ("A,E1,u1,b2", vec![format!("line 2, barcode: {TAKEN}")]),
            ("A,E1,u1,b2\nB,E2,u2,b2", vec![format!("line 2, barcode: {TAKEN}")]),
            // An empty cell keeps the key.
            ("A,E1,u1,b2\nB,E2,u2,", vec![format!("line 2, barcode: {TAKEN}")]),
            // The line that would free the key can't be written itself.
            (
                "A,E1,u1,b2\nB,E2,u2,b3",
                vec![format!("line 2, barcode: {TAKEN}"), format!("line 3, barcode: {TAKEN}")],
            ),
            ("A,E1,u1,b2\nC,E3,u3,b2\nB,E2,u2,b9", vec![format!("line 3, barcode: {TWICE}")]),
            ("New,E9,u1,", vec![format!("line 2, user_id: {TAKEN}")]),
        ] {
            let content = format!("{HEADER}\n{lines}\n");
            assert_eq!(problems(try_import(&store, &content).await), expected, "{lines}");
            assert_eq!(all(&store).await, before, "{lines}: nothing is changed");
        }
    })
    .await;
}

#[tokio::test]
async fn staff_and_users_under_a_legal_hold_keep_their_keys() {
    for_each_database(async |store| {
        three(&store).await;
        let users = all(&store).await;
        let row = user_roles::ActiveModel {
            user_number: Set(users[1].number),
            role: Set(Role::Librarian),
            granted_on: Set(store.clock.today()),
        };
        row.insert(&store.db).await.unwrap();
        let hold = legal_holds::ActiveModel {
            user_number: Set(Some(users[2].number)),
            reason: Set(LegalHoldReason::Dispute),
            placed_on: Set(store.clock.today()),
            review_on: Set(store.clock.today()),
            ..Default::default()
        };
        hold.insert(&store.db).await.unwrap();
        for lines in ["A,E1,u1,b2\nB,E2,u2,b1", "A,E1,u1,b3\nC,E3,u3,b1", "B,E2,u2,b1\nA,E1,u1,b2"] {
            let content = format!("{HEADER}\n{lines}\n");
            let found = problems(try_import(&store, &content).await);
            assert!(!found.is_empty(), "{lines}");
            assert!(found.iter().all(|problem| problem.ends_with(TAKEN)), "{lines}: {found:?}");
        }
        assert_eq!(all(&store).await, users);
    })
    .await;
}

/// An anonymised user has no keys, so that nothing has to be freed.
#[tokio::test]
async fn the_keys_of_an_anonymised_user_are_free() {
    for_each_database(async |store| {
        three(&store).await;
        add(&store, users::ActiveModel { barcode: Set(Some("b7".to_owned())), ..leaver("Gone") }).await;
        let task = add_task(&store, &five_days()).await;
        run_all(&store, task).await;
        assert_eq!(counts(&import(&store, &format!("{HEADER}\nA,E1,u1,b7\n")).await), [0, 1, 0, 0]);
        assert_eq!(keys(&store).await, ["u1/b7", "u2/b2", "u3/b3"]);
    })
    .await;
}

#[tokio::test]
async fn with_valid_lines_only_a_rejected_line_keeps_everything() {
    for_each_database(async |store| {
        three(&store).await;
        let content = format!(
            "{HEADER},guarantor_user_id\nA,E1,u1,b3,\nB,E2,u2,b1,\nC,E3,u3,b3,u1\nNew,E9,u9,b2,\nD,E4,u4,b4,u5\nE,E5,u5,b5,u4\n"
        );
        let content = file(&content);
        let done = valid_lines(&store, FileKind::Users, content.path(), false).await;
        // A takes the barcode that C keeps, so that B can't have A's, and the new user can't have B's.
        assert_eq!(keys(&store).await, ["u1/b1", "u2/b2", "u3/b3"]);
        assert_eq!(counts(&done.summary), [2, 1, 0, 3]);
        assert_eq!(accounted(&done.summary), 6);
        let (c, d, e) = (named(&store, "C").await, named(&store, "D").await, named(&store, "E").await);
        assert_eq!(c.guarantor_number, Some(named(&store, "A").await.number));
        assert_eq!((d.guarantor_number, e.guarantor_number), (Some(e.number), None));
        let again = valid_lines(&store, FileKind::Users, content.path(), false).await;
        assert_eq!(counts(&again.summary), [0, 0, 3, 3]);
    })
    .await;
}
