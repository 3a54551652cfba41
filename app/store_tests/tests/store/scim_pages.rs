//! The pages of users that an identity system reads.

use crate::support::{add, execute, for_each_database, leaver};
use db::entity::users;
use records::user::provision::{self, UserCondition};
use sea_orm::Set;
use trail::{Actor, Store};

/// Returns the last names on a page, and the number of all users.
async fn page(store: &Store, condition: &UserCondition, position: (u64, u64)) -> (u64, String) {
    let (total, found) = provision::find(store, Actor::COMMAND_LINE, condition, position).await.unwrap();
    let names: Vec<String> = found.into_iter().map(|user| user.form.last_name).collect();
    (total, names.join(""))
}

#[tokio::test]
async fn a_following_page_begins_after_the_last_user_of_the_page_before() {
    for_each_database(async |store| {
        for name in ["A", "B", "C", "D", "E", "F"] {
            add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver(name) }).await;
        }
        let all = UserCondition::none();
        assert_eq!(page(&store, &all, (0, 2)).await, (6, "AB".to_owned()));
        execute(&store, "UPDATE users SET fictitious = TRUE WHERE last_name = 'A'").await;
        assert_eq!(page(&store, &UserCondition::Active, (2, 2)).await, (5, "DE".to_owned()), "another list");
        assert_eq!(page(&store, &all, (2, 2)).await, (5, "CD".to_owned()), "no user is skipped");
        execute(&store, "UPDATE users SET fictitious = TRUE WHERE last_name = 'B'").await;
        assert_eq!(page(&store, &all, (4, 2)).await, (4, "EF".to_owned()), "beyond the number of users");
        assert_eq!(page(&store, &all, (6, 2)).await, (4, String::new()));
        // A process that has not seen the page before counts positions.
        let other = store.as_another_process(store.clock);
        assert_eq!(page(&other, &all, (2, 2)).await, (4, "EF".to_owned()));
        assert_eq!(page(&other, &all, (u64::MAX, 2)).await, (4, String::new()));
        assert_eq!(page(&store, &all, (0, 9)).await, (4, "CDEF".to_owned()));
    })
    .await;
}
