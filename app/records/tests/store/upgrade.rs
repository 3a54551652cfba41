//! A database of an older version is upgraded and keeps its content.

use crate::support::{clock, fresh_postgres};
use migrations::{Migrator, MigratorTrait};
use policy::HoldReason;
use records::Settings;
use records::legal_hold::{self, HoldQuery, Show};
use records::pagination::Paging;
use sea_orm::{ConnectionTrait, Database};

/// Number of migrations before legal holds on categories.
const BEFORE_HOLDS: u32 = 5;

async fn assert_legal_holds_survive_the_upgrade(url: &str) {
    let db = Database::connect(url).await.unwrap();
    Migrator::up(&db, Some(BEFORE_HOLDS)).await.unwrap();
    for sql in [
        "INSERT INTO users (number, uuid, last_name, fictitious, imported) \
         VALUES (1, 'u1', 'Ng', FALSE, TRUE), (2, 'u2', 'Officer', FALSE, FALSE)",
        "INSERT INTO legal_holds (user_number, reason, placed_by, placed_on, review_on, released_on) VALUES \
         (1, 'damage_claim', 2, '2018-01-01', '2018-06-01', NULL), \
         (1, 'court_order', 2, '2018-01-02', NULL, '2018-01-03'), \
         (1, 'dispute', NULL, '2018-01-04', NULL, NULL), \
         (1, 'somebody typed this', NULL, '2018-01-05', NULL, NULL)",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    db.close().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let store = records::open_store(url, clock(), Settings::in_folder(folder.path())).await.unwrap();
    let query = HoldQuery { show: Show::All, ..HoldQuery::default() };
    let holds = legal_hold::list(&store, &query, &Paging::default()).await.unwrap().rows;
    let listed: Vec<_> =
        holds.iter().map(|hold| (hold.id.0, hold.reason, hold.owner.is_some(), hold.is_in_force())).collect();
    assert_eq!(
        listed,
        [
            (4, HoldReason::Other, false, true),
            (3, HoldReason::Dispute, false, true),
            (2, HoldReason::AuthorityOrder, true, false),
            (1, HoldReason::DebtCollection, true, true),
        ]
    );
    // The next legal hold gets the next key.
    let next =
        "INSERT INTO legal_holds (category, reason, placed_on) VALUES ('STUDENT', 'other', '2018-01-06')";
    store.database().execute_unprepared(next).await.unwrap();
    assert_eq!(legal_hold::list(&store, &query, &Paging::default()).await.unwrap().rows[0].id.0, 5);
}

#[tokio::test]
async fn legal_holds_survive_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    assert_legal_holds_survive_the_upgrade(&format!("sqlite://{}/old.db?mode=rwc", folder.path().display()))
        .await;
    if let Some(url) = fresh_postgres().await {
        assert_legal_holds_survive_the_upgrade(&url).await;
    }
}
