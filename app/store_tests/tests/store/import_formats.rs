//! Imports of files of other systems with the built-in profiles: every line is accounted for, and a second import changes
//! nothing.

use crate::support::{day, dump_records, execute, for_each_database};
use crate::transfer::file;
use chrono_tz::Tz;
use db::Clock;
use db::entity::{custom_values, requests, users};
use policy::import::LineOutcome;
use policy::import_limits::{ImportLimits, Percent};
use policy::import_options::{EmptyCells, ImportMode, ImportOptions};
use policy::import_profile::{DateFormat, FileKind, ImportProfile, built_in};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use trail::{Actor, Store};
use transfer::{ImportOrder, ImportSummary, Imported, TransferError, Watch};

/// Returns the folder of the samples of other systems: beside the repository, or where `TEST_SAMPLES` says.
///
/// The samples are not part of the project.
fn samples() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("TEST_SAMPLES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: the samples of other systems are missing. TEST_SAMPLES names their folder");
    None
}

/// Returns the order to import a file with its additional tables. Wrong lines are rejected alone.
fn order<'a>(
    store: &mut Store,
    main: &'a Path,
    profile: (&str, FileKind),
    watch: &'a Watch,
) -> ImportOrder<'a> {
    // The samples have dates after the day of the other tests.
    store.clock = Clock::fixed(Tz::Europe__London, day("2026-11-27"));
    let (code, kind) = profile;
    let profile = built_in(code, kind).unwrap();
    let folder = main.parent().unwrap();
    let extension = if code == "folio" { "json" } else { "csv" };
    let tables = profile.format.tables().iter().filter_map(|(name, _)| {
        let path = folder.join(format!("{name}.{extension}"));
        path.is_file().then(|| ((*name).to_owned(), path))
    });
    let tables: BTreeMap<String, PathBuf> = tables.collect();
    let options = ImportOptions { mode: ImportMode::ValidLinesOnly, ..profile.default_options() };
    ImportOrder { tables, options, ..ImportOrder::on_command_line(main, profile, watch) }
}

/// Returns the number of lines of which the summary says what became of them.
fn accounted(summary: &ImportSummary) -> u64 {
    let held = summary.suppressed + summary.suppressed_ignored + summary.held;
    summary.created
        + summary.changed
        + summary.unchanged
        + summary.skipped
        + summary.staff
        + held
        + summary.rejected
}

/// Imports a sample twice. Returns the first result.
async fn import_twice(store: &mut Store, main: &Path, profile: (&str, FileKind)) -> Imported {
    let watch = Watch::default();
    let order = order(store, main, profile, &watch);
    let first = transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap();
    assert_eq!(accounted(&first.summary), first.summary.lines, "{profile:?} {:?}", first.summary);
    let before = dump_records(store).await;
    let second = transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap();
    assert_eq!((second.summary.created, second.summary.changed), (0, 0), "{profile:?} {:?}", second.summary);
    assert_eq!(second.summary.rejected, first.summary.rejected);
    assert_eq!(dump_records(store).await, before, "{profile:?}");
    first
}

fn rejected(imported: &Imported) -> Vec<(u64, Option<&str>, &str)> {
    let lines = imported.report.iter().filter(|line| line.outcome == LineOutcome::Rejected);
    lines.map(|line| (line.line, line.column.as_deref(), line.message.as_str())).collect()
}

#[tokio::test]
async fn the_samples_of_folio_are_imported_completely() {
    let Some(samples) = samples() else { return };
    for_each_database(async |mut store| {
        let imported =
            import_twice(&mut store, &samples.join("folio/users.json"), ("folio", FileKind::Users)).await;
        let summary = &imported.summary;
        assert_eq!(
            (summary.lines, summary.created, summary.rejected),
            (303, 303, 0),
            "{:?}",
            rejected(&imported)
        );
        let notes = imported.report.iter().filter(|line| line.outcome == LineOutcome::Note).count();
        assert_eq!(notes, 303, "the groups have no names in the sample");
        let janae = users::Entity::find().filter(users::Column::UserId.eq("janae")).one(&store.db).await;
        let janae = janae.unwrap().unwrap();
        assert_eq!(janae.city.as_deref(), Some("Florence"));
        assert_eq!(janae.leaving_on, Some(day("2019-11-27")));
    })
    .await;
}

