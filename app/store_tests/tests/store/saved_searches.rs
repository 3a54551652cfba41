//! Saved searches: one's own, and those that others share.

use crate::legal_holds::{staff, staff_actor};
use crate::support::for_each_database;
use db::RecordsError;
use db::pagination::Paging;
use policy::form::Problem;
use policy::{Role, UserNumber};
use records::saved_search::{self, SearchDraft};
use trail::{Actor, Store};

fn draft(name: &str, shared: bool) -> SearchDraft {
    SearchDraft { name: name.to_owned(), shared, text: "ng".to_owned(), ..SearchDraft::default() }
}

async fn librarian(store: &Store, number: i64) -> Actor {
    staff(store, UserNumber(number), Role::Librarian).await;
    staff_actor(UserNumber(number), Role::Librarian)
}

#[tokio::test]
async fn own_searches_are_complete_and_shared_ones_come_page_by_page() {
    for_each_database(async |store| {
        let (ana, ben) = (librarian(&store, 901).await, librarian(&store, 902).await);
        for number in 0..12 {
            saved_search::save(&store, ben, &draft(&format!("Ben {number}"), number != 3)).await.unwrap();
        }
        saved_search::save(&store, ana, &draft("Zebra", false)).await.unwrap();
        saved_search::save(&store, ana, &draft("Öster", true)).await.unwrap();

        let own = saved_search::own(&store, ana).await.unwrap();
        let names: Vec<&str> = own.iter().map(|search| search.name.as_str()).collect();
        assert_eq!(names, ["Öster", "Zebra"], "by name, with those that are not shared");
        assert!(own.iter().all(|search| search.owner.is_none()));

        let mut paging = Paging { rows: Some(4), ..Paging::default() };
        let mut shared = Vec::new();
        loop {
            let page = saved_search::shared(&store, ana, &paging).await.unwrap();
            assert!(page.rows.len() <= 4);
            shared.extend(page.rows);
            paging.after = page.next;
            if paging.after.is_none() {
                break;
            }
        }
        let names: Vec<&str> = shared.iter().map(|search| search.name.as_str()).collect();
        let expected: Vec<String> =
            (0..12).filter(|number| *number != 3).map(|number| format!("Ben {number}")).collect();
        assert_eq!(names, expected);
        assert!(shared.iter().all(|search| search.owner.as_ref().map(|owner| owner.number) == ben.staff));
    })
    .await;
}

#[tokio::test]
async fn two_searches_with_one_name_at_once_are_one() {
    for_each_database(async |store| {
        let ana = librarian(&store, 901).await;
        let [first, second] = [draft("Leavers", false), draft("LEAVERS", true)];
        let (one, two) =
            tokio::join!(saved_search::save(&store, ana, &first), saved_search::save(&store, ana, &second));
        let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert!(
            matches!(&refused[..], [RecordsError::Invalid(errors)] if errors.message("name") == Some(Problem::Taken.to_string())),
            "{refused:?}"
        );
        assert_eq!(saved_search::own(&store, ana).await.unwrap().len(), 1);
    })
    .await;
}
