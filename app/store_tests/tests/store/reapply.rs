//! Newer rules are reapplied to users anonymised under older ones.

use crate::anonymising::run_all;
use crate::support::{add, add_task, dump, execute, five_days, for_each_database, leaver};
use db::entity::{audit_events, users};
use policy::{Field, Policy, RunKind, RunState, Treatment};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use task_centre::run;
use trail::Actor;

#[tokio::test]
async fn reapplying_removes_leftovers_and_keeps_what_the_policy_keeps() {
    for_each_database(async |store| {
        for name in ["One", "Two", "Three"] {
            let born = "1984-05-06".parse().unwrap();
            add(
                &store,
                users::ActiveModel {
                    birth_date: Set(Some(born)),
                    category: Set(Some("STUDENT".to_owned())),
                    ..leaver(name)
                },
            )
            .await;
        }
        let kept = Policy {
            fields: [(Field::BirthDate, Treatment::Year), (Field::Phone, Treatment::Keep)].into(),
            ..five_days()
        };
        let task = add_task(&store, &kept).await;
        assert_eq!(run_all(&store, task).await.1, RunState::Succeeded);
        assert_eq!(run::under_older_rules(&store).await.unwrap(), 0);
        assert!(
            run::start_reapply(&store, Actor::COMMAND_LINE, "0").await.is_err(),
            "there is nothing to do"
        );
        let anonymised =
            users::Entity::find().order_by_asc(users::Column::Number).all(&store.db).await.unwrap();

        // Older rules that ignored streets, notes and search words.
        execute(
            &store,
            "UPDATE users SET rules_version = 0, street = 'canary street', notes = 'canary note', \
             phone = '0170 1' WHERE number <= 2",
        )
        .await;
        execute(&store, "INSERT INTO user_words (word, user_number) VALUES ('canary', 1)").await;
        assert_eq!(run::under_older_rules(&store).await.unwrap(), 2);
        assert!(
            run::start_reapply(&store, Actor::COMMAND_LINE, "3").await.is_err(),
            "the number must be right"
        );
        let started = run::start_reapply(&store, Actor::COMMAND_LINE, "2").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let run = run::read(&store, started).await.unwrap();
        assert_eq!((run.kind, run.previewed, run.done, run.skipped), (RunKind::Reapply, 2, 2, 0));
        assert!(!dump(&store).await.contains("canary"));

        for (before, after) in anonymised
            .iter()
            .zip(users::Entity::find().order_by_asc(users::Column::Number).all(&store.db).await.unwrap())
        {
            let phone = (before.number <= 2).then(|| "0170 1".to_owned());
            let expected = users::Model { phone, version: after.version, ..before.clone() };
            assert_eq!(after, expected, "generalised and kept values stay");
        }
        let events = audit_events::Entity::find()
            .filter(audit_events::Column::RunId.eq(started.0))
            .filter(audit_events::Column::Action.eq("user_anonymised"));
        assert_eq!(events.count(&store.db).await.unwrap(), 2);
        assert_eq!(run::under_older_rules(&store).await.unwrap(), 0);
    })
    .await;
}
