//! Everything held about a user, from the register of personal data: a column that the register names is never missing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::dialect::{self, ColumnKind, TableFacts};
use db::entity::users;
use policy::personal_data::{Column, DataClass, LinkRole, RowOwner, TABLES, Table, USER_LINKS};
use policy::{Action, UserNumber};
use safeguards::protection;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryResult};
use serde::{Serialize, Serializer};
use trail::audit::{self, AuditAction, Subject};
use trail::person::display_name;
use trail::{Actor, Store, library};

/// The format of the file. A later format gets another name.
const FORMAT: &str = "lethe-access-1";

/// Shown instead of a value that serves to authenticate.
pub const HIDDEN: &str = "stored, not shown: it serves to sign in";

/// Everything held about a user.
#[derive(Debug, Serialize)]
pub struct UserData {
    /// The format.
    pub format: &'static str,
    /// The name of the library. `None` if it isn't configured.
    pub library: Option<String>,
    /// When it was read.
    pub made_at: DateTime<Utc>,
    /// The user.
    pub user: UserNumber,
    /// The name of the user.
    pub name: String,
    /// The rows about the user, by table. Tables without such a row are left out.
    pub tables: Vec<TableData>,
    /// Rows about other users or things that name the user.
    pub mentions: Vec<Mention>,
}

/// The rows of a table about a user.
#[derive(Debug, Serialize)]
pub struct TableData {
    /// The name of the table.
    pub table: &'static str,
    /// The label of the table.
    pub label: &'static str,
    /// The columns, as in the register.
    #[serde(skip)]
    pub columns: &'static [Column],
    /// The rows.
    pub rows: Vec<Row>,
}

/// The number of rows about something else that name the user.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Mention {
    /// The label of the table.
    pub table: &'static str,
    /// The label of the column.
    pub column: &'static str,
    /// The number of rows.
    pub rows: i64,
}

/// A row: the cells in the order of the columns.
#[derive(Debug)]
pub struct Row(pub Vec<(&'static str, Cell)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, cell)| (name, cell)))
    }
}

/// A value.
#[derive(Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A text, a date, an instant, or bytes in Base64.
    Text(String),
    /// No value.
    Empty(()),
}

impl Cell {
    /// Returns the value as text. Empty if there is none.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Text(text) => text.clone(),
            Self::Empty(()) => String::new(),
        }
    }
}

/// Returns everything held about a user, and records in the audit that it was read.
pub async fn user_data(store: &Store, actor: Actor, number: UserNumber) -> Result<UserData, RecordsError> {
    actor.require(Action::HandleAccessRequests)?;
    if !can_see_data(store, actor, number).await? {
        return Err(RecordsError::Forbidden(Action::ManageStaff));
    }
    if users::Entity::find_by_id(number.0).count(&store.db).await? == 0 {
        return Err(RecordsError::NotFound("user"));
    }
    // The event is recorded first, so that no export goes unrecorded. The reading locks nothing.
    let (action, subject) = (AuditAction::UserDataExported, Subject::from(number));
    audit::record_event_in_own_tx(store, actor, action, subject, "").await?;
    let tx = dialect::begin_reading(&store.db).await?;
    let user = users::Entity::find_by_id(number.0).one(&tx).await?.ok_or(RecordsError::NotFound("user"))?;
    let facts = dialect::tables(&tx).await?;
    let mut tables = Vec::new();
    for table in TABLES {
        let rows = rows(&tx, table, &facts, number).await?;
        if !rows.is_empty() {
            tables.push(TableData { table: table.name, label: table.label, columns: table.columns, rows });
        }
    }
    let mentions = mentions(&tx, number).await?;
    let library = library::read(&tx).await?.name;
    tx.rollback().await?;
    Ok(UserData {
        format: FORMAT,
        library,
        made_at: store.clock.now(),
        user: number,
        name: display_name(&user),
        tables,
        mentions,
    })
}

/// Returns whether the actor may see everything held about a user. The rows of a member of staff show searches, approvals
/// and the audit, so they need the permission to manage staff, too.
pub async fn can_see_data(store: &Store, actor: Actor, number: UserNumber) -> Result<bool, RecordsError> {
    let may = actor.may(Action::HandleAccessRequests);
    Ok(may && (actor.may(Action::ManageStaff) || !protection::is_staff(&store.db, number).await?))
}

