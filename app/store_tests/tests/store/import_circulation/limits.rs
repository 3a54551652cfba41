//! Wrong ends of loans, requests and charges don't make users eligible.

use super::{KINDS, day, ends, file_of, line};
use crate::import_modes::valid_lines;
use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{add, dump_records, for_each_database, import_of, leaver};
use crate::transfer::file;
use db::RecordsError;
use operations::health::{self, ConditionKind};
use policy::import::LineOutcome;
use policy::import_options::{ImportMode, ImportOptions};
use policy::import_profile::{FileKind, ImportProfile};
use policy::{FourEyes, Role, UserNumber};
use task_centre::approval_workflow;
use trail::{Actor, Store};
use transfer::{ImportOrder, ImportSummary, TransferError, Watch};

const CLI: Actor = Actor::COMMAND_LINE;

async fn try_import(
    store: &Store,
    kind: FileKind,
    content: &str,
    confirmed: Option<u64>,
) -> Result<ImportSummary, TransferError> {
    import_of((store, CLI), kind, file(content).path(), (false, confirmed)).await
}

fn refused<T: std::fmt::Debug>(result: Result<T, TransferError>) -> String {
    match result {
        Err(TransferError::Records(RecordsError::Refused(why))) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn an_end_before_its_begin_is_rejected_at_its_cell() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let ends = [
            ("returned_on", "the day of issue"),
            ("closed_on", "the day of the request"),
            ("settled_on", "the day of the charge"),
        ];
        for ((kind, _), (column, event)) in KINDS.into_iter().zip(ends) {
            let open = file_of(kind, 1..3, |_| String::new());
            try_import(&store, kind, &open, None).await.unwrap();
            let before = dump_records(&store).await;
            for end in ["1900-01-01", "2017-11-30"] {
                let content = file_of(kind, 1..3, |at| if at == 2 { end.to_owned() } else { String::new() });
                match try_import(&store, kind, &content, None).await {
                    Err(TransferError::File(problems)) => assert_eq!(
                        problems.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
                        [format!("line 3, {column}: Enter a date on or after {event}")]
                    ),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(dump_records(&store).await, before);
            let on_the_day = file_of(kind, 1..3, |_| "2017-12-01".to_owned());
            assert_eq!(try_import(&store, kind, &on_the_day, None).await.unwrap().changed, 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_due_date_before_the_issue_is_imported_with_a_note() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let content = line(FileKind::Loans, 1, ("", "")).replace("2018-01-01", "2017-11-30");
        let content = file(format!("{}\n{content}", KINDS[0].1));
        let done = valid_lines(&store, FileKind::Loans, content.path(), false).await;
        assert_eq!((done.summary.created, done.summary.rejected), (1, 0));
        let note = done.report.iter().find(|line| line.outcome == LineOutcome::Note).unwrap();
        assert_eq!((note.line, note.column.as_deref()), (2, Some("due_on")));
        assert_eq!(note.message, "The due date is before the day of issue");
    })
    .await;
}

#[tokio::test]
async fn many_lines_with_the_same_end_need_a_confirmation() {
    for_each_database(async |store| {
        let store = with_four_eyes(&store, FourEyes::Off);
        add(&store, leaver("Ng")).await;
        for (kind, _) in KINDS {
            let end = |at: usize| if at < 20 { "2017-12-31".to_owned() } else { String::new() };
            let content = file_of(kind, 0..30, end);
            let before = dump_records(&store).await;
            let why = refused(try_import(&store, kind, &content, None).await);
            assert!(why.contains("20 of 30 lines set the same date of the past"), "{why}");
            assert!(why.contains("--confirm 20") && why.contains("Nothing was changed"), "{why}");
            refused(try_import(&store, kind, &content, Some(19)).await);
            let kept = |dump: String| {
                dump.lines()
                    .filter(|line| line.starts_with(kind.code()))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(kept(dump_records(&store).await), kept(before));
            let confirmed = try_import(&store, kind, &content, Some(20)).await.unwrap();
            assert_eq!(confirmed.created, 30);
            // The same ends again set nothing, and a file with the returns of yesterday is nothing unusual.
            assert_eq!(try_import(&store, kind, &content, None).await.unwrap().unchanged, 30);
            let yesterday = file_of(kind, 100..130, |_| "2018-01-20".to_owned());
            assert_eq!(try_import(&store, kind, &yesterday, None).await.unwrap().created, 30);
        }
        let conditions = health::read(&store).await.unwrap().conditions;
        assert!(
            conditions.iter().any(|one| one.what == ConditionKind::LimitReached { actors: 1 }),
            "{conditions:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_file_that_closes_most_of_what_is_open_needs_a_confirmation() {
    for_each_database(async |store| {
        let store = with_four_eyes(&store, FourEyes::Off);
        add(&store, leaver("Ng")).await;
        for (kind, _) in KINDS {
            try_import(&store, kind, &file_of(kind, 0..60, |_| String::new()), None).await.unwrap();
            let today = |lines| file_of(kind, lines, |_| "2018-01-21".to_owned());
            let why = refused(try_import(&store, kind, &today(0..31), None).await);
            assert!(why.contains("the file closes 31 of 60 open loans, requests or charges"), "{why}");
            let checked =
                import_of((&store, CLI), kind, file(today(0..31)).path(), (true, None)).await.unwrap();
            assert_eq!(checked.over_limit, Some(31));
            assert_eq!(try_import(&store, kind, &today(0..30), None).await.unwrap().changed, 30);
            // Up to 20 are always within the limit.
            assert_eq!(try_import(&store, kind, &today(30..50), None).await.unwrap().changed, 20);
            assert_eq!(try_import(&store, kind, &today(50..60), None).await.unwrap().changed, 10);
            assert!(ends(&store, kind).await.iter().all(|end| *end == day("2018-01-21")));
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_person_approves_a_file_of_any_kind_with_its_options() {
    for_each_database(async |store| {
        let ben = UserNumber(8002);
        let store = with_four_eyes(&store, FourEyes::On);
        staff(&store, UserNumber(8001), Role::Administrator).await;
        staff(&store, ben, Role::SystemsLibrarian).await;
        add(&store, leaver("Ng")).await;
        for (kind, _) in KINDS {
            let content = file_of(kind, 0..30, |_| String::new()).replacen("Ng-id", "2.9001E+13", 3);
            let content = file(&content);
            let watch = Watch::default();
            let options = ImportOptions { mode: ImportMode::ValidLinesOnly, ..ImportOptions::default() };
            let order = ImportOrder::on_command_line(content.path(), ImportProfile::own_format(kind), &watch);
            let rejected = transfer::request_import(&store, CLI, &order).await;
            assert!(matches!(rejected, Err(TransferError::File(_))), "a wrong line rejects the file");
            let order = ImportOrder { options, ..order };
            let why = refused(transfer::import(&store, CLI, &order).await);
            assert!(why.contains("3 of 30 lines have a damaged key"), "{why}");
            assert!(
                why.contains(&format!("approvals request --import FILE --kind {}", kind.code())),
                "{why}"
            );
            let request = transfer::request_import(&store, CLI, &order).await.unwrap();
            let second = staff_actor(ben, Role::SystemsLibrarian);
            approval_workflow::approve_confirmed(&store, second, request, "3").await.unwrap();
            let done = transfer::import(&store, CLI, &order).await.unwrap().summary;
            assert_eq!((done.created, done.rejected), (27, 3));
        }
    })
    .await;
}
