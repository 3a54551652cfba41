//! Announcements of anonymising: which users get an e-mail, what keeps an account, bounces, and what is stored.

mod mail_server;

use crate::support::{add, day, dump, execute, five_days, for_each_database, leaver};
use chrono_tz::Tz;
use db::entity::{announcements, audit_events, run_members, runs, tasks, users};
use db::{Clock, MailSettings, MailTls, RecordsError, Settings};
use mail_server::MailServer;
use policy::announcement::AnnouncementState;
use policy::task_form::TaskForm;
use policy::{
    ExclusionReason, Outcome, Reason, RunId, RunKind, RunState, SafetyLimit, SafetyLimits, TaskId,
    TaskSettings, UserNumber,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use std::collections::BTreeSet;
use task_centre::announcement::{self, LinkState, Received};
use task_centre::{run, schedule, task};
use trail::{Actor, Store};

const CLI: Actor = Actor::COMMAND_LINE;
/// The day on which the accounts of the tests are due.
const DUE: &str = "2018-01-26";

/// Returns the store of a process that sends mail through this server, on a day.
fn on(store: &Store, mail: &MailServer, date: &str) -> Store {
    let settings = Settings {
        public_url: Some("https://lethe.example.org/".to_owned()),
        mail: Some(MailSettings {
            host: "127.0.0.1".to_owned(),
            port: mail.port,
            tls: MailTls::None,
            login: None,
            from: "Town Library <lethe@example.org>".to_owned(),
        }),
        ..Settings::clone(&store.settings)
    };
    store.with_settings(settings).as_another_process(Clock::fixed(Tz::Europe__London, day(date)))
}

/// Adds a user who left on 20 January 2018, so that the account is due on `DUE`.
async fn user(store: &Store, name: &str) -> UserNumber {
    let user = users::ActiveModel {
        email: Set(Some(address(name))),
        leaving_on: Set(Some(day("2018-01-20"))),
        ..leaver(name)
    };
    UserNumber(add(store, user).await.number)
}

fn address(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase())
}

fn form(announced: TaskId) -> TaskForm {
    TaskForm {
        description: "Announce".to_owned(),
        category: "notifications".to_owned(),
        task_type: "announce_anonymising".to_owned(),
        announced_task: announced.to_string(),
        days_before: "7".to_owned(),
        ..TaskForm::new_task()
    }
}

/// Adds the task that anonymises and the one that announces it.
async fn add_tasks(store: &Store) -> (TaskId, TaskId) {
    let anonymising = crate::support::add_task(store, &five_days()).await;
    (anonymising, task::save(store, CLI, &form(anonymising)).await.unwrap())
}

/// Creates a preview of the task and runs it.
async fn run_by_hand(store: &Store, task: TaskId) -> run::Run {
    let preview = run::preview(store, CLI, task).await.unwrap();
    let count = run::read(store, preview).await.unwrap().previewed;
    let started = run::start(store, CLI, preview, &count.to_string()).await.unwrap();
    run::execute(store, started).await.unwrap();
    run::read(store, started).await.unwrap()
}

async fn stored(store: &Store) -> Vec<(i64, AnnouncementState)> {
    let rows = announcements::Entity::find().order_by_asc(announcements::Column::Id).all(&store.db).await;
    rows.unwrap().into_iter().map(|row| (row.user_number, row.state)).collect()
}

async fn record(store: &Store, number: UserNumber) -> users::Model {
    users::Entity::find_by_id(number.0).one(&store.db).await.unwrap().unwrap()
}

async fn is_anonymised(store: &Store, number: UserNumber) -> bool {
    record(store, number).await.anonymised_on.is_some()
}

