//! Codes of categories, departments and branches in several spellings.

use super::{all, form_of, import, named, save};
use crate::support::{add, add_task, execute, five_days, for_each_database, import_loans, leaver};
use crate::transfer::file;
use db::entity::{loans, terms, users};
use db::pagination::Paging;
use policy::legal_hold::LegalHoldForm;
use policy::{Reason, UserNumber};
use records::report::{Report, ReportForm, count};
use records::user::{self, UserQuery};
use safeguards::legal_hold;
use sea_orm::{EntityTrait, QueryOrder, Set};
use task_centre::run;
use trail::{Actor, Store};

async fn codes(store: &Store) -> Vec<String> {
    let all = terms::Entity::find().order_by_asc(terms::Column::Code).all(&store.db).await.unwrap();
    all.into_iter().map(|term| term.code).collect()
}

#[tokio::test]
async fn one_category_has_one_spelling() {
    for_each_database(async |store| {
        let content =
            "last_name,user_id,category,department,branch\nA,a,Étude,law,main\nB,b,E\u{301}TUDE,LAW,Main\n";
        assert_eq!(import(&store, content).await.new_terms, 3);
        assert_eq!(import(&store, "last_name,user_id,category\nC,c,étude\n").await.new_terms, 0);
        let mut form = form_of(&store, "C").await;
        form.department = "LAW".to_owned();
        form.branch = "MAIN".to_owned();
        save(&store, &form).await.unwrap();
        for user in all(&store).await {
            let codes = [user.category, user.department, user.branch].map(Option::unwrap);
            assert_eq!(codes, ["Étude", "law", "main"]);
        }
        let loans =
            "user_id,item_barcode,branch,category,issued_on,due_on\nA,I1,MAIN,ÉTUDE,2018-01-02,2018-02-02\n";
        let summary = import_loans(&store, Actor::COMMAND_LINE, file(loans).path(), false).await.unwrap();
        assert_eq!((summary.created, summary.new_terms), (1, 0));
        let loan = loans::Entity::find().one(&store.db).await.unwrap().unwrap();
        assert_eq!((loan.branch.as_str(), loan.category.as_deref()), ("main", Some("Étude")));
        assert_eq!(codes(&store).await, ["law", "main", "Étude"]);
    })
    .await;
}

/// A library without lists has the codes of its users.
#[tokio::test]
async fn the_codes_of_users_count_without_a_list() {
    for_each_database(async |store| {
        add(&store, users::ActiveModel { category: Set(Some("Guest".to_owned())), ..leaver("A") }).await;
        add(&store, leaver("B")).await;
        let mut form = form_of(&store, "B").await;
        form.category = "GUEST".to_owned();
        save(&store, &form).await.unwrap();
        assert_eq!(named(&store, "B").await.category.as_deref(), Some("Guest"));
        import(&store, "last_name,user_id,category\nC,c,guest\n").await;
        assert_eq!(named(&store, "C").await.category.as_deref(), Some("Guest"));
        assert_eq!(codes(&store).await, ["Guest"]);
    })
    .await;
}

#[tokio::test]
async fn a_legal_hold_on_a_category_covers_every_spelling() {
    for_each_database(async |store| {
        add_task(&store, &five_days()).await;
        let old = "last_name,user_id,category,leaving_on\nA,a,Undergraduate,2018-01-02\n";
        import(&store, old).await;
        let officer = add(&store, leaver("Officer")).await.number;
        execute(&store, &format!("INSERT INTO user_roles VALUES ({officer}, 'dpo', '2018-01-01')")).await;
        let form = LegalHoldForm {
            category: "UNDERGRADUATE".to_owned(),
            reason: "dispute".to_owned(),
            owner: officer.to_string(),
            review_on: "2018-06-01".to_owned(),
            ..LegalHoldForm::default()
        };
        legal_hold::place(&store, Actor::COMMAND_LINE, &form).await.unwrap();
        import(&store, "last_name,user_id,category,leaving_on\nB,b,undergraduate,2018-01-02\n").await;
        for name in ["A", "B"] {
            let number = UserNumber(named(&store, name).await.number);
            let plan = run::plan_for_one(&store, number).await.unwrap();
            assert_eq!(plan.verdict.reason(), Reason::LegalHold, "{name}");
        }
        // Also a category that no user has at the moment.
        execute(&store, "DELETE FROM terms").await;
        execute(&store, "UPDATE users SET category = NULL").await;
        import(&store, "last_name,user_id,category,leaving_on\nC,c,undergraduate,2018-01-02\n").await;
        assert_eq!(named(&store, "C").await.category.as_deref(), Some("Undergraduate"));
    })
    .await;
}

/// Older records and other writers can have left other spellings.
#[tokio::test]
async fn search_and_reports_treat_all_spellings_of_a_category_as_one() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO terms (kind, code, name) VALUES ('category', 'Student', 'Students')")
            .await;
        for (name, category) in [("A", "Student"), ("B", "STUDENT"), ("C", "staff")] {
            let user = users::ActiveModel { category: Set(Some(category.to_owned())), ..leaver(name) };
            let number = add(&store, user).await.number;
            for category in [category, "student"] {
                let loan = format!(
                    "INSERT INTO loans (user_number, branch, category, issued_on, due_on) VALUES \
                     ({number}, 'main', '{category}', '2018-01-02', '2018-01-09')"
                );
                execute(&store, &loan).await;
            }
        }
        for typed in ["student", "STUDENT", "Student"] {
            let query = UserQuery { category: Some(typed.to_owned()), ..UserQuery::default() };
            let found = user::find(&store, &query, &Paging::default()).await.unwrap();
            let names: Vec<_> = found.rows.iter().map(|row| row.name.clone()).collect();
            assert_eq!(names, ["First A", "First B"], "{typed}");
            assert_eq!(user::count(&store, &query, 10).await.unwrap(), 2);
        }
        let unknown = UserQuery { category: Some("guest".to_owned()), ..UserQuery::default() };
        assert_eq!(user::count(&store, &unknown, 10).await.unwrap(), 0);
        let report = Report::LoansByCategory;
        let query = ReportForm::default().validate(report).unwrap();
        let counted = count(&store, report, &query).await.unwrap();
        let rows: Vec<_> = counted.rows.iter().map(|row| (row.labels[0].as_str(), row.numbers)).collect();
        assert_eq!(rows, [("Students", [5, 3]), ("staff", [1, 1])], "each borrower counts once");
    })
    .await;
}
