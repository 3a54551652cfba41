//! Servers whose clocks differ: one that is wrong says so and starts nothing.

use crate::support::{add_task, execute, five_days, for_each_database};
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use records::health::{self, ConditionKind};
use records::{Clock, Store, schedule, vitals};
use sea_orm::DatabaseBackend;

fn of_computer(ahead: TimeDelta) -> Clock {
    Clock::new(Tz::Europe__London).ahead(ahead)
}

async fn skew(store: &Store) -> Option<i64> {
    let told = health::read(store).await.unwrap().conditions;
    told.iter().find_map(|one| match one.what {
        ConditionKind::ClockDiffers { seconds } => Some(seconds),
        _ => None,
    })
}

/// A task that comes due in half an hour, once.
async fn due_soon(store: &Store) {
    let task = add_task(store, &five_days()).await;
    let at = Utc::now() + TimeDelta::minutes(30);
    let schedule = format!(
        r#"{{"kind":"once","at":"{}"}}"#,
        at.with_timezone(&Tz::Europe__London).naive_local().format("%Y-%m-%dT%H:%M:%S")
    );
    let at = at.to_rfc3339();
    execute(
        store,
        &format!("UPDATE tasks SET schedule = '{schedule}', next_due_at = '{at}' WHERE id = {}", task.0),
    )
    .await;
}

async fn runs(store: &Store) -> u64 {
    use sea_orm::{EntityTrait, PaginatorTrait};
    records::entity::runs::Entity::find().count(store.database()).await.unwrap()
}

#[tokio::test]
async fn a_server_whose_clock_is_an_hour_off_starts_nothing_and_says_so() {
    for_each_database(async |store| {
        let right = store.as_another_process(of_computer(TimeDelta::zero()));
        due_soon(&right).await;
        vitals::beat(&right).await;
        for ahead in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
            let wrong = store.as_another_process(of_computer(ahead));
            vitals::beat(&wrong).await;
            assert!(!wrong.vitals().skew().lets_schedule(), "nothing is known yet, or it is off: {ahead}");
            assert_eq!(schedule::tick(&wrong).await.unwrap(), []);
            for _ in 0..2 {
                tokio::time::sleep(std::time::Duration::from_millis(600)).await;
                vitals::beat(&right).await;
                vitals::beat(&wrong).await;
            }
            assert!(!wrong.vitals().skew().lets_schedule(), "{ahead}");
            let told = skew(&wrong).await.expect("a condition");
            assert!((told - ahead.num_seconds()).abs() <= 10, "{told} {ahead}");
            assert_eq!(schedule::tick(&wrong).await.unwrap(), []);
            assert_eq!(runs(&store).await, 0, "neither started nor missed");
            // PostgreSQL has a clock of its own. On one SQLite file neither computer can tell which is right.
            let postgres = store.database().get_database_backend() == DatabaseBackend::Postgres;
            assert_eq!(right.vitals().skew().lets_schedule(), postgres, "{ahead}");
            assert!(postgres || skew(&right).await.is_some());
            execute(&store, "DELETE FROM servers WHERE id > 1").await;
        }
        // The wrong one is gone.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        vitals::beat(&right).await;
        assert!(right.vitals().skew().lets_schedule());
        execute(&store, &format!("UPDATE tasks SET next_due_at = '{}'", Utc::now().to_rfc3339())).await;
        assert_eq!(schedule::tick(&right).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn seconds_are_reported_and_less_is_not() {
    for_each_database(async |store| {
        let postgres = store.database().get_database_backend() == DatabaseBackend::Postgres;
        let right = store.as_another_process(of_computer(TimeDelta::zero()));
        vitals::beat(&right).await;
        assert_eq!(skew(&right).await, None);
        for (ahead, is_told) in [(3, false), (20, true)] {
            let off = store.as_another_process(of_computer(TimeDelta::seconds(ahead)));
            for _ in 0..2 {
                vitals::beat(&off).await;
                tokio::time::sleep(std::time::Duration::from_millis(600)).await;
                vitals::beat(&right).await;
            }
            vitals::beat(&off).await;
            assert_eq!(skew(&off).await.is_some(), is_told, "{ahead}");
            assert!(off.vitals().skew().lets_schedule(), "seconds are no reason to stop");
            if !postgres {
                assert_eq!(skew(&right).await.is_some(), is_told, "the other one says so, too");
            }
            execute(&store, "DELETE FROM servers WHERE id > 1").await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_instant_in_the_future_means_that_the_clock_was_put_back() {
    for_each_database(async |store| {
        if store.database().get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        let ahead = Utc::now() + TimeDelta::minutes(20);
        execute(
            &store,
            &format!("INSERT INTO servers (beats, seen_at) VALUES (7, '{}')", ahead.to_rfc3339()),
        )
        .await;
        let server = store.as_another_process(of_computer(TimeDelta::zero()));
        vitals::beat(&server).await;
        assert!(!server.vitals().skew().lets_schedule());
        assert!(skew(&server).await.is_some_and(|seconds| seconds < -1_000), "{:?}", skew(&server).await);
    })
    .await;
}
