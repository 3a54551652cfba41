//! On PostgreSQL, a separate role can own the audit. Lethe's role can then add events and do nothing else.

use super::{events, refused, staff, twenty_events, verdict};
use crate::support::{clock, fresh_postgres};
use db::Settings;
use policy::Action;
use sea_orm::{ConnectionTrait, Database};

const RECIPE: &str = include_str!("../../../../../migrations/audit_role.sql");

#[tokio::test]
async fn the_role_of_lethe_can_only_add_events() {
    let Some(url) = fresh_postgres().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (desk, owner) = (format!("desk_{}", std::process::id()), format!("owner_{}", std::process::id()));
    let superuser = Database::connect(&url).await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    superuser.execute_unprepared(&format!("CREATE ROLE {desk} LOGIN")).await.unwrap();
    superuser.execute_unprepared(&format!("ALTER DATABASE {name} OWNER TO {desk}")).await.unwrap();
    let url = url.replacen("lethe@", &format!("{desk}@"), 1);
    let open =
        async || operations::open_store(&url, clock(), Settings::in_folder(folder.path())).await.unwrap();
    open().await;
    let recipe = RECIPE.replace("\"lethe\"", &format!("\"{desk}\"")).replace("lethe_audit", &owner);
    superuser.execute_unprepared(&recipe).await.unwrap();

    let store = open().await;
    twenty_events(&store).await;
    assert!(verdict(&store).await.is_whole());
    let before = events(&store).await;
    for sql in [
        "DELETE FROM audit_events WHERE sequence = 3",
        "UPDATE audit_events SET detail = 'x' WHERE sequence = 3",
        "UPDATE audit_events SET at = now()",
        "UPDATE audit_events SET mac = 'x' WHERE sequence = 3",
        "TRUNCATE audit_events",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (id, sequence, mac) VALUES (1, 1, '') ON CONFLICT (id) DO NOTHING",
        "ALTER TABLE audit_events DISABLE TRIGGER USER",
        "DROP TRIGGER audit_events_deleted ON audit_events",
        "ALTER TABLE audit_events OWNER TO CURRENT_USER",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    ] {
        let error = store.db.execute_unprepared(sql).await.unwrap_err().to_string();
        let refused = ["permission denied", "must be owner", "only ever added to"];
        assert!(refused.iter().any(|words| error.contains(words)), "{sql}: {error}");
    }
    assert_eq!(events(&store).await, before);
    refused(&store, staff(1), Action::Run).await.unwrap();
    assert!(verdict(&store).await.is_whole());
}
