//! Import profiles that staff make: from the first rows of a file, for imports and tasks.

use crate::legal_holds::{staff, staff_actor};
use crate::support::{execute, for_each_database};
use db::RecordsError;
use db::entity::{audit_events, import_profiles, imports, tasks, users};
use policy::form::Problem;
use policy::import::ImportState;
use policy::import_options::EmptyCells;
use policy::import_profile::{DateFormat, FileKind, ImportProfile, ProfileForm};
use policy::task_form::TaskForm;
use policy::{ImportId, ImportProfileId, Role, RunState, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::time::{Duration, SystemTime};
use task_centre::{run, task};
use trail::{Actor, Store};
use transfer::custom_profile::{self, CustomProfile};
use transfer::import_history;
use transfer::job::{self, Step};
use transfer::upload::Upload;
use transfer::{Reason, profile};

const CLI: Actor = Actor::COMMAND_LINE;
const FILE: &str = "Matrikelnummer;Nachname;Vorname;Ablaufdatum;x1;Fach\n\
                    E1;Alder;Ann;30.09.2019;a@example.org;Law\n\
                    E2;Birch;Ben;31.03.2019;b@example.org;\n";

/// Uploads a file for a new profile.
async fn upload(store: &Store, content: &str) -> ImportId {
    let mut upload = Upload::create(&store.settings.uploads).unwrap();
    upload.begin(None).unwrap();
    upload.write(content.as_bytes()).unwrap();
    let uploaded = upload.finish().unwrap();
    import_history::add_upload(store, CLI, ImportProfile::own_format(FileKind::Users), &uploaded)
        .await
        .unwrap()
}

/// Returns the form that maps the columns of [`FILE`].
fn form(name: &str) -> ProfileForm {
    let mut profile = ImportProfile::own_format(FileKind::Users);
    for (source, target) in [
        ("Matrikelnummer", Some("external_id")),
        ("Nachname", Some("last_name")),
        ("Vorname", Some("first_name")),
        ("Ablaufdatum", Some("leaving_on")),
        ("x1", Some("email")),
        ("Fach", None),
    ] {
        profile.columns.push(policy::import_profile::ColumnMapping {
            source: source.to_owned(),
            target: target.map(str::to_owned),
            ..Default::default()
        });
    }
    profile.dates = DateFormat::DayMonthYearDots;
    ProfileForm { name: name.to_owned(), ..ProfileForm::from_profile(&profile) }
}

async fn create(store: &Store, name: &str) -> CustomProfile {
    let id = upload(store, FILE).await;
    let id = custom_profile::create(store, CLI, id, &form(name)).await.unwrap();
    custom_profile::read(store, CLI, id).await.unwrap()
}

fn problem(result: Result<ImportProfileId, RecordsError>, field: &str) -> Option<String> {
    match result {
        Err(RecordsError::Invalid(errors)) => errors.message(field),
        other => panic!("{other:?}"),
    }
}

async fn events(store: &Store) -> Vec<(String, String)> {
    let events =
        audit_events::Entity::find().order_by_asc(audit_events::Column::Id).all(&store.db).await.unwrap();
    let own = events.into_iter().filter(|event| event.action.starts_with("import_profile"));
    own.map(|event| (event.action, event.detail)).collect()
}

#[tokio::test]
async fn a_profile_is_made_from_the_first_rows_and_imports_the_file() {
    for_each_database(async |store| {
        let id = upload(&store, FILE).await;
        let import = import_history::read(&store, CLI, id).await.unwrap();
        let sample = custom_profile::sample(&store, CLI, &import).await.unwrap().unwrap();
        assert_eq!((sample.delimiter, sample.rows.len()), (';', 2));
        assert_eq!(sample.rows[0], ["E1", "Alder", "Ann", "30.09.2019", "a@example.org", "Law"]);
        let suggested: Vec<_> =
            sample.columns.iter().map(|column| column.suggestion.target.clone()).collect();
        let by = |target: &str, reason| Some((target.to_owned(), reason));
        let expected = [
            by("external_id", Reason::Name),
            by("last_name", Reason::Name),
            by("first_name", Reason::Name),
            by("leaving_on", Reason::Name),
            by("email", Reason::Content),
            None,
        ];
        assert_eq!(suggested, expected);
        assert_eq!(sample.columns[3].suggestion.dates, Some(DateFormat::DayMonthYearDots));

        custom_profile::create(&store, CLI, id, &form("Students (HR)")).await.unwrap();
        let import = import_history::read(&store, CLI, id).await.unwrap();
        assert_eq!((import.state, import.profile.code.as_str()), (ImportState::Uploaded, "students-hr"));
        assert_eq!(import.options.empty_cells, EmptyCells::Keep, "as with every profile of another system");
        job::start(&store, CLI, id, Step::Check).await.unwrap().await;
        job::start(&store, CLI, id, Step::Import { confirmed: None }).await.unwrap().await;
        let ann =
            users::Entity::find().filter(users::Column::ExternalId.eq("E1")).one(&store.db).await.unwrap();
        let ann = ann.unwrap();
        assert_eq!((ann.email.as_deref(), ann.first_name.as_deref()), (Some("a@example.org"), Some("Ann")));
        assert_eq!(ann.leaving_on.unwrap().to_string(), "2019-09-30");

        // The import keeps its own copy.
        let own = custom_profile::list(&store, CLI).await.unwrap().remove(0);
        custom_profile::delete(&store, CLI, own.id).await.unwrap();
        let import = import_history::read(&store, CLI, id).await.unwrap();
        assert_eq!((import.state, import.profile.code.as_str()), (ImportState::Imported, "students-hr"));
        let again = custom_profile::create(&store, CLI, id, &form("Later")).await;
        assert!(matches!(again, Err(RecordsError::Refused(_))), "the import is over");
        assert!(custom_profile::list(&store, CLI).await.unwrap().is_empty(), "nothing of it is kept");
        let created = ("import_profile_created".to_owned(), "users,students-hr".to_owned());
        let deleted = ("import_profile_deleted".to_owned(), "users,students-hr".to_owned());
        assert_eq!(events(&store).await, [created, deleted]);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_unique_and_the_code_follows_from_it() {
    for_each_database(async |store| {
        let first = create(&store, "Students").await;
        assert_eq!(first.profile.code, "students");
        let id = upload(&store, FILE).await;
        for name in ["Students", " students ", "Lethe", "Koha patrons (CSV)"] {
            let result = custom_profile::create(&store, CLI, id, &form(name)).await;
            assert_eq!(problem(result, "name"), Some(Problem::ProfileNameTaken.to_string()), "{name}");
        }
        assert_eq!(create(&store, "Students!").await.profile.code, "students-2");
        assert_eq!(create(&store, "Koha").await.profile.code, "koha-2", "not the code of a built-in profile");
        let mut wrong = form(" ");
        wrong.columns[1].target = String::new();
        wrong.columns[0].target = "custom.locker".to_owned();
        for field in ["name", "columns", "columns.0.target"] {
            let result = custom_profile::create(&store, CLI, id, &wrong).await;
            assert!(problem(result, field).is_some(), "{field}");
        }
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let mut with_custom = form("With locker");
        with_custom.columns[5].target = "custom.locker".to_owned();
        custom_profile::create(&store, CLI, id, &with_custom).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_the_version_that_was_opened_is_changed() {
    for_each_database(async |store| {
        let CustomProfile { id, version, .. } = create(&store, "Students").await;
        let changed = ProfileForm { version: version.to_string(), ..form("Students of law") };
        custom_profile::change(&store, CLI, id, &changed).await.unwrap();
        let again = custom_profile::change(&store, CLI, id, &changed).await;
        assert!(matches!(again, Err(RecordsError::Stale)));
        let own = custom_profile::read(&store, CLI, id).await.unwrap();
        assert_eq!((own.profile.name.as_str(), own.profile.code.as_str()), ("Students of law", "students"));
        assert_eq!(own.version, version + 1);
        let missing = custom_profile::change(&store, CLI, ImportProfileId(99), &changed).await;
        assert!(matches!(missing, Err(RecordsError::NotFound(_))));
        let rows = import_profiles::Entity::find().all(&store.db).await.unwrap();
        assert_eq!((rows.len(), rows[0].name.as_str()), (1, "Students of law"));
    })
    .await;
}

#[tokio::test]
async fn only_staff_who_may_import_see_and_change_profiles() {
    for_each_database(async |store| {
        let own = create(&store, "Students").await;
        let import = upload(&store, FILE).await;
        let changed = ProfileForm { version: own.version.to_string(), ..form("Others") };
        for role in Role::ALL {
            let roles = policy::Roles::from_iter([role]);
            let actor = Actor::signed_in(UserNumber(1), roles, db::Clock::system_now());
            if actor.may(policy::Action::Import) {
                custom_profile::list(&store, actor).await.unwrap();
                continue;
            }
            let is_refused = |result: Result<(), RecordsError>| {
                assert!(matches!(result, Err(RecordsError::Forbidden(_))), "{role:?} {result:?}");
            };
            is_refused(custom_profile::list(&store, actor).await.map(|_| ()));
            is_refused(custom_profile::read(&store, actor, own.id).await.map(|_| ()));
            is_refused(custom_profile::create(&store, actor, import, &form("Others")).await.map(|_| ()));
            is_refused(custom_profile::add(&store, actor, own.profile.clone()).await.map(|_| ()));
            is_refused(custom_profile::change(&store, actor, own.id, &changed).await);
            is_refused(custom_profile::delete(&store, actor, own.id).await);
        }
    })
    .await;
}

#[tokio::test]
async fn a_profile_of_another_installation_keeps_its_code_unless_it_is_taken() {
    for_each_database(async |store| {
        let own = create(&store, "Students").await;
        let same = custom_profile::add(&store, CLI, own.profile.clone()).await;
        assert!(problem(same, "name").is_some());
        let other = ImportProfile { name: "Other students".to_owned(), ..own.profile.clone() };
        let id = custom_profile::add(&store, CLI, other).await.unwrap();
        let other = custom_profile::read(&store, CLI, id).await.unwrap().profile;
        assert_eq!(other.code, "students-2");
        assert!(other.reads_like(&own.profile));
        let found = profile::find(&store.db, "students-2", FileKind::Users).await.unwrap();
        assert_eq!(found, Some(other.clone()));
        assert_eq!(profile::find(&store.db, "students-2", FileKind::Loans).await.unwrap(), None);
        let bad = ImportProfile { columns: other.columns[..1].to_vec(), name: "Bad".to_owned(), ..other };
        assert!(problem(custom_profile::add(&store, CLI, bad).await, "columns").is_some());
    })
    .await;
}

#[tokio::test]
async fn a_task_imports_with_a_profile_and_is_confirmed_again_after_its_change() {
    for_each_database(async |store| {
        let own = create(&store, "Students").await;
        let saved = TaskForm {
            description: "Every night".to_owned(),
            task_type: "import_users".to_owned(),
            profile: own.profile.code.clone(),
            empty_cells: "keep".to_owned(),
            ..TaskForm::new_task()
        };
        let other_kind = TaskForm { file_kind: "loans".to_owned(), ..saved.clone() };
        assert!(matches!(task::save(&store, CLI, &other_kind).await, Err(RecordsError::Invalid(_))));
        let id = task::save(&store, CLI, &saved).await.unwrap();
        let choices = profile::choices(&store.db).await.unwrap();
        assert!(choices.contains(&("students".to_owned(), "Students (Users)".to_owned())), "{choices:?}");
        let used_by = custom_profile::read(&store, CLI, own.id).await.unwrap().used_by;
        let shown: Vec<_> = used_by.iter().map(|(task, name)| (*task, name.description_for(CLI))).collect();
        assert_eq!(shown, [(id, "Every night".to_owned())]);
        let refused = custom_profile::delete(&store, CLI, own.id).await.unwrap_err();
        assert!(refused.to_string().contains("“Every night”"), "{refused}");
        // The description of a private task is for its owner only.
        let (owner, other) = (UserNumber(8001), UserNumber(8002));
        for number in [owner, other] {
            staff(&store, number, Role::SystemsLibrarian).await;
        }
        let private =
            format!("UPDATE tasks SET visibility = 'private', owner_number = {owner} WHERE id = {id}");
        execute(&store, &private).await;
        for (number, is_shown) in [(owner, true), (other, false)] {
            let actor = staff_actor(number, Role::SystemsLibrarian);
            let used_by = custom_profile::read(&store, actor, own.id).await.unwrap().used_by;
            let names: Vec<_> = used_by.iter().map(|(_, name)| name.description_for(actor)).collect();
            assert_eq!(names == ["Every night"], is_shown, "{names:?}");
            let refused = custom_profile::delete(&store, actor, own.id).await.unwrap_err();
            assert_eq!(refused.to_string().contains("Every night"), is_shown, "{refused}");
        }

        std::fs::create_dir_all(&store.settings.imports).unwrap();
        let path = store.settings.imports.join("users.csv");
        std::fs::write(&path, FILE).unwrap();
        let at = SystemTime::now() - Duration::from_mins(10);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        let preview = run::preview(&store, CLI, id).await.unwrap();
        // The profile is changed after the preview: the run reads the file as the preview did.
        let mut other = ProfileForm { version: own.version.to_string(), ..form("Students") };
        other.columns[2].target = String::new();
        custom_profile::change(&store, CLI, own.id, &other).await.unwrap();
        let count = run::read(&store, preview).await.unwrap().previewed;
        let started = run::start(&store, CLI, preview, &count.to_string()).await.unwrap();
        run::execute(&store, started).await.unwrap();
        assert_eq!(run::read(&store, started).await.unwrap().state, RunState::Succeeded);
        let ann =
            users::Entity::find().filter(users::Column::ExternalId.eq("E1")).one(&store.db).await.unwrap();
        assert_eq!(ann.unwrap().first_name.as_deref(), Some("Ann"));
        let confirmed = async || {
            let task = tasks::Entity::find_by_id(id.0).one(&store.db).await.unwrap().unwrap();
            task.confirmed_settings.is_some()
        };
        assert!(!confirmed().await, "the run confirms the profile of its preview only");

        // Only a change of the reading needs a new confirmation.
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let renamed =
            ProfileForm { name: "Renamed".to_owned(), version: (own.version + 1).to_string(), ..other };
        custom_profile::change(&store, CLI, own.id, &renamed).await.unwrap();
        assert!(confirmed().await);
        let ignoring = ProfileForm {
            other_columns: "ignore".to_owned(),
            version: (own.version + 2).to_string(),
            ..renamed
        };
        custom_profile::change(&store, CLI, own.id, &ignoring).await.unwrap();
        assert!(!confirmed().await);

        execute(&store, "UPDATE tasks SET deleted_at = changed_at").await;
        custom_profile::delete(&store, CLI, own.id).await.unwrap();
        let copies = imports::Entity::find().filter(imports::Column::State.eq(ImportState::Imported));
        assert_eq!(copies.one(&store.db).await.unwrap().unwrap().profile.code, "students");
    })
    .await;
}

#[tokio::test]
async fn of_two_profiles_with_one_name_at_once_the_second_is_rejected_at_its_field() {
    for_each_database(async |store| {
        let made = create(&store, "First").await.profile;
        let named =
            |name: &str| ImportProfile { code: "hr".to_owned(), name: name.to_owned(), ..made.clone() };
        for round in 0..5 {
            let (one, other) = tokio::join!(
                custom_profile::add(&store, CLI, named(&format!("HR {round}"))),
                custom_profile::add(&store, CLI, named(&format!("hr {round}")))
            );
            let refused = if one.is_ok() { other } else { one };
            let Err(RecordsError::Invalid(errors)) = &refused else { panic!("{refused:?}") };
            assert_eq!(errors.message("name"), Some(Problem::ProfileNameTaken.to_string()));
            // Two names that make one code.
            let (one, other) = tokio::join!(
                custom_profile::add(&store, CLI, named(&format!("A {round}"))),
                custom_profile::add(&store, CLI, named(&format!("B {round}")))
            );
            assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
        }
        let codes: std::collections::BTreeSet<String> = import_profiles::Entity::find()
            .all(&store.db)
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.code)
            .collect();
        assert_eq!(codes.len(), 16);
    })
    .await;
}