#[tokio::test]
async fn an_answer_and_a_loan_keep_an_account_and_silence_does_not() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let (answers, borrows, silent) =
            (user(&store, "Answers").await, user(&store, "Borrows").await, user(&store, "Silent").await);
        let (anonymising, announcing) = add_tasks(&store).await;
        let ran = run_by_hand(&store, announcing).await;
        assert_eq!((ran.state, ran.done, ran.failed), (RunState::Succeeded, 3, 0), "{ran:?}");
        assert_eq!(mail.recipients(), ["answers", "borrows", "silent"].map(address));
        let text = mail.mail_to(&address("Answers"));
        assert!(text.contains("Subject: Your library: your account will be removed"), "{text}");
        assert!(text.contains("Dear First Answers") && text.contains("from 26 Jan 2018 on"), "{text}");
        assert!(
            text.contains("https://lethe.example.org/keep/") && text.contains("Auto-Submitted"),
            "{text}"
        );

        let later = on(&store, &mail, "2018-01-22");
        let token = mail.token_for(&address("Answers"));
        assert_eq!(announcement::look(&later, &token).await.unwrap(), LinkState::Open);
        assert_eq!(record(&later, answers).await.kept_on, None, "opening the link changes nothing");
        announcement::keep(&later, &token).await.unwrap();
        announcement::keep(&later, &token).await.unwrap();
        let kept = LinkState::Kept(Some(day("2018-01-28")));
        assert_eq!(announcement::look(&later, &token).await.unwrap(), kept);
        let events = audit_events::Entity::find().filter(audit_events::Column::Action.eq("account_kept"));
        assert_eq!(events.all(&later.db).await.unwrap().len(), 1, "the second answer changes nothing");
        users::ActiveModel {
            number: Set(borrows.0),
            last_activity_on: Set(Some(day("2018-01-22"))),
            ..Default::default()
        }
        .update(&later.db)
        .await
        .unwrap();
        let found = announcement::answers(&later, ran.id).await.unwrap();
        assert_eq!((found.kept_by_answer, found.kept_by_activity, found.bounces), (1, 1, 0));

        let due = on(&store, &mail, DUE);
        let erased = run_by_hand(&due, anonymising).await;
        assert_eq!((erased.state, erased.done), (RunState::Succeeded, 1));
        assert!(is_anonymised(&due, silent).await);
        assert!(!is_anonymised(&due, answers).await && !is_anonymised(&due, borrows).await);
        let of_silent = record(&due, silent).await;
        assert_eq!((of_silent.announced_on, of_silent.kept_on), (None, None));
        let left = stored(&due).await;
        assert!(left.iter().all(|(number, _)| *number != silent.0), "{left:?}");
        let token = mail.token_for(&address("Silent"));
        assert_eq!(announcement::look(&due, &token).await.unwrap(), LinkState::Invalid);

        // The new days are announced again, and nothing that kept the account before is forgotten by that.
        let again = run_by_hand(&due, announcing).await;
        assert_eq!((again.previewed, again.done), (2, 2), "{again:?}");
        assert_eq!(record(&due, borrows).await.kept_on, Some(day("2018-01-22")));
        let erased = run::preview(&due, CLI, anonymising).await.unwrap();
        assert_eq!(run::read(&due, erased).await.unwrap().previewed, 0);
        let erased = run_by_hand(&on(&store, &mail, "2018-01-28"), anonymising).await;
        assert_eq!(erased.done, 2, "silence after the second announcement");
    })
    .await;
}

