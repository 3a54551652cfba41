//! Fast reading of whole tables as text.
//!
//! Sending a row on its own costs more than its text. The database therefore joins thousands of rows into one
//! text, block by block. Memory use does not depend on the size of the table.

use super::{bind, quoted};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, Statement};

/// The separator between two fields of a row.
pub const FIELD: u8 = 0x1F;
/// The separator between two rows.
pub const RECORD: u8 = 0x1E;

/// The approximate size of a block in bytes, if blocks are counted in rows. An SQLite connection keeps the memory
/// of several.
const BLOCK_BYTES: u64 = 1 << 17;
/// The number of rows in the first block, if blocks are counted in rows.
const FIRST_ROWS: u64 = 500;
/// The maximum number of rows in a block, so that reading small rows does not take too long.
const MAX_ROWS: u64 = 5_000;
/// The number of 8 kB pages in a block, if blocks are counted in pages.
const PAGES: i64 = 64;

/// The table, fields and rows to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The table. The statement refers to it as `t`.
    pub table: String,
    /// The SQL of each field.
    pub fields: Vec<String>,
    /// The SQL of the condition for rows.
    pub filter: String,
    /// The values of the placeholders in the condition.
    pub values: Vec<Value>,
    /// Whether the rows have positions. A table without them is read in one block.
    pub has_positions: bool,
}

/// A part of a table.
pub struct Block {
    /// Rows separated by [`RECORD`], with fields separated by [`FIELD`]. An empty field is NULL or empty text.
    pub text: Vec<u8>,
}

/// Reads a table block by block.
pub struct Blocks<'a> {
    source: &'a Source,
    /// The start of the next block: after this row, or at this page.
    from: i64,
    /// The number of pages, if blocks are counted in pages.
    pages: i64,
    rows: u64,
    ended: bool,
}

/// Begins a transaction with a stable view of the database, since PostgreSQL moves changed rows. None on SQLite,
/// where rows keep their positions and a long reader would prevent truncation of the write-ahead log.
pub async fn snapshot(db: &DatabaseConnection) -> Result<Option<DatabaseTransaction>, DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(None);
    }
    Ok(Some(super::begin_reading(db).await?))
}

/// Returns the position of a row, for tables without a primary key.
pub const fn position(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "t.ctid",
        _ => "t._rowid_",
    }
}

/// Returns the condition that a row has a position, with one placeholder.
pub const fn position_is(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "t.ctid = CAST(CAST(? AS TEXT) AS TID)",
        _ => "t._rowid_ = CAST(? AS INTEGER)",
    }
}

impl<'a> Blocks<'a> {
    /// Begins to read a table block by block.
    pub async fn open(db: &impl ConnectionTrait, source: &'a Source) -> Result<Self, DbErr> {
        let mut blocks = Self { source, from: 0, pages: 0, rows: FIRST_ROWS, ended: false };
        let backend = db.get_database_backend();
        if backend == DatabaseBackend::Postgres {
            let sql = "SELECT pg_relation_size(CAST(? AS REGCLASS)) / CAST(current_setting('block_size') AS BIGINT) AS pages";
            let size = bind(backend, sql, vec![quoted(&source.table).into()]);
            let row = db.query_one_raw(size).await?;
            blocks.pages = row.map_or(Ok(0), |row| row.try_get("", "pages"))?;
            blocks.ended = blocks.pages == 0;
        } else {
            blocks.from = i64::MIN;
        }
        Ok(blocks)
    }

    /// Reads the next block. None at the end. A block can contain no rows.
    pub async fn next(&mut self, db: &impl ConnectionTrait) -> Result<Option<Block>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let piece = self.read(db, false).await?;
        let piece =
            if piece.is_sound(self.source.fields.len()) { piece } else { self.read(db, true).await? };
        self.step(&piece);
        Ok(Some(Block { text: piece.text }))
    }

    /// Reads the block. `clean` replaces separators inside the fields, which is slower and hardly ever needed.
    async fn read(&self, db: &impl ConnectionTrait, clean: bool) -> Result<Piece, DbErr> {
        let backend = db.get_database_backend();
        let (inner, values) = self.inner(backend, clean);
        Piece::read(db, &inner, values).await
    }

    fn inner(&self, backend: DatabaseBackend, clean: bool) -> (String, Vec<Value>) {
        let Source { table, fields, filter, values, has_positions } = self.source;
        let mut values = values.clone();
        let (line, table) = (line(backend, fields, clean), quoted(table));
        let sql = match (backend, has_positions) {
            (DatabaseBackend::Postgres, _) => {
                let (from, until) = (self.from, self.from + PAGES);
                format!(
                    "SELECT CAST(0 AS BIGINT) AS at, {line} AS line FROM {table} AS t \
                     WHERE t.ctid >= '({from},0)' AND t.ctid < '({until},0)' AND ({filter})"
                )
            }
            // The statement is the same for each block, because the SQLite driver caches every new statement with
            // the memory that it used.
            (_, true) => {
                values.insert(0, self.from.into());
                values.push(i64::try_from(self.rows).unwrap_or(i64::MAX).into());
                format!(
                    "SELECT t._rowid_ AS at, {line} AS line FROM {table} AS t WHERE t._rowid_ > ? AND ({filter}) \
                     ORDER BY t._rowid_ LIMIT ?"
                )
            }
            (_, false) => format!("SELECT 0 AS at, {line} AS line FROM {table} AS t WHERE {filter}"),
        };
        (sql, values)
    }

    fn step(&mut self, piece: &Piece) {
        if self.pages > 0 {
            self.from += PAGES;
            self.ended = self.from >= self.pages;
            return;
        }
        self.ended = !self.source.has_positions || piece.rows < self.rows;
        self.from = piece.last;
        let bytes_of_row = (piece.text.len() as u64 / piece.rows.max(1)).max(1);
        self.rows = (BLOCK_BYTES / bytes_of_row).clamp(16, MAX_ROWS);
    }
}

