//! The SQL query and `assess` agree on which users are eligible.

use crate::support::{add_task, day, for_each_database, leaver};
use chrono::{Duration, NaiveDate};
use db::entity::{charges, legal_holds, loans, requests, run_members, user_roles, users};
use erasure::{eligibility, fact_table};
use policy::affected::{AffectedUsers, DAYS_AHEAD};
use policy::assess::kept_since;
use policy::task_form::TaskForm;
use policy::{
    Blocker, Blockers, Conditions, Days, LegalHoldReason, Policy, Reason, Role, RunMode, Scope, UserFacts,
    assess,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use std::collections::BTreeMap;
use task_centre::{affected, run};
use trail::{Actor, Store};

const USERS: i64 = 10_000;

/// Returns a random date around the boundary of the days that the policies use, or `None`.
fn date(random: &mut StdRng) -> Option<NaiveDate> {
    let today = day(crate::support::TODAY);
    match random.random_range(0..10) {
        0 | 1 => None,
        2 => Some(today + Duration::days(random.random_range(0..400))),
        _ => Some(today - Duration::days(random.random_range(0..14))),
    }
}

/// Returns the dates of the last announcement and of the last answer of a user: the same ones for the same number.
fn announced_and_kept(number: i64) -> [Option<NaiveDate>; 2] {
    let mut random = StdRng::seed_from_u64(number.cast_unsigned());
    [(); 2].map(|()| random.random_bool(0.3).then(|| date(&mut random)).flatten())
}

/// Returns random facts of users 1 to `USERS`.
fn random_users(random: &mut StdRng) -> Vec<UserFacts> {
    let user = |number| {
        let facts = random_facts(random);
        let [announced_on, kept_on] = announced_and_kept(number);
        UserFacts { kept_since: kept_since(kept_on, announced_on, facts.last_activity_on), ..facts }
    };
    (1..=USERS).map(user).collect()
}

fn random_facts(random: &mut StdRng) -> UserFacts {
    let blockers = Blocker::ALL
        .into_iter()
        .fold(Blockers::NONE, |set, blocker| set.with(blocker, random.random_bool(0.05)));
    UserFacts {
        anonymised: random.random_bool(0.05),
        staff: random.random_bool(0.05),
        fictitious: random.random_bool(0.05),
        imported: random.random_bool(0.6),
        created_on: if random.random_bool(0.05) { None } else { date(random).or(Some(day("2010-01-01"))) },
        leaving_on: date(random),
        last_activity_on: date(random),
        marked_on: date(random),
        kept_since: None,
        blockers,
    }
}

/// Writes users with these facts. Users whose guarantor is blocked are added last and not counted.
async fn write(store: &Store, all: &[UserFacts]) {
    let today = day(crate::support::TODAY);
    let mut rows = Vec::new();
    for (number, facts) in (1..).zip(all) {
        let [announced_on, kept_on] = announced_and_kept(number);
        rows.push(users::ActiveModel {
            number: Set(number),
            uuid: Set(format!("u{number}")),
            fictitious: Set(facts.fictitious),
            imported: Set(facts.imported),
            created_on: Set(facts.created_on),
            leaving_on: Set(facts.leaving_on),
            last_activity_on: Set(facts.last_activity_on),
            marked_on: Set(facts.marked_on),
            announced_on: Set(announced_on),
            kept_on: Set(kept_on),
            anonymised_on: Set(facts.anonymised.then_some(today)),
            guarantor_number: Set(None),
            category: Set(category(number, facts)),
            ..Default::default()
        });
    }
    for (category, released_on) in [("HELD", None), ("HELD", Some(today)), ("FREE", Some(today))] {
        let hold = legal_holds::ActiveModel {
            category: Set(Some(category.to_owned())),
            reason: Set(LegalHoldReason::AuthorityOrder),
            placed_on: Set(today),
            review_on: Set(today),
            released_on: Set(released_on),
            ..Default::default()
        };
        hold.insert(&store.db).await.unwrap();
    }
    for chunk in rows.chunks(500) {
        users::Entity::insert_many(chunk.to_vec()).exec_without_returning(&store.db).await.unwrap();
    }
    for (number, facts) in (1..).zip(all) {
        add_blockers(store, number, facts, today).await;
    }
}

const fn by_category(number: i64) -> bool {
    number % 2 == 0
}

/// Returns a category under a legal hold, one whose legal hold was released, or none.
fn category(number: i64, facts: &UserFacts) -> Option<String> {
    let held = facts.blockers.iter().any(|blocker| blocker == Blocker::LegalHold);
    if held && (by_category(number) || number % 3 == 0) {
        return Some("HELD".to_owned());
    }
    (number % 3 == 0).then(|| "FREE".to_owned())
}

async fn add_blockers(store: &Store, number: i64, facts: &UserFacts, today: NaiveDate) {
    let db = &store.db;
    let has = |blocker: Blocker| facts.blockers.iter().any(|one| one == blocker);
    let closed = |open: bool| (!open).then_some(today);
    if facts.staff {
        let role = user_roles::ActiveModel {
            user_number: Set(number),
            role: Set(Role::Librarian),
            granted_on: Set(today),
        };
        role.insert(db).await.unwrap();
    }
    // Every tenth user has a closed one, so that "any" and "open" differ.
    if has(Blocker::OpenLoan) || number % 10 == 0 {
        let loan = loans::ActiveModel {
            user_number: Set(number),
            branch: Set("main".to_owned()),
            issued_on: Set(today),
            due_on: Set(today),
            returned_on: Set(closed(has(Blocker::OpenLoan))),
            ..Default::default()
        };
        loan.insert(db).await.unwrap();
    }
    if has(Blocker::OpenRequest) || number % 10 == 1 {
        let request = requests::ActiveModel {
            user_number: Set(number),
            branch: Set("main".to_owned()),
            placed_on: Set(today),
            status: Set("open".to_owned()),
            closed_on: Set(closed(has(Blocker::OpenRequest))),
            ..Default::default()
        };
        request.insert(db).await.unwrap();
    }
    if has(Blocker::UnsettledCharge) || number % 10 == 2 {
        let charge = charges::ActiveModel {
            user_number: Set(number),
            kind: Set("overdue".to_owned()),
            cents: Set([Some(-1), Some(1), None][usize::try_from(number % 3).unwrap()]),
            charged_on: Set(today),
            settled_on: Set(closed(has(Blocker::UnsettledCharge))),
            ..Default::default()
        };
        charge.insert(db).await.unwrap();
    }
    // Every second legal hold applies to the category, and some users have both kinds.
    if has(Blocker::LegalHold) && !by_category(number) || number % 10 == 3 {
        let hold = legal_holds::ActiveModel {
            user_number: Set(Some(number)),
            reason: Set(LegalHoldReason::Dispute),
            placed_on: Set(today),
            review_on: Set(today),
            released_on: Set(closed(has(Blocker::LegalHold) && !by_category(number))),
            ..Default::default()
        };
        hold.insert(db).await.unwrap();
    }
    if has(Blocker::Guarantor) || number % 10 == 4 {
        let child = users::ActiveModel {
            number: Set(USERS + number),
            uuid: Set(format!("child of {number}")),
            guarantor_number: Set(Some(number)),
            anonymised_on: Set(closed(has(Blocker::Guarantor))),
            ..Default::default()
        };
        child.insert(db).await.unwrap();
    }
}

fn policies() -> Vec<Policy> {
    let some = [None, Days::new(0), Days::new(5)];
    let mut all = Vec::new();
    for (place, scope) in Scope::ALL.into_iter().enumerate() {
        for leaving in some {
            for activity in [None, some[(place + 1) % 3]] {
                for marked in [None, Days::new(3)] {
                    all.push(Policy {
                        scope,
                        conditions: Conditions { leaving, activity, marked },
                        ..Policy::default()
                    });
                }
            }
        }
    }
    all
}

async fn by_sql(store: &Store, policy: &Policy) -> BTreeMap<i64, (Reason, Blockers)> {
    let task = add_task(store, policy).await;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    crate::support::execute(store, "UPDATE tasks SET single_default = FALSE").await;
    run_members::Entity::find()
        .filter(run_members::Column::RunId.eq(preview.0))
        .all(&store.db)
        .await
        .unwrap()
        .into_iter()
        .map(|row| {
            let blockers = Blockers::from_bits(u8::try_from(row.blockers).unwrap());
            (row.user_number, (Reason::from_number(row.reason).unwrap(), blockers))
        })
        .collect()
}

#[tokio::test]
async fn the_query_and_assess_agree() {
    let mut random = StdRng::seed_from_u64(7);
    let all = random_users(&mut random);
    for_each_database(async |store| {
        write(&store, &all).await;
        let mut seen = BTreeMap::new();
        for policy in policies() {
            let selected = by_sql(&store, &policy).await;
            let mut counts: BTreeMap<Reason, i64> = BTreeMap::new();
            for (reason, _) in selected.values() {
                *counts.entry(*reason).or_default() += 1;
            }
            assert_eq!(BTreeMap::from_iter(run::counts(&store, &policy).await.unwrap()), counts);
            for (number, facts) in (1..).zip(&all) {
                let verdict = assess(facts, &policy, day(crate::support::TODAY), RunMode::Bulk);
                let (reason, _) = selected[&number];
                assert_eq!(reason, verdict.reason(), "user {number}: {facts:?} by {policy:?}");
                if let policy::Verdict::Blocked(blockers) = verdict {
                    assert_eq!(selected[&number].1, blockers, "user {number}");
                }
                *seen.entry(reason).or_insert(0) += 1;
            }
        }
        // Staff exclude users of one preview by hand, and announcements have further reasons; no rule does.
        let others = [Reason::ExcludedByStaff, Reason::WithoutEmail, Reason::AlreadyAnnounced];
        for reason in Reason::ALL.into_iter().filter(|reason| !others.contains(reason)) {
            assert!(seen.contains_key(&reason), "{reason:?} did not occur, so the test does not cover it");
        }
    })
    .await;
}

/// Returns the numbers of the affected users, from the verdicts on each day.
async fn affected_by_sql(store: &Store, policy: &Policy) -> (i64, [i64; 2], [i64; 5]) {
    let today = day(crate::support::TODAY);
    let on = async |day: NaiveDate| {
        let counts = eligibility::counts(&store.db, policy, day).await.unwrap();
        BTreeMap::from_iter(counts)
    };
    let of = |counts: &BTreeMap<Reason, i64>, reason| counts.get(&reason).copied().unwrap_or_default();
    let now = on(today).await;
    let mut later = [0; 2];
    for (count, days) in later.iter_mut().zip(DAYS_AHEAD) {
        *count = of(&on(today + Duration::days(days)).await, Reason::Eligible);
    }
    (of(&now, Reason::Eligible), later, Blocker::ALL.map(|blocker| of(&now, blocker.into())))
}

#[tokio::test]
async fn the_numbers_of_affected_users_agree_with_the_query() {
    let mut random = StdRng::seed_from_u64(8);
    let mut all = random_users(&mut random);
    // Dates that the table of facts cannot hold.
    for (facts, date) in all.iter_mut().zip(["1700-01-01", "1899-12-31", "2079-06-06", "9999-12-31"]) {
        facts.leaving_on = Some(day(date));
    }
    for_each_database(async |store| {
        write(&store, &all).await;
        let table = fact_table::current(&store).await.unwrap();
        for policy in policies() {
            let counts = AffectedUsers::count(table.users(), &policy, None, day(crate::support::TODAY));
            let expected = affected_by_sql(&store, &policy).await;
            assert_eq!((counts.now, counts.later, counts.blocked), expected, "{policy:?}");
            assert_eq!(counts.users, expected_users(&store).await);
        }
    })
    .await;
}

async fn expected_users(store: &Store) -> i64 {
    i64::try_from(users::Entity::find().count(&store.db).await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_numbers_of_a_form_follow_the_users_and_the_saved_rule() {
    for_each_database(async |store| {
        for name in ["Ann", "Bob", "Cid"] {
            leaver(name).insert(&store.db).await.unwrap();
        }
        let saved = Conditions { leaving: Days::new(365), ..Conditions::default() };
        let task =
            add_task(&store, &Policy { conditions: saved, scope: Scope::All, ..Policy::default() }).await;
        let form = TaskForm {
            id: task.to_string(),
            by_leaving: true,
            leaving_days: "5".to_owned(),
            scope: "all".to_owned(),
            ..TaskForm::new_task()
        };
        let numbers =
            async |form: &TaskForm| affected::count(&store, Actor::COMMAND_LINE, form).await.unwrap();
        let texts = numbers(&form).await.unwrap();
        assert_eq!(texts.days[0].1, "3 of 3 users (100\u{a0}%)");
        assert_eq!(texts.warnings, ["3 users are not selected by the saved rule."]);
        assert_eq!(texts.scopes, ["3 users", "0 users", "3 users"]);
        let incomplete = TaskForm { leaving_days: "soon".to_owned(), ..form.clone() };
        assert_eq!(numbers(&incomplete).await, None);

        crate::support::execute(&store, "UPDATE users SET fictitious = TRUE WHERE number = 1").await;
        // A small library is read again at once, apart from the few milliseconds of one reading.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let texts = numbers(&form).await.unwrap();
        assert_eq!(texts.days[0].1, "2 of 3 users (66.7\u{a0}%)");

        let stranger = Actor::unprivileged(None, policy::Channel::Web);
        assert!(affected::count(&store, stranger, &form).await.is_err(), "a permission is required");
    })
    .await;
}
