//! Servers whose clocks differ: a server with a wrong clock reports it and starts no scheduled run.

use crate::support::{add_task, execute, five_days, for_each_database};
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use db::Clock;
use operations::health::{self, ConditionKind};
use operations::heartbeat;
use sea_orm::DatabaseBackend;
use task_centre::schedule;
use trail::Store;

fn clock_ahead(ahead: TimeDelta) -> Clock {
    Clock::new(Tz::Europe__London).ahead(ahead)
}

async fn skew(store: &Store) -> Option<i64> {
    let conditions = health::read(store).await.unwrap().conditions;
    conditions.iter().find_map(|one| match one.what {
        ConditionKind::ClockDiffers { seconds } => Some(seconds),
        _ => None,
    })
}

/// Adds a task that is due once, in half an hour.
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
    db::entity::runs::Entity::find().count(&store.db).await.unwrap()
}

#[tokio::test]
async fn a_server_with_a_wrong_clock_starts_nothing_and_reports_it() {
    for_each_database(async |store| {
        let right = store.as_another_process(clock_ahead(TimeDelta::zero()));
        due_soon(&right).await;
        heartbeat::beat(&right).await;
        for ahead in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
            let wrong = store.as_another_process(clock_ahead(ahead));
            heartbeat::beat(&wrong).await;
            assert!(!wrong.vitals.skew().lets_schedule(), "the difference is unknown or too large: {ahead}");
            assert_eq!(schedule::tick(&wrong).await.unwrap(), []);
            for _ in 0..2 {
                tokio::time::sleep(std::time::Duration::from_millis(600)).await;
                heartbeat::beat(&right).await;
                heartbeat::beat(&wrong).await;
            }
            assert!(!wrong.vitals.skew().lets_schedule(), "{ahead}");
            let reported = skew(&wrong).await.expect("a condition");
            assert!((reported - ahead.num_seconds()).abs() <= 10, "{reported} {ahead}");
            assert_eq!(schedule::tick(&wrong).await.unwrap(), []);
            assert_eq!(runs(&store).await, 0, "the run is neither started nor missed");
            // PostgreSQL has its own clock. With one SQLite file, neither server can tell which clock is right.
            let postgres = store.db.get_database_backend() == DatabaseBackend::Postgres;
            assert_eq!(right.vitals.skew().lets_schedule(), postgres, "{ahead}");
            assert!(postgres || skew(&right).await.is_some());
            execute(&store, "DELETE FROM servers WHERE id > 1").await;
        }
        // The server with the wrong clock has stopped.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        heartbeat::beat(&right).await;
        assert!(right.vitals.skew().lets_schedule());
        execute(&store, &format!("UPDATE tasks SET next_due_at = '{}'", Utc::now().to_rfc3339())).await;
        assert_eq!(schedule::tick(&right).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_a_clock_difference_of_many_seconds_is_reported() {
    for_each_database(async |store| {
        let postgres = store.db.get_database_backend() == DatabaseBackend::Postgres;
        let right = store.as_another_process(clock_ahead(TimeDelta::zero()));
        heartbeat::beat(&right).await;
        assert_eq!(skew(&right).await, None);
        for (ahead, is_reported) in [(3, false), (20, true)] {
            let off = store.as_another_process(clock_ahead(TimeDelta::seconds(ahead)));
            for _ in 0..2 {
                heartbeat::beat(&off).await;
                tokio::time::sleep(std::time::Duration::from_millis(600)).await;
                heartbeat::beat(&right).await;
            }
            heartbeat::beat(&off).await;
            assert_eq!(skew(&off).await.is_some(), is_reported, "{ahead}");
            assert!(off.vitals.skew().lets_schedule(), "a difference of seconds stops nothing");
            if !postgres {
                assert_eq!(skew(&right).await.is_some(), is_reported, "the other server reports it too");
            }
            execute(&store, "DELETE FROM servers WHERE id > 1").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_in_the_future_means_that_the_clock_was_set_back() {
    for_each_database(async |store| {
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        let ahead = Utc::now() + TimeDelta::minutes(20);
        execute(
            &store,
            &format!("INSERT INTO servers (beats, seen_at) VALUES (7, '{}')", ahead.to_rfc3339()),
        )
        .await;
        let server = store.as_another_process(clock_ahead(TimeDelta::zero()));
        heartbeat::beat(&server).await;
        assert!(!server.vitals.skew().lets_schedule());
        assert!(skew(&server).await.is_some_and(|seconds| seconds < -1_000), "{:?}", skew(&server).await);
    })
    .await;
}
