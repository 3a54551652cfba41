//! Ended sessions and links are deleted, and nothing else is.

use super::support::{add, for_each_database, leaver};
use chrono::{Duration, SubsecRound as _};
use db::Clock;
use db::entity::{account_notices, code_budgets, credentials, sessions};
use identity::session;
use policy::account::{NoticeKind, StoredStage};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};

#[tokio::test]
async fn ended_sessions_are_deleted_and_active_ones_stay() {
    for_each_database(async |store| {
        let user = add(&store, leaver("Ng")).await.number;
        let now = Clock::system_now().trunc_subsecs(6);
        let ago = |minutes: i64| now - Duration::minutes(minutes);
        let db = &store.db;
        // There are more ended sessions than fit into one batch.
        let of_age = [(30, 25), (30, 130), (620, 30), (680, 30), (60 * 24 * 900, 60 * 24 * 900)];
        for number in 0..1_200 {
            let (created, seen) = of_age[number % of_age.len()];
            sessions::ActiveModel {
                id_hash: Set(format!("{number}-{created}-{seen}")),
                user_number: Set(user),
                created_at: Set(ago(created)),
                last_seen_at: Set(ago(seen)),
                stage: Set(StoredStage::Complete),
                signed_in_at: Set(ago(created)),
                ..Default::default()
            }
            .insert(db)
            .await
            .unwrap();
        }
        for (kind, created, expires) in [
            ("password", 60 * 24 * 900, None),
            ("totp", 60 * 24 * 900, None),
            ("invitation", 30, Some(-60)),
            ("invitation", 60 * 48, Some(60 * 24)),
            ("totp_to_confirm", 10, None),
            ("totp_to_confirm", 90, None),
        ] {
            credentials::ActiveModel {
                user_number: Set(user),
                kind: Set(kind.to_owned()),
                secret: Set("hash".to_owned()),
                created_at: Set(ago(created)),
                expires_at: Set(expires.map(ago)),
                ..Default::default()
            }
            .insert(db)
            .await
            .unwrap();
        }
        for (id, spent) in [("new", -5), ("old", 61)] {
            let row = code_budgets::ActiveModel {
                id_hash: Set(id.to_owned()),
                user_number: Set(user),
                spent_until: Set(ago(spent)),
            };
            row.insert(db).await.unwrap();
        }
        for days in [1, 89, 91] {
            account_notices::ActiveModel {
                user_number: Set(user),
                kind: Set(NoticeKind::PasswordSet),
                first_at: Set(now - Duration::days(days)),
                last_at: Set(now - Duration::days(days)),
                times: Set(1),
                ..Default::default()
            }
            .insert(db)
            .await
            .unwrap();
        }

        // A request may still find two of five sessions. They last 20 minutes without a request and ten hours at
        // most, with an hour of grace.
        assert_eq!(session::purge(&store).await.unwrap(), 720 + 2 + 1 + 1);
        let left = sessions::Entity::find().all(db).await.unwrap();
        assert_eq!(left.len(), 480);
        assert!(left.iter().all(|row| row.last_seen_at > ago(81) && row.created_at > ago(661)));
        let mut kinds: Vec<String> =
            credentials::Entity::find().all(db).await.unwrap().into_iter().map(|row| row.kind).collect();
        kinds.sort();
        assert_eq!(kinds, ["invitation", "password", "totp", "totp_to_confirm"]);
        let budgets = code_budgets::Entity::find().all(db).await.unwrap();
        assert_eq!(budgets.iter().map(|row| row.id_hash.as_str()).collect::<Vec<_>>(), ["new"]);
        assert_eq!(account_notices::Entity::find().all(db).await.unwrap().len(), 2);
        assert_eq!(session::purge(&store).await.unwrap(), 0);
    })
    .await;
}
