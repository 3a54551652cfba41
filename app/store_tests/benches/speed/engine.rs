//! The engine: preview, start and run, as a page or the command line calls them.

use crate::library;
use crate::phases::Phases;
use anyhow::Context as _;
use policy::RunState;
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use task_centre::run;
use trail::{Actor, Store};

/// The durations of the parts of a run.
pub struct Took {
    /// Assessing all users, storing the verdicts and creating the run from them.
    pub selecting: Duration,
    /// Reassessing, changing, recording and counting, batch by batch, with ledger and commits.
    pub changing: Duration,
    /// Searching for residue.
    pub scanning: Duration,
    /// Removing old values from the database files, and the certificate.
    pub ending: Duration,
    /// The phases of the changes.
    pub phases: BTreeMap<String, Duration>,
    /// Number of users.
    pub people: i64,
}

/// Anonymises all eligible users.
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
    anyhow::ensure!(state == RunState::Succeeded && done == previewed, "the run did not anonymise all users");

    // Without these spans, their time would count as the changes.
    let mut apart = |name: &str| phases.remove(name).with_context(|| format!("no span {name} was measured"));
    let (scanning, ending) = (apart("scan")?, apart("finish")?);
    apart("maintain")?;
    apart("anonymise")?;
    phases.retain(|_, took| took.as_millis() > 0);
    let changing = all.saturating_sub(scanning + ending);
    Ok(Took { selecting, changing, scanning, ending, phases, people: done })
}

/// Counts what both sides must leave equal. A side that changes less would seem too fast.
pub async fn left(store: &Store) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let checks = [
        ("anonymised users", "users WHERE anonymised_on IS NOT NULL AND replacement IS NOT NULL"),
        (
            "users with names",
            "users WHERE last_name IS NOT NULL OR name_order IS NOT NULL OR user_id IS NOT NULL OR email IS NOT NULL",
        ),
        ("decades", "users WHERE birth_period LIKE '____s'"),
        ("districts", "users WHERE LENGTH(postcode) BETWEEN 1 AND 5"),
        ("users with a guarantor", "users WHERE guarantor_number IS NOT NULL"),
        ("first days of months", "users WHERE CAST(leaving_on AS TEXT) LIKE '%-01'"),
        ("words", "user_words"),
        ("photos", "photos"),
        ("custom values", "custom_values"),
        ("credentials", "credentials"),
        ("sessions", "sessions"),
        ("suppressed keys", "suppressed_keys"),
        ("notes of loans", "loans WHERE note IS NOT NULL OR return_note IS NOT NULL"),
        ("notes of renewals", "renewals WHERE note IS NOT NULL"),
        ("notes of requests", "requests WHERE note IS NOT NULL OR cancel_reason IS NOT NULL"),
        ("notes of charges", "charges WHERE note IS NOT NULL"),
        ("messages", "messages WHERE recipient IS NOT NULL OR subject IS NOT NULL OR body IS NOT NULL"),
    ];
    let db = &store.db;
    let mut left = Vec::new();
    for (name, what) in checks {
        let sql = format!("SELECT COUNT(*) AS n FROM {what}");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        left.push((name, row.map_or(Ok(0), |row| row.try_get("", "n"))?));
    }
    Ok(left)
}