#[tokio::test]
async fn only_due_users_with_an_address_are_announced_and_each_day_once() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        user(&store, "Due").await;
        let blocked = user(&store, "Blocked").await;
        let without = user(&store, "Without").await;
        let later = user(&store, "Later").await;
        execute(&store, &format!("UPDATE users SET email = 'not an address' WHERE number = {without}")).await;
        execute(&store, &format!("UPDATE users SET leaving_on = '2018-01-23' WHERE number = {later}")).await;
        execute(
            &store,
            &format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES \
                 ({blocked}, 'main', '2018-01-02', '2018-02-02')"
            ),
        )
        .await;
        let (_, announcing) = add_tasks(&store).await;
        let preview = run::preview(&store, CLI, announcing).await.unwrap();
        let counts = async |store: &Store, preview| run::read(store, preview).await.unwrap().verdicts;
        assert_eq!(
            counts(&store, preview).await,
            [(Reason::Eligible, 1), (Reason::Waiting, 1), (Reason::OpenLoan, 1), (Reason::WithoutEmail, 1)]
        );
        assert_eq!(stored(&store).await, [], "a preview sends nothing");
        assert_eq!(run_by_hand(&store, announcing).await.done, 1);

        let next = on(&store, &mail, "2018-01-24");
        let preview = run::preview(&next, CLI, announcing).await.unwrap();
        assert_eq!(
            counts(&next, preview).await,
            [
                (Reason::Eligible, 1),
                (Reason::OpenLoan, 1),
                (Reason::WithoutEmail, 1),
                (Reason::AlreadyAnnounced, 1)
            ]
        );
        // A user who borrows something between preview and run is not announced.
        execute(
            &next,
            &format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES \
                 ({later}, 'main', '2018-01-22', '2018-02-02')"
            ),
        )
        .await;
        let started = run::start(&next, CLI, preview, "1").await.unwrap();
        assert_eq!(run::execute(&next, started).await.unwrap(), RunState::Succeeded);
        let ran = run::read(&next, started).await.unwrap();
        assert_eq!((ran.done, ran.skipped_by), (0, vec![(Reason::OpenLoan, 1)]));
        assert_eq!(mail.recipients(), ["due"].map(address));
    })
    .await;
}

#[tokio::test]
async fn bounces_are_listed_and_temporary_problems_are_tried_again() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let (gone, busy) = (user(&store, "Gone").await, user(&store, "Busy").await);
        let fine = user(&store, "Fine").await;
        mail.answer(&address("Gone"), Some("550 no such user gone@example.org"));
        mail.answer(&address("Busy"), Some("450 try again later, busy@example.org"));
        let relay = user(&store, "Relay").await;
        mail.answer(&address("Relay"), Some("550 5.7.1 relaying denied for lethe@example.org"));
        let (_, announcing) = add_tasks(&store).await;
        let ran = run_by_hand(&store, announcing).await;
        assert_eq!((ran.state, ran.done, ran.failed), (RunState::CompletedWithFailures, 1, 3));
        let codes = ["bounced", "refused", "rejected_for_now"].map(|code| (code.to_owned(), 1));
        assert_eq!(ran.failed_by, codes);
        let found = announcement::answers(&store, ran.id).await.unwrap();
        assert_eq!((found.bounces, found.bounced), (1, vec![gone]));
        for (number, announced) in [(gone, false), (busy, false), (relay, false), (fine, true)] {
            let day = record(&store, number).await.announced_on;
            assert_eq!(day.is_some(), announced, "{number}: only a sent e-mail announces");
        }

        mail.answer(&address("Gone"), None);
        mail.answer(&address("Busy"), None);
        mail.answer(&address("Relay"), None);
        let again = run_by_hand(&store, announcing).await;
        assert_eq!((again.state, again.done), (RunState::Succeeded, 2), "a bounce is not tried again");
        assert_eq!(mail.recipients(), ["busy", "fine", "relay"].map(address));
        let states = stored(&store).await;
        assert!(states.contains(&(busy.0, AnnouncementState::Failed)));
        assert!(states.contains(&(relay.0, AnnouncementState::Failed)), "the address is not to blame");
        assert!(states.contains(&(busy.0, AnnouncementState::Sent)), "{states:?}");
    })
    .await;
}

