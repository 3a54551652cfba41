//! Reports: exact numbers for a small library, and the same numbers after its borrowers are anonymised.

use crate::anonymising::run_all;
use crate::canary::{library, removes_everything};
use crate::support::{add, add_task, day, execute, five_days, for_each_database, leaver};
use db::entity::{loans, requests, users};
use policy::{NoteTreatment, UserNumber};
use records::report::{Counted, Report, ReportForm, count};
use sea_orm::{ActiveModelTrait, Set};
use task_centre::run;
use trail::{Actor, Store};

/// Borrower, branch, category and department at the time, date of issue.
type Loan = (i64, &'static str, Option<&'static str>, Option<&'static str>, &'static str);

const LOANS: [Loan; 8] = [
    (1, "main", Some("student"), Some("law"), "2016-12-31"),
    (1, "main", Some("student"), Some("law"), "2017-01-01"),
    (1, "north", Some("staff"), Some("law"), "2017-01-31"),
    (2, "main", Some("student"), Some("law"), "2017-02-01"),
    (2, "main", Some("student"), None, "2017-02-28"),
    (3, "north", None, None, "2017-05-15"),
    (4, "north", Some("=student"), Some("arts"), "2017-05-15"),
    (4, "main", Some("=student"), Some("arts"), "2018-01-10"),
];

/// Requester, branch, category, date placed.
const REQUESTS: [(i64, &str, &str, &str); 4] = [
    (1, "main", "student", "2017-01-01"),
    (1, "main", "student", "2017-03-01"),
    (2, "main", "student", "2017-03-01"),
    (4, "north", "staff", "2018-01-01"),
];

