//! The baseline: the same row changes in hand-written SQL, for exactly this policy and schema, in batches with a
//! commit each. It rechecks nothing and records neither audit nor ledger.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement, TransactionTrait};
use std::time::{Duration, Instant};

/// Users per transaction.
const BATCH: i64 = 1_000;

/// Counts the reasons of all users in hand-written SQL. The dates are those of the policy and the day of the
/// measurement.
pub const COUNTS: &str = "\
    SELECT CASE \
    WHEN anonymised_on IS NOT NULL THEN 40 \
    WHEN number IN (SELECT user_number FROM user_roles) THEN 30 \
    WHEN fictitious THEN 31 \
    WHEN NOT imported THEN 32 \
    WHEN leaving_on IS NULL THEN 11 \
    WHEN COALESCE(last_activity_on, created_on) IS NULL THEN 13 \
    WHEN leaving_on >= '2025-12-16' OR (last_activity_on >= '2025-12-16' OR created_on >= '2025-12-16') THEN 10 \
    WHEN number IN (SELECT user_number FROM loans WHERE returned_on IS NULL) THEN 20 \
    WHEN number IN (SELECT user_number FROM requests WHERE closed_on IS NULL) THEN 21 \
    WHEN number IN (SELECT user_number FROM charges WHERE settled_on IS NULL AND COALESCE(cents, 1) <> 0) THEN 22 \
    WHEN number IN (SELECT guarantor_number FROM users WHERE guarantor_number IS NOT NULL AND anonymised_on IS NULL) \
    THEN 23 \
    WHEN number IN (SELECT user_number FROM legal_holds WHERE released_on IS NULL) THEN 24 \
    ELSE 0 END AS reason, COUNT(*) AS n FROM users GROUP BY 1 ORDER BY 1";

/// The durations of both parts.
pub struct Took {
    /// Selecting the users.
    pub selecting: Duration,
    /// Changing the rows.
    pub changing: Duration,
    /// Number of users.
    pub people: i64,
}

/// Anonymises all eligible users.
pub async fn anonymise(db: &DatabaseConnection) -> anyhow::Result<Took> {
    let started = Instant::now();
    let people = select(db).await?;
    let selecting = started.elapsed();
    let statements = changes(db.get_database_backend());
    let started = Instant::now();
    let mut from = 1;
    while from <= people {
        let batch = format!("SELECT number FROM todo WHERE place BETWEEN {from} AND {}", from + BATCH - 1);
        // For a subquery, PostgreSQL scans whole tables; for an array, it uses their indexes.
        let batch = match db.get_database_backend() {
            DatabaseBackend::Postgres => format!("= ANY (ARRAY({batch}))"),
            _ => format!("IN ({batch})"),
        };
        let tx = db.begin().await?;
        for statement in &statements {
            tx.execute_unprepared(&statement.replace("{batch}", &batch)).await?;
        }
        tx.commit().await?;
        from += BATCH;
    }
    Ok(Took { selecting, changing: started.elapsed(), people })
}

/// Selects the eligible users into a numbered table.
async fn select(db: &DatabaseConnection) -> anyhow::Result<i64> {
    db.execute_unprepared("CREATE TABLE todo (place BIGINT PRIMARY KEY, number BIGINT NOT NULL)").await?;
    let sql = "\
        INSERT INTO todo (place, number) SELECT ROW_NUMBER() OVER (ORDER BY number), number FROM users \
        WHERE anonymised_on IS NULL AND NOT fictitious AND imported AND leaving_on < '2025-12-16' \
        AND COALESCE(last_activity_on, created_on) < '2025-12-16' \
        AND COALESCE(created_on, last_activity_on) < '2025-12-16' \
        AND number NOT IN (SELECT user_number FROM user_roles) \
        AND number NOT IN (SELECT user_number FROM loans WHERE returned_on IS NULL) \
        AND number NOT IN (SELECT user_number FROM requests WHERE closed_on IS NULL) \
        AND number NOT IN (SELECT user_number FROM charges WHERE settled_on IS NULL AND COALESCE(cents, 1) <> 0) \
        AND number NOT IN (SELECT guarantor_number FROM users \
        WHERE guarantor_number IS NOT NULL AND anonymised_on IS NULL) \
        AND number NOT IN (SELECT user_number FROM legal_holds WHERE released_on IS NULL)";
    db.execute_unprepared(sql).await?;
    if db.get_database_backend() == DatabaseBackend::Postgres {
        db.execute_unprepared("ANALYZE todo").await?;
    }
    let count = Statement::from_string(db.get_database_backend(), "SELECT COUNT(*) AS n FROM todo");
    let row = db.query_one_raw(count).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "n"))?)
}

