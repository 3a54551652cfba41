//! Every manipulation of any event is detected and reported with its kind.

use super::{events, found, twenty_events, verdict};
use crate::support::{execute, for_each_database};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use std::collections::BTreeSet;
use trail::Store;
use trail::audit::AuditFinding;

/// Every column with another value for it.
pub const COLUMNS: [(&str, &str); 10] = [
    ("id", "id + 1000"),
    ("at", "'2018-01-21 12:00:01+00:00'"),
    ("actor_number", "COALESCE(actor_number, 0) + 1"),
    ("channel", "'replay'"),
    ("action", "'exported'"),
    ("subject_kind", "'loan'"),
    ("subject_id", "COALESCE(subject_id, 0) + 1"),
    ("run_id", "COALESCE(run_id, 0) + 1"),
    ("detail", "detail || ' '"),
    ("mac", "'0' || mac"),
];

const ALL: &str =
    "id, at, actor_number, channel, action, subject_kind, subject_id, run_id, detail, sequence, mac";

/// Removes the triggers that protect the audit, as the owner of the database can.
pub async fn without_guards(store: &Store) {
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        for table in ["audit_events", "audit_head"] {
            execute(store, &format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await;
        }
        return;
    }
    for table in ["audit_events", "audit_head"] {
        let put_in = if table == "audit_head" { "inserted" } else { "added" };
        for event in [put_in, "changed", "deleted"] {
            execute(store, &format!("DROP TRIGGER {table}_{event}")).await;
        }
    }
}

/// Returns the URL of a store's database.
pub async fn url_of(store: &Store) -> String {
    let db = &store.db;
    let ask = async |sql: &str| -> String {
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    };
    if db.get_database_backend() == DatabaseBackend::Postgres {
        let server = std::env::var("TEST_POSTGRES_URL").unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        return format!("{base}/{}", ask("SELECT CAST(current_database() AS TEXT)").await);
    }
    format!("sqlite://{}?mode=rwc", ask("SELECT file FROM pragma_database_list WHERE name = 'main'").await)
}

async fn keep(store: &Store) {
    execute(store, "CREATE TABLE kept_events AS SELECT * FROM audit_events").await;
    execute(store, "CREATE TABLE kept_head AS SELECT * FROM audit_head").await;
}

async fn put_back(store: &Store) {
    execute(store, "DELETE FROM audit_events").await;
    execute(store, &format!("INSERT INTO audit_events ({ALL}) SELECT {ALL} FROM kept_events")).await;
    execute(store, "DELETE FROM audit_head").await;
    execute(store, "INSERT INTO audit_head SELECT * FROM kept_head").await;
}

/// Makes the chain of a store complete, anchored and unprotected. Returns its last position.
async fn unguarded(store: &Store) -> i64 {
    twenty_events(store).await;
    without_guards(store).await;
    keep(store).await;
    let verdict = verdict(store).await;
    assert!(verdict.is_whole(), "{verdict:?}");
    assert_eq!(self::verdict(store).await.anchors, 1);
    verdict.last
}

#[tokio::test]
async fn a_changed_event_is_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        for sequence in 1..=last {
            for (column, value) in COLUMNS {
                let sql = format!("UPDATE audit_events SET {column} = {value} WHERE sequence = {sequence}");
                execute(&store, &sql).await;
                assert_eq!(found(&store).await, [AuditFinding::Changed { sequence }], "{sql}");
                put_back(&store).await;
            }
        }
        execute(&store, "UPDATE audit_events SET detail = 'x' WHERE sequence IN (3, 4, 9)").await;
        assert_eq!(found(&store).await, [3, 4, 9].map(|sequence| AuditFinding::Changed { sequence }));
        put_back(&store).await;
        execute(&store, "UPDATE audit_events SET mac = 'x' WHERE sequence IN (3, 4, 5)").await;
        assert_eq!(found(&store).await, [3, 4, 5].map(|sequence| AuditFinding::Changed { sequence }));
        put_back(&store).await;
        assert!(verdict(&store).await.is_whole());
    })
    .await;
}

