//! Imports of the valid lines only: every line is accounted for, and the history has the same numbers.

use crate::support::{add, for_each_database, import_loans, import_users, leaver};
use db::entity::{import_lines, imports, loans, users};
use policy::import::{ImportState, LineOutcome};
use policy::import_options::{ImportMode, ImportOptions};
use policy::import_profile::{FileKind, ImportProfile};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseBackend, EntityTrait, PaginatorTrait, QueryOrder};
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;
use trail::{Actor, Store};
use transfer::import_history;
use transfer::upload::Upload;
use transfer::{ImportOrder, ImportSummary, Imported, TransferError, Watch};

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

pub async fn valid_lines(store: &Store, kind: FileKind, file: &Path, dry_run: bool) -> Imported {
    let watch = Watch::default();
    let options = ImportOptions { mode: ImportMode::ValidLinesOnly, ..ImportOptions::default() };
    let order = ImportOrder::on_command_line(file, ImportProfile::own_format(kind), &watch);
    let order = ImportOrder { dry_run, options, ..order };
    transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap()
}

/// Returns the number of lines of which the summary says what became of them.
pub fn accounted(summary: &ImportSummary) -> u64 {
    let held = summary.suppressed + summary.suppressed_ignored + summary.held;
    summary.created
        + summary.changed
        + summary.unchanged
        + summary.skipped
        + summary.staff
        + held
        + summary.rejected
}

/// A member of staff saves a record while a large file is checked. SQLite has one writer, so the check must not be it.
#[tokio::test]
async fn a_check_keeps_no_writer_waiting_on_sqlite() {
    for_each_database(async |store| {
        if store.db.get_database_backend() == DatabaseBackend::Postgres {
            return;
        }
        let known = file("user_id,last_name\nknown,Alder\n");
        valid_lines(&store, FileKind::Users, known.path(), false).await;
        let csv = file("user_id,last_name,first_name\nknown,Alder,New\nnew,Birch,Ada\n");
        let saving = store.begin().await.unwrap();
        leaver("meanwhile").insert(&saving).await.unwrap();
        let checked = valid_lines(&store, FileKind::Users, csv.path(), true).await;
        store.commit(saving).await.unwrap();
        assert!(checked.summary.dry_run);
        assert_eq!((checked.summary.created, checked.summary.changed), (1, 1));
        assert_eq!(users::Entity::find().count(&store.db).await.unwrap(), 2, "only the saved user was added");
        let copies = std::fs::read_dir(&store.settings.uploads).unwrap().count();
        assert_eq!(copies, 0, "the copy was erased");

        let wrong = file("user_id,last_name,email\nnew,Birch,none\n");
        let watch = Watch::default();
        let order =
            ImportOrder::on_command_line(wrong.path(), ImportProfile::own_format(FileKind::Users), &watch);
        let order = ImportOrder { dry_run: true, ..order };
        let refused = transfer::import(&store, Actor::COMMAND_LINE, &order).await;
        assert!(matches!(refused, Err(TransferError::File(_))), "{refused:?}");
        assert_eq!(std::fs::read_dir(&store.settings.uploads).unwrap().count(), 0);
    })
    .await;
}

/// The maintenance of another process, such as a server beside `lethe import`, runs while a file is received.
#[tokio::test]
async fn the_maintenance_erases_no_upload_in_use() {
    for_each_database(async |store| {
        let uploads = &store.settings.uploads;
        let mut upload = Upload::create(uploads).unwrap();
        upload.begin(None).unwrap();
        upload.write(b"last_name\n").unwrap();
        assert_eq!(import_history::erase_old_uploads(&store).await.unwrap(), 0);
        let uploaded = upload.finish().unwrap();
        assert_eq!(import_history::erase_old_uploads(&store).await.unwrap(), 0);
        assert!(uploads.join(&uploaded.name).exists());
        drop(uploaded);
        assert_eq!(import_history::erase_old_uploads(&store).await.unwrap(), 1);
    })
    .await;
}

/// All or nothing reads a file twice. The first time takes long, too, in a large file.
#[tokio::test]
async fn the_first_pass_over_a_file_can_be_cancelled() {
    for_each_database(async |store| {
        let loans = "user_id,item_barcode,branch,issued_on,due_on\n";
        for (kind, content) in [
            (FileKind::Users, "user_id,last_name\nu,Alder\nv,Birch\nw,Cedar\n".to_owned()),
            (
                FileKind::Loans,
                format!("{loans}u,i,MAIN,2018-01-02,2018-01-09\nu,j,MAIN,2018-01-02,2018-01-09\n"),
            ),
        ] {
            let (file, watch) = (file(&content), Watch::default());
            watch.cancel();
            let order = ImportOrder::on_command_line(file.path(), ImportProfile::own_format(kind), &watch);
            let cancelled = transfer::import(&store, Actor::COMMAND_LINE, &order).await;
            assert!(matches!(cancelled, Err(TransferError::Cancelled)), "{cancelled:?}");
            assert_eq!(watch.lines(), 1, "{kind:?}: no further line was read");
        }
    })
    .await;
}