/// Reads the distinct rows of a few columns. None if there are more than `most`.
pub async fn different(
    db: &impl ConnectionTrait,
    table: &str,
    columns: &[String],
    most: u64,
) -> Result<Option<Block>, DbErr> {
    let backend = db.get_database_backend();
    let fields: Vec<String> = columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
    let (different, table) = (fields.join(", "), quoted(table));
    let limit = most + 1;
    let mut clean = false;
    loop {
        let line = line(backend, &fields, clean);
        let inner = format!(
            "SELECT 0 AS at, {line} AS line FROM (SELECT DISTINCT {different} FROM {table} AS t LIMIT {limit}) AS t"
        );
        let piece = Piece::read(db, &inner, Vec::new()).await?;
        if piece.rows > most {
            return Ok(None);
        }
        if clean || piece.is_sound(fields.len()) {
            return Ok(Some(Block { text: piece.text }));
        }
        clean = true;
    }
}

/// Returns the SQL for the fields of a row as one text.
fn line(backend: DatabaseBackend, fields: &[String], clean: bool) -> String {
    let postgres = backend == DatabaseBackend::Postgres;
    let function = if postgres { "chr" } else { "char" };
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let text = format!("CAST({field} AS TEXT)");
            match (clean, postgres) {
                (true, _) => format!(
                    "COALESCE(REPLACE(REPLACE({text}, {function}({RECORD}), ' '), {function}({FIELD}), ' '), '')"
                ),
                (false, true) => format!("COALESCE({text}, '')"),
                (false, false) => field.clone(),
            }
        })
        .collect();
    if postgres {
        return fields.join(&format!(" || chr({FIELD}) || "));
    }
    // `concat` treats NULL as empty text. It accepts about a hundred arguments.
    let some: Vec<String> = fields
        .chunks(30)
        .map(|fields| format!("concat({})", fields.join(&format!(", char({FIELD}), "))))
        .collect();
    some.join(&format!(" || char({FIELD}) || "))
}

/// A result: many rows joined into one text.
struct Piece {
    rows: u64,
    /// The position of the last row.
    last: i64,
    text: Vec<u8>,
}

impl Piece {
    async fn read(db: &impl ConnectionTrait, inner: &str, values: Vec<Value>) -> Result<Self, DbErr> {
        let backend = db.get_database_backend();
        let joined = match backend {
            DatabaseBackend::Postgres => format!("convert_to(string_agg(line, chr({RECORD})), 'UTF8')"),
            // A value that is not text in spite of its column's type is read as bytes.
            _ => format!("CAST(group_concat(line, char({RECORD})) AS BLOB)"),
        };
        let sql = format!(
            "SELECT COUNT(*) AS n, CAST(MAX(at) AS BIGINT) AS last, {joined} AS text FROM ({inner}) AS rows_read"
        );
        // Table names can contain a question mark. Only conditions with values have placeholders.
        let statement = if values.is_empty() {
            Statement::from_string(backend, sql)
        } else {
            bind(backend, &sql, values)
        };
        let row = db.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the count of rows".to_owned()))?;
        let rows: i64 = row.try_get("", "n")?;
        let last: Option<i64> = row.try_get("", "last")?;
        let text: Option<Vec<u8>> = row.try_get("", "text")?;
        Ok(Self { rows: rows.unsigned_abs(), last: last.unwrap_or(i64::MAX), text: text.unwrap_or_default() })
    }

    /// Returns whether no field contains a separator.
    fn is_sound(&self, fields: usize) -> bool {
        let count = |byte: u8| memchr::memchr_iter(byte, &self.text).count() as u64;
        count(RECORD) == self.rows.saturating_sub(1) && count(FIELD) == self.rows * (fields as u64 - 1)
    }
}
