//! Four eyes: a run that arms or widens a task, or exceeds a safety limit, needs a second person, however it starts.

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use chrono::Duration;
use db::entity::{approvals, audit_events, runs};
use db::pagination::Paging;
use db::{Clock, RecordsError, Settings};
use erasure::certificate;
use policy::four_eyes::APPROVAL_HOURS;
use policy::{
    Action, ApprovalId, ApprovalReason, FourEyes, Role, Roles, RunId, RunState, SafetyLimit, TaskId,
    UserNumber,
};
use safeguards::approval::{self, ApprovalDecision, ApprovalQuery, ApprovalStatus};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use task_centre::{approval_workflow, run};
use trail::{Actor, Store};

const ANA: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);
const EVE: UserNumber = UserNumber(803);

fn ana() -> Actor {
    staff_actor(ANA, Role::SystemsLibrarian)
}

fn ben() -> Actor {
    staff_actor(BEN, Role::Dpo)
}

fn eve() -> Actor {
    staff_actor(EVE, Role::Administrator)
}

/// Adds two eligible users, a task without a confirmed policy, and three members of staff who can approve.
async fn library(store: &Store) -> TaskId {
    for name in ["Ng", "Okafor"] {
        add(store, leaver(name)).await;
    }
    staff(store, ANA, Role::SystemsLibrarian).await;
    staff(store, BEN, Role::Dpo).await;
    staff(store, EVE, Role::Administrator).await;
    add_task(store, &five_days()).await
}

async fn preview(store: &Store, task: TaskId) -> RunId {
    run::preview(store, ana(), task).await.unwrap()
}

