//! Undo: by the same member of staff, in time, and only while nothing depends on the change. It restores the exact
//! state.

use crate::legal_holds::{staff as member, staff_actor};
use crate::support::{add, day, dump, execute, for_each_database, leaver};
use db::RecordsError;
use db::entity::users;
use identity::staff;
use operations::undo::undo;
use policy::user_form::UserForm;
use policy::{ChargeId, LoanId, RequestId, Role, UserNumber};
use records::{accounts, circulation, user};
use sea_orm::Set;
use std::future::Future;
use trail::undoable::UNDO_MINUTES;
use trail::{Actor, Store, Undo};

const NG: UserNumber = UserNumber(1);
const ANA: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);

fn ana() -> Actor {
    staff_actor(ANA, Role::Administrator)
}

/// Adds a user with one open row of each kind, marked for deletion long ago, and two administrators. Ben has a
/// password, an authenticator app and an account at an identity provider.
async fn library(store: &Store) {
    add(store, users::ActiveModel { last_activity_on: Set(Some(day("2017-05-01"))), ..leaver("Ng") }).await;
    for administrator in [ANA, BEN] {
        member(store, administrator, Role::Administrator).await;
    }
    for sql in [
        "INSERT INTO user_roles (user_number, role, granted_on) VALUES (802, 'librarian', '2016-02-03')",
        "INSERT INTO credentials (user_number, kind, secret, created_at, used_step) VALUES \
         (802, 'totp', 'sealed', '2017-01-01 10:00:00+00:00', 7), \
         (802, 'recovery', 'hash', '2017-01-01 10:00:00+00:00', NULL), \
         (802, 'provider', 'account of ben', '2017-01-01 10:00:00+00:00', NULL), \
         (1, 'password', 'hash of ng', '2017-01-01 10:00:00+00:00', NULL)",
        "INSERT INTO catalogue_records (title, created_by, created_on) VALUES ('Dune', 1, '2017-01-01')",
        "INSERT INTO items (record_id, barcode, branch) VALUES (1, 'I1', 'main')",
        "INSERT INTO loans (user_number, item_id, branch, issued_on, due_on, renewals) VALUES \
         (1, 1, 'main', '2017-05-01', '2017-06-01', 1)",
        "INSERT INTO requests (user_number, record_id, branch, placed_on, status) VALUES \
         (1, 1, 'main', '2017-05-01', 'ready')",
        "INSERT INTO charges (user_number, loan_id, kind, cents, charged_on) VALUES \
         (1, 1, 'overdue', 100, '2017-05-01')",
        "UPDATE users SET marked_on = '2016-12-24' WHERE number = 1",
        "INSERT INTO user_words (word, user_number) VALUES ('first', 1), ('ng', 1), ('ng-id', 1), ('ngid', 1)",
    ] {
        execute(store, sql).await;
    }
}

/// One change of each kind.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Return,
    Cancel,
    Settle,
    Unmark,
    RevokeRole,
    Disable,
    RemoveSignIn,
}

const KINDS: [Kind; 7] = [
    Kind::Return,
    Kind::Cancel,
    Kind::Settle,
    Kind::Unmark,
    Kind::RevokeRole,
    Kind::Disable,
    Kind::RemoveSignIn,
];

async fn change(store: &Store, actor: Actor, kind: Kind) -> Undo {
    match kind {
        Kind::Return => circulation::return_loan(store, actor, LoanId(1)).await.unwrap().1,
        Kind::Cancel => circulation::cancel_request(store, actor, RequestId(1)).await.unwrap().1,
        Kind::Settle => circulation::settle_charge(store, actor, ChargeId(1)).await.unwrap().1,
        Kind::Unmark => user::unmark(store, actor, NG).await.unwrap().unwrap(),
        Kind::RevokeRole => accounts::revoke_role(store, actor, BEN, Role::Librarian).await.unwrap().unwrap(),
        Kind::Disable => accounts::disable(store, actor, BEN).await.unwrap(),
        Kind::RemoveSignIn => {
            let form = user::form_of(&user::read(store, NG).await.unwrap());
            let form = UserForm { remove_sign_in: true, ..form };
            user::save_undoable(store, actor, &form).await.unwrap().1.unwrap()
        }
    }
}

