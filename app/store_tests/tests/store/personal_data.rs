//! The register of personal data names every column of the migrated database.

use crate::support::{execute, for_each_database};
use db::dialect;
use policy::personal_data::{TABLES, differences};
use trail::Store;

async fn compared(store: &Store) -> Vec<String> {
    let schema = dialect::schema(&store.db).await.unwrap();
    differences(TABLES, schema.iter().map(|(name, columns)| (name.as_str(), columns.as_slice())))
}

#[tokio::test]
async fn every_column_of_the_schema_is_registered() {
    for_each_database(async |store| {
        assert_eq!(compared(&store).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_column_without_an_entry_is_reported() {
    for_each_database(async |store| {
        execute(&store, "ALTER TABLE users ADD COLUMN nickname TEXT").await;
        execute(&store, "CREATE TABLE nicknames (nickname TEXT)").await;
        execute(&store, "ALTER TABLE loans DROP COLUMN return_note").await;
        assert_eq!(
            compared(&store).await,
            [
                "column loans.return_note is in the register but not in the schema",
                "table nicknames is not in the register",
                "column users.nickname is not in the register",
            ]
        );
    })
    .await;
}
