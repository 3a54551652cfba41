//! The engine: preview, start and run, as a page or the command line calls them.

use crate::library;
use crate::phases::Phases;
use policy::RunState;
use records::{Actor, Store, run};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the parts of a run took.
pub struct Took {
    /// Assessing everybody, keeping the verdicts and making the run out of them.
    pub selecting: Duration,
    /// Assessing again, changing, noting and counting, batch by batch, with ledger and commits.
    pub changing: Duration,
    /// Searching for residue.
    pub scanning: Duration,
    /// Making removed values vanish from the files, and the certificate.
    pub ending: Duration,
    /// What the changing consists of.
    pub phases: BTreeMap<String, Duration>,
    /// How many people.
    pub people: i64,
}

/// Anonymises everybody who can be.
pub async fn anonymise(store: &Store, measured: &Phases) -> anyhow::Result<Took> {
    let task = library::add_task(store).await?;
    let started = Instant::now();
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await?;
    let previewed = run::read(store, preview).await?.previewed;
    let id = run::start(store, Actor::COMMAND_LINE, preview, &previewed.to_string()).await?;
    let selecting = started.elapsed();

    measured.take();
    let started = Instant::now();
    let state = run::execute(store, id).await?;
    let all = started.elapsed();
    let mut phases = measured.take();
    let done = run::read(store, id).await?.done;
    anyhow::ensure!(state == RunState::Succeeded && done == previewed, "the run did not do everybody");

    let mut apart = |name: &str| phases.remove(name).unwrap_or_default();
    let (scanning, ending) = (apart("scan"), apart("finish"));
    apart("maintain");
    apart("anonymise");
    phases.retain(|_, took| took.as_millis() > 0);
    let changing = all.saturating_sub(scanning + ending);
    Ok(Took { selecting, changing, scanning, ending, phases, people: done })
}

/// What both sides must leave alike, as counts. A side that changes less would be measured too fast.
pub async fn left(store: &Store) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let checks = [
        ("anonymised users", "users WHERE anonymised_on IS NOT NULL AND replacement IS NOT NULL"),
        ("users with names", "users WHERE last_name IS NOT NULL OR user_id IS NOT NULL OR email IS NOT NULL"),
        ("decades", "users WHERE birth_period LIKE '____s'"),
        ("districts", "users WHERE LENGTH(postcode) BETWEEN 1 AND 5"),
        ("users with a guarantor", "users WHERE guarantor_number IS NOT NULL"),
        ("first days of months", "users WHERE CAST(leaving_on AS TEXT) LIKE '%-01'"),
        ("words", "user_words"),
        ("photos", "photos"),
        ("custom values", "custom_values"),
        ("credentials", "credentials"),
        ("sessions", "sessions"),
        ("notes of loans", "loans WHERE note IS NOT NULL OR return_note IS NOT NULL"),
        ("notes of renewals", "renewals WHERE note IS NOT NULL"),
        ("notes of requests", "requests WHERE note IS NOT NULL OR cancel_reason IS NOT NULL"),
        ("notes of charges", "charges WHERE note IS NOT NULL"),
        ("messages", "messages WHERE recipient IS NOT NULL OR subject IS NOT NULL OR body IS NOT NULL"),
    ];
    let db = store.database();
    let mut left = Vec::new();
    for (words, what) in checks {
        let sql = format!("SELECT COUNT(*) AS n FROM {what}");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        left.push((words, row.map_or(Ok(0), |row| row.try_get("", "n"))?));
    }
    Ok(left)
}
