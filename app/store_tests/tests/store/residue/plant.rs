//! Writes values into any text column of any table, in rows of other users or of no user.

use super::people::{KINDS, Person, respelled};
use db::dialect;
use policy::personal_data::{self, DataClass};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement, Value};
use std::collections::{BTreeMap, BTreeSet};
use trail::Store;

/// Columns that the program reads as codes or keys, so that it would stop working, and those that the test itself
/// uses.
const NOT_HERE: &[&str] = &[
    "seaql_migrations",
    "runs",
    "run_members",
    "run_counts",
    "findings",
    "certificates",
    "superseded_certificates",
    "ledger_mark",
    "installation_keys",
    "suppressed_keys",
    "suppression_list_keys",
    "held_lines",
    "key_periods",
    "users.name_order",
    "users.user_id_key",
    "users.barcode_key",
    "users.external_id_key",
    "replays",
    "approvals",
    "audit_head",
    "tasks.settings",
    "tasks.schedule",
    "tasks.task_type",
    "tasks.visibility",
    "tasks.missed",
    "tasks.confirmed_settings",
    "custom_fields.key",
    "custom_values.field_key",
    "user_roles.role",
    "legal_holds.reason",
    "legal_holds.category",
    "requests.status",
];

/// A column, and whether a last name alone counts in it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TextColumn {
    pub table: String,
    pub column: String,
    pub is_free: bool,
}

/// Planted or found values: user, table and column.
pub type Cells = BTreeSet<(i64, String, String)>;

/// The planted texts.
pub type Planted = BTreeMap<(i64, String, String), String>;

/// Returns every text column that can be written to.
pub async fn text_columns(store: &Store) -> Vec<TextColumn> {
    let db = &store.db;
    let mut targets = Vec::new();
    for (table, columns) in dialect::schema(db).await.unwrap() {
        for column in columns {
            let is_text = is_text(store, &table, &column).await;
            if !is_text
                || NOT_HERE.contains(&table.as_str())
                || NOT_HERE.contains(&&*format!("{table}.{column}"))
            {
                continue;
            }
            let class = personal_data::column(&table, &column).map(|entry| entry.class);
            targets.push(TextColumn {
                is_free: matches!(class, None | Some(DataClass::FreeText)),
                table: table.clone(),
                column,
            });
        }
    }
    targets
}

async fn is_text(store: &Store, table: &str, column: &str) -> bool {
    let db = &store.db;
    let sql = match db.get_database_backend() {
        DatabaseBackend::Postgres => format!(
            "SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_name = '{table}' \
             AND column_name = '{column}' AND data_type IN ('text', 'character varying')"
        ),
        _ => format!(
            "SELECT COUNT(*) AS n FROM pragma_table_info('{table}') WHERE name = '{column}' \
             AND LOWER(type) IN ('text', 'varchar')"
        ),
    };
    count(store, sql).await > 0
}

async fn count(store: &Store, sql: String) -> i64 {
    let db = &store.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}

/// Plants this many values of these users, each in another column. The rows belong to users up to `others`, who aren't
/// anonymised, or to no user.
pub async fn plant(
    store: &Store,
    rng: &mut StdRng,
    people: &[Person],
    others: &[i64],
    wanted: usize,
) -> Planted {
    let mut targets = text_columns(store).await;
    targets.shuffle(rng);
    let mut planted = Planted::new();
    for target in targets.iter().cycle().take(targets.len() * 3) {
        if planted.len() == wanted {
            break;
        }
        let person = people.choose(rng).unwrap();
        let kind = *KINDS.choose(rng).unwrap();
        // In its own column, an address or a number would belong to the other user, and so would a name among names.
        let its_own = match kind {
            "email" => target.column == kind,
            "phone" => ["phone", "mobile"].contains(&target.column.as_str()),
            _ => false,
        };
        let names = kind == "full_name"
            && (target.table == "user_words" || target.table == "users" && target.column.ends_with("_name"));
        let found_there = (person.number, target.table.clone(), target.column.clone());
        if its_own || names || kind == "last_name" && !target.is_free || planted.contains_key(&found_there) {
            continue;
        }
        let value = respelled(kind, &person.value(kind, rng), rng);
        let text = match rng.random_range(0..3) {
            0 => format!("Seen: {value}; see above"),
            1 => format!("Seen: please call ({value}) again"),
            _ => format!("Seen: {value}"),
        };
        if write(store, target, others, &text).await {
            planted.insert(found_there, text);
        }
    }
    assert_eq!(planted.len(), wanted, "there are too few columns");
    planted
}

/// Writes a text into a row of another user. Returns false if there is no such row.
async fn write(store: &Store, target: &TextColumn, others: &[i64], text: &str) -> bool {
    let db = &store.db;
    let backend = db.get_database_backend();
    let TextColumn { table, column, .. } = target;
    let row = if backend == DatabaseBackend::Postgres { "ctid" } else { "rowid" };
    let owner = match personal_data::table(table).map(|table| table.owner) {
        Some(personal_data::RowOwner::User(column)) => column.to_owned(),
        Some(personal_data::RowOwner::Loan(column)) => {
            format!("(SELECT l.user_number FROM loans l WHERE l.id = {column})")
        }
        _ => String::new(),
    };
    let numbers: Vec<String> = others.iter().map(ToString::to_string).collect();
    let theirs =
        if owner.is_empty() { "TRUE".to_owned() } else { format!("{owner} IN ({})", numbers.join(", ")) };
    // Each row is used once, so that planted texts aren't overwritten.
    let sql = format!(
        "UPDATE {table} SET {column} = {} WHERE {row} = (SELECT MIN({row}) FROM {table} WHERE {theirs} \
         AND COALESCE({column}, '') NOT LIKE 'Seen: %')",
        if backend == DatabaseBackend::Postgres { "$1" } else { "?" }
    );
    let statement = Statement::from_sql_and_values(backend, sql, [Value::from(text)]);
    db.execute_raw(statement).await.unwrap().rows_affected() == 1
}