/// Returns the rows of the database without the audit and the versions of users.
async fn records(store: &Store) -> Vec<String> {
    let mut lines: Vec<String> = dump(store).await.lines().map(str::to_owned).collect();
    // Records of the change itself stay: its event, the limits, the protections that were in force.
    let ignored = ["audit_", "users|", "manual_changes|", "protections|"];
    lines.retain(|line| !ignored.iter().any(|table| line.starts_with(table)));
    for number in [1, 801, 802] {
        let read = user::read(store, UserNumber(number)).await.unwrap();
        lines.push(format!("{number} {:?} {:?}", read.marked_on, read.last_activity_on));
    }
    lines.sort();
    lines
}

async fn refused(
    store: &Store,
    result: impl Future<Output = Result<operations::undo::Restored, RecordsError>>,
) -> String {
    let before = dump(store).await;
    let result = result.await;
    let Err(RecordsError::Refused(why)) = result else { panic!("not refused: {result:?}") };
    assert_eq!(dump(store).await, before);
    why
}

#[tokio::test]
async fn an_undo_restores_the_exact_state_and_is_recorded() {
    for_each_database(async |store| {
        library(&store).await;
        for kind in KINDS {
            let before = records(&store).await;
            let ticket = change(&store, ana(), kind).await;
            assert_ne!(records(&store).await, before, "{kind:?}");
            undo(&store, ana(), &ticket).await.unwrap();
            assert_eq!(records(&store).await, before, "{kind:?}");
            let why = refused(&store, undo(&store, ana(), &ticket)).await;
            assert!(why.contains("changed again"), "{kind:?} twice: {why}");
        }
        let dump = dump(&store).await;
        for code in [
            "loan_reopened",
            "request_reopened",
            "charge_reopened",
            "user_marked",
            "role_granted",
            "staff_enabled",
            "sign_in_restored",
        ] {
            assert!(
                dump.lines().any(|line| line.starts_with("audit_events") && line.contains(code)),
                "{code}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn only_the_same_member_of_staff_can_undo_and_only_in_time() {
    for_each_database(async |store| {
        library(&store).await;
        for kind in KINDS {
            let ticket = change(&store, ana(), kind).await;
            for other in [staff_actor(BEN, Role::Administrator), Actor::COMMAND_LINE] {
                let why = refused(&store, undo(&store, other, &ticket)).await;
                assert!(why.contains("Only the member of staff"), "{kind:?}: {why}");
            }
            let low = undo(&store, staff_actor(ANA, Role::Statistics), &ticket).await;
            assert!(matches!(low, Err(RecordsError::Forbidden(_))), "{kind:?}: {low:?}");
            let mut old = serde_json::to_value(&ticket).unwrap();
            old["at"] = serde_json::json!(db::Clock::system_now() - chrono::Duration::minutes(UNDO_MINUTES));
            let old: Undo = serde_json::from_value(old).unwrap();
            let why = refused(&store, undo(&store, ana(), &old)).await;
            assert!(why.contains("15 minutes"), "{kind:?}: {why}");
            undo(&store, ana(), &ticket).await.unwrap();
        }
    })
    .await;
}

/// The undo ticket of a change doesn't undo a later change by another member of staff.
#[tokio::test]
async fn the_ticket_of_an_earlier_change_does_not_undo_a_later_one() {
    for_each_database(async |store| {
        library(&store).await;
        let second = staff_actor(UserNumber(803), Role::Administrator);
        member(&store, UserNumber(803), Role::Administrator).await;
        for kind in KINDS {
            let ticket = change(&store, ana(), kind).await;
            undo(&store, ana(), &ticket).await.unwrap();
            let later = change(&store, second, kind).await;
            refused(&store, undo(&store, ana(), &ticket)).await;
            undo(&store, second, &later).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_change_with_later_changes_cannot_be_undone() {
    for_each_database(async |store| {
        library(&store).await;
        let lent_again = "INSERT INTO loans (user_number, item_id, branch, issued_on, due_on) VALUES \
                          (801, 1, 'main', '2018-01-21', '2018-02-21')";
        let anonymised =
            "UPDATE users SET anonymised_on = '2018-01-21', replacement = 'Anonymised user 7F3KQ2' WHERE number = 1";
        let password = "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES \
                        (802, 'password', 'new', '2018-01-21 10:00:00+00:00')";
        let connected = "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES \
                         (801, 'provider', 'account of ben', '2018-01-21 10:00:00+00:00')";
        let back = "UPDATE users SET anonymised_on = NULL, replacement = NULL";
        let cases: [(Kind, &str, &str); 11] = [
            (Kind::Return, lent_again, "DELETE FROM loans WHERE user_number = 801"),
            (Kind::Return, anonymised, back),
            (
                Kind::Return,
                "UPDATE loans SET returned_on = '2018-01-20'",
                "UPDATE loans SET returned_on = '2018-01-21'",
            ),
            (
                Kind::Cancel,
                "UPDATE requests SET status = 'filled'",
                "UPDATE requests SET status = 'cancelled'",
            ),
            (Kind::Settle, anonymised, back),
            (Kind::Unmark, "UPDATE users SET marked_on = '2018-01-21'", "UPDATE users SET marked_on = NULL"),
            (
                Kind::RevokeRole,
                "INSERT INTO user_roles VALUES (802, 'librarian', '2018-01-21')",
                "DELETE FROM user_roles WHERE user_number = 802 AND role = 'librarian'",
            ),
            (
                Kind::RemoveSignIn,
                "INSERT INTO user_roles VALUES (1, 'cataloguer', '2018-01-21')",
                "DELETE FROM user_roles WHERE user_number = 1",
            ),
            (Kind::Disable, password, "DELETE FROM credentials WHERE secret = 'new'"),
            (
                Kind::Disable,
                connected,
                "DELETE FROM credentials WHERE user_number = 801 AND kind = 'provider'",
            ),
            (
                Kind::Disable,
                "UPDATE credentials SET expires_at = '2018-01-21 10:00:00+00:00' WHERE user_number = 802",
                "UPDATE credentials SET expires_at = '2999-01-21 10:00:00+00:00' WHERE user_number = 802",
            ),
        ];
        for (kind, moves, moves_back) in cases {
            let ticket = change(&store, ana(), kind).await;
            execute(&store, moves).await;
            refused(&store, undo(&store, ana(), &ticket)).await;
            execute(&store, moves_back).await;
            undo(&store, ana(), &ticket).await.unwrap();
        }
    })
    .await;
}

/// While disabling can be undone, the credentials can't be used. Afterwards they are deleted.
#[tokio::test]
async fn credentials_set_aside_are_deleted_after_the_undo_period() {
    for_each_database(async |store| {
        library(&store).await;
        accounts::disable(&store, ana(), BEN).await.unwrap();
        let listed = accounts::list(&store, ana(), accounts::StaffQuery::default()).await.unwrap();
        let ben = listed.iter().find(|row| row.number == BEN).unwrap();
        assert_eq!((ben.has_password, ben.has_app), (false, false));
        assert_eq!(staff::delete_expired(&store).await.unwrap(), 0);
        execute(
            &store,
            "UPDATE credentials SET expires_at = '2018-01-21 10:00:00+00:00' WHERE user_number = 802",
        )
        .await;
        assert!(staff::delete_expired(&store).await.unwrap() >= 3);
        assert!(!dump(&store).await.contains("disabled_"));
    })
    .await;
}