/// Returns the conditions for the rows of a table that are about a user. Each has the user number as its only value.
fn conditions(table: &Table) -> Vec<String> {
    let mut conditions: Vec<String> = match table.owner {
        RowOwner::User(column) => vec![format!("{column} = ?")],
        RowOwner::Loan(column) => {
            vec![format!("{column} IN (SELECT id FROM loans WHERE user_number = ?)")]
        }
        RowOwner::NoUser => Vec::new(),
    };
    let about = USER_LINKS.iter().filter(|link| {
        link.table == table.name && link.role == LinkRole::About && RowOwner::User(link.column) != table.owner
    });
    conditions.extend(about.map(|link| format!("{} = ?", link.column)));
    if table.name == "audit_events" {
        conditions.push("(subject_kind = 'user' AND subject_id = ?)".to_owned());
    }
    conditions
}

/// Reads the rows of a table that are about a user, with all registered columns.
async fn rows(
    tx: &DatabaseTransaction,
    table: &Table,
    facts: &[TableFacts],
    number: UserNumber,
) -> Result<Vec<Row>, DbErr> {
    let conditions = conditions(table);
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    let kind = |column: &Column| {
        let facts = facts.iter().find(|facts| facts.name == table.name);
        let facts = facts.and_then(|facts| facts.columns.iter().find(|facts| facts.name == column.name));
        facts.map_or(ColumnKind::Text, |facts| facts.kind)
    };
    let columns: Vec<(&'static Column, ColumnKind)> =
        table.columns.iter().map(|column| (column, kind(column))).collect();
    let selected: Vec<String> = columns
        .iter()
        .map(|(column, kind)| match kind {
            ColumnKind::Bytes => column.name.to_owned(),
            _ => format!("CAST({0} AS TEXT) AS {0}", column.name),
        })
        .collect();
    // Raw SQL: the register names table and columns, and every value is read as text.
    let sql = format!(
        "SELECT {} FROM {} WHERE {} ORDER BY {}",
        selected.join(", "),
        table.name,
        conditions.join(" OR "),
        table.columns.first().map_or("1", |column| column.name)
    );
    let values: Vec<Value> = vec![number.0.into(); conditions.len()];
    let found = tx.query_all_raw(dialect::bind(tx.get_database_backend(), &sql, values)).await?;
    found
        .iter()
        .map(|row| {
            let cells = columns.iter().map(|(column, kind)| Ok((column.name, cell(row, column, *kind)?)));
            cells.collect::<Result<Vec<_>, DbErr>>().map(Row)
        })
        .collect()
}

fn cell(row: &QueryResult, column: &Column, kind: ColumnKind) -> Result<Cell, DbErr> {
    if kind == ColumnKind::Bytes {
        let bytes: Option<Vec<u8>> = row.try_get("", column.name)?;
        return Ok(bytes.map_or(Cell::Empty(()), |bytes| Cell::Text(BASE64_STANDARD.encode(bytes))));
    }
    let Some(text) = row.try_get::<Option<String>>("", column.name)? else { return Ok(Cell::Empty(())) };
    if column.class == DataClass::Credential {
        return Ok(Cell::Text(HIDDEN.to_owned()));
    }
    Ok(match (kind, text.as_str()) {
        (ColumnKind::Integer, _) => text.parse().map_or(Cell::Text(text), Cell::Number),
        // SQLite stores flags as numbers.
        (ColumnKind::Other, "1" | "true") => Cell::Flag(true),
        (ColumnKind::Other, "0" | "false") => Cell::Flag(false),
        _ => Cell::Text(text),
    })
}

/// Counts the rows about other users or things that name the user.
async fn mentions(tx: &DatabaseTransaction, number: UserNumber) -> Result<Vec<Mention>, DbErr> {
    let mut found = Vec::new();
    for link in USER_LINKS.iter().filter(|link| link.role == LinkRole::Mentions) {
        let Some(table) = TABLES.iter().find(|table| table.name == link.table) else { continue };
        let Some(column) = table.columns.iter().find(|column| column.name == link.column) else { continue };
        // Raw SQL: the register names table and column.
        let sql = format!("SELECT COUNT(*) AS n FROM {} WHERE {} = ?", link.table, link.column);
        let values = vec![number.0.into()];
        let row = tx.query_one_raw(dialect::bind(tx.get_database_backend(), &sql, values)).await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        if rows > 0 {
            found.push(Mention { table: table.label, column: column.label, rows });
        }
    }
    Ok(found)
}
