//! Legal holds: they stop every way of anonymising, get reviewed, and are released only by staff.

use crate::support::{add, add_task, day, execute, five_days, for_each_database, import_users, leaver};
use db::entity::{audit_events, legal_holds, user_roles, users};
use db::pagination::Paging;
use db::{Clock, RecordsError, Settings};
use operations::health::{self, ConditionKind};
use policy::legal_hold::LegalHoldForm;
use policy::user_form::UserForm;
use policy::{
    Action, FourEyes, LegalHoldId, LegalHoldReason, LegalHoldTarget, Reason, Role, Roles, RunState,
    UserNumber,
};
use records::user;
use safeguards::approval;
use safeguards::legal_hold::{self, LegalHoldQuery, Show};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use task_centre::{approval_workflow, run};
use trail::{Actor, Store};

/// The data protection officers of the tests.
pub const DPO: UserNumber = UserNumber(901);
const SECOND: UserNumber = UserNumber(902);

pub fn staff_actor(number: UserNumber, role: Role) -> Actor {
    Actor::signed_in(number, Roles::from_iter([role]), Clock::system_now())
}

/// Makes one field of a form invalid.
type Change = fn(&mut LegalHoldForm);

fn dpo() -> Actor {
    staff_actor(DPO, Role::Dpo)
}

/// Adds a member of staff who can sign in.
pub async fn staff(store: &Store, number: UserNumber, role: Role) {
    let name = format!("Staff{number}");
    let user = users::ActiveModel { number: Set(number.0), leaving_on: Set(None), ..leaver(&name) };
    add(store, user).await;
    let role = user_roles::ActiveModel {
        user_number: Set(number.0),
        role: Set(role),
        granted_on: Set(day("2017-01-01")),
    };
    role.insert(&store.db).await.unwrap();
    execute(
        store,
        &format!(
            "INSERT INTO credentials (user_number, kind, secret, created_at) \
             VALUES ({number}, 'password', 'x', '2018-01-01 00:00:00+00:00')"
        ),
    )
    .await;
}

/// Returns the store with this four-eyes setting.
pub fn with_four_eyes(store: &Store, four_eyes: FourEyes) -> Store {
    store.with_settings(Settings { four_eyes, ..Settings::clone(&store.settings) })
}

fn form(change: impl FnOnce(&mut LegalHoldForm)) -> LegalHoldForm {
    let mut form = LegalHoldForm {
        reason: LegalHoldReason::Dispute.code().to_owned(),
        review_on: "2018-03-01".to_owned(),
        ..LegalHoldForm::default()
    };
    change(&mut form);
    form
}

/// Places a legal hold on one user, in a library without staff.
pub async fn first_on_user(store: &Store, number: i64) -> LegalHoldId {
    staff(store, DPO, Role::Dpo).await;
    on_user(store, number).await
}

async fn on_user(store: &Store, number: i64) -> LegalHoldId {
    legal_hold::place(store, dpo(), &form(|form| form.user = number.to_string())).await.unwrap()
}

async fn on_category(store: &Store, category: &str) -> LegalHoldId {
    legal_hold::place(store, dpo(), &form(|form| category.clone_into(&mut form.category))).await.unwrap()
}

fn student(name: &str) -> users::ActiveModel {
    users::ActiveModel { category: Set(Some("STUDENT".to_owned())), ..leaver(name) }
}

