//! Which line belongs to which row, where several rows have the same description.

use super::{KINDS, counts, day, ends, import};
use crate::support::{add, dump_records, execute, for_each_database, import_loans, leaver};
use crate::transfer::{file, problems};
use policy::import_profile::FileKind;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use trail::{Actor, Store};

/// Returns the columns of a kind, and a line that has the same description as every other one with its end.
fn equal(kind: FileKind) -> (&'static str, impl Fn(&str) -> String) {
    let (columns, start) = match kind {
        FileKind::Requests => ("user_id,title,branch,placed_on,closed_on", "Ng-id,Emma,main,2017-03-01,"),
        _ => ("user_id,kind,amount,charged_on,settled_on", "Ng-id,fine,2.50,2017-03-01,"),
    };
    (columns, move |end| format!("{start}{end}\n"))
}

#[tokio::test]
async fn the_order_of_equal_lines_does_not_matter() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        for kind in [FileKind::Requests, FileKind::Charges] {
            let (columns, line) = equal(kind);
            let file = |ends: &[&str]| {
                format!("{columns}\n{}", ends.iter().map(|end| line(end)).collect::<String>())
            };
            let (closed, later) = ("2017-04-01", "2017-05-01");
            assert_eq!(counts(&import(&store, kind, &file(&[closed, "", ""])).await), [3, 0, 0, 0, 0]);
            for same in [["", closed, ""], ["", "", closed]] {
                assert_eq!(counts(&import(&store, kind, &file(&same)).await), [0, 0, 3, 0, 0], "{same:?}");
            }
            assert_eq!(ends(&store, kind).await, [day(closed), None, None]);
            assert_eq!(counts(&import(&store, kind, &file(&["", later, closed])).await), [0, 1, 2, 0, 0]);
            let mut found = ends(&store, kind).await;
            found.sort_unstable();
            assert_eq!(found, [None, day(closed), day(later)]);
            assert_eq!(counts(&import(&store, kind, &file(&[later, closed, "", ""])).await), [1, 0, 3, 0, 0]);
        }
    })
    .await;
}

/// More lines than one chunk, and more comparisons than an import makes.
#[tokio::test]
async fn thousands_of_equal_lines_change_nothing_when_they_come_again() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let (columns, line) = equal(FileKind::Charges);
        let file = format!("{columns}\n{}{}", line("2017-04-01"), line("").repeat(2_499));
        assert_eq!(counts(&import(&store, FileKind::Charges, &file).await), [2_500, 0, 0, 0, 0]);
        assert_eq!(counts(&import(&store, FileKind::Charges, &file).await), [0, 0, 2_500, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_item_can_be_lent_again_on_the_day_of_its_return() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let columns = KINDS[0].1;
        let loan = |end: &str| format!("Ng-id,I1,main,2017-12-01,2018-01-01,{end},\n");
        let file =
            |ends: &[&str]| format!("{columns}\n{}", ends.iter().map(|end| loan(end)).collect::<String>());
        let (same_day, later) = ("2017-12-01", "2017-12-20");
        assert_eq!(counts(&import(&store, FileKind::Loans, &file(&[""])).await), [1, 0, 0, 0, 0]);
        // The first loan was returned, and the item was lent again.
        let again = file(&[same_day, ""]);
        assert_eq!(counts(&import(&store, FileKind::Loans, &again).await), [1, 0, 1, 0, 0]);
        let before = dump_records(&store).await;
        for same in [again, file(&["", same_day])] {
            assert_eq!(counts(&import(&store, FileKind::Loans, &same).await), [0, 0, 2, 0, 0]);
        }
        // Two loans can't both last.
        for wrong in [["", ""], [later, ""], ["", later], [later, later]] {
            let done = import(&store, FileKind::Loans, &file(&wrong)).await;
            assert_eq!(done.rejected, 1, "{wrong:?}");
            if wrong == ["", ""] {
                assert_eq!(dump_records(&store).await, before);
            }
        }
        let mut found = ends(&store, FileKind::Loans).await;
        found.sort_unstable();
        assert_eq!(found, [day(same_day), day(later)]);
        // A third loan, which was returned on that day, too.
        let third = file(&[same_day, later, same_day]);
        assert_eq!(counts(&import(&store, FileKind::Loans, &third).await), [1, 0, 2, 0, 0]);
    })
    .await;
}

/// A second loan is found in any chunk of a file, whether the first one is new or not.
#[tokio::test]
async fn a_second_loan_is_found_far_below_the_first() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let columns = KINDS[0].1;
        let others: String = (10..3_000).map(|at| super::line(FileKind::Loans, at, ("", ""))).collect();
        let loan = super::line(FileKind::Loans, 1, ("", ""));
        let file = format!("{columns}\n{loan}{others}{loan}");
        assert_eq!(counts(&import(&store, FileKind::Loans, &file).await), [2_991, 0, 0, 0, 1]);
        assert_eq!(counts(&import(&store, FileKind::Loans, &file).await), [0, 0, 2_991, 0, 1]);
        execute(&store, "DELETE FROM loans WHERE id % 2 = 0").await;
        let returned = super::line(FileKind::Loans, 1, ("2017-12-01", ""));
        let file = format!("{columns}\n{returned}{others}{loan}");
        let done = import(&store, FileKind::Loans, &file).await;
        assert_eq!((done.lines, done.rejected), (2_992, 0));
    })
    .await;
}

/// The first import fills the table without its indexes, until so many lines wait for them that it creates them early.
#[tokio::test]
async fn the_first_import_keeps_the_indexes_and_counts_repeated_loans() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let columns = KINDS[0].1;
        let before = indexes(&store).await;
        assert!(before.len() > 3, "{before:?}");
        let twice = super::line(FileKind::Loans, 1, ("", "")).repeat(2);
        let wrong = file(format!("{columns}\n{twice}"));
        let rejected = import_loans(&store, Actor::COMMAND_LINE, wrong.path(), false).await;
        assert_eq!(problems(rejected).len(), 1);
        assert_eq!(indexes(&store).await, before, "after a rejected file");
        // Another line for each loan that was returned on its day, and more of them than may wait.
        let on = |day: usize| format!("Ng-id,I1,main,2017-12-0{day},2018-01-01,2017-12-0{day},\n");
        let returned: String = (0..12_500).map(|at| on(1 + at % 9)).collect();
        let others: String = (10..2_000).map(|at| super::line(FileKind::Loans, at, ("", ""))).collect();
        let file = format!("{columns}\n{returned}{others}");
        assert_eq!(counts(&import(&store, FileKind::Loans, &file).await), [14_490, 0, 0, 0, 0]);
        assert_eq!(indexes(&store).await, before, "after the import");
        assert_eq!(counts(&import(&store, FileKind::Loans, &file).await), [0, 0, 14_490, 0, 0]);
    })
    .await;
}

/// Returns the names of the indexes of loans.
async fn indexes(store: &Store) -> Vec<String> {
    let backend = store.db.get_database_backend();
    let names = match backend {
        DatabaseBackend::Postgres => {
            "SELECT indexname AS name FROM pg_indexes WHERE tablename = 'loans' ORDER BY 1"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'loans' ORDER BY 1",
    };
    let rows = store.db.query_all_raw(Statement::from_string(backend, names)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}
