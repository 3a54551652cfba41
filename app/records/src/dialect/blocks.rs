//! Reading the text of whole tables fast: the database joins many rows into one long text, piece by piece.
//!
//! A row that is sent by itself costs more than the text in it. Here one answer holds thousands of rows; memory stays
//! the same however large a table is.

use super::{quoted, statement};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, Statement};

/// Stands between two fields of a row.
pub(crate) const FIELD: u8 = 0x1F;
/// Stands between two rows.
pub(crate) const RECORD: u8 = 0x1E;

/// About how many bytes a block has, where rows are counted. Each connection of SQLite keeps the memory of several.
const BLOCK_BYTES: u64 = 1 << 17;
/// How many rows the first block of a table has, where rows are counted.
const FIRST_ROWS: u64 = 500;
/// The most rows of a block, so that small rows are not read for too long at once.
const MOST_ROWS: u64 = 5_000;
/// How many pages of 8 kB are read at once, where pages are counted.
const PAGES: i64 = 64;

/// What to read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The table; it stands in the statement as `t`.
    pub(crate) table: String,
    /// SQL of each field of a row.
    pub(crate) fields: Vec<String>,
    /// SQL of the condition which rows are wanted.
    pub(crate) filter: String,
    /// The values of the place holders in the condition.
    pub(crate) values: Vec<Value>,
    /// Whether the rows have positions. A table without them is read at once.
    pub(crate) has_positions: bool,
}

/// A piece of a table.
pub(crate) struct Block {
    /// Rows with [`RECORD`] between them, each of fields with [`FIELD`] between them. An empty field is no text.
    pub(crate) text: Vec<u8>,
}

/// A table, block by block.
pub(crate) struct Blocks<'a> {
    source: &'a Source,
    /// Where the next block begins: after this row, or at this page.
    from: i64,
    /// The number of pages, where pages are counted.
    pages: i64,
    rows: u64,
    ended: bool,
}

/// What stands still while a whole database is read: PostgreSQL moves the rows that others change meanwhile. None
/// for SQLite, where rows keep their places and a reader that stays would keep the write-ahead log from being emptied.
pub(crate) async fn snapshot(db: &DatabaseConnection) -> Result<Option<DatabaseTransaction>, DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(None);
    }
    Ok(Some(super::begin_reading(db).await?))
}

/// The position of a row, for tables that have no key of their own.
pub(crate) const fn position(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "t.ctid",
        _ => "t._rowid_",
    }
}

/// The condition that a row stands at a position, with one place holder.
pub(crate) const fn position_is(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "t.ctid = CAST(CAST(? AS TEXT) AS TID)",
        _ => "t._rowid_ = CAST(? AS INTEGER)",
    }
}

impl<'a> Blocks<'a> {
    pub(crate) async fn of(db: &impl ConnectionTrait, source: &'a Source) -> Result<Self, DbErr> {
        let mut blocks = Self { source, from: 0, pages: 0, rows: FIRST_ROWS, ended: false };
        let backend = db.get_database_backend();
        if backend == DatabaseBackend::Postgres {
            let sql = "SELECT pg_relation_size(CAST(? AS REGCLASS)) / CAST(current_setting('block_size') AS BIGINT) AS pages";
            let size = statement(backend, sql, vec![quoted(&source.table).into()]);
            let row = db.query_one_raw(size).await?;
            blocks.pages = row.map_or(Ok(0), |row| row.try_get("", "pages"))?;
            blocks.ended = blocks.pages == 0;
        } else {
            blocks.from = i64::MIN;
        }
        Ok(blocks)
    }

    /// The next block; None at the end. A block can be without rows.
    pub(crate) async fn next(&mut self, db: &impl ConnectionTrait) -> Result<Option<Block>, DbErr> {
        if self.ended {
            return Ok(None);
        }
        let piece = self.read(db, false).await?;
        let piece =
            if piece.is_sound(self.source.fields.len()) { piece } else { self.read(db, true).await? };
        self.step(&piece);
        Ok(Some(Block { text: piece.text }))
    }

    /// Reads the block. `clean` takes out of the fields what stands between fields and rows: that is needed almost
    /// never, and costs.
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
            // The same statement for each block: SQLite's driver keeps each one that it has not seen before, with the
            // memory that it took.
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
        self.rows = (BLOCK_BYTES / bytes_of_row).clamp(16, MOST_ROWS);
    }
}

/// The different rows of a few columns, if there are no more than `most` of them.
pub(crate) async fn different(
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

/// SQL of a row's fields as one text.
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
    // To `concat`, what is NULL is an empty text. It takes no more than some hundred arguments.
    let some: Vec<String> = fields
        .chunks(30)
        .map(|fields| format!("concat({})", fields.join(&format!(", char({FIELD}), "))))
        .collect();
    some.join(&format!(" || char({FIELD}) || "))
}

/// An answer: many rows in one.
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
            // What is no text in spite of its column's type is searched all the same: as bytes.
            _ => format!("CAST(group_concat(line, char({RECORD})) AS BLOB)"),
        };
        let sql = format!(
            "SELECT COUNT(*) AS n, CAST(MAX(at) AS BIGINT) AS last, {joined} AS text FROM ({inner}) AS rows_read"
        );
        // Names of tables can hold a question mark; only conditions with values have place holders.
        let statement = if values.is_empty() {
            Statement::from_string(backend, sql)
        } else {
            statement(backend, &sql, values)
        };
        let row = db.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the count of rows".to_owned()))?;
        let rows: i64 = row.try_get("", "n")?;
        let last: Option<i64> = row.try_get("", "last")?;
        let text: Option<Vec<u8>> = row.try_get("", "text")?;
        Ok(Self { rows: rows.unsigned_abs(), last: last.unwrap_or(i64::MAX), text: text.unwrap_or_default() })
    }

    /// Whether nothing in the fields is mistaken for what stands between them.
    fn is_sound(&self, fields: usize) -> bool {
        let count = |sought: u8| memchr::memchr_iter(sought, &self.text).count() as u64;
        count(RECORD) == self.rows.saturating_sub(1) && count(FIELD) == self.rows * (fields as u64 - 1)
    }
}
