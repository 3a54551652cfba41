//! The page cache of SQLite connections.

use crate::support::for_each_database;
use db::dialect;
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};

/// The maximum number of connections of a pool.
const CONNECTIONS: usize = 8;

async fn pragma(db: &impl ConnectionTrait, name: &str) -> i64 {
    let sql = Statement::from_string(db.get_database_backend(), format!("PRAGMA {name}"));
    db.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_large_page_cache_ends_with_its_transaction() {
    for_each_database(async |store| {
        if !dialect::is_embedded(&store.db) {
            return;
        }
        for is_committed in [true, false] {
            let tx = store.begin().await.unwrap();
            let usual = pragma(&tx, "cache_size").await;
            dialect::enlarge_cache(&tx).await.unwrap();
            // Negative: KiB.
            assert!(pragma(&tx, "cache_size").await < usual);
            if is_committed {
                store.commit(tx).await.unwrap();
            } else {
                drop(tx);
            }
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                connections.push(store.db.begin().await.unwrap());
            }
            for connection in &connections {
                assert_eq!(pragma(connection, "cache_size").await, usual);
            }
        }
    })
    .await;
}