async fn events(store: &Store) -> Vec<(String, String, Option<i64>, String)> {
    let events = audit_events::Entity::find()
        .filter(audit_events::Column::Action.starts_with("legal_hold"))
        .order_by_asc(audit_events::Column::Id)
        .all(&store.db)
        .await
        .unwrap();
    events
        .into_iter()
        .map(|event| (event.action, event.subject_kind, event.subject_id, event.detail))
        .collect()
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    match result {
        Err(RecordsError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn placing_a_legal_hold_needs_permission_and_a_valid_form() {
    for_each_database(async |store| {
        add(&store, student("Ng")).await;
        staff(&store, DPO, Role::Dpo).await;
        for role in [Role::Librarian, Role::SystemsLibrarian, Role::Administrator] {
            let form = form(|form| form.user = "1".to_owned());
            let refused = legal_hold::place(&store, staff_actor(DPO, role), &form).await;
            assert!(matches!(refused, Err(RecordsError::Forbidden(Action::PlaceLegalHolds))), "{role:?}");
        }
        let cases: [(&str, Change); 5] = [
            ("category", |form| form.category = "UNKNOWN".to_owned()),
            ("owner", |form| (form.user, form.owner) = ("1".to_owned(), "1".to_owned())),
            ("reason", |form| (form.user, form.reason) = ("1".to_owned(), "damage_claim".to_owned())),
            ("review_on", |form| (form.user, form.review_on) = ("1".to_owned(), "2018-01-21".to_owned())),
            ("category", |_| ()),
        ];
        for (field, change) in cases {
            match legal_hold::place(&store, dpo(), &form(change)).await {
                Err(RecordsError::Invalid(errors)) => {
                    assert!(errors.message(field).is_some(), "{field}: {errors:?}");
                }
                other => panic!("{field}: {other:?}"),
            }
        }
        let unknown = legal_hold::place(&store, dpo(), &form(|form| form.user = "77".to_owned())).await;
        assert!(matches!(unknown, Err(RecordsError::NotFound("user"))));
        let without_owner =
            legal_hold::place(&store, Actor::COMMAND_LINE, &form(|form| form.user = "1".to_owned())).await;
        assert!(
            matches!(without_owner, Err(RecordsError::Invalid(errors)) if errors.message("owner").is_some())
        );
        assert_eq!(events(&store).await, []);

        let id = on_user(&store, 1).await;
        let placed = legal_hold::read(&store, id).await.unwrap();
        assert!(matches!(&placed.on, LegalHoldTarget::User(person) if person.number == UserNumber(1)));
        assert_eq!(placed.owner.as_ref().map(|owner| owner.number), Some(DPO));
        assert_eq!(placed.placed_by, placed.owner);
        assert_eq!((placed.review_on, placed.released_on), (day("2018-03-01"), None));
        assert_eq!(
            events(&store).await,
            [(
                "legal_hold_placed".to_owned(),
                "user".to_owned(),
                Some(1),
                "hold=1,reason=dispute".to_owned()
            )]
        );
        assert_eq!(user::read(&store, UserNumber(1)).await.unwrap().counts.legal_holds, 1);
    })
    .await;
}

#[tokio::test]
async fn a_legal_hold_is_on_one_user_or_one_category() {
    for_each_database(async |store| {
        add(&store, student("Ng")).await;
        for (user, category) in [(None, None), (Some(1), Some("STUDENT".to_owned()))] {
            let hold = legal_holds::ActiveModel {
                user_number: Set(user),
                category: Set(category),
                reason: Set(LegalHoldReason::Other),
                placed_on: Set(day("2018-01-01")),
                review_on: Set(day("2018-03-01")),
                ..Default::default()
            };
            assert!(hold.insert(&store.db).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn a_legal_hold_on_a_category_stops_every_way_of_anonymising() {
    for_each_database(async |store| {
        for name in ["Ng", "Okafor"] {
            add(&store, student(name)).await;
        }
        add(&store, leaver("Free")).await;
        staff(&store, DPO, Role::Dpo).await;
        let task = add_task(&store, &five_days()).await;
        let hold = on_category(&store, "STUDENT").await;

        // In bulk.
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let counted = run::read(&store, preview).await.unwrap();
        assert_eq!(counted.verdicts, [(Reason::Eligible, 1), (Reason::LegalHold, 2), (Reason::Staff, 1)]);
        // A single user.
        let plan = run::plan_for_one(&store, UserNumber(1)).await.unwrap();
        assert_eq!(plan.verdict.reason(), Reason::LegalHold);
        let single = run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await;
        assert!(refused(single).contains("legal hold"));
        // The record.
        let record = user::read(&store, UserNumber(1)).await.unwrap();
        assert_eq!(record.counts.legal_holds, 1);
        let by_hand = UserForm { last_name: "Former user".to_owned(), ..user::form_of(&record) };
        assert!(refused(user::save(&store, Actor::COMMAND_LINE, &by_hand).await).contains("legal hold"));
        let emptied = UserForm { user_id: String::new(), ..user::form_of(&record) };
        assert!(refused(user::save(&store, Actor::COMMAND_LINE, &emptied).await).contains("legal hold"));
        let corrected = UserForm { phone: "030 1".to_owned(), ..user::form_of(&record) };
        user::save(&store, Actor::COMMAND_LINE, &corrected).await.unwrap();

        // After the release, the users can be anonymised.
        legal_hold::release(&store, dpo(), hold).await.unwrap();
        let run = run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        assert!(run.is_some());
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        assert_eq!(run::read(&store, preview).await.unwrap().previewed, 2);
    })
    .await;
}

#[tokio::test]
async fn a_user_held_after_the_preview_is_skipped() {
    for_each_database(async |store| {
        for name in ["Ng", "Okafor"] {
            add(&store, student(name)).await;
        }
        for name in ["Free", "Held"] {
            add(&store, leaver(name)).await;
        }
        staff(&store, DPO, Role::Dpo).await;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "4").await.unwrap();
        on_category(&store, "STUDENT").await;
        on_user(&store, 4).await;
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let done = run::read(&store, started).await.unwrap();
        assert_eq!((done.done, done.skipped), (1, 3));
        assert_eq!(done.skipped_by, [(Reason::LegalHold, 3)]);
        assert!(
            refused(legal_hold::place(&store, dpo(), &form(|form| form.user = "3".to_owned())).await)
                .contains("has been anonymised")
        );
    })
    .await;
}

/// A user who is being anonymised when a legal hold is placed ends up either anonymised or under it, never both.
#[tokio::test]
async fn a_legal_hold_placed_during_a_run_applies_at_once() {
    for_each_database(async |store| {
        for n in 0..300 {
            add(&store, student(&format!("N{n}"))).await;
        }
        staff(&store, DPO, Role::Dpo).await;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "300").await.unwrap();
        let placing = async {
            let id = on_category(&store, "STUDENT").await;
            let left = users::Entity::find()
                .filter(users::Column::AnonymisedOn.is_null())
                .filter(users::Column::Category.eq("STUDENT"));
            (id, left.all(&store.db).await.unwrap().len())
        };
        let (state, (_, left)) = tokio::join!(run::execute(&store, started), placing);
        assert_eq!(state.unwrap(), RunState::Succeeded);
        let done = run::read(&store, started).await.unwrap();
        assert_eq!(done.skipped, i64::try_from(left).unwrap(), "no user is anonymised after the legal hold");
        assert_eq!(done.done + done.skipped, 300);
    })
    .await;
}

#[tokio::test]
async fn users_who_leave_a_held_category_stay_under_legal_hold() {
    for_each_database(async |store| {
        add(&store, student("Ng")).await;
        add(&store, users::ActiveModel { category: Set(Some("GUEST".to_owned())), ..leaver("Other") }).await;
        staff(&store, DPO, Role::Dpo).await;
        on_category(&store, "STUDENT").await;
        for number in [1, 2] {
            let record = user::read(&store, UserNumber(number)).await.unwrap();
            let moved = UserForm { category: "ALUMNI".to_owned(), ..user::form_of(&record) };
            user::save(&store, Actor::COMMAND_LINE, &moved).await.unwrap();
        }
        let holds = legal_hold::of_user(&store, UserNumber(1)).await.unwrap();
        assert_eq!(holds.len(), 1);
        assert_eq!(holds[0].owner.as_ref().map(|owner| owner.number), Some(DPO));
        assert_eq!(holds[0].review_on, day("2018-03-01"));
        assert_eq!(legal_hold::of_user(&store, UserNumber(2)).await.unwrap().len(), 0);
        let last = events(&store).await.pop().unwrap();
        assert_eq!(last.3, "hold=2,reason=dispute,from_hold=1");

        // An import can't evade the legal hold either.
        let okafor = add(&store, student("Okafor")).await.number;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.csv");
        std::fs::write(&file, "user_id,last_name,category\nOkafor-id,Okafor,ALUMNI\n").unwrap();
        import_users(&store, Actor::COMMAND_LINE, &file, false).await.unwrap();
        let record = user::read(&store, UserNumber(okafor)).await.unwrap();
        assert_eq!(record.category.unwrap().code, "ALUMNI");
        assert_eq!(record.counts.legal_holds, 1);
    })
    .await;
}

#[tokio::test]
async fn a_review_date_reminds_without_releasing() {
    for_each_database(async |store| {
        for name in ["Ng", "Okafor"] {
            add(&store, student(name)).await;
        }
        staff(&store, DPO, Role::Dpo).await;
        let id = on_user(&store, 1).await;
        on_category(&store, "STUDENT").await;
        let due = async |store: &Store| {
            let conditions = health::read(store).await.unwrap().conditions;
            conditions.into_iter().map(|one| (one.what, one.since.to_rfc3339())).collect::<Vec<_>>()
        };
        assert_eq!(due(&store).await, []);
        let later = store.as_another_process(Clock::fixed(chrono_tz::Tz::Europe__London, day("2018-03-01")));
        let since = "2018-03-01T00:00:00+00:00".to_owned();
        assert_eq!(due(&later).await, [(ConditionKind::LegalHoldsDue { holds: 2 }, since.clone())]);
        assert!(ConditionKind::CODES.contains(&ConditionKind::LegalHoldsDue { holds: 2 }.code()));
        let all = Paging::default();
        let query = LegalHoldQuery { show: Show::Due, ..LegalHoldQuery::default() };
        assert_eq!(legal_hold::list(&later, &query, &all).await.unwrap().rows.len(), 2);
        assert_eq!(legal_hold::list(&store, &query, &all).await.unwrap().rows.len(), 0);
        let plan = run::plan_for_one(&later, UserNumber(1)).await;
        assert_eq!(plan.unwrap().verdict.reason(), Reason::LegalHold, "the legal hold is still active");

        let early = legal_hold::review(&later, dpo(), id, "2018-03-01").await;
        assert!(matches!(early, Err(RecordsError::Invalid(errors)) if errors.message("review_on").is_some()));
        legal_hold::review(&later, dpo(), id, "2018-06-01").await.unwrap();
        assert_eq!(due(&later).await, [(ConditionKind::LegalHoldsDue { holds: 1 }, since)]);
        let reviewed = events(&store).await.pop().unwrap();
        assert_eq!(
            (reviewed.0.as_str(), reviewed.3.as_str()),
            ("legal_hold_reviewed", "hold=1,reason=dispute,review_on")
        );
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    for_each_database(async |store| {
        for name in ["Ng", "Okafor"] {
            add(&store, student(name)).await;
        }
        staff(&store, DPO, Role::Dpo).await;
        let first = on_user(&store, 1).await;
        let second = on_user(&store, 2).await;
        let third = on_category(&store, "STUDENT").await;
        legal_hold::release(&store, dpo(), second).await.unwrap();
        let ids = async |query: LegalHoldQuery| {
            let rows = legal_hold::list(&store, &query, &Paging::default()).await.unwrap().rows;
            rows.into_iter().map(|hold| hold.id).collect::<Vec<_>>()
        };
        let show = |show| LegalHoldQuery { show, ..LegalHoldQuery::default() };
        assert_eq!(ids(show(Show::InForce)).await, [third, first]);
        assert_eq!(ids(show(Show::Released)).await, [second]);
        assert_eq!(ids(show(Show::All)).await, [third, second, first]);
        let of_user = LegalHoldQuery { user: Some(UserNumber(1)), ..show(Show::All) };
        assert_eq!(ids(of_user).await, [first]);
        let of_category = LegalHoldQuery { category: Some("STUDENT".to_owned()), ..show(Show::All) };
        assert_eq!(ids(of_category).await, [third]);
        let one = Paging { rows: Some(1), ..Paging::default() };
        let page = legal_hold::list(&store, &show(Show::All), &one).await.unwrap();
        let next = Paging { after: page.next, rows: Some(1), ..Paging::default() };
        assert_eq!(legal_hold::list(&store, &show(Show::All), &next).await.unwrap().rows[0].id, second);
        let of_one = legal_hold::of_user(&store, UserNumber(2)).await.unwrap();
        assert_eq!(of_one.iter().map(|hold| hold.id).collect::<Vec<_>>(), [third, second]);
    })
    .await;
}

#[tokio::test]
async fn a_second_person_releases_on_request() {
    for_each_database(async |store| {
        add(&store, student("Ng")).await;
        staff(&store, DPO, Role::Dpo).await;
        let id = on_user(&store, 1).await;
        assert!(
            !approval::four_eyes(&store, Action::ReleaseLegalHolds).await.unwrap(),
            "only one person can approve"
        );
        staff(&store, SECOND, Role::Dpo).await;
        assert!(approval::four_eyes(&store, Action::ReleaseLegalHolds).await.unwrap());

        assert!(refused(legal_hold::release(&store, dpo(), id).await).contains("Request the release"));
        let request = legal_hold::request_legal_hold_release(&store, dpo(), id).await.unwrap();
        assert_eq!(legal_hold::request_legal_hold_release(&store, dpo(), id).await.unwrap(), request);
        // The same person can't release or approve, even in another session, and neither can the command line.
        let later =
            Actor::signed_in(DPO, Roles::from_iter([Role::Dpo, Role::Administrator]), Clock::system_now());
        for actor in [dpo(), later] {
            assert!(
                refused(legal_hold::release(&store, actor, id).await).contains("Another member of staff")
            );
            assert!(
                refused(approval_workflow::approve(&store, actor, request).await)
                    .contains("Another member of staff")
            );
        }
        let rejected = legal_hold::release(&store, Actor::COMMAND_LINE, id).await;
        assert!(refused(rejected).contains("command line cannot approve"));
        for role in [Role::Administrator, Role::SystemsLibrarian] {
            let forbidden = approval_workflow::approve(&store, staff_actor(SECOND, role), request).await;
            assert!(matches!(forbidden, Err(RecordsError::Forbidden(Action::ReleaseLegalHolds))), "{role:?}");
        }
        assert!(legal_hold::read(&store, id).await.unwrap().is_in_force());

        // A review changes the content of the request.
        legal_hold::review(&store, dpo(), id, "2018-05-01").await.unwrap();
        assert!(
            refused(legal_hold::release(&store, staff_actor(SECOND, Role::Dpo), id).await)
                .contains("Request the release")
        );
        legal_hold::request_legal_hold_release(&store, dpo(), id).await.unwrap();
        legal_hold::release(&store, staff_actor(SECOND, Role::Dpo), id).await.unwrap();
        let released = legal_hold::read(&store, id).await.unwrap();
        assert_eq!(released.released_by.map(|person| person.number), Some(SECOND));
        let events = events(&store).await;
        let actions: Vec<&str> = events.iter().map(|event| event.0.as_str()).collect();
        assert_eq!(
            actions,
            [
                "legal_hold_placed",
                "legal_hold_release_requested",
                "legal_hold_reviewed",
                "legal_hold_release_requested",
                "legal_hold_released"
            ]
        );
        assert_eq!(events.last().unwrap().3, "hold=1,reason=dispute,approval=2");
        assert!(refused(legal_hold::release(&store, dpo(), id).await).contains("already been released"));
    })
    .await;
}

#[tokio::test]
async fn the_four_eyes_setting_overrides_the_number_of_approvers() {
    for_each_database(async |store| {
        add(&store, student("Ng")).await;
        staff(&store, DPO, Role::Dpo).await;
        let id = on_user(&store, 1).await;
        let on = with_four_eyes(&store, FourEyes::On);
        assert!(refused(legal_hold::release(&on, dpo(), id).await).contains("Request the release"));
        staff(&store, SECOND, Role::Dpo).await;
        let off = with_four_eyes(&store, FourEyes::Off);
        legal_hold::request_legal_hold_release(&off, dpo(), id).await.unwrap();
        legal_hold::release(&off, dpo(), id).await.unwrap();
        let rows =
            approval::list(&off, &approval::ApprovalQuery::default(), &Paging::default()).await.unwrap().rows;
        assert_eq!(rows[0].status, approval::ApprovalStatus::NotNeeded, "a decision is no longer needed");
        assert_eq!(rows[0].status.label(), "No longer needed");
        let by_code = |code: &str| {
            audit_events::Entity::find().filter(audit_events::Column::Action.eq(code)).all(&off.db)
        };
        assert_eq!(by_code("approval_not_needed").await.unwrap().len(), 1);
        assert_eq!(by_code("approval_withdrawn").await.unwrap().len(), 0);
    })
    .await;
}