const USERS: &str = "user_id,last_name,email,anonymised_on\n\
                     new-1,Alder,alder@example.org,\n\
                     new-2,Birch,not an address,\n\
                     new-3,Cedar\n\
                     Ng-id,Ng,ng@example.org,\n\
                     new-1,Again,again@example.org,\n\
                     ,Dogwood,,\n\
                     gone,Elder,,2018-01-02\n\
                     new-4,Fir,,\n";

#[tokio::test]
async fn valid_lines_are_imported_and_every_line_is_accounted_for() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let content = file(USERS);
        let refused = import_users(&store, Actor::COMMAND_LINE, content.path(), false).await;
        assert!(matches!(refused, Err(TransferError::File(_))));
        assert_eq!(users::Entity::find().count(&store.db).await.unwrap(), 1, "all or nothing is the default");

        let checked = valid_lines(&store, FileKind::Users, content.path(), true).await;
        assert_eq!(users::Entity::find().count(&store.db).await.unwrap(), 1, "a check changes nothing");
        let Imported { summary, report, .. } =
            valid_lines(&store, FileKind::Users, content.path(), false).await;
        assert_eq!((summary.lines, accounted(&summary)), (8, 8), "{summary:?}");
        assert_eq!((summary.created, summary.changed, summary.skipped, summary.rejected), (2, 1, 1, 4));
        assert_eq!(
            ImportSummary { dry_run: false, ..checked.summary },
            summary,
            "the check has counted the same"
        );
        let rejected: Vec<u64> = report
            .iter()
            .filter(|line| line.outcome == LineOutcome::Rejected)
            .map(|line| line.line)
            .collect();
        assert_eq!(rejected, [3, 4, 6, 7]);
        let names = users::Entity::find().order_by_asc(users::Column::Number).all(&store.db).await.unwrap();
        let names: Vec<_> = names.into_iter().filter_map(|user| user.last_name).collect();
        assert_eq!(names, ["Ng", "Alder", "Fir"]);

        let history = imports::Entity::find().order_by_asc(imports::Column::Id).all(&store.db).await.unwrap();
        let states: Vec<_> = history.iter().map(|import| import.state).collect();
        assert_eq!(states, [ImportState::Rejected, ImportState::Imported]);
        let counts: ImportSummary = serde_json::from_str(history[1].counts.as_deref().unwrap()).unwrap();
        assert_eq!(counts, summary);
        let lines = import_lines::Entity::find().all(&store.db).await.unwrap();
        assert!(
            lines.iter().all(|line| !line.message.contains("Birch") && !line.message.contains("address,"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_loan_of_an_unknown_user_is_rejected_alone() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let content = file(
            "user_id,item_barcode,branch,issued_on,due_on\n\
             Ng-id,I1,main,2017-12-01,2018-01-01\n\
             nothing,I2,main,2017-12-01,2018-01-01\n\
             Ng-id,I3,main,tomorrow,2018-01-01\n\
             Ng-id,I4\n",
        );
        assert!(import_loans(&store, Actor::COMMAND_LINE, content.path(), false).await.is_err());
        let Imported { summary, .. } = valid_lines(&store, FileKind::Loans, content.path(), false).await;
        assert_eq!((summary.lines, accounted(&summary)), (4, 4), "{summary:?}");
        assert_eq!((summary.created, summary.rejected), (1, 3));
        assert_eq!(loans::Entity::find().count(&store.db).await.unwrap(), 1);
    })
    .await;
}

/// A user with two problems is one rejected line; a line after it keeps its number.
#[tokio::test]
async fn a_line_with_several_problems_is_rejected_once() {
    for_each_database(async |store| {
        let mut other = leaver("Other");
        other.barcode = Set(Some("b-1".to_owned()));
        add(&store, other).await;
        let content = file("user_id,barcode,last_name,email\nnew-1,,,none\nnew-2,b-2,Birch,\n");
        let Imported { summary, report, .. } =
            valid_lines(&store, FileKind::Users, content.path(), false).await;
        assert_eq!((summary.lines, summary.created, summary.rejected), (2, 1, 1));
        let rejected = report.iter().filter(|line| line.outcome == LineOutcome::Rejected);
        assert_eq!(rejected.map(|line| line.line).collect::<Vec<_>>(), [2, 2]);
    })
    .await;
}
