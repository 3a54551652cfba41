//! The measured library, created in the database by a few statements.
//!
//! Of each hundred users, eighty can be anonymised; the others have one of the reasons against it. Loans are spread
//! over the users as in a real library: the loans of one user are never stored next to each other.

use anyhow::Context as _;
use db::entity::tasks;
use policy::task_form::Visibility;
use policy::{Conditions, Days, Field, Policy, Schedule, TaskId, TaskSettings, Treatment};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseBackend, DatabaseConnection, Set};
use trail::Store;

/// The number of rows of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    pub users: i64,
    pub loans: i64,
    pub requests: i64,
    pub messages: i64,
    pub charges: i64,
    /// Whether users have search words, credentials, photos and custom fields, which no preview reads.
    pub whole: bool,
}

impl Library {
    /// Returns the library that is anonymised.
    pub const fn new(users: i64) -> Self {
        Self {
            users,
            loans: users * 10,
            requests: users,
            messages: users * 3,
            charges: users / 2,
            whole: true,
        }
    }

    /// Returns a library with fewer rows per user, of which only the number of users matters.
    pub const fn light(users: i64) -> Self {
        Self {
            users,
            loans: users * 2,
            requests: users / 2,
            messages: users,
            charges: users / 10,
            whole: true,
        }
    }

    /// Returns the library for the preview.
    pub const fn of_many(users: i64) -> Self {
        Self { users, loans: users, requests: users / 10, messages: 0, charges: users / 10, whole: false }
    }

    /// Returns its size as text.
    pub fn label(&self) -> String {
        format!(
            "{} users, {} loans, {} requests, {} messages, {} charges",
            self.users, self.loans, self.requests, self.messages, self.charges
        )
    }

    /// Fills an empty database.
    pub async fn make(&self, store: &Store) -> anyhow::Result<()> {
        let db = &store.db;
        let backend = db.get_database_backend();
        for sql in self.statements(backend) {
            db.execute_unprepared(&sql).await.with_context(|| sql.chars().take(60).collect::<String>())?;
        }
        flush(db).await
    }

    fn statements(&self, backend: DatabaseBackend) -> Vec<String> {
        let mut all = vec![users(backend, self.users), guarantors().to_owned()];
        all.extend(["('student', 'Students')", "('staff', 'Staff')"].map(|term| {
            let values = term.trim_start_matches('(');
            format!("INSERT INTO terms (kind, code, name) VALUES ('category', {values}")
        }));
        all.push(roles(backend));
        if self.whole {
            all.extend(parts_of_users(backend));
        }
        all.extend(circulation(backend, self));
        all
    }
}

/// Returns the policy with which the library is anonymised.
pub fn policy() -> Policy {
    Policy {
        fields: [(Field::BirthDate, Treatment::Decade), (Field::Postcode, Treatment::District)].into(),
        conditions: Conditions { leaving: Days::new(30), activity: Days::new(30), marked: None },
        ..Policy::default()
    }
}

/// Adds the task that anonymises the library.
pub async fn add_task(store: &Store) -> anyhow::Result<TaskId> {
    let now = store.clock.now();
    let task = tasks::ActiveModel {
        description: Set("Leavers".to_owned()),
        active: Set(true),
        task_type: Set(policy::TaskType::AnonymiseUserData),
        visibility: Set(Visibility::Shared),
        settings: Set(TaskSettings::AnonymiseUserData(policy())),
        schedule: Set(Schedule::ManualOnly),
        single_default: Set(true),
        created_at: Set(now),
        changed_at: Set(now),
        ..Default::default()
    };
    Ok(TaskId(task.insert(&store.db).await?.id))
}

/// Updates the statistics of the database, and writes all its pages to its files.
async fn flush(db: &DatabaseConnection) -> anyhow::Result<()> {
    match db.get_database_backend() {
        DatabaseBackend::Postgres => {
            db.execute_unprepared("VACUUM ANALYZE").await?;
            db.execute_unprepared("CHECKPOINT").await?;
        }
        _ => {
            db.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
    }
    Ok(())
}

/// Returns an `INSERT` of `count` rows. `{n}` in the values is the row number, from 1.
fn fill(count: i64, table: &str, columns: &[(&str, String)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
    format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE counted(n) AS \
         (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) \
         SELECT {} FROM counted WHERE n <= {count}",
        names.join(", "),
        values.join(", ")
    )
}

/// Returns the SQL for a date this many days after 1 January 2018.
fn day(backend: DatabaseBackend, days: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("(DATE '2018-01-01' + CAST({days} AS INTEGER))"),
        _ => format!("date('2018-01-01', ({days}) || ' days')"),
    }
}

/// Returns the SQL for an instant in 2019.
fn instant(backend: DatabaseBackend) -> String {
    match backend {
        DatabaseBackend::Postgres => "TIMESTAMPTZ '2019-05-01T12:00:00+00:00'".to_owned(),
        _ => "'2019-05-01T12:00:00+00:00'".to_owned(),
    }
}