/// Returns the statements for a batch. The replacement is random, as the engine's, but not checked for uniqueness.
fn changes(backend: DatabaseBackend) -> Vec<String> {
    let (random, decade, district, month): (&str, &str, &str, fn(&str) -> String) = match backend {
        DatabaseBackend::Postgres => (
            "upper(substr(md5(random()::text), 1, 12))",
            "(extract(year from birth_date)::int / 10 * 10)::text || 's'",
            "split_part(postcode, ' ', 1)",
            |date| format!("date_trunc('month', {date})::date"),
        ),
        _ => (
            "hex(randomblob(6))",
            "(CAST(strftime('%Y', birth_date) AS INTEGER) / 10 * 10) || 's'",
            "substr(postcode, 1, instr(postcode, ' ') - 1)",
            |date| format!("date({date}, 'start of month')"),
        ),
    };
    let (id, digest) = match backend {
        DatabaseBackend::Postgres => {
            ("('x' || substr(md5(random()::text), 1, 16))::bit(64)::bigint", "md5(random()::text)")
        }
        _ => ("random()", "lower(hex(randomblob(16)))"),
    };
    // Random digests: SQL has no HMAC. The rows have the size and the random order of the engine's.
    let suppressed = ["external_id", "user_id", "barcode", "email"].map(|kind| {
        format!(
            "SELECT {id}, '{kind}', {digest}, {month_of_run}, {expiry} FROM users \
             WHERE number {{batch}} AND {kind} IS NOT NULL",
            month_of_run = "CAST('2026-01-01' AS DATE)",
            expiry = "CAST('2029-01-01' AS DATE)"
        )
    });
    let suppressed = format!(
        "INSERT INTO suppressed_keys (id, kind, digest, added_on, expires_on) {}",
        suppressed.join(" UNION ALL ")
    );
    let dates: Vec<String> = ["created_on", "leaving_on", "last_activity_on", "marked_on"]
        .iter()
        .map(|date| format!("{date} = {}", month(date)))
        .collect();
    let users = format!(
        "UPDATE users SET user_id = NULL, title = NULL, first_name = NULL, middle_name = NULL, last_name = NULL, \
         name_order = NULL, preferred_name = NULL, email = NULL, phone = NULL, mobile = NULL, street = NULL, \
         postcode = {district}, city = NULL, country = NULL, birth_date = NULL, birth_period = {decade}, gender = NULL, language = NULL, \
         barcode = NULL, external_id = NULL, user_id_key = NULL, barcode_key = NULL, external_id_key = NULL, \
         scim_id = NULL, notes = NULL, {}, dates_by_month = TRUE, guarantor_number = NULL, \
         replacement = 'Anonymised user ' || {random}, anonymised_on = '2026-01-15', rules_version = 1, \
         version = version + 1 WHERE number {{batch}}",
        dates.join(", ")
    );
    let mut all = vec![suppressed, users];
    let deleted = [
        "user_words",
        "key_periods",
        "photos",
        "custom_values",
        "credentials",
        "sessions",
        "code_budgets",
        "account_notices",
        "user_list_layouts",
        "scim_departures",
        "user_sources",
        "notification_deliveries",
        "notification_choices",
    ];
    all.extend(deleted.map(|table| format!("DELETE FROM {table} WHERE user_number {{batch}}")));
    all.extend(
        [
            "DELETE FROM saved_searches WHERE owner_number {batch}",
            "UPDATE access_requests SET answer = NULL WHERE user_number {batch} AND answer IS NOT NULL",
            "UPDATE loans SET note = NULL, return_note = NULL \
             WHERE user_number {batch} AND (note IS NOT NULL OR return_note IS NOT NULL)",
            "UPDATE renewals SET note = NULL \
             WHERE loan_id IN (SELECT id FROM loans WHERE user_number {batch}) AND note IS NOT NULL",
            "UPDATE requests SET note = NULL, cancel_reason = NULL \
             WHERE user_number {batch} AND (note IS NOT NULL OR cancel_reason IS NOT NULL)",
            "UPDATE charges SET note = NULL WHERE user_number {batch} AND note IS NOT NULL",
            "UPDATE messages SET recipient = NULL, subject = NULL, body = NULL WHERE user_number {batch} \
             AND (recipient IS NOT NULL OR subject IS NOT NULL OR body IS NOT NULL)",
        ]
        .map(str::to_owned),
    );
    all
}