#[tokio::test]
async fn the_samples_of_evergreen_are_imported_completely() {
    let Some(samples) = samples() else { return };
    for_each_database(async |mut store| {
        let folder = samples.join("evergreen");
        let of = |name: &str| folder.join(name);
        let imported = import_twice(&mut store, &of("usr.csv"), ("evergreen", FileKind::Users)).await;
        let summary = &imported.summary;
        assert_eq!(summary.lines, 378);
        // Some birth dates of the sample are impossible.
        assert!(
            rejected(&imported).iter().all(|(_, column, _)| *column == Some("dob")),
            "{:?}",
            rejected(&imported)
        );
        assert!(summary.created > 370, "{summary:?}");
        let terri = users::Entity::find().filter(users::Column::ExternalId.eq("2")).one(&store.db).await;
        let terri = terri.unwrap().unwrap();
        assert_eq!(terri.barcode.as_deref(), Some("99999395390"));
        assert_eq!(terri.city.as_deref(), Some("Vero beach"));

        let loans = import_twice(&mut store, &of("circulation.csv"), ("evergreen", FileKind::Loans)).await;
        assert_eq!(loans.summary.lines, 486);
        assert!(loans.summary.created > 470, "{:?}", rejected(&loans));
        let of_requests = ("evergreen", FileKind::Requests);
        let placed = import_twice(&mut store, &of("hold_request.csv"), of_requests).await;
        assert_eq!(placed.summary.lines, 265);
        assert!(placed.summary.created > 250, "{:?}", rejected(&placed));
        let noted =
            requests::Entity::find().filter(requests::Column::Note.is_not_null()).count(&store.db).await;
        assert!(noted.unwrap() > 50);
        let of_charges = ("evergreen", FileKind::Charges);
        let charged = import_twice(&mut store, &of("grocery.csv"), of_charges).await;
        assert_eq!(charged.summary.lines, 58);
        assert!(charged.summary.created > 50, "{:?}", rejected(&charged));
    })
    .await;
}

/// Returns 500 patrons as Koha exports them.
fn patrons() -> String {
    let mut csv =
        "\u{FEFF}borrowernumber,cardnumber,userid,surname,firstname,categorycode,branchcode,dateexpiry,\
                   email,address,borrowernotes,patron_attributes,guarantor_userid\r\n"
            .to_owned();
    for n in 0..500 {
        let surname = if n % 3 == 0 { "\"O\"\"Hara\"\"\"".to_owned() } else { format!("\u{A0}Müller {n} ") };
        let expiry = if n % 4 == 0 {
            "9999-12-31".to_owned()
        } else {
            format!("20{:02}-0{}-15", 10 + n % 10, 1 + n % 9)
        };
        let email = match n % 5 {
            0 => format!("first{n}@example.org; second{n}@example.org"),
            1 => String::new(),
            _ => format!("only{n}@example.org"),
        };
        let notes = if n % 6 == 0 { "\"likes maps,\r\nand \"\"old\"\" atlases\"" } else { "" };
        let attributes = if n % 2 == 0 { format!("\"CLASS:{n},LOCKER:B {n}\"") } else { String::new() };
        let guarantor = if n > 0 && n % 7 == 0 { format!("patron{}", n - 1) } else { String::new() };
        write!(
            csv,
            "{n},{:06},patron{n},{surname},Ana,PT,MAIN,{expiry},{email},\"{n} High St, Flat 2\",{notes},{attributes},{guarantor}\r\n",
            n * 3
        )
        .unwrap();
    }
    csv
}

#[tokio::test]
async fn patrons_of_koha_are_imported_with_the_built_in_profile() {
    for_each_database(async |mut store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let csv = file(patrons());
        let imported = import_twice(&mut store, csv.path(), ("koha", FileKind::Users)).await;
        let summary = &imported.summary;
        assert_eq!(
            (summary.lines, summary.created, summary.rejected),
            (500, 500, 0),
            "{:?}",
            rejected(&imported)
        );
        let notes = |about: &str| {
            let notes = imported.report.iter().filter(|line| line.outcome == LineOutcome::Note);
            notes.filter(|line| line.message.contains(about)).count()
        };
        assert_eq!(notes("several values"), 100, "two e-mails in a cell");
        assert_eq!(notes("without a custom field"), 250, "the attribute CLASS");
        let of = async |id: &str| {
            let found = users::Entity::find().filter(users::Column::ExternalId.eq(id)).one(&store.db).await;
            found.unwrap().unwrap()
        };
        let first = of("0").await;
        assert_eq!((first.last_name.as_deref(), first.leaving_on), (Some("O\"Hara\""), None));
        assert_eq!(first.email.as_deref(), Some("first0@example.org"));
        assert_eq!(first.notes.as_deref(), Some("likes maps,\nand \"old\" atlases"));
        let (seventh, sixth) = (of("7").await, of("6").await);
        assert_eq!(seventh.last_name.as_deref(), Some("Müller 7"));
        assert_eq!(seventh.guarantor_number, Some(sixth.number));
        assert_eq!(custom_values::Entity::find().count(&store.db).await.unwrap(), 250);
    })
    .await;
}