/// Adds three leavers and a user who stays, with their loans and requests.
async fn small_library(store: &Store) {
    for name in ["Ng", "Ny", "Nu"] {
        add(store, leaver(name)).await;
    }
    add(store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
    execute(
        store,
        "INSERT INTO terms (kind, code, name) VALUES ('branch', 'main', 'Main library'), \
         ('category', 'student', 'Student'), ('department', 'student', 'Not this one')",
    )
    .await;
    for (user, branch, category, department, issued) in LOANS {
        let loan = loans::ActiveModel {
            user_number: Set(user),
            branch: Set(branch.to_owned()),
            category: Set(category.map(str::to_owned)),
            department: Set(department.map(str::to_owned)),
            issued_on: Set(day(issued)),
            due_on: Set(day("2018-01-20")),
            returned_on: Set(Some(day("2018-01-20"))),
            note: Set(Some("call back".to_owned())),
            ..Default::default()
        };
        loan.insert(&store.db).await.unwrap();
    }
    for (user, branch, category, placed) in REQUESTS {
        let request = requests::ActiveModel {
            user_number: Set(user),
            branch: Set(branch.to_owned()),
            category: Set(Some(category.to_owned())),
            placed_on: Set(day(placed)),
            status: Set("filled".to_owned()),
            closed_on: Set(Some(day("2018-01-20"))),
            ..Default::default()
        };
        request.insert(&store.db).await.unwrap();
    }
}

async fn counted(store: &Store, report: Report, from: &str, to: &str, by: &str) -> Counted {
    let form = ReportForm { from: from.to_owned(), to: to.to_owned(), by: by.to_owned() };
    count(store, report, &form.validate(report).unwrap()).await.unwrap()
}

/// Returns the rows of a report as lines: `Jan 2017|2|1`.
async fn lines(store: &Store, report: Report, from: &str, to: &str, by: &str) -> Vec<String> {
    let counted = counted(store, report, from, to, by).await;
    let rows = counted.rows.iter().map(|row| (row.labels.join("|"), row.numbers));
    rows.chain([("total".to_owned(), counted.total)])
        .map(|(label, [a, b])| format!("{label}|{a}|{b}"))
        .collect()
}

/// Returns every report with every grouping, with and without a period.
async fn everything(store: &Store) -> Vec<Counted> {
    let mut all = Vec::new();
    for report in Report::ALL {
        for by in report.choices().iter().map(|key| key.code()).chain([""]) {
            for (from, to) in [("", ""), ("2017-01-01", "2017-12-31"), ("2017-02-01", ""), ("", "2017-02-01")]
            {
                all.push(counted(store, report, from, to, by).await);
            }
        }
    }
    all
}

#[tokio::test]
async fn every_number_is_exact() {
    for_each_database(async |store| {
        small_library(&store).await;
        let month = Report::LoansPerMonth;
        assert_eq!(
            lines(&store, month, "", "", "").await,
            [
                "Dec 2016|1|1",
                "Jan 2017|2|1",
                "Feb 2017|2|1",
                "Mar 2017|0|0",
                "Apr 2017|0|0",
                "May 2017|2|2",
                "Jun 2017|0|0",
                "Jul 2017|0|0",
                "Aug 2017|0|0",
                "Sep 2017|0|0",
                "Oct 2017|0|0",
                "Nov 2017|0|0",
                "Dec 2017|0|0",
                "Jan 2018|1|1",
                "total|8|4"
            ]
        );
        assert_eq!(
            lines(&store, month, "2017-01-01", "2017-02-01", "branch").await,
            ["Jan 2017|Main library|1|1", "Jan 2017|north|1|1", "Feb 2017|Main library|1|1", "total|3|2"]
        );
        assert_eq!(
            lines(&store, Report::LoansByCategory, "", "", "").await,
            [
                "(none)|(none)|1|1",
                "=student|arts|2|1",
                "staff|law|1|1",
                "Student|(none)|1|1",
                "Student|law|3|2",
                "total|8|4"
            ]
        );
        assert_eq!(
            lines(&store, Report::LoansByCategory, "", "2017-12-31", "department").await,
            ["(none)|2|2", "arts|1|1", "law|4|2", "total|7|4"]
        );
        assert_eq!(
            lines(&store, Report::RequestsByBranch, "", "", "").await,
            ["Main library|3|2", "north|1|1", "total|4|3"]
        );
        assert_eq!(
            lines(&store, Report::ActiveBorrowers, "", "", "").await,
            ["2016|1|1", "2017|4|6", "2018|1|1", "total|4|8"]
        );
        assert_eq!(
            lines(&store, Report::ActiveBorrowers, "2017-01-01", "2017-12-31", "category").await,
            ["2017|(none)|1|1", "2017|=student|1|1", "2017|staff|1|1", "2017|Student|2|3", "total|4|6"]
        );
        assert_eq!(lines(&store, month, "2030-01-01", "", "").await, ["total|0|0"]);
    })
    .await;
}

#[tokio::test]
async fn reports_are_equal_before_and_after_anonymising() {
    for_each_database(async |store| {
        small_library(&store).await;
        let people = library(&store, 2).await;
        let task = add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        let before = everything(&store).await;
        assert_eq!(before[12].total, [10, 6], "the loans of all users count");

        for number in [UserNumber(1), UserNumber(people[0].number)] {
            run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(everything(&store).await, before, "the reports are equal after each user");
        }
        let (id, _) = run_all(&store, task).await;
        assert_eq!(run::read(&store, id).await.unwrap().done, 3);
        assert_eq!(everything(&store).await, before, "in bulk");
    })
    .await;
}

#[tokio::test]
async fn a_reused_user_id_counts_as_another_borrower() {
    for_each_database(async |store| {
        small_library(&store).await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap().unwrap();
        let heir = add(&store, users::ActiveModel { uuid: Set("another".to_owned()), ..leaver("Ng") }).await;
        let loan = loans::ActiveModel {
            user_number: Set(heir.number),
            branch: Set("main".to_owned()),
            issued_on: Set(day("2017-06-01")),
            due_on: Set(day("2018-01-20")),
            ..Default::default()
        };
        loan.insert(&store.db).await.unwrap();
        assert_eq!(
            lines(&store, Report::ActiveBorrowers, "2017-01-01", "2017-12-31", "").await,
            ["2017|5|7", "total|5|7"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_csv_file_has_a_header_and_no_formula() {
    for_each_database(async |store| {
        small_library(&store).await;
        let csv = counted(&store, Report::LoansByCategory, "", "", "").await.csv().unwrap();
        assert_eq!(
            csv,
            "User category,Department,Loans,Borrowers\r\n(none),(none),1,1\r\n'=student,arts,2,1\r\n\
             staff,law,1,1\r\nStudent,(none),1,1\r\nStudent,law,3,2\r\n"
        );
    })
    .await;
}