/// Returns the SQL for a value that only some rows have.
fn when(condition: &str, value: &str) -> String {
    format!("CASE WHEN {condition} THEN {value} END")
}

fn users(backend: DatabaseBackend, count: i64) -> String {
    let left = when(
        "n % 100 NOT IN (82, 83, 84)",
        &day(backend, "CASE WHEN n % 100 IN (85, 86) THEN 3650 ELSE n % 1500 END"),
    );
    let active =
        when("n % 7 <> 0", &day(backend, "CASE WHEN n % 100 IN (87, 88) THEN 2930 ELSE n % 1400 END"));
    let columns = [
        ("uuid", "'5f0c4e3a-7d1b-4c2e-9a68-' || (100000000000 + n)".to_owned()),
        ("scim_id", "'1a2b4e3a-7d1b-4c2e-9a68-' || (100000000000 + n)".to_owned()),
        ("user_id", "'u' || (1000000 + n * 7)".to_owned()),
        ("user_id_key", "'u' || (1000000 + n * 7)".to_owned()),
        ("title", when("n % 9 = 0", "'Dr'")),
        ("first_name", "'Firstname' || (n * 7919 % 997)".to_owned()),
        ("middle_name", when("n % 4 = 0", "'Middle' || (n % 300)")),
        ("last_name", "'Lastname' || (n * 104729 % 29989)".to_owned()),
        ("name_order", "'lastname' || (n * 104729 % 29989) || '\tfirstname' || (n * 7919 % 997)".to_owned()),
        ("email", "'person.' || n || '@students.example.org'".to_owned()),
        ("phone", when("n % 3 = 0", "'+44 20 7946 ' || (n % 10000)")),
        ("mobile", "'+44 7700 900' || (n % 1000)".to_owned()),
        ("street", "(n % 200) || ' Long Lane'".to_owned()),
        ("postcode", "'SW' || (n % 20 + 1) || 'A ' || (n % 9 + 1) || 'AB'".to_owned()),
        ("city", "'Town ' || (n % 50)".to_owned()),
        ("country", "'GB'".to_owned()),
        ("gender", when("n % 2 = 0", "'f'")),
        ("language", "'en'".to_owned()),
        ("barcode", "'B' || (20000000 + n)".to_owned()),
        ("barcode_key", "'b' || (20000000 + n)".to_owned()),
        ("external_id", "'HR-' || n".to_owned()),
        ("external_id_key", "'hr-' || n".to_owned()),
        ("category", "CASE WHEN n % 5 = 0 THEN 'staff' ELSE 'student' END".to_owned()),
        ("department", "'D' || (n % 40)".to_owned()),
        ("branch", "'branch ' || (n % 6)".to_owned()),
        ("notes", when("n % 10 = 0", "'Asked for a quiet place in March; phone first. Case ' || n")),
        ("birth_date", day(backend, "-(n % 15000) - 6000")),
        ("created_on", day(backend, "-(n % 900)")),
        ("leaving_on", left),
        ("last_activity_on", active),
        ("marked_on", when("n % 3 = 0", &day(backend, "n % 1500 + 10"))),
        ("fictitious", "n % 100 = 81".to_owned()),
        ("imported", "n % 100 NOT IN (89, 90)".to_owned()),
    ];
    fill(count, "users", &columns)
}

/// Makes every hundredth user the guarantor of two others; one of them stays.
const fn guarantors() -> &'static str {
    "UPDATE users SET guarantor_number = number + 17 - (number % 100 - 82) WHERE number % 100 IN (5, 82) \
     AND EXISTS (SELECT 1 FROM users g WHERE g.number = users.number + 17 - (users.number % 100 - 82))"
}

fn roles(backend: DatabaseBackend) -> String {
    let since = day(backend, "0");
    format!(
        "INSERT INTO user_roles (user_number, role, granted_on) SELECT number, 'librarian', {since} \
         FROM users WHERE number % 100 = 80"
    )
}