async fn patron(store: &Store, user_id: &str) -> users::Model {
    let found = users::Entity::find().filter(users::Column::UserId.eq(user_id));
    found.one(&store.db).await.unwrap().unwrap()
}

/// The numbers of Koha's database mean nothing outside their file.
#[tokio::test]
async fn guarantors_of_koha_are_found_by_their_number_in_the_same_file() {
    for_each_database(async |mut store| {
        execute(
            &store,
            "INSERT INTO users (uuid, external_id, external_id_key, last_name) VALUES ('of 90', '90', '90', 'Other')",
        )
        .await;
        let with_numbers = "borrowernumber,userid,surname,guarantorid\n\
                            1,child,Ng,3\n2,second,Ng,2\n3,mother,Ng,\n4,third,Ng,90\n5,fourth,Ng,3\n";
        let csv = file(with_numbers);
        let imported = import_twice(&mut store, csv.path(), ("koha", FileKind::Users)).await;
        assert_eq!((imported.summary.created, imported.summary.rejected), (5, 0));
        let notes = |imported: &Imported| -> Vec<(u64, Option<String>, String)> {
            let lines = imported.report.iter().filter(|line| line.outcome == LineOutcome::Note);
            lines.map(|line| (line.line, line.column.clone(), line.message.clone())).collect()
        };
        let not_in_file = "No other user in this file has this identifier. The guarantor was left out";
        let column = || Some("guarantorid".to_owned());
        assert_eq!(
            notes(&imported),
            [(3, column(), not_in_file.to_owned()), (5, column(), not_in_file.to_owned())]
        );
        let mother = patron(&store, "mother").await.number;
        for (user_id, guarantor) in
            [("child", Some(mother)), ("second", None), ("third", None), ("fourth", Some(mother))]
        {
            assert_eq!(patron(&store, user_id).await.guarantor_number, guarantor, "{user_id}");
        }

        // The usual export: without the numbers of its patrons. All or nothing, too.
        let csv = file("userid,surname,guarantorid\nchild,Ng,3\nnew,Ng,1\n");
        let watch = Watch::default();
        let order = order(&mut store, csv.path(), ("koha", FileKind::Users), &watch);
        let options = ImportOptions { mode: ImportMode::AllOrNothing, ..order.options };
        let imported = transfer::import(&store, Actor::COMMAND_LINE, &ImportOrder { options, ..order }).await;
        let imported = imported.unwrap();
        assert_eq!((imported.summary.created, imported.summary.unchanged), (1, 1));
        let without = "The file has no identifiers of its users, so the guarantor was left out";
        assert_eq!(notes(&imported), [(2, column(), without.to_owned()), (3, column(), without.to_owned())]);
        assert_eq!(patron(&store, "child").await.guarantor_number, Some(mother), "an earlier guarantor stays");
        assert_eq!(patron(&store, "new").await.guarantor_number, None);
    })
    .await;
}

#[tokio::test]
async fn problems_name_the_columns_of_the_file_and_damaged_keys_count() {
    for_each_database(async |mut store| {
        let mut csv = "borrowernumber,cardnumber,userid,surname\r\n".to_owned();
        for n in 0..100 {
            let barcode = if n < 40 { "2.9001E+13".to_owned() } else { format!("b{n}") };
            let surname = if n == 50 { "" } else { "Alder" };
            write!(csv, "{n},{barcode},patron{n},{surname}\r\n").unwrap();
        }
        let (csv, watch) = (file(csv), Watch::default());
        let order = order(&mut store, csv.path(), ("koha", FileKind::Users), &watch);
        let limits = ImportLimits { damaged: Percent::new(20), ..order.limits };
        let order = ImportOrder { dry_run: true, limits, ..order };
        let imported = transfer::import(&store, Actor::COMMAND_LINE, &order).await.unwrap();
        let lines = rejected(&imported);
        assert_eq!(lines.len(), 41);
        let columns: Vec<_> = lines.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!((columns[0], columns[40]), ((2, Some("cardnumber")), (52, Some("surname"))));
        let stop = imported.stop.expect("the limit is exceeded");
        assert!(stop.reason.contains("40 of 100 lines have a damaged key"), "{}", stop.reason);
    })
    .await;
}

