//! The order of names: the same on both databases, and kept by everything that writes a name.

use crate::support::{add, add_task, execute, five_days, for_each_database, import_users, leaver};
use db::entity::users;
use db::pagination::Paging;
use policy::UserNumber;
use policy::user_form::UserForm;
use records::user::{self, Sort, UserQuery};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set, Unchanged};
use std::io::Write as _;
use task_centre::run;
use trail::{Actor, Store};

/// Compares the stored order of every user with the user's names.
async fn check(store: &Store, writer: &str) {
    let all = users::Entity::find().order_by_asc(users::Column::Number).all(&store.db).await.unwrap();
    assert!(!all.is_empty());
    for user in all {
        assert_eq!(user.name_order, user.names().key(), "{writer}: user {}", user.number);
    }
}

fn named(first: &str, last: &str) -> UserForm {
    UserForm { first_name: first.to_owned(), last_name: last.to_owned(), ..UserForm::default() }
}

#[tokio::test]
async fn names_are_sorted_as_in_a_dictionary_on_both_databases() {
    let sorted = [
        ("", "Adams"),
        ("Anders", "Ångström"),
        ("Nnamdi", "Azikiwe"),
        ("Zoe", "de"),
        ("Jan", "de Vries"),
        ("James", "Dean"),
        ("Ana", "Đorđević"),
        ("Ann", "mcdonald"),
        ("Ronald", "McDonald"),
        ("Anna", "Müller"),
        ("Bernd", "Muller"),
        ("Ann", "O\u{2019}Brien"),
        ("Niamh", "OBrien"),
        ("Lars", "Øster"),
        ("Ewa", "Żak"),
        ("", "Zoë"),
        ("Анна", "Щербакова"),
        ("小明", "王"),
    ];
    for_each_database(async |store| {
        for (first, last) in sorted.iter().rev() {
            user::save(&store, Actor::COMMAND_LINE, &named(first, last)).await.unwrap();
        }
        for descending in [false, true] {
            let query = UserQuery { sort: Sort::Name, descending, ..UserQuery::default() };
            let page = user::find(&store, &query, &Paging::default()).await.unwrap();
            let mut names: Vec<String> = page.rows.into_iter().map(|row| row.name).collect();
            if descending {
                names.reverse();
            }
            let expected: Vec<String> =
                sorted.iter().map(|(first, last)| format!("{first} {last}").trim().to_owned()).collect();
            assert_eq!(names, expected);
        }
    })
    .await;
}

async fn import(store: &Store, content: &str) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    import_users(store, Actor::COMMAND_LINE, file.path(), false).await.unwrap();
}

#[tokio::test]
async fn every_writer_of_a_name_keeps_the_order() {
    for_each_database(async |store| {
        let number = user::save(&store, Actor::COMMAND_LINE, &named("Ana", "Ng")).await.unwrap();
        check(&store, "create").await;
        let mut form = user::form_of(&user::read(&store, number).await.unwrap());
        form.last_name = "Ångström".to_owned();
        user::save(&store, Actor::COMMAND_LINE, &form).await.unwrap();
        check(&store, "edit").await;
        let row = add(&store, leaver("Row")).await;
        check(&store, "a row").await;
        // An update can write one of the names only.
        let change = users::ActiveModel {
            number: Unchanged(row.number),
            first_name: Set(Some("Zoë".to_owned())),
            ..Default::default()
        };
        change.update(&store.db).await.unwrap();
        check(&store, "a part of a row").await;
        import(&store, "user_id,last_name,first_name\nimp1,de Vries,Jan\nimp2,O'Brien,\n").await;
        check(&store, "import").await;
        import(&store, "user_id,last_name\nimp1,van der Berg\n").await;
        check(&store, "import of a change").await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
        check(&store, "anonymise").await;
        let gone = users::Entity::find_by_id(number.0).one(&store.db).await.unwrap().unwrap();
        assert_eq!(gone.name_order, None);
        // Users without a name come last in both directions.
        execute(&store, &format!("UPDATE users SET version = version + 1 WHERE number = {}", row.number))
            .await;
        for descending in [false, true] {
            let query = UserQuery { sort: Sort::Name, descending, ..UserQuery::default() };
            let page = user::find(&store, &query, &Paging::default()).await.unwrap();
            assert_eq!(page.rows.last().map(|row| row.number), Some(UserNumber(number.0)));
        }
    })
    .await;
}

#[tokio::test]
async fn the_demo_library_keeps_the_order() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 200, 7).await.unwrap();
        check(&store, "demo").await;
    })
    .await;
}
