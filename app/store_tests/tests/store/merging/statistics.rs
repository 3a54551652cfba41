//! Merging changes no number of a report, apart from borrowers who were counted twice.

use super::{count, merge_into};
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use records::report::{Report, ReportForm};
use std::collections::{BTreeMap, BTreeSet};
use trail::Store;

/// The number of generated libraries for each database.
const LIBRARIES: usize = 12;

/// Borrower, branch, year and month of a loan.
type Loan = (i64, usize, i32, u32);

const BRANCHES: [&str; 3] = ["main", "north", "law"];

fn loans() -> impl Strategy<Value = Vec<Loan>> {
    prop::collection::vec((1..=4_i64, 0..BRANCHES.len(), 2015..=2017, 1..=12_u32), 0..40)
}

/// Returns the rows of all reports about loans, requests and charges by branch, category, department and day. Borrowers
/// are left out.
async fn totals(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for report in Report::ALL {
        for by in report.choices().iter().map(|key| key.code()).chain([""]) {
            let form = ReportForm { by: by.to_owned(), ..ReportForm::default() };
            let counted =
                records::report::count(store, report, &form.validate(report).unwrap()).await.unwrap();
            let rows = counted.rows.iter().map(|row| (row.labels.join("|"), row.numbers[0]));
            lines.extend(rows.map(|(label, rows)| format!("{report:?}|{by}|{label}|{rows}")));
        }
    }
    lines
}

/// Returns the distinct borrowers by year, from the loans themselves.
async fn borrowers(store: &Store) -> BTreeMap<i32, i64> {
    let mut by_year = BTreeMap::new();
    for year in 2015..=2017 {
        let sql = format!(
            "SELECT COUNT(DISTINCT user_number) AS n FROM loans WHERE issued_on BETWEEN '{year}-01-01' AND '{year}-12-31'"
        );
        by_year.insert(year, count(store, &sql).await);
    }
    by_year
}

#[tokio::test]
async fn totals_stay_and_only_borrowers_who_were_counted_twice_are_counted_once() {
    for_each_database(async |store| {
        add_task(&store, &five_days()).await;
        let mut runner = TestRunner::deterministic();
        for library in 0..LIBRARIES {
            for table in ["loans", "requests"] {
                execute(&store, &format!("DELETE FROM {table}")).await;
            }
            let mut numbers = Vec::new();
            for name in ["One", "Two", "Three", "Four"] {
                numbers.push(add(&store, leaver(&format!("{name}{library}"))).await.number);
            }
            let loans = loans().new_tree(&mut runner).unwrap().current();
            for (who, branch, year, month) in &loans {
                let (number, branch) = (numbers[usize::try_from(*who - 1).unwrap()], BRANCHES[*branch]);
                for sql in [
                    format!("INSERT INTO loans (user_number, branch, category, department, issued_on, due_on, returned_on) VALUES ({number}, '{branch}', 'c{who}', 'd{month}', '{year}-{month:02}-03', '{year}-{month:02}-20', '{year}-{month:02}-20')"),
                    format!("INSERT INTO requests (user_number, branch, category, placed_on, status, closed_on) VALUES ({number}, '{branch}', 'c{who}', '{year}-{month:02}-03', 'filled', '{year}-{month:02}-04')"),
                ] {
                    execute(&store, &sql).await;
                }
            }
            let both = |year: i32| {
                let of: BTreeSet<i64> = loans
                    .iter()
                    .filter(|(who, _, of, _)| *of == year && *who <= 2)
                    .map(|(who, ..)| *who)
                    .collect();
                i64::from(of.len() == 2)
            };
            let (rows, people) = (totals(&store).await, borrowers(&store).await);
            merge_into(&store, numbers[0], numbers[1]).await.unwrap();
            let after = totals(&store).await;
            let is_of_borrowers = |line: &&String| line.starts_with("ActiveBorrowers");
            let others = |lines: &[String]| -> Vec<String> {
                lines.iter().filter(|line| !is_of_borrowers(line)).cloned().collect()
            };
            assert_eq!(others(&after), others(&rows));
            let expected: BTreeMap<i32, i64> =
                people.iter().map(|(year, count)| (*year, count - both(*year))).collect();
            assert_eq!(borrowers(&store).await, expected, "{loans:?}");
        }
    })
    .await;
}