/// Makes a preview as Ana and requests its approval.
async fn asked(store: &Store) -> (RunId, ApprovalId) {
    let task = library(store).await;
    let preview = preview(store, task).await;
    (preview, approval_workflow::request(store, ana(), preview).await.unwrap())
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    match result {
        Err(RecordsError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn not_started(store: &Store, actor: Actor, preview: RunId) -> String {
    let why = refused(run::start(store, actor, preview, "2").await);
    let started = runs::Entity::find().filter(runs::Column::PreviewId.eq(preview.0));
    assert_eq!(started.count(&store.db).await.unwrap(), 0, "{why}");
    why
}

async fn status(store: &Store, preview: RunId) -> ApprovalStatus {
    approval::of_preview(store, preview).await.unwrap().unwrap().status
}

#[tokio::test]
async fn confirmed_settings_need_no_second_person_until_they_are_widened() {
    for_each_database(async |store| {
        let task = library(&store).await;
        let id = preview(&store, task).await;
        assert_eq!(approval_workflow::needed_for(&store, id).await.unwrap(), Some(ApprovalReason::Arming));
        for actor in [ana(), eve(), Actor::COMMAND_LINE] {
            assert!(not_started(&store, actor, id).await.contains("Request approval"));
        }
        let request = approval_workflow::request(&store, ana(), id).await.unwrap();
        assert_eq!(approval_workflow::request(&store, ana(), id).await.unwrap(), request, "the same request");
        assert!(not_started(&store, ana(), id).await.contains("requested but not given yet"));
        assert_eq!(status(&store, id).await, ApprovalStatus::Waiting);
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        assert_eq!(status(&store, id).await, ApprovalStatus::Approved);
        assert_eq!(approval_workflow::missing_for(&store, ana(), id).await.unwrap(), None);
        // The number must still be typed. A wrong number doesn't use up the approval.
        assert!(matches!(run::start(&store, ana(), id, "3").await, Err(RecordsError::Invalid(_))));
        let started = run::start(&store, ana(), id, "2").await.unwrap();
        assert_eq!(status(&store, id).await, ApprovalStatus::Used);
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let says = certificate::read(&store, started).await.unwrap().certificate;
        assert_eq!((says.started_by, says.approved_by), (Some(ANA), Some(BEN)));

        let events = audit_events::Entity::find()
            .filter(audit_events::Column::Detail.eq(format!("approval={request}")))
            .all(&store.db)
            .await
            .unwrap();
        let recorded: Vec<_> =
            events.iter().map(|event| (event.action.as_str(), event.actor_number, event.run_id)).collect();
        assert_eq!(
            recorded,
            [
                ("approval_requested", Some(ANA.0), Some(id.0)),
                ("approval_given", Some(BEN.0), Some(id.0)),
                ("run_started", Some(ANA.0), Some(started.0))
            ]
        );

        // Confirmed settings need no second person until they are widened.
        add(&store, leaver("Third")).await;
        let id = preview(&store, task).await;
        assert_eq!(approval_workflow::needed_for(&store, id).await.unwrap(), None);
        assert!(
            refused(approval_workflow::request(&store, ana(), id).await)
                .contains("This needs no second person")
        );
        let mut wider = five_days();
        wider.conditions.leaving = policy::Days::new(4);
        let wider = serde_json::to_string(&policy::TaskSettings::AnonymiseUserData(wider)).unwrap();
        execute(&store, &format!("UPDATE tasks SET settings = '{wider}', version = version + 1")).await;
        let id = preview(&store, task).await;
        assert_eq!(approval_workflow::needed_for(&store, id).await.unwrap(), Some(ApprovalReason::Widening));
        assert!(refused(run::start(&store, ana(), id, "1").await).contains("go further"));
    })
    .await;
}

#[tokio::test]
async fn exceeding_a_safety_limit_needs_a_second_person() {
    for_each_database(async |store| {
        let task = library(&store).await;
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let mut settings = Settings { ..Settings::clone(&store.settings) };
        settings.safety_limits.people = 1;
        let strict = store.with_settings(settings);
        let id = preview(&strict, task).await;
        assert_eq!(approval_workflow::needed_for(&store, id).await.unwrap(), None);
        let why = approval_workflow::needed_for(&strict, id).await.unwrap();
        assert_eq!(why, Some(ApprovalReason::SafetyLimit(SafetyLimit::People)));
        assert!(not_started(&strict, ana(), id).await.contains("more than 1 users"));
        let request = approval_workflow::request(&strict, ana(), id).await.unwrap();
        approval_workflow::approve(&strict, ben(), request).await.unwrap();
        run::start(&strict, ana(), id, "2").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn auto_requires_approval_once_two_people_can_approve() {
    for_each_database(async |store| {
        let on = async || approval::four_eyes(&store, Action::Approve).await.unwrap();
        add(&store, leaver("Ng")).await;
        staff(&store, ANA, Role::SystemsLibrarian).await;
        // Staff who may not approve or cannot sign in don't count.
        staff(&store, EVE, Role::Librarian).await;
        assert!(!on().await);
        staff(&store, BEN, Role::Dpo).await;
        assert!(on().await);
        execute(&store, "DELETE FROM credentials WHERE user_number = 802").await;
        assert!(!on().await);
        let task = add_task(&store, &five_days()).await;
        let id = preview(&store, task).await;
        assert_eq!(approval_workflow::needed_for(&store, id).await.unwrap(), None);
        assert!(
            approval_workflow::needed_for(&with_four_eyes(&store, FourEyes::On), id).await.unwrap().is_some()
        );
        run::start(&store, ana(), id, "1").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_requester_cannot_approve() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        // The same person, with other roles and in other sessions.
        for role in [Role::SystemsLibrarian, Role::Dpo, Role::Administrator] {
            let why = refused(approval_workflow::approve(&store, staff_actor(ANA, role), request).await);
            assert!(why.contains("Another member of staff must approve"), "{why}");
        }
        let why = refused(approval_workflow::approve(&store, Actor::COMMAND_LINE, request).await);
        assert!(why.contains("command line cannot approve"), "{why}");
        let librarian = approval_workflow::approve(&store, staff_actor(BEN, Role::Librarian), request).await;
        assert!(matches!(librarian, Err(RecordsError::Forbidden(Action::Approve))));
        let stale =
            Actor::signed_in(BEN, Roles::from_iter([Role::Dpo]), Clock::system_now() - Duration::minutes(6));
        assert!(matches!(
            approval_workflow::approve(&store, stale, request).await,
            Err(RecordsError::SignInAgain)
        ));
        assert_eq!(status(&store, id).await, ApprovalStatus::Waiting);
        not_started(&store, ana(), id).await;
        // The database itself rejects it too.
        for sql in ["decided_by = 801", "decided_by = asked_by"] {
            let sql = format!("UPDATE approvals SET decision = 'approved', {sql}");
            assert!(sea_orm::ConnectionTrait::execute_unprepared(&store.db, &sql).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn the_creator_of_a_preview_cannot_approve_its_run() {
    for_each_database(async |store| {
        let task = library(&store).await;
        let id = run::preview(&store, ben(), task).await.unwrap();
        let request = approval_workflow::request(&store, ana(), id).await.unwrap();
        assert!(
            refused(approval_workflow::approve(&store, ben(), request).await)
                .contains("Another member of staff")
        );
        // An approval that was written directly to the database is rejected at the start of the run.
        execute(
            &store,
            "UPDATE approvals SET decision = 'approved', decided_by = 802, decided_at = asked_at",
        )
        .await;
        assert!(not_started(&store, ana(), id).await.contains("created the preview"));
    })
    .await;
}

#[tokio::test]
async fn the_approver_cannot_start_the_run() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        approval_workflow::approve(&store, eve(), request).await.unwrap();
        let why = not_started(&store, eve(), id).await;
        assert!(why.contains("You approved this yourself"), "{why}");
        assert_eq!(approval_workflow::missing_for(&store, eve(), id).await.unwrap(), Some(why));
        run::start(&store, ana(), id, "2").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_approval_expires() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        let row = approvals::Entity::find_by_id(request.0).one(&store.db).await.unwrap().unwrap();
        assert_eq!(row.expires_at - row.asked_at, Duration::hours(APPROVAL_HOURS));
        let over = "UPDATE approvals SET expires_at = '2018-01-21 00:00:00+00:00' WHERE used_at IS NULL";
        execute(&store, over).await;
        assert!(refused(approval_workflow::approve(&store, ben(), request).await).contains("has expired"));
        assert_eq!(status(&store, id).await, ApprovalStatus::Expired);
        let again = approval_workflow::request(&store, ana(), id).await.unwrap();
        assert_ne!(again, request);
        approval_workflow::approve(&store, ben(), again).await.unwrap();
        execute(&store, over).await;
        assert!(not_started(&store, ana(), id).await.contains("has expired"));
    })
    .await;
}

#[tokio::test]
async fn an_approval_applies_to_one_unchanged_preview() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        let task = TaskId(1);
        // The approval belongs to another preview.
        let newer = preview(&store, task).await;
        assert!(refused(approval_workflow::approve(&store, ben(), request).await).contains("newer preview"));
        assert!(not_started(&store, ana(), newer).await.contains("Request approval"));
        assert!(not_started(&store, ana(), id).await.contains("newer preview"));
        // The task is changed after the approval.
        let request = approval_workflow::request(&store, ana(), newer).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        execute(&store, "UPDATE tasks SET version = version + 1").await;
        assert!(not_started(&store, ana(), newer).await.contains("The task has changed since this preview"));
        execute(&store, "UPDATE tasks SET version = version - 1").await;
        // The fingerprint differs.
        execute(&store, "UPDATE approvals SET fingerprint = 'of something else'").await;
        assert!(not_started(&store, ana(), newer).await.contains("Request approval"));
    })
    .await;
}

#[tokio::test]
async fn users_added_to_an_approved_preview_prevent_its_start() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        add(&store, leaver("Smuggled")).await;
        execute(
            &store,
            &format!(
                "INSERT INTO run_members (run_id, user_number, reason, blockers) \
                 SELECT {id}, number, 0, 0 FROM users WHERE last_name = 'Smuggled'"
            ),
        )
        .await;
        assert!(not_started(&store, ana(), id).await.contains("no longer match its fingerprint"));
        assert_eq!(status(&store, id).await, ApprovalStatus::Approved, "the approval is not used up");
    })
    .await;
}

#[tokio::test]
async fn an_approval_is_void_once_its_approver_can_no_longer_approve() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        execute(&store, "UPDATE user_roles SET role = 'librarian' WHERE user_number = 802").await;
        assert!(not_started(&store, ana(), id).await.contains("may no longer approve"));
        execute(&store, "UPDATE user_roles SET role = 'dpo' WHERE user_number = 802").await;
        execute(&store, "DELETE FROM credentials WHERE user_number = 802").await;
        assert!(not_started(&store, ana(), id).await.contains("may no longer approve"));
        // Another member of staff can still be asked.
        let again = approval_workflow::request(&store, ana(), id).await.unwrap();
        approval_workflow::approve(&store, eve(), again).await.unwrap();
        run::start(&store, ana(), id, "2").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_approval_can_be_used_once() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        let started = run::start(&store, ana(), id, "2").await.unwrap();
        assert!(refused(run::start(&store, ana(), id, "2").await).contains("already used this preview"));
        // This holds even if the run was deleted.
        execute(&store, &format!("DELETE FROM run_members WHERE run_id = {started}")).await;
        execute(&store, &format!("DELETE FROM runs WHERE id = {started}")).await;
        execute(&store, "UPDATE tasks SET confirmed_settings = NULL").await;
        assert!(not_started(&store, ana(), id).await.contains("already been used"));
    })
    .await;
}

