//! The users of a preview: their order, excluding them with a reason, and their file.

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{add, add_task, day, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::{audit_events, users};
use db::pagination::Paging;
use policy::{
    Days, ExclusionReason, FourEyes, Outcome, Policy, Reason, Role, RunId, RunState, UserNumber, VerdictKind,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use safeguards::approval::{self, ApprovalStatus};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use task_centre::run::{self, Member, MemberQuery, MemberSort};
use task_centre::{approval_workflow, task};
use trail::{Actor, Store};

const ANA: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);

fn numbers(all: impl IntoIterator<Item = i64>) -> BTreeSet<UserNumber> {
    all.into_iter().map(UserNumber).collect()
}

/// Adds this many eligible users, and one who stays, and makes a preview.
async fn preview_of(store: &Store, eligible: i64) -> RunId {
    for n in 1..=eligible {
        add(store, leaver(&format!("N{n}"))).await;
    }
    add(store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
    let task = add_task(store, &five_days()).await;
    run::preview(store, Actor::COMMAND_LINE, task).await.unwrap()
}

async fn exclude(store: &Store, preview: RunId, all: BTreeSet<UserNumber>) -> Result<(), RecordsError> {
    run::exclude(store, Actor::COMMAND_LINE, preview, &all, ExclusionReason::ToBeChecked).await
}

async fn all_members(store: &Store, id: RunId, query: &MemberQuery, rows: u64) -> Vec<Member> {
    let run = run::read(store, id).await.unwrap();
    let mut all = Vec::new();
    let mut paging = Paging { rows: Some(rows), ..Paging::default() };
    loop {
        let page = run::members(store, &run, query, &paging).await.unwrap();
        all.extend(page.rows);
        paging.after = page.next;
        if paging.after.is_none() {
            return all;
        }
    }
}

async fn anonymised(store: &Store) -> BTreeSet<UserNumber> {
    let gone = users::Entity::find().filter(users::Column::AnonymisedOn.is_not_null());
    numbers(gone.all(&store.db).await.unwrap().into_iter().map(|user| user.number))
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    match result {
        Err(RecordsError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

/// Whatever is excluded and included again, the counts add up to all users, and the run changes the others alone.
#[tokio::test]
async fn a_run_touches_only_the_users_that_were_left_in() {
    for_each_database(async |store| {
        let mut random = StdRng::seed_from_u64(7);
        for round in 0..4 {
            for n in 0..12 {
                add(&store, leaver(&format!("R{round}N{n}"))).await;
            }
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            let task = add_task(&store, &five_days()).await;
            let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
            let first = run::read(&store, preview).await.unwrap();
            let eligible = MemberQuery { reason: Some(Reason::Eligible), ..MemberQuery::default() };
            let all: BTreeSet<_> = all_members(&store, preview, &eligible, 50)
                .await
                .iter()
                .map(|member| member.number)
                .collect();
            let mut out = BTreeSet::new();
            for _ in 0..3 {
                let more: BTreeSet<_> =
                    all.difference(&out).copied().filter(|_| random.random_bool(0.4)).collect();
                if !more.is_empty() {
                    exclude(&store, preview, more.clone()).await.unwrap();
                }
                out.extend(more);
                let back: BTreeSet<_> = out.iter().copied().filter(|_| random.random_bool(0.3)).collect();
                if !back.is_empty() {
                    run::include(&store, Actor::COMMAND_LINE, preview, &back).await.unwrap();
                }
                out.retain(|user| !back.contains(user));
                let now = run::read(&store, preview).await.unwrap();
                assert_eq!(now.verdicts.iter().map(|(_, count)| count).sum::<i64>(), now.users);
                assert_eq!((now.users, now.previewed + now.excluded), (first.users, first.previewed));
                assert_eq!(usize::try_from(now.excluded), Ok(out.len()));
                assert_eq!(now.fingerprint == first.fingerprint, out.is_empty());
            }
            let now = run::read(&store, preview).await.unwrap();
            let before = anonymised(&store).await;
            let typed = now.previewed.to_string();
            let started = run::start(&store, Actor::COMMAND_LINE, preview, &typed).await.unwrap();
            assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
            let done = run::read(&store, started).await.unwrap();
            assert_eq!(
                (done.done, done.previewed, done.excluded),
                (now.previewed, now.previewed, now.excluded)
            );
            let says = erasure::certificate::read(&store, started).await.unwrap().certificate;
            assert_eq!((says.listed, says.excluded), (None, now.excluded));
            let touched: BTreeSet<_> = anonymised(&store).await.difference(&before).copied().collect();
            assert_eq!(touched, all.difference(&out).copied().collect());
            let members = all_members(&store, started, &MemberQuery::default(), 50).await;
            assert!(members.iter().all(|member| member.outcome == Some(Outcome::Done)));
        }
    })
    .await;
}

#[tokio::test]
async fn an_exclusion_shows_its_reason_and_is_recorded() {
    for_each_database(async |store| {
        let preview = preview_of(&store, 3).await;
        staff(&store, ANA, Role::SystemsLibrarian).await;
        let ana = staff_actor(ANA, Role::SystemsLibrarian);
        run::exclude(&store, ana, preview, &numbers([2]), ExclusionReason::ComesBack).await.unwrap();
        exclude(&store, preview, numbers([3])).await.unwrap();
        let query = MemberQuery { verdict: Some(VerdictKind::Excluded), ..MemberQuery::default() };
        let excluded = all_members(&store, preview, &query, 50).await;
        let shown: Vec<_> = excluded
            .iter()
            .map(|member| {
                let exclusion = member.exclusion.clone().unwrap();
                (member.number.0, exclusion.reason, exclusion.by)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (2, ExclusionReason::ComesBack, Some("First Staff801".to_owned())),
                (3, ExclusionReason::ToBeChecked, None)
            ]
        );
        run::include(&store, ana, preview, &numbers([3])).await.unwrap();
        let events = audit_events::Entity::find()
            .filter(audit_events::Column::Action.is_in(["user_excluded", "user_included"]))
            .all(&store.db)
            .await
            .unwrap();
        let recorded: Vec<_> = events
            .iter()
            .map(|event| (event.action.as_str(), event.subject_id, event.run_id, event.detail.as_str()))
            .collect();
        assert_eq!(
            recorded,
            [
                ("user_excluded", Some(2), Some(preview.0), "reason=comes_back"),
                ("user_excluded", Some(3), Some(preview.0), "reason=to_be_checked"),
                ("user_included", Some(3), Some(preview.0), ""),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn only_eligible_users_of_a_usable_preview_can_be_excluded() {
    for_each_database(async |store| {
        let preview = preview_of(&store, 3).await;
        for (users, why) in [
            (numbers([1, 4]), "Only eligible users of this preview"),
            (numbers([1, 999]), "Only eligible users of this preview"),
        ] {
            assert!(refused(exclude(&store, preview, users).await).contains(why));
        }
        assert!(matches!(exclude(&store, preview, BTreeSet::new()).await, Err(RecordsError::Invalid(_))));
        let librarian = staff_actor(ANA, Role::Librarian);
        let denied =
            run::exclude(&store, librarian, preview, &numbers([1]), ExclusionReason::ToBeChecked).await;
        assert!(matches!(denied, Err(RecordsError::Forbidden(_))));
        assert!(
            refused(run::include(&store, Actor::COMMAND_LINE, preview, &numbers([1])).await)
                .contains("Not all of these users are excluded")
        );
        assert_eq!(run::read(&store, preview).await.unwrap().excluded, 0, "all or none");

        exclude(&store, preview, numbers([1, 2, 3])).await.unwrap();
        let nothing = refused(run::start(&store, Actor::COMMAND_LINE, preview, "0").await);
        assert!(nothing.contains("All eligible users of this preview are excluded"), "{nothing}");
        run::include(&store, Actor::COMMAND_LINE, preview, &numbers([1])).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
        run::execute(&store, started).await.unwrap();
        assert!(
            refused(exclude(&store, preview, numbers([1])).await).contains("has already used this preview")
        );
        assert_eq!(anonymised(&store).await, numbers([1]));
    })
    .await;
}

#[tokio::test]
async fn an_exclusion_outdates_an_approval_until_it_is_undone() {
    for_each_database(async |store| {
        let store = with_four_eyes(&store, FourEyes::On);
        let preview = preview_of(&store, 3).await;
        staff(&store, ANA, Role::SystemsLibrarian).await;
        staff(&store, BEN, Role::Dpo).await;
        let (ana, ben) = (staff_actor(ANA, Role::SystemsLibrarian), staff_actor(BEN, Role::Dpo));
        let request = approval_workflow::request(&store, ana, preview).await.unwrap();
        let status = async || approval::of_preview(&store, preview).await.unwrap().unwrap().status;
        exclude(&store, preview, numbers([1])).await.unwrap();
        assert_eq!(status().await, ApprovalStatus::Outdated);
        assert!(
            refused(approval_workflow::approve(&store, ben, request).await)
                .contains("The subject of this request has changed")
        );
        run::include(&store, Actor::COMMAND_LINE, preview, &numbers([1])).await.unwrap();
        approval_workflow::approve(&store, ben, request).await.unwrap();
        assert_eq!(status().await, ApprovalStatus::Approved);
        exclude(&store, preview, numbers([2])).await.unwrap();
        assert_eq!(status().await, ApprovalStatus::Outdated);
        let why = refused(run::start(&store, ana, preview, "2").await);
        assert!(why.contains("Request approval"), "{why}");
        let second = approval_workflow::request(&store, ana, preview).await.unwrap();
        approval_workflow::approve(&store, ben, second).await.unwrap();
        let started = run::start(&store, ana, preview, "2").await.unwrap();
        run::execute(&store, started).await.unwrap();
        assert_eq!(anonymised(&store).await, numbers([1, 3]));
        // No person has agreed to anonymise user 2, so the schedule must not either.
        let task = run::read(&store, preview).await.unwrap().task.unwrap().0;
        let task = task::read(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert_eq!(task.confirmation, task::Confirmation::Missing);
    })
    .await;
}

#[tokio::test]
async fn a_discarded_preview_cannot_be_run() {
    for_each_database(async |store| {
        let preview = preview_of(&store, 2).await;
        run::discard(&store, Actor::COMMAND_LINE, preview).await.unwrap();
        let why = refused(run::start(&store, Actor::COMMAND_LINE, preview, "2").await);
        assert!(why.contains("This preview was discarded"), "{why}");
        assert!(refused(run::discard(&store, Actor::COMMAND_LINE, preview).await).contains("was discarded"));
        assert!(all_members(&store, preview, &MemberQuery::default(), 50).await.is_empty());
        assert_eq!(run::read(&store, preview).await.unwrap().previewed, 2, "the numbers remain");
    })
    .await;
}

#[tokio::test]
async fn discarding_a_preview_closes_the_request_for_its_approval() {
    for_each_database(async |store| {
        let store = with_four_eyes(&store, FourEyes::On);
        let preview = preview_of(&store, 2).await;
        staff(&store, ANA, Role::SystemsLibrarian).await;
        staff(&store, BEN, Role::Dpo).await;
        let (ana, ben) = (staff_actor(ANA, Role::SystemsLibrarian), staff_actor(BEN, Role::Dpo));
        approval_workflow::request(&store, ana, preview).await.unwrap();
        assert_eq!(approval::decidable(&store, ben).await.unwrap(), 1);
        run::discard(&store, ana, preview).await.unwrap();
        let request = approval::of_preview(&store, preview).await.unwrap().unwrap();
        assert_eq!(request.status, ApprovalStatus::NotNeeded);
        assert_eq!(approval::decidable(&store, ben).await.unwrap(), 0);
        let closed = audit_events::Entity::find()
            .filter(audit_events::Column::Action.eq("approval_not_needed"))
            .all(&store.db)
            .await
            .unwrap();
        assert_eq!(closed.len(), 1);
    })
    .await;
}

/// Every order lists each user once over pages of every length, and eligible users come first by default.
#[tokio::test]
async fn every_order_lists_each_user_once() {
    for_each_database(async |store| {
        for (n, name) in ["de Vries", "Dean", "Ångström", "Zoë", "McDonald"].into_iter().enumerate() {
            let leaving = day("2018-01-01") + chrono::Duration::days(i64::try_from(n * 4).unwrap());
            add(&store, users::ActiveModel { leaving_on: Set(Some(leaving)), ..leaver(name) }).await;
        }
        add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Adams") }).await;
        add(&store, users::ActiveModel { fictitious: Set(true), ..leaver("Shelf") }).await;
        let nameless = users::ActiveModel { first_name: Set(None), last_name: Set(None), ..leaver("x") };
        add(&store, nameless).await;
        execute(&store, "UPDATE users SET name_order = LOWER(last_name) WHERE last_name IS NOT NULL").await;
        let two = Policy {
            conditions: policy::Conditions { marked: Days::new(5), ..five_days().conditions },
            ..five_days()
        };
        for policy in [five_days(), two] {
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            let task = add_task(&store, &policy).await;
            let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
            for sort in MemberSort::ALL {
                for descending in [false, true] {
                    let query = MemberQuery { sort, descending, ..MemberQuery::default() };
                    let whole = all_members(&store, preview, &query, 100).await;
                    let listed: Vec<_> = whole.iter().map(|member| member.number.0).collect();
                    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 8, "{sort:?} {listed:?}");
                    for rows in 1..=3 {
                        let paged = all_members(&store, preview, &query, rows).await;
                        let paged: Vec<_> = paged.iter().map(|member| member.number.0).collect();
                        assert_eq!(paged, listed, "{sort:?} {descending} by {rows}");
                    }
                    let sorted = |key: fn(&Member) -> Option<String>| {
                        let keys: Vec<_> = whole.iter().filter_map(key).collect();
                        let mut expected = keys.clone();
                        expected.sort();
                        if descending {
                            expected.reverse();
                        }
                        assert_eq!(keys, expected, "{sort:?} {descending}");
                    };
                    match sort {
                        MemberSort::Reason => sorted(|member| Some(format!("{:02}", member.reason.number()))),
                        MemberSort::Number => sorted(|member| Some(format!("{:02}", member.number.0))),
                        MemberSort::FirstDay => {
                            sorted(|member| member.first_day.map(|day| day.to_string()));
                            assert_eq!(
                                whole.last().unwrap().first_day,
                                None,
                                "users without a day come last"
                            );
                        }
                        MemberSort::Name => {
                            assert_eq!(whole.last().unwrap().number.0, 8, "nameless comes last");
                        }
                    }
                }
            }
            let first = all_members(&store, preview, &MemberQuery::default(), 100).await;
            assert_eq!(first[0].reason, Reason::Eligible);
        }
    })
    .await;
}

#[tokio::test]
async fn the_file_has_every_user_and_is_recorded() {
    for_each_database(async |store| {
        add(&store, leaver("=cmd|' /C calc'!A0")).await;
        let preview = preview_of(&store, 3).await;
        exclude(&store, preview, numbers([3])).await.unwrap();
        let read = run::read(&store, preview).await.unwrap();
        let librarian = staff_actor(ANA, Role::Librarian);
        let all = MemberQuery::default();
        assert!(matches!(
            run::members_csv(&store, librarian, &read, &all).await,
            Err(RecordsError::Forbidden(_))
        ));
        let csv = run::members_csv(&store, Actor::COMMAND_LINE, &read, &all).await.unwrap();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{csv}");
        let excluded = rows.iter().find(|row| &row[0] == "3").unwrap();
        assert_eq!(
            (&excluded[2], &excluded[3], &excluded[8], &excluded[9]),
            ("Excluded", "excluded by staff", "command line", "to be checked first")
        );
        let only = MemberQuery { verdict: Some(VerdictKind::NotYet), ..MemberQuery::default() };
        let csv = run::members_csv(&store, Actor::COMMAND_LINE, &read, &only).await.unwrap();
        assert_eq!(csv.lines().count(), 2, "{csv}");
        let exported = audit_events::Entity::find()
            .filter(audit_events::Column::Action.eq("exported"))
            .filter(audit_events::Column::SubjectId.eq(preview.0))
            .all(&store.db)
            .await
            .unwrap();
        assert_eq!(exported.len(), 2, "a refused export is none");
    })
    .await;
}