/// The leaving date of an import is often the day on which the card expires. An answer before it moves nothing.
#[tokio::test]
async fn a_user_is_announced_when_an_answer_keeps_the_account() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let today = on(&store, &mail, "2018-01-20");
        user(&today, "Leaves").await;
        let (anonymising, announcing) = add_tasks(&today).await;
        let preview = run::preview(&today, CLI, announcing).await.unwrap();
        assert_eq!(run::read(&today, preview).await.unwrap().previewed, 0, "the leaving date is today");
        let tomorrow = on(&store, &mail, "2018-01-21");
        assert_eq!(run_by_hand(&tomorrow, announcing).await.done, 1);

        let confirmed = async || {
            let task = tasks::Entity::find_by_id(announcing.0).one(&store.db).await.unwrap().unwrap();
            task.confirmed_settings.is_some()
        };
        assert!(confirmed().await);
        let edit = async |days: &str| {
            let saved = task::read(&tomorrow, CLI, anonymising).await.unwrap();
            let form = TaskForm::from_draft(&saved.draft, &[]);
            let form = TaskForm { leaving_days: days.to_owned(), ..form };
            task::save(&tomorrow, CLI, &form).await.unwrap();
        };
        edit("6").await;
        assert!(confirmed().await, "it selects no further users");
        edit("4").await;
        assert!(!confirmed().await, "it selects users that no person has seen");
    })
    .await;
}

/// E-mails remove nothing, so they don't count towards the limit of a run that anonymises.
#[tokio::test]
async fn a_partial_announcement_does_not_stop_a_run_that_anonymises() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let safety_limits = SafetyLimits { people: 3, percent: 100, times_median: 100 };
        let store = store.with_settings(Settings { safety_limits, ..Settings::clone(&store.settings) });
        let first = user(&store, "First").await;
        for name in ["Second", "Third"] {
            user(&store, name).await;
        }
        for name in ["Gone", "Left"] {
            let due = users::ActiveModel {
                email: Set(None),
                leaving_on: Set(Some(day("2018-01-02"))),
                ..leaver(name)
            };
            add(&store, due).await;
        }
        let (anonymising, announcing) = add_tasks(&store).await;
        let preview = run::preview(&store, CLI, announcing).await.unwrap();
        let one = BTreeSet::from([first]);
        run::exclude(&store, CLI, preview, &one, ExclusionReason::ToBeChecked).await.unwrap();
        let started = run::start(&store, CLI, preview, "2").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let preview = run::preview(&store, CLI, anonymising).await.unwrap();
        let preview = run::read(&store, preview).await.unwrap();
        assert_eq!(preview.previewed, 2);
        assert_eq!(run::comparison(&store, &preview).await.unwrap().facts.safety_limit, None);
    })
    .await;
}

