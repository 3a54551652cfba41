//! Rings of guarantors.

use super::{all, form_of, named, save, try_import};
use crate::support::{execute, for_each_database};
use crate::transfer::problems;
use db::RecordsError;
use policy::form::Problem;
use records::user::provision::{self, Membership};
use trail::{Actor, Store};

/// Returns the names of users and guarantors, such as `A-B`.
async fn links(store: &Store) -> Vec<String> {
    let users = all(store).await;
    let name = |number: i64| {
        users.iter().find(|user| user.number == number).and_then(|user| user.last_name.clone()).unwrap()
    };
    let mut links: Vec<String> = users
        .iter()
        .filter_map(|user| Some(format!("{}-{}", name(user.number), name(user.guarantor_number?))))
        .collect();
    links.sort();
    links
}

async fn four(store: &Store) {
    super::import(store, "last_name,user_id\nA,a\nB,b\nC,c\nD,d\n").await;
}

async fn set(store: &Store, user: &str, guarantor: &str) -> Result<(), RecordsError> {
    let mut form = form_of(store, user).await;
    form.guarantor = match guarantor {
        "" => String::new(),
        name => named(store, name).await.number.to_string(),
    };
    save(store, &form).await.map(|_| ())
}

#[tokio::test]
async fn the_form_rejects_rings_of_any_length() {
    for_each_database(async |store| {
        four(&store).await;
        set(&store, "A", "B").await.unwrap();
        set(&store, "B", "C").await.unwrap();
        for user in ["B", "C"] {
            let Err(RecordsError::Invalid(errors)) = set(&store, user, "A").await else { panic!("{user}") };
            assert_eq!(errors.message("guarantor"), Some(Problem::GuarantorRing.to_string()));
        }
        set(&store, "D", "A").await.unwrap();
        assert_eq!(links(&store).await, ["A-B", "B-C", "D-A"]);
    })
    .await;
}

#[tokio::test]
async fn an_old_ring_is_resolved_by_clearing_one_guarantor() {
    for_each_database(async |store| {
        four(&store).await;
        for (user, guarantor) in [("a", "b"), ("b", "c"), ("c", "a")] {
            let of = |key: &str| format!("(SELECT number FROM users WHERE user_id = '{key}')");
            let sql =
                format!("UPDATE users SET guarantor_number = {} WHERE number = {}", of(guarantor), of(user));
            execute(&store, &sql).await;
        }
        // Other fields stay editable, and SCIM keeps the guarantor.
        let mut form = form_of(&store, "A").await;
        form.phone = "1".to_owned();
        save(&store, &form).await.unwrap();
        let user = named(&store, "B").await;
        let id = user.scim_id.unwrap();
        let mut form = form_of(&store, "B").await;
        form.city = "Ayr".to_owned();
        provision::change(&store, Actor::COMMAND_LINE, &id, &form, Membership::Keep).await.unwrap();
        // A user outside the ring can have a guarantor of the ring.
        set(&store, "D", "A").await.unwrap();
        set(&store, "C", "").await.unwrap();
        assert_eq!(links(&store).await, ["A-B", "B-C", "D-A"]);
    })
    .await;
}

#[tokio::test]
async fn a_file_with_a_ring_is_rejected_at_the_line_that_closes_it() {
    let ring = Problem::GuarantorRing.to_string();
    for (lines, expected) in [
        ("A,a,b\nB,b,a", "line 3"),
        ("B,b,a\nA,a,B", "line 3"),
        ("A,a,b\nB,b,c\nC,c,a", "line 4"),
        ("New,n,o\nOther,o,n", "line 3"),
        // D has a guarantor already, from before.
        ("A,a,d", "line 2"),
    ] {
        for_each_database(async |store| {
            four(&store).await;
            set(&store, "D", "A").await.unwrap();
            let content = format!("last_name,user_id,guarantor_user_id\n{lines}\n");
            let found = problems(try_import(&store, &content).await);
            assert_eq!(found, [format!("{expected}, guarantor_user_id: {ring}")], "{lines}");
            assert_eq!(links(&store).await, ["D-A"]);
        })
        .await;
    }
    for_each_database(async |store| {
        four(&store).await;
        set(&store, "A", "B").await.unwrap();
        // The direction is turned around, and the new guarantors form a chain.
        let content = "last_name,user_id,guarantor_user_id\nB,b,a\nA,a,c\nC,c,d\n";
        super::import(&store, content).await;
        assert_eq!(links(&store).await, ["A-C", "B-A", "C-D"]);
    })
    .await;
}
