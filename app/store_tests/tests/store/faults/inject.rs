//! Injects faults at each row that is inserted, updated or deleted in any table. Each such change is a step; steps are
//! counted from one, and a pattern says which of them fail.
//!
//! The count must survive the rollback that a fault causes, otherwise a retry would hit the same fault. So it isn't
//! stored in a table. PostgreSQL has sequences, which are never rolled back, in a separate schema that no dump and no
//! scan reads. In SQLite, the triggers compare a text with a collation that is a closure of this process. The closure
//! counts, and returns "equal" if the step must fail.

use crate::support::execute;
use db::dialect;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use std::cmp::Ordering::{Equal, Less};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use trail::Store;

/// Maximum number of connections of the store, each of which must know the collation.
const CONNECTIONS: usize = 8;

/// The steps that fail.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pattern {
    #[default]
    None,
    /// Only this step: a temporary failure.
    Once(u64),
    /// This step and all later ones: a full disk.
    From(u64),
    /// Every multiple of this step: a retry fails again at another change.
    Each(u64),
}

impl Pattern {
    /// Returns the same as an SQL condition on the variable `step`.
    fn condition(self) -> String {
        match self {
            Self::None => "FALSE".to_owned(),
            Self::Once(n) => format!("step = {n}"),
            Self::From(n) => format!("step >= {n}"),
            Self::Each(n) => format!("step % {n} = 0"),
        }
    }

    fn strikes(self, step: u64) -> bool {
        match self {
            Self::None => false,
            Self::Once(n) => step == n,
            Self::From(n) => step >= n,
            Self::Each(n) => step.is_multiple_of(n),
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    pattern: Pattern,
    steps: u64,
    struck: BTreeSet<String>,
}

impl Count {
    fn strikes(&mut self, place: &str) -> bool {
        self.steps += 1;
        let strikes = self.pattern.strikes(self.steps);
        if strikes {
            self.struck.insert(place.to_owned());
        }
        strikes
    }
}

/// The faults of one database.
pub struct Faults<'a> {
    store: &'a Store,
    /// The count in SQLite.
    count: Arc<Mutex<Count>>,
}

impl<'a> Faults<'a> {
    /// Prepares every table of the database. Nothing fails yet.
    pub async fn install(store: &'a Store) -> Self {
        let faults = Self { store, count: Arc::default() };
        if faults.is_postgres() {
            execute(store, "CREATE SCHEMA fault; CREATE SEQUENCE fault.step").await;
            faults.set_function(Pattern::None).await;
        } else {
            faults.add_collation().await;
        }
        for (table, columns) in dialect::schema(&store.db).await.unwrap() {
            for event in ["INSERT", "UPDATE", "DELETE"] {
                faults.add_trigger(&table, event, &columns[0]).await;
            }
        }
        faults
    }

    fn is_postgres(&self) -> bool {
        self.store.db.get_database_backend() == DatabaseBackend::Postgres
    }

    async fn add_trigger(&self, table: &str, event: &str, column: &str) {
        let head = format!("CREATE TRIGGER fault_{event}_{table} BEFORE {event} ON {table} FOR EACH ROW");
        if self.is_postgres() {
            // One sequence for each kind of change, so that the failed ones survive the rollback too.
            execute(self.store, &format!("CREATE SEQUENCE fault.{table}_{event}")).await;
            execute(self.store, &format!("{head} EXECUTE FUNCTION fault.strike()")).await;
            return;
        }
        let row = if event == "DELETE" { "OLD" } else { "NEW" };
        // An expression that depends on the row is evaluated for each row.
        let place = format!("'{table}_{}'", event.to_lowercase());
        let sql = format!(
            "{head} BEGIN SELECT RAISE(ABORT, 'injected') WHERE typeof({row}.{column}) = {place} COLLATE fault; END"
        );
        execute(self.store, &sql).await;
    }

    async fn add_collation(&self) {
        let pool = self.store.db.get_sqlite_connection_pool();
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            let count = Arc::clone(&self.count);
            let mut handle = connection.lock_handle().await.unwrap();
            let compare = move |one: &str, other: &str| {
                let place = if other.contains('_') { other } else { one };
                if count.lock().unwrap().strikes(place) { Equal } else { Less }
            };
            handle.create_collation("fault", compare).unwrap();
        }
    }

    async fn set_function(&self, pattern: Pattern) {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION fault.strike() RETURNS trigger LANGUAGE plpgsql AS $$ \
             DECLARE step BIGINT := nextval('fault.step'); \
             BEGIN \
               IF {} THEN PERFORM nextval('fault.' || TG_TABLE_NAME || '_' || TG_OP); RAISE 'injected'; END IF; \
               IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; \
               RETURN NEW; \
             END $$",
            pattern.condition()
        );
        execute(self.store, &sql).await;
    }

    /// Starts to count steps, which fail by this pattern.
    pub async fn arm(&self, pattern: Pattern) {
        if self.is_postgres() {
            self.set_function(pattern).await;
            execute(self.store, "ALTER SEQUENCE fault.step RESTART").await;
        } else {
            let mut count = self.count.lock().unwrap();
            (count.pattern, count.steps) = (pattern, 0);
        }
    }

    /// Ends the faults. Returns the number of steps since they were armed.
    pub async fn disarm(&self) -> u64 {
        if !self.is_postgres() {
            let mut count = self.count.lock().unwrap();
            count.pattern = Pattern::None;
            return count.steps;
        }
        let steps = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS steps FROM fault.step";
        let steps = self.rows::<i64>(steps, "steps").await[0];
        self.set_function(Pattern::None).await;
        steps.try_into().unwrap()
    }

    /// Returns the changes at which a fault has occurred: table and event.
    pub async fn struck(&self) -> BTreeSet<String> {
        if !self.is_postgres() {
            return self.count.lock().unwrap().struck.clone();
        }
        let struck = "SELECT CAST(sequencename AS TEXT) AS place FROM pg_sequences \
                      WHERE schemaname = 'fault' AND sequencename <> 'step' AND last_value IS NOT NULL";
        self.rows(struck, "place").await.into_iter().collect()
    }

    async fn rows<T: sea_orm::TryGetable>(&self, sql: &str, column: &str) -> Vec<T> {
        let statement = Statement::from_string(DatabaseBackend::Postgres, sql);
        let rows = self.store.db.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
    }
}
