//! The demo library: invented but believable data for demonstrations, tests and benchmarks.
//!
//! The same seed, number of users and day give the same library, except for the replacement names of anonymised
//! users. Data is written in blocks, so memory use does not depend on the number of users.

mod addresses;
mod batch;
mod catalogue;
mod circulation;
mod fixed_users;
mod import_task;
mod messages;
mod names;
mod people;
mod person;
mod photo;
mod rng;
mod tasks;
mod vocabularies;

use catalogue::Catalogue;
use db::bulk_insert::insert;
use db::entity::{catalogue_records, catalogue_words, tasks as task_rows, terms, users};
use db::{RecordsError, dialect};
use people::Generator;
use policy::{Action, UserNumber, Verdict};
use records::accounts;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use std::collections::BTreeSet;
use task_centre::run;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The default number of users.
pub const DEFAULT_USERS: u32 = 2_000;
/// The minimum number of users. They include the staff and the fictitious users.
pub const MIN_USERS: u32 = 50;
/// The maximum number of users.
pub const MAX_USERS: u32 = 1_000_000;

/// The number of catalogue rows written in one transaction.
const CATALOGUE_BLOCK: i64 = 2_000;

/// The counts of a new demo library.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct DemoSummary {
    /// The seed.
    pub seed: u64,
    /// The number of users.
    pub users: u64,
    /// The number of users with a role.
    pub staff: u64,
    /// The number of fictitious users.
    pub fictitious: u64,
    /// The number of anonymised users.
    pub anonymised: u64,
    /// The number of catalogue records.
    pub catalogue_records: u64,
    /// The number of items.
    pub items: u64,
    /// The number of loans.
    pub loans: u64,
    /// The number of requests.
    pub requests: u64,
    /// The number of charges and credits.
    pub charges: u64,
    /// The number of messages.
    pub messages: u64,
    /// The number of tasks.
    pub tasks: u64,
}

/// The password of all staff of a demo library. It is public, because a demo library contains no real person.
pub use identity::staff::DEMO_PASSWORD as PASSWORD;

/// Fills an empty database with a demo library.
pub async fn fill(store: &Store, actor: Actor, users: u32, seed: u64) -> Result<DemoSummary, RecordsError> {
    actor.require(Action::Administer)?;
    if !(MIN_USERS..=MAX_USERS).contains(&users) {
        return Err(RecordsError::Refused(format!(
            "A demo library has from {MIN_USERS} to {MAX_USERS} users. Nothing has been written"
        )));
    }
    let today = store.clock.today();
    let catalogue = Catalogue::for_users(users, seed, today);
    let mut maker = Generator::new(users, seed, today, catalogue);
    let mut summary = DemoSummary { seed, users: users.into(), ..DemoSummary::default() };

    let tx = store.begin().await?;
    refuse_unless_empty(&tx).await?;
    let folder = import_task::create_folder(&store.settings.imports)?;
    insert(&tx, vocabularies::terms()).await?;
    insert(&tx, vocabularies::custom_fields()).await?;
    let tasks = tasks::tasks(store.clock);
    summary.tasks = tasks.len() as u64;
    insert(&tx, tasks).await?;
    let (mut batch, roles) = maker.first_block();
    summary.staff = maker.staff;
    let accounts: BTreeSet<i64> = roles.iter().map(|role| *role.user_number.as_ref()).collect();
    summary.fictitious = maker.fictitious;
    summary.count(&batch);
    batch.write_users(&tx).await?;
    insert(&tx, roles).await?;
    let detail = format!("demo,users={users},seed={seed}");
    audit::record_event(&tx, &store.clock, actor, AuditAction::Imported, Subject::Library, None, &detail)
        .await?;
    store.commit(tx).await?;
    for number in accounts {
        accounts::set_demo_password(store, actor, UserNumber(number), PASSWORD).await?;
    }

    write_catalogue(store, &catalogue).await?;
    summary.catalogue_records = catalogue.records.unsigned_abs();
    summary.items = catalogue.items.unsigned_abs();
    let tx = store.begin().await?;
    batch.write_activity(&tx).await?;
    store.commit(tx).await?;
    // Done early, because every single run cleans the files of the whole database.
    summary.anonymised = anonymise_some(store, actor, users).await?;
    run::background_scans().await;
    while let Some(mut batch) = maker.next_block() {
        summary.count(&batch);
        let tx = store.begin().await?;
        batch.write_users(&tx).await?;
        batch.write_activity(&tx).await?;
        store.commit(tx).await?;
    }
    for (table, key) in [("users", "number"), ("loans", "id"), ("catalogue_records", "id"), ("items", "id")] {
        dialect::restart_keys(&store.db, table, key).await?;
    }
    import_task::write_sample(&store.db, &folder).await?;
    Ok(summary)
}

impl DemoSummary {
    fn count(&mut self, batch: &batch::Batch) {
        self.loans += batch.loans.len() as u64;
        self.requests += batch.requests.len() as u64;
        self.charges += batch.charges.len() as u64;
        self.messages += batch.messages.len() as u64;
    }
}

async fn refuse_unless_empty(db: &impl ConnectionTrait) -> Result<(), RecordsError> {
    let used = users::Entity::find().limit(1).one(db).await?.is_some()
        || task_rows::Entity::find().limit(1).one(db).await?.is_some()
        || terms::Entity::find().limit(1).one(db).await?.is_some()
        || catalogue_records::Entity::find().limit(1).one(db).await?.is_some();
    if used {
        return Err(RecordsError::Refused(
            "The database is not empty. A demo library is only written into an empty database, so that it never \
             mixes with real users. Nothing was written"
                .to_owned(),
        ));
    }
    Ok(())
}

async fn write_catalogue(store: &Store, catalogue: &Catalogue) -> Result<(), RecordsError> {
    let mut first = 1;
    while first <= catalogue.items {
        let tx = store.begin().await?;
        let end = (first + CATALOGUE_BLOCK).min(catalogue.items + 1);
        // The block of records covers at least the block of items.
        let written = if first == 1 { 0 } else { Catalogue::record_of(first - 1) };
        let records = written + 1..=Catalogue::record_of(end - 1);
        let records: Vec<_> = records.map(|id| catalogue.record(id)).collect();
        let words = records
            .iter()
            .flat_map(|one| catalogue_words::Model::for_record(one.id, &one.title, one.author.as_deref()));
        let words: Vec<_> = words.collect();
        insert(&tx, records).await?;
        insert(&tx, words).await?;
        insert(&tx, (first..end).map(|id| catalogue.item(id))).await?;
        store.commit(tx).await?;
        first = end;
    }
    Ok(())
}

/// Anonymises a few users who left long ago and are not blocked, as staff would on their records.
async fn anonymise_some(store: &Store, actor: Actor, users: u32) -> Result<u64, RecordsError> {
    let wanted = u64::from((users / 150).clamp(1, 12));
    let long_ago = store.clock.today() - chrono::Duration::days(400);
    let left: Vec<i64> = users::Entity::find()
        .select_only()
        .column(users::Column::Number)
        .filter(users::Column::LeavingOn.lt(long_ago))
        .order_by_asc(users::Column::Number)
        .limit(200)
        .into_tuple()
        .all(&store.db)
        .await?;
    let mut done = 0;
    for number in left.into_iter().map(UserNumber) {
        if done == wanted {
            break;
        }
        if run::plan_for_one(store, number).await?.verdict == Verdict::Eligible {
            run::anonymise_one(store, actor, number, &number.to_string()).await?;
            done += 1;
        }
    }
    Ok(done)
}