#[tokio::test]
async fn a_missing_event_is_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        for sequence in 1..=last {
            let missing = AuditFinding::Missing { from: sequence, to: sequence };
            let gone = if sequence == last { AuditFinding::Cut { after: last - 1 } } else { missing.clone() };
            execute(&store, &format!("DELETE FROM audit_events WHERE sequence = {sequence}")).await;
            assert_eq!(found(&store).await, std::slice::from_ref(&gone), "{sequence}");
            put_back(&store).await;

            let id = events(&store).await[usize::try_from(sequence - 1).unwrap()].id;
            execute(&store, &format!("UPDATE audit_events SET sequence = NULL WHERE id = {id}")).await;
            let mut loose = [AuditFinding::Inserted { id }, gone];
            if sequence != last {
                loose.reverse();
            }
            assert_eq!(found(&store).await, loose, "{sequence}");
            put_back(&store).await;

            execute(&store, &format!("UPDATE audit_events SET sequence = 999 WHERE id = {id}")).await;
            let moved = [missing, AuditFinding::Reordered { sequence: 999 }];
            assert_eq!(found(&store).await, moved, "{sequence}");
            put_back(&store).await;
        }
        execute(&store, "DELETE FROM audit_events WHERE sequence BETWEEN 3 AND 7 OR sequence = 9").await;
        let gaps = [AuditFinding::Missing { from: 3, to: 7 }, AuditFinding::Missing { from: 9, to: 9 }];
        assert_eq!(found(&store).await, gaps);
    })
    .await;
}

#[tokio::test]
async fn an_inserted_event_is_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        let forge = async |place: &str| {
            let columns = "at, actor_number, channel, action, subject_kind, detail";
            let sql = format!(
                "INSERT INTO audit_events (id, {columns}, sequence, mac) \
                 SELECT 5000, {columns}, {place}, '0' || mac FROM kept_events WHERE sequence = 3"
            );
            execute(&store, &sql).await;
        };
        let inserted = AuditFinding::Inserted { id: 5000 };
        for place in
            ["NULL".to_owned(), "0".to_owned(), "-7".to_owned(), (last + 1).to_string(), "999".to_owned()]
        {
            forge(&place).await;
            assert_eq!(found(&store).await, std::slice::from_ref(&inserted), "{place}");
            put_back(&store).await;
        }
        for sequence in 1..=last {
            // Later events move up by one.
            let room = "UPDATE audit_events SET sequence = -sequence - 1 WHERE sequence >= ";
            execute(&store, &format!("{room}{sequence}")).await;
            execute(&store, "UPDATE audit_events SET sequence = -sequence WHERE sequence < 0").await;
            forge(&sequence.to_string()).await;
            let mut expected = vec![inserted.clone()];
            expected.extend((sequence + 1..=last + 1).map(|sequence| AuditFinding::Reordered { sequence }));
            assert_eq!(found(&store).await, expected, "{sequence}");
            put_back(&store).await;

            // The event is replaced.
            execute(&store, &format!("DELETE FROM audit_events WHERE sequence = {sequence}")).await;
            forge(&sequence.to_string()).await;
            // Its code is lost, so it is unknown whether the next event was changed too.
            let date = Some(store.clock.today());
            let mut expected = vec![AuditFinding::Changed { sequence }];
            if sequence < last {
                expected.push(AuditFinding::Changed { sequence: sequence + 1 });
            } else {
                expected.extend([AuditFinding::HeadDiffers, AuditFinding::AnchorDiffers { date }]);
            }
            assert_eq!(found(&store).await, expected);
            put_back(&store).await;
        }
        // Without its index, the database accepts a position twice.
        execute(&store, "DROP INDEX audit_events_sequence").await;
        for sequence in 1..=last {
            forge(&sequence.to_string()).await;
            assert_eq!(found(&store).await, std::slice::from_ref(&inserted), "{sequence} twice");
            execute(&store, "UPDATE audit_events SET id = -1 WHERE id = 5000").await;
            assert_eq!(found(&store).await, [AuditFinding::Inserted { id: -1 }], "{sequence} twice");
            put_back(&store).await;
        }
    })
    .await;
}