#[tokio::test]
async fn of_two_simultaneous_starts_one_uses_the_approval() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        let (one, two) = tokio::join!(run::start(&store, ana(), id, "2"), run::start(&store, eve(), id, "2"));
        assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1, "{one:?} {two:?}");
        let started = runs::Entity::find().filter(runs::Column::PreviewId.eq(id.0));
        assert_eq!(started.count(&store.db).await.unwrap(), 1);
    })
    .await;
}

/// The same button is pressed twice, also where no approval is needed.
#[tokio::test]
async fn a_preview_started_twice_at_once_runs_once() {
    for_each_database(async |store| {
        let task = library(&store).await;
        let alone = with_four_eyes(&store, FourEyes::Off);
        let id = preview(&alone, task).await;
        let (one, two) = tokio::join!(run::start(&alone, ana(), id, "2"), run::start(&alone, ana(), id, "2"));
        assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
        let started = runs::Entity::find().filter(runs::Column::PreviewId.eq(id.0));
        assert_eq!(started.count(&store.db).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_two_simultaneous_decisions_one_counts() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        let (one, two) = tokio::join!(
            approval_workflow::approve(&store, ben(), request),
            approval::decline(&store, eve(), request)
        );
        assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
        let expected = if one.is_ok() { ApprovalStatus::Approved } else { ApprovalStatus::Declined };
        assert_eq!(status(&store, id).await, expected);
        let (one, two) = tokio::join!(
            approval_workflow::approve(&store, ben(), request),
            approval_workflow::approve(&store, eve(), request)
        );
        assert!(
            refused(one).contains("already been decided") && refused(two).contains("already been decided")
        );
        let again = preview(&store, TaskId(1)).await;
        let (one, two) = tokio::join!(
            approval_workflow::request(&store, ana(), again),
            approval_workflow::request(&store, eve(), again)
        );
        assert_eq!(one.unwrap(), two.unwrap(), "one request");
        let request = approvals::Entity::find()
            .filter(approvals::Column::PreviewId.eq(again.0))
            .one(&store.db)
            .await
            .unwrap()
            .unwrap();
        let deciders: Vec<Actor> =
            [ana(), eve(), ben()].into_iter().filter(|a| a.staff.map(|s| s.0) != request.asked_by).collect();
        let outcomes = [
            approval_workflow::approve(&store, deciders[0], ApprovalId(request.id)).await.is_ok(),
            approval_workflow::approve(&store, deciders[1], ApprovalId(request.id)).await.is_ok(),
        ];
        assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_declined_or_withdrawn_request_allows_no_start() {
    for_each_database(async |store| {
        let (id, request) = asked(&store).await;
        let librarian = approval::decline(&store, staff_actor(BEN, Role::Librarian), request).await;
        assert!(matches!(librarian, Err(RecordsError::Forbidden(Action::Approve))));
        approval::decline(&store, ben(), request).await.unwrap();
        assert!(not_started(&store, ana(), id).await.contains("request was declined"));
        let request = approval_workflow::request(&store, ana(), id).await.unwrap();
        assert!(refused(approval::withdraw(&store, ben(), request).await).contains("Only its requester"));
        assert!(
            refused(approval::withdraw(&store, Actor::COMMAND_LINE, request).await)
                .contains("Only its requester")
        );
        assert_eq!(approval::decline(&store, ana(), request).await.unwrap(), ApprovalDecision::Withdrawn);
        assert_eq!(status(&store, id).await, ApprovalStatus::Withdrawn);
        assert_eq!(ApprovalStatus::Withdrawn.label(), "Withdrawn");
        assert!(not_started(&store, ana(), id).await.contains("request was withdrawn"));
        let recorded = audit_events::Entity::find()
            .filter(audit_events::Column::Action.is_in(["approval_declined", "approval_withdrawn"]))
            .order_by_asc(audit_events::Column::Id)
            .all(&store.db)
            .await
            .unwrap();
        let recorded: Vec<_> =
            recorded.iter().map(|event| (event.action.as_str(), event.actor_number)).collect();
        assert_eq!(recorded, [("approval_declined", Some(BEN.0)), ("approval_withdrawn", Some(ANA.0))]);
        assert!(
            refused(approval_workflow::approve(&store, ben(), request).await)
                .contains("already been decided")
        );
        let waiting = ApprovalQuery { waiting: Some(true), ..ApprovalQuery::default() };
        let decided = ApprovalQuery { waiting: Some(false), ..ApprovalQuery::default() };
        approval_workflow::request(&store, ana(), id).await.unwrap();
        let all = Paging::default();
        assert_eq!(approval::list(&store, &waiting, &all).await.unwrap().rows.len(), 1);
        assert_eq!(approval::list(&store, &decided, &all).await.unwrap().rows.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_command_line_can_request_and_start_but_not_approve() {
    for_each_database(async |store| {
        let task = library(&store).await;
        let id = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert!(not_started(&store, Actor::COMMAND_LINE, id).await.contains("Request approval"));
        let request = approval_workflow::request(&store, Actor::COMMAND_LINE, id).await.unwrap();
        refused(approval_workflow::approve(&store, Actor::COMMAND_LINE, request).await);
        let withdrawn = approval::withdraw(&store, Actor::COMMAND_LINE, request).await.unwrap();
        assert_eq!(
            (withdrawn, status(&store, id).await),
            (ApprovalDecision::Withdrawn, ApprovalStatus::Withdrawn)
        );
        let request = approval_workflow::request(&store, Actor::COMMAND_LINE, id).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        run::start(&store, Actor::COMMAND_LINE, id, "2").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn reapplying_rules_to_many_users_needs_a_second_person() {
    for_each_database(async |store| {
        library(&store).await;
        execute(
            &store,
            "UPDATE users SET anonymised_on = '2018-01-20', rules_version = 0, replacement = 'R' || number, \
             user_id = NULL, first_name = NULL, last_name = NULL WHERE number < 800",
        )
        .await;
        assert!(
            refused(approval_workflow::request_reapply(&store, ana()).await)
                .contains("This needs no second person")
        );
        let mut settings = Settings::clone(&store.settings);
        settings.safety_limits.people = 1;
        let strict = store.with_settings(settings);
        assert!(refused(run::start_reapply(&strict, ana(), "2").await).contains("second person"));
        let request = approval_workflow::request_reapply(&strict, ana()).await.unwrap();
        assert!(
            refused(approval_workflow::approve(&strict, ana(), request).await)
                .contains("Another member of staff")
        );
        approval_workflow::approve(&strict, eve(), request).await.unwrap();
        assert!(refused(run::start_reapply(&strict, eve(), "2").await).contains("yourself"));
        let started = run::start_reapply(&strict, ana(), "2").await.unwrap();
        assert_eq!(run::execute(&strict, started).await.unwrap(), RunState::Succeeded);
    })
    .await;
}