#[tokio::test]
async fn a_bounce_that_arrives_later_is_recorded_once() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let gone = user(&store, "Gone").await;
        let (_, announcing) = add_tasks(&store).await;
        let ran = run_by_hand(&store, announcing).await;
        let sent = mail.mail_to(&address("Gone"));
        let id = sent.lines().find(|line| line.starts_with("Message-ID:")).unwrap();
        let report = |action: &str, status: &str| {
            format!("Final-Recipient: rfc822; gone@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\r\n{id}\r\n")
        };
        let receive = async |message: &str| announcement::receive(&store, CLI, message).await.unwrap();
        assert_eq!(receive(&report("delayed", "4.4.7")).await, Received::Unchanged);
        assert_eq!(receive(&report("failed", "5.1.1")).await, Received::Bounced { user: gone });
        assert_eq!(receive(&report("failed", "5.1.1")).await, Received::Unchanged);
        assert_eq!(receive("Action: failed").await, Received::Unknown);
        assert_eq!(announcement::answers(&store, ran.id).await.unwrap().bounced, [gone]);
        let librarian = Actor::unprivileged(None, policy::Channel::Web);
        assert!(announcement::receive(&store, librarian, "").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_run_sends_nothing_twice() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let (sending, waiting) = (user(&store, "Sending").await, user(&store, "Waiting").await);
        let (anonymising, announcing) = add_tasks(&store).await;
        let preview = run::preview(&store, CLI, announcing).await.unwrap();
        let started = run::start(&store, CLI, preview, "2").await.unwrap();
        // As a process leaves it that dies while the mail server answers.
        announcements::ActiveModel {
            user_number: Set(sending.0),
            task_id: Set(anonymising.0),
            run_id: Set(started.0),
            due_on: Set(day(DUE)),
            token_digest: Set("digest".to_owned()),
            message_id: Set("announcement-1".to_owned()),
            state: Set(AnnouncementState::Sending),
            ..Default::default()
        }
        .insert(&store.db)
        .await
        .unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::CompletedWithFailures);
        assert_eq!(mail.recipients(), ["waiting"].map(address));
        assert_eq!(
            stored(&store).await,
            [(sending.0, AnnouncementState::Unclear), (waiting.0, AnnouncementState::Sent)]
        );
        assert_eq!(run::read(&store, started).await.unwrap().failed_by, [("unclear".to_owned(), 1)]);
        assert!(record(&store, sending).await.announced_on.is_some(), "the e-mail may have arrived");
        let next = run::preview(&store, CLI, announcing).await.unwrap();
        assert_eq!(run::read(&store, next).await.unwrap().previewed, 0);
    })
    .await;
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_sent_and_a_run_says_why() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let ready = on(&store, &mail, "2018-01-21");
        user(&ready, "Due").await;
        let (_, announcing) = add_tasks(&ready).await;
        let preview = run::preview(&store, CLI, announcing).await.unwrap();
        let why = run::why_not(&store, preview).await.unwrap().unwrap();
        assert!(why.contains("LETHE_SMTP_HOST"), "{why}");
        assert!(matches!(run::start(&store, CLI, preview, "1").await, Err(RecordsError::Refused(_))));

        // A server that does not answer: the run ends, and the next one announces.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let down = MailSettings { port: gone, ..ready.settings.mail.clone().unwrap() };
        let down = ready.with_settings(Settings { mail: Some(down), ..Settings::clone(&ready.settings) });
        let failed = run_by_hand(&down, announcing).await;
        assert_eq!((failed.state, failed.errors), (RunState::Failed, vec!["connection".to_owned()]));
        assert_eq!(run_by_hand(&ready, announcing).await.done, 1);
        assert_eq!(mail.recipients(), ["due"].map(address));
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_run_waits_until_a_person_has_confirmed_the_text() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let first = on(&store, &mail, "2018-01-21");
        user(&first, "Due").await;
        let anonymising = crate::support::add_task(&first, &five_days()).await;
        let daily = TaskForm { schedule: "daily".to_owned(), time: "02:00".to_owned(), ..form(anonymising) };
        let announcing = task::save(&first, CLI, &daily).await.unwrap();
        let night = |date: &str| {
            let wall = day(date).and_hms_opt(2, 0, 30).unwrap();
            let at = policy::timezone::at_wall_time(Tz::Europe__London, wall).at;
            first.as_another_process(Clock::status(Tz::Europe__London, at))
        };
        let of_night = async |date: &str| {
            let store = night(date);
            schedule::tick(&store).await.unwrap();
            run::work(&store).await.unwrap();
            let newest = runs::Entity::find()
                .filter(runs::Column::Kind.eq(RunKind::Scheduled))
                .order_by_desc(runs::Column::Id)
                .one(&store.db)
                .await
                .unwrap()
                .unwrap();
            run::read(&store, RunId(newest.id)).await.unwrap()
        };
        let stopped = of_night("2018-01-22").await;
        assert_eq!(
            (stopped.state, stopped.safety_limit),
            (RunState::StoppedByLimit, Some(SafetyLimit::NotConfirmed))
        );
        assert!(mail.recipients().is_empty());
        // The member of staff opens the preview of the night and starts its run.
        let store = on(&first, &mail, "2018-01-22");
        let started = run::start(&store, CLI, stopped.preview.unwrap(), "1").await.unwrap();
        assert_eq!(run::execute(&store, started).await.unwrap(), RunState::Succeeded);
        let task = tasks::Entity::find_by_id(announcing.0).one(&store.db).await.unwrap().unwrap();
        assert!(matches!(task.confirmed_settings, Some(TaskSettings::AnnounceAnonymising(_))));
        user(&store, "Next").await;
        let ran = of_night("2018-01-23").await;
        assert_eq!((ran.state, ran.done), (RunState::Succeeded, 1), "{ran:?}");
        assert_eq!(mail.recipients(), ["due", "next"].map(address));
    })
    .await;
}