fn parts_of_users(backend: DatabaseBackend) -> Vec<String> {
    let at = instant(backend);
    let photo = match backend {
        DatabaseBackend::Postgres => "decode(repeat(md5(CAST(number AS TEXT)), 128), 'hex')",
        _ => "randomblob(2048)",
    };
    let mut all: Vec<String> = ["first_name", "last_name", "user_id", "email", "barcode", "external_id"]
        .iter()
        .map(|column| {
            format!("INSERT INTO user_words (word, user_number) SELECT LOWER({column}), number FROM users")
        })
        .collect();
    all.extend([
        "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker'), ('contact', 'Emergency contact')"
            .to_owned(),
        "INSERT INTO custom_values (user_number, field_key, value) \
         SELECT number, 'locker', 'Locker ' || number FROM users WHERE number % 3 = 0"
            .to_owned(),
        "INSERT INTO custom_values (user_number, field_key, value) \
         SELECT number, 'contact', 'Ring the mother, 0171 ' || number FROM users WHERE number % 5 = 0"
            .to_owned(),
        format!(
            "INSERT INTO credentials (user_number, kind, secret, created_at) \
             SELECT number, 'password', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$' || number, {at} \
             FROM users WHERE number % 2 = 0"
        ),
        format!(
            "INSERT INTO sessions (id_hash, user_number, created_at, last_seen_at, signed_in_at) \
             SELECT 'hash of the key of session ' || number, number, {at}, {at}, {at} FROM users WHERE number % 20 = 0"
        ),
        format!(
            "INSERT INTO photos (user_number, media_type, bytes) \
             SELECT number, 'image/jpeg', {photo} FROM users WHERE number % 20 = 1"
        ),
    ]);
    all
}

fn circulation(backend: DatabaseBackend, library: &Library) -> Vec<String> {
    // Odd, and not a divisor of the usual sizes, so that rows of one user are far apart.
    let user = format!("n * 7919 % {} + 1", library.users);
    let of = |remainders: &str| format!("({user}) % 100 IN ({remainders})");
    let closed =
        |remainders: &str, days: &str| when(&format!("NOT ({})", of(remainders)), &day(backend, days));
    let items = (library.loans / 20).max(1);
    let records = [
        ("title", "'A book about ' || n".to_owned()),
        ("author", "'Author ' || (n % 500)".to_owned()),
        ("created_on", day(backend, "0")),
    ];
    let copies = [
        ("record_id", "n".to_owned()),
        ("barcode", "'I' || n".to_owned()),
        ("branch", "'branch ' || (n % 6)".to_owned()),
    ];
    let loans = [
        ("user_number", user.clone()),
        ("item_id", format!("n % {items} + 1")),
        ("branch", "'branch ' || (n % 6)".to_owned()),
        ("category", "'student'".to_owned()),
        ("department", "'D' || (n % 40)".to_owned()),
        ("issued_on", day(backend, "n % 1400")),
        ("due_on", day(backend, "n % 1400 + 28")),
        ("returned_on", closed("91, 92, 93, 94", "n % 1400 + 14")),
        ("note", when("n % 11 = 0", "'Wants a call from Lastname' || n")),
        ("return_note", when("n % 23 = 0", "'Page 12 torn, told the borrower ' || n")),
    ];
    let requests = [
        ("user_number", user.clone()),
        ("record_id", format!("n % {items} + 1")),
        ("branch", "'branch ' || (n % 6)".to_owned()),
        ("placed_on", day(backend, "n % 1400")),
        ("status", "'filled'".to_owned()),
        ("closed_on", closed("95, 96", "n % 1400 + 3")),
        ("note", when("n % 7 = 0", "'For the seminar of Lastname' || n")),
        ("cancel_reason", when("n % 19 = 0", "'Has bought it meanwhile'")),
    ];
    let charges = [
        ("user_number", user.clone()),
        ("kind", "'overdue'".to_owned()),
        ("cents", "n % 900 + 10".to_owned()),
        ("charged_on", day(backend, "n % 1400")),
        ("settled_on", closed("97", "n % 1400 + 30")),
        ("note", when("n % 3 = 0", "'Paid in cash by Lastname' || n")),
    ];
    let messages = [
        ("user_number", user.clone()),
        ("kind", "'overdue'".to_owned()),
        ("channel", "'email'".to_owned()),
        ("sent_at", instant(backend)),
        ("recipient", format!("'person.' || ({user}) || '@students.example.org'")),
        ("subject", format!("'Lastname' || ({user}) || ', your loan is due'")),
        ("body", format!("'Dear Lastname' || ({user}) || '{LETTER}'")),
    ];
    let hold_on = day(backend, "0");
    let mut all = vec![fill(items, "catalogue_records", &records), fill(items, "items", &copies)];
    for (count, table, columns) in [
        (library.loans, "loans", &loans[..]),
        (library.requests, "requests", &requests[..]),
        (library.charges, "charges", &charges[..]),
        (library.messages, "messages", &messages[..]),
    ] {
        if count > 0 {
            all.push(fill(count, table, columns));
        }
    }
    all.push(
        "INSERT INTO renewals (loan_id, renewed_on, due_on, note) \
         SELECT id, issued_on, due_on, CASE WHEN id % 13 = 0 THEN 'By phone' END FROM loans WHERE id % 11 = 3"
            .to_owned(),
    );
    all.push(format!(
        "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) \
         SELECT number, 'dispute', {hold_on}, {hold_on} FROM users WHERE number % 100 = 98"
    ));
    all
}

const LETTER: &str = ", the book that you have borrowed is due in three days. You can renew it at the desk, by phone \
                      or on our pages, as long as nobody else waits for it. Thank you for bringing it back in time. \
                      Your library";
