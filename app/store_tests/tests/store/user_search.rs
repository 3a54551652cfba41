//! User search: the search box, every filter, every order across pages.

use crate::support::{add, add_task, day, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::users;
use db::pagination::Paging;
use policy::user_form::UserForm;
use policy::{Role, UserNumber};
use records::user::{self, RoleFilter, Sort, UserQuery};
use sea_orm::Set;
use task_centre::run;
use trail::{Actor, Store};

async fn found(store: &Store, query: &UserQuery) -> Vec<i64> {
    let page = user::find(store, query, &Paging::default()).await.unwrap();
    assert_eq!(user::count(store, query, 1_000).await.unwrap(), i64::try_from(page.rows.len()).unwrap());
    page.rows.iter().map(|row| row.number.0).collect()
}

async fn by_text(store: &Store, text: &str) -> Vec<i64> {
    found(store, &UserQuery { text: text.to_owned(), ..UserQuery::default() }).await
}

/// Saves a user as the web form does, so that the search words are the same.
async fn saved(store: &Store, form: UserForm) -> i64 {
    user::save(store, Actor::COMMAND_LINE, &form).await.unwrap().0
}

fn named(first: &str, last: &str) -> UserForm {
    UserForm { first_name: first.to_owned(), last_name: last.to_owned(), ..UserForm::default() }
}

#[tokio::test]
async fn the_search_box_folds_case_and_finds_prefixes_and_numbers() {
    for_each_database(async |store| {
        let angstrom = saved(
            &store,
            UserForm {
                user_id: "aa42".to_owned(),
                email: "anders@example.org".to_owned(),
                barcode: "7001".to_owned(),
                preferred_name: "Andy".to_owned(),
                ..named("Anders", "Ångström-O’Brien")
            },
        )
        .await;
        let russian = saved(&store, named("Анна", "Щербакова")).await;
        let chinese = saved(&store, UserForm { barcode: "1".to_owned(), ..named("小明", "王") }).await;
        assert_eq!([angstrom, russian, chinese], [1, 2, 3]);
        for text in [
            "angstrom",
            "ÅNGSTRÖM",
            "ångs",
            "and ang",
            "Ang and",
            "o'brien",
            "O’Brien",
            "angstrom-o'b",
            "andy",
            "aa42",
            "ANDERS@example.org",
            "700",
            "  anders  ",
        ] {
            assert_eq!(by_text(&store, text).await, [1], "{text}");
        }
        assert_eq!(by_text(&store, "щерб анна").await, [2]);
        assert_eq!(by_text(&store, "王").await, [3]);
        // A number is both a user number and a word: the barcode of the third user is the first one's number.
        assert_eq!(by_text(&store, "1").await, [1, 3]);
        assert_eq!(by_text(&store, "2").await, [2]);
        for text in ["nobody", "anders щерб", "ngstrom", "%", "_", "'", "\u{301}", "99999999999999999999"]
        {
            assert_eq!(by_text(&store, text).await, [0; 0], "{text}");
        }
        assert_eq!(by_text(&store, "").await, [1, 2, 3]);
        let nul = UserQuery { text: "a\0".to_owned(), ..UserQuery::default() };
        let refused = user::find(&store, &nul, &Paging::default()).await;
        assert!(matches!(refused, Err(RecordsError::Invalid(errors)) if errors.message("q").is_some()));
    })
    .await;
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    for_each_database(async |store| {
        let plain = || users::ActiveModel { marked_on: Set(None), leaving_on: Set(None), ..leaver("x") };
        let with = |name: &str, user: users::ActiveModel| users::ActiveModel {
            uuid: Set(name.to_owned()),
            user_id: Set(Some(name.to_owned())),
            ..user
        };
        add(&store, with("a", plain())).await;
        add(&store, with("b", users::ActiveModel { category: Set(Some("student".to_owned())), ..plain() }))
            .await;
        add(&store, with("c", users::ActiveModel { department: Set(Some("law".to_owned())), ..plain() }))
            .await;
        add(&store, with("d", users::ActiveModel { branch: Set(Some("main".to_owned())), ..plain() })).await;
        add(&store, with("e", users::ActiveModel { imported: Set(false), ..plain() })).await;
        add(&store, with("f", users::ActiveModel { leaving_on: Set(Some(day("2018-01-10"))), ..plain() }))
            .await;
        add(
            &store,
            with("g", users::ActiveModel { last_activity_on: Set(Some(day("2018-01-10"))), ..plain() }),
        )
        .await;
        add(&store, with("h", users::ActiveModel { marked_on: Set(Some(day("2018-01-10"))), ..plain() }))
            .await;
        add(&store, with("i", users::ActiveModel { anonymised_on: Set(Some(day("2018-01-10"))), ..plain() }))
            .await;
        add(&store, with("j", plain())).await;
        execute(&store, "INSERT INTO user_roles VALUES (10, 'librarian', '2018-01-01')").await;

        let all = UserQuery::default();
        let text = |code: &str| Some(code.to_owned());
        let before = |date: &str| Some(day(date));
        let others = |without: i64| (1..=10).filter(|number| *number != without).collect::<Vec<i64>>();
        for (query, expected) in [
            (all.clone(), (1..=10).collect()),
            (UserQuery { category: text("student"), ..all.clone() }, vec![2]),
            (UserQuery { department: text("law"), ..all.clone() }, vec![3]),
            (UserQuery { branch: text("main"), ..all.clone() }, vec![4]),
            (UserQuery { branch: text("elsewhere"), ..all.clone() }, vec![]),
            (UserQuery { imported: Some(false), ..all.clone() }, vec![5]),
            (UserQuery { imported: Some(true), ..all.clone() }, others(5)),
            (UserQuery { left_before: before("2018-01-11"), ..all.clone() }, vec![6]),
            (UserQuery { left_before: before("2018-01-10"), ..all.clone() }, vec![]),
            (UserQuery { active_before: before("2018-01-11"), ..all.clone() }, vec![7]),
            (UserQuery { active_before: before("2018-01-10"), ..all.clone() }, vec![]),
            (UserQuery { marked: Some(true), ..all.clone() }, vec![8]),
            (UserQuery { marked: Some(false), ..all.clone() }, others(8)),
            (UserQuery { anonymised: Some(true), ..all.clone() }, vec![9]),
            (UserQuery { anonymised: Some(false), ..all.clone() }, others(9)),
            (UserQuery { role: Some(RoleFilter::Any), ..all.clone() }, vec![10]),
            (UserQuery { role: Some(RoleFilter::None), ..all.clone() }, others(10)),
            (UserQuery { role: Some(RoleFilter::One(Role::Librarian)), ..all.clone() }, vec![10]),
            (UserQuery { role: Some(RoleFilter::One(Role::Dpo)), ..all.clone() }, vec![]),
            (UserQuery { category: text("student"), marked: Some(true), ..all.clone() }, vec![]),
        ] {
            assert_eq!(found(&store, &query).await, expected, "{query:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_order_is_the_same_on_one_page_and_on_many() {
    for_each_database(async |store| {
        for number in 1..=23_i64 {
            let some_day = |every: i64| {
                (number % every != 0).then(|| day("2018-01-01") - chrono::Duration::days(number * 7 % 5))
            };
            add(
                &store,
                users::ActiveModel {
                    first_name: Set(None),
                    last_name: Set((number % 4 != 0).then(|| format!("N{}", number * 3 % 7))),
                    leaving_on: Set(some_day(3)),
                    last_activity_on: Set(some_day(5)),
                    ..leaver(&number.to_string())
                },
            )
            .await;
        }
        for sort in Sort::ALL {
            for descending in [false, true] {
                let query = UserQuery { sort, descending, ..UserQuery::default() };
                let whole = user::find(&store, &query, &Paging::default()).await.unwrap();
                assert_eq!((whole.rows.len(), whole.next), (23, None));
                let numbers: Vec<UserNumber> = whole.rows.iter().map(|row| row.number).collect();
                let empty = |row: &user::UserRow| match sort {
                    Sort::Number => false,
                    Sort::Name => row.name == "(no name)",
                    Sort::Leaving => row.leaving_on.is_none(),
                    Sort::Activity => row.last_activity_on.is_none(),
                };
                let first_empty = whole.rows.iter().position(empty).unwrap_or(23);
                assert!(whole.rows[first_empty..].iter().all(empty), "{query:?}: empty values come last");
                for rows in [1, 4, 22] {
                    let mut paging = Paging { rows: Some(rows), ..Paging::default() };
                    let mut paged = Vec::new();
                    loop {
                        let page = user::find(&store, &query, &paging).await.unwrap();
                        paged.extend(page.rows.iter().map(|row| row.number));
                        paging.after = page.next;
                        if paging.after.is_none() {
                            break;
                        }
                    }
                    assert_eq!(paged, numbers, "{query:?} by {rows}");
                    pages_backwards(&store, &query, rows, &numbers).await;
                }
            }
        }
        let by_leaving = UserQuery { sort: Sort::Leaving, descending: true, ..UserQuery::default() };
        let page = user::find(&store, &by_leaving, &Paging::default()).await.unwrap();
        let dates: Vec<_> = page.rows.iter().filter_map(|row| row.leaving_on).collect();
        assert!(dates.is_sorted_by(|a, b| a >= b));
        let nonsense = Paging { after: Some("'; --".to_owned()), ..Paging::default() };
        assert_eq!(user::find(&store, &by_leaving, &nonsense).await.unwrap().rows.len(), 23);
    })
    .await;
}

/// Reads the list from its last page to the first one. Only the first page can have users of the second one, too.
async fn pages_backwards(store: &Store, query: &UserQuery, rows: u64, numbers: &[UserNumber]) {
    let last = numbers.last().unwrap();
    let has_value = match query.sort {
        Sort::Number => true,
        Sort::Name => last.0 % 4 != 0,
        Sort::Leaving => last.0 % 3 != 0,
        Sort::Activity => last.0 % 5 != 0,
    };
    let mut before = Some(format!("{last}{}", if has_value { "" } else { "-" }));
    let mut read: Vec<UserNumber> = vec![*last];
    while let Some(key) = before {
        let paging = Paging { before: Some(key), rows: Some(rows), ..Paging::default() };
        let page = user::find(store, query, &paging).await.unwrap();
        assert_eq!(page.rows.len() as u64, rows, "every page is full");
        assert!(page.next.is_some(), "{query:?}: a page before another one has a next page");
        let known: Vec<UserNumber> = page.rows.iter().map(|row| row.number).collect();
        let fresh = known.iter().take_while(|number| **number != read[0]);
        let fresh: Vec<UserNumber> = fresh.copied().collect();
        assert!(page.previous.is_none() || fresh.len() == known.len());
        read.splice(0..0, fresh);
        before = page.previous;
    }
    assert_eq!(read, numbers, "{query:?} backwards by {rows}");
}

#[tokio::test]
async fn anonymised_users_are_found_by_number_only() {
    for_each_database(async |store| {
        let number = saved(&store, UserForm { user_id: "ng1".to_owned(), ..named("Ana", "Ng") }).await;
        assert_eq!(by_text(&store, "ana ng1").await, [number]);
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(number), "1").await.unwrap();
        for text in ["ana", "ng", "ng1"] {
            assert_eq!(by_text(&store, text).await, [0; 0], "{text}");
        }
        assert_eq!(by_text(&store, "1").await, [number]);
    })
    .await;
}