#[tokio::test]
async fn swapped_events_are_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        let contents = "at, actor_number, channel, action, subject_kind, subject_id, run_id, detail";
        for one in 1..=last {
            for other in BTreeSet::from([one + 1, last]).into_iter().filter(|other| (one + 1..=last).contains(other)) {
                let expected = [one, other].map(|sequence| AuditFinding::Reordered { sequence });
                let places = format!("WHERE sequence IN ({one}, {other})");
                for columns in ["sequence", "sequence, mac", "id", contents, &format!("{contents}, mac")] {
                    let swapped: Vec<&str> = columns.split(", ").collect();
                    let taken = |column: &str| {
                        let from = if swapped.contains(&column) { "other" } else { "one" };
                        format!("{from}.{column}")
                    };
                    let values: Vec<String> = ALL.split(", ").map(taken).collect();
                    let sql = format!(
                        "INSERT INTO audit_events ({ALL}) SELECT {} FROM kept_events one, kept_events other \
                         WHERE one.sequence IN ({one}, {other}) AND other.sequence = {one} + {other} - one.sequence",
                        values.join(", ")
                    );
                    execute(&store, &format!("DELETE FROM audit_events {places}")).await;
                    execute(&store, &sql).await;
                    let found = found(&store).await;
                    assert_eq!(found, expected, "{columns} of {one} and {other}");
                    put_back(&store).await;
                }
            }
        }
        assert!(verdict(&store).await.is_whole());
    })
    .await;
}

#[tokio::test]
async fn a_truncated_chain_is_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        let kept = events(&store).await;
        for after in 0..last {
            let cut = [AuditFinding::Cut { after }];
            execute(&store, &format!("DELETE FROM audit_events WHERE sequence > {after}")).await;
            assert_eq!(found(&store).await, cut);
            // The chain head is moved back too; the anchor still reveals the cut.
            let mac = usize::try_from(after - 1).map_or("", |place| kept[place].mac.as_deref().unwrap());
            execute(&store, &format!("UPDATE audit_head SET sequence = {after}, mac = '{mac}'")).await;
            assert_eq!(found(&store).await, cut);
            put_back(&store).await;
        }
        // New events follow the cut, so the anchor belongs to another event.
        execute(&store, "DELETE FROM audit_events WHERE sequence > 5").await;
        let mac = kept[4].mac.as_deref().unwrap();
        execute(&store, &format!("UPDATE audit_head SET sequence = 5, mac = '{mac}'")).await;
        // Each event is of another member of staff, because repeated refusals of one are counted, not listed.
        for number in 5..=last {
            trail::audit::refused(&store, super::staff(number), policy::Action::Run).await.unwrap();
        }
        let date = Some(store.clock.today());
        assert_eq!(found(&store).await, [AuditFinding::AnchorDiffers { date }]);
    })
    .await;
}

#[tokio::test]
async fn a_changed_chain_head_is_reported() {
    for_each_database(async |store| {
        let last = unguarded(&store).await;
        for change in [
            "DELETE FROM audit_head",
            "UPDATE audit_head SET mac = 'x'",
            "UPDATE audit_head SET sequence = 3",
            "UPDATE audit_head SET sequence = 0, mac = ''",
        ] {
            execute(&store, change).await;
            assert_eq!(found(&store).await, [AuditFinding::HeadDiffers], "{change}");
            put_back(&store).await;
        }
        execute(&store, "UPDATE audit_head SET sequence = 99").await;
        assert_eq!(found(&store).await, [AuditFinding::Cut { after: last }]);
    })
    .await;
}