#[tokio::test]
async fn an_empty_cell_keeps_or_clears_as_the_options_say() {
    for_each_database(async |store| {
        let import = async |content: &str, empty_cells: EmptyCells| {
            let (file, watch) = (file(content), Watch::default());
            let order =
                ImportOrder::on_command_line(file.path(), ImportProfile::own_format(FileKind::Users), &watch);
            let options = ImportOptions { empty_cells, ..order.options };
            let order = ImportOrder { options, ..order };
            transfer::import(&store, Actor::COMMAND_LINE, &order).await.unwrap();
            users::Entity::find().one(&store.db).await.unwrap().unwrap().city
        };
        let full = "user_id,last_name,city\nu,Alder,Bern\n";
        let empty = "user_id,last_name,city\nu,Alder,\n";
        assert_eq!(import(full, EmptyCells::Keep).await.as_deref(), Some("Bern"));
        assert_eq!(import(empty, EmptyCells::Keep).await.as_deref(), Some("Bern"));
        assert_eq!(import(empty, EmptyCells::Clear).await, None);
    })
    .await;
}

#[tokio::test]
async fn ambiguous_dates_are_asked_and_then_read() {
    for_each_database(async |store| {
        let (file, watch) = (file("user_id,last_name,leaving_on\nu,Alder,03/04/2018\n"), Watch::default());
        let order =
            ImportOrder::on_command_line(file.path(), ImportProfile::own_format(FileKind::Users), &watch);
        let asked = transfer::import(&store, Actor::COMMAND_LINE, &order).await;
        assert!(matches!(asked, Err(TransferError::File(_))));
        for (dates, day_of) in
            [(DateFormat::DayMonthYear, "2018-04-03"), (DateFormat::MonthDayYear, "2018-03-04")]
        {
            let profile = ImportProfile { dates, ..order.profile.clone() };
            let order = ImportOrder { profile, ..order.clone() };
            transfer::import(&store, Actor::COMMAND_LINE, &order).await.unwrap();
            let user = users::Entity::find().one(&store.db).await.unwrap().unwrap();
            assert_eq!(user.leaving_on, Some(day(day_of)));
        }
    })
    .await;
}

/// A user without a key can be exported. Such a line identifies no user, so it is skipped.
#[tokio::test]
async fn every_export_can_be_imported_again() {
    for_each_database(async |store| {
        let mut nameless = crate::support::leaver("Only a name");
        nameless.user_id = sea_orm::Set(None);
        crate::support::add(&store, nameless).await;
        crate::support::add(&store, crate::support::leaver("Ng")).await;
        let mut csv = Vec::new();
        transfer::export_users(&store, Actor::COMMAND_LINE, &mut csv).await.unwrap();
        let (csv, watch) = (file(csv), Watch::default());
        let order =
            ImportOrder::on_command_line(csv.path(), ImportProfile::own_format(FileKind::Users), &watch);
        let before = dump_records(&store).await;
        let imported = transfer::import(&store, Actor::COMMAND_LINE, &order).await.unwrap();
        let summary = imported.summary;
        assert_eq!((summary.lines, summary.unchanged, summary.skipped), (2, 1, 1), "{summary:?}");
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}

/// An empty category would otherwise empty the categories of all users.
#[tokio::test]
async fn folio_without_its_groups_empties_no_field() {
    for_each_database(async |store| {
        let csv = file(r#"{"users":[{"id":"f-1","patronGroup":"g-1","personal":{"lastName":"Alder"}}]}"#);
        let watch = Watch::default();
        let order = |empty_cells| {
            let profile = built_in("folio", FileKind::Users).unwrap();
            let options = ImportOptions { empty_cells, ..profile.default_options() };
            ImportOrder { options, ..ImportOrder::on_command_line(csv.path(), profile, &watch) }
        };
        let refused = transfer::import(&store, Actor::COMMAND_LINE, &order(EmptyCells::Clear)).await;
        let Err(TransferError::File(problems)) = refused else { panic!("{refused:?}") };
        assert!(problems.problems[0].problem.contains("usergroups"), "{problems:?}");
        let kept = transfer::import(&store, Actor::COMMAND_LINE, &order(EmptyCells::Keep)).await.unwrap();
        assert_eq!((kept.summary.created, kept.summary.noted), (1, 1));
    })
    .await;
}