#[tokio::test]
async fn no_address_name_text_or_token_is_stored() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        user(&store, "Quillfeather").await;
        let bounces = user(&store, "Bouncewell").await;
        mail.answer(&address("Bouncewell"), Some("550 no such user bouncewell@example.org"));
        let (_, announcing) = add_tasks(&store).await;
        run_by_hand(&store, announcing).await;
        let token = mail.token_for(&address("Quillfeather"));
        let stored = dump(&store).await;
        let records = ["users|", "user_words|"];
        let others: Vec<&str> =
            stored.lines().filter(|line| !records.iter().any(|table| line.starts_with(table))).collect();
        let others = others.join("\n").to_lowercase();
        for value in ["quillfeather", "bouncewell", "example.org", token.as_str()] {
            assert!(!others.contains(value), "{value}: {others}");
        }
        let member = run_members::Entity::find()
            .filter(run_members::Column::UserNumber.eq(bounces.0))
            .filter(run_members::Column::Outcome.eq(Outcome::Failed));
        assert_eq!(member.one(&store.db).await.unwrap().unwrap().failure.as_deref(), Some("bounced"));
    })
    .await;
}

#[tokio::test]
async fn a_link_expires_and_an_unknown_one_changes_nothing() {
    for_each_database(async |store| {
        let mail = MailServer::start();
        let store = on(&store, &mail, "2018-01-21");
        let number = user(&store, "Due").await;
        let (_, announcing) = add_tasks(&store).await;
        run_by_hand(&store, announcing).await;
        let token = mail.token_for(&address("Due"));
        for wrong in ["", "x", &token[1..], &token.to_uppercase()] {
            assert_eq!(announcement::look(&store, wrong).await.unwrap(), LinkState::Invalid, "{wrong}");
            assert!(matches!(announcement::keep(&store, wrong).await, Err(RecordsError::NotFound(_))));
        }
        // 26 January and 90 days.
        let last = on(&store, &mail, "2018-04-26");
        assert_eq!(announcement::look(&last, &token).await.unwrap(), LinkState::Open);
        let expired = on(&store, &mail, "2018-04-27");
        assert_eq!(announcement::look(&expired, &token).await.unwrap(), LinkState::Invalid);
        assert!(matches!(announcement::keep(&expired, &token).await, Err(RecordsError::NotFound(_))));
        assert_eq!(record(&store, number).await.kept_on, None);
    })
    .await;
}

#[tokio::test]
async fn the_task_whose_users_are_announced_must_anonymise() {
    for_each_database(async |store| {
        let (anonymising, announcing) = add_tasks(&store).await;
        for wrong in [announcing, TaskId(999)] {
            let saved = task::save(&store, CLI, &form(wrong)).await;
            let Err(RecordsError::Invalid(errors)) = saved else { panic!("{saved:?}") };
            assert_eq!(errors.0[0].field, "announced_task");
        }
        execute(&store, "UPDATE tasks SET single_default = FALSE").await;
        task::delete(&store, CLI, anonymising).await.unwrap();
        let preview = run::preview(&store, CLI, announcing).await;
        assert!(matches!(preview, Err(RecordsError::Refused(_))), "{preview:?}");
    })
    .await;
}
