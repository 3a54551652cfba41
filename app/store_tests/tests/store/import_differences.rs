//! The differences that an import finds: changed fields with their numbers, and the first new and changed lines.

use crate::import_modes::valid_lines;
use crate::support::{add, execute, for_each_database, leaver};
use crate::transfer::file;
use policy::import::LineOutcome;
use policy::import_profile::FileKind;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use transfer::Imported;

fn fields(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(field, count)| ((*field).to_owned(), *count)).collect()
}

/// Returns line, outcome and message of the differences.
fn differences(imported: &Imported) -> Vec<(u64, LineOutcome, &str)> {
    let is_difference = |outcome| matches!(outcome, LineOutcome::New | LineOutcome::Changed);
    let lines = imported.report.iter().filter(|line| is_difference(line.outcome));
    lines.map(|line| (line.line, line.outcome, line.message.as_str())).collect()
}

#[tokio::test]
async fn a_check_names_changed_fields_and_the_first_lines_without_their_values() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        add(&store, leaver("Ng")).await;
        add(&store, leaver("Fir")).await;
        let content = file(
            "user_id,last_name,city,custom.locker,guarantor_user_id\n\
             Ng-id,Ngo,Bern,A-1,new-1\n\
             Fir-id,Fir,Bern,,\n\
             new-1,Alder,Basel,,Fir-id\n",
        );
        for dry_run in [true, false] {
            let imported = valid_lines(&store, FileKind::Users, content.path(), dry_run).await;
            let expected = [("city", 2), ("custom.locker", 1), ("guarantor_number", 1), ("last_name", 1)];
            assert_eq!(imported.summary.fields, fields(&expected), "{dry_run}");
            let found = differences(&imported);
            assert_eq!(
                found,
                [
                    (2, LineOutcome::Changed, "Last name, City, Custom field locker"),
                    (3, LineOutcome::Changed, "City"),
                    (4, LineOutcome::New, ""),
                ]
            );
        }
        let again = valid_lines(&store, FileKind::Users, content.path(), false).await;
        assert_eq!((again.summary.fields.len(), differences(&again).len()), (0, 0), "nothing differs");
    })
    .await;
}

#[tokio::test]
async fn changed_loans_name_their_fields() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let lines = |returned: &str| {
            file(format!(
                "user_id,item_barcode,branch,issued_on,due_on,returned_on\n\
                 Ng-id,I1,main,2017-12-01,2018-01-01,{returned}\n\
                 Ng-id,I2,main,2017-12-02,2018-01-01,\n"
            ))
        };
        let first = valid_lines(&store, FileKind::Loans, lines("").path(), false).await;
        assert_eq!(first.summary.fields, BTreeMap::new());
        let second = valid_lines(&store, FileKind::Loans, lines("2018-01-02").path(), true).await;
        assert_eq!(second.summary.fields, fields(&[("returned_on", 1)]));
        assert_eq!(differences(&second), [(2, LineOutcome::Changed, "Returned")]);
    })
    .await;
}

#[tokio::test]
async fn a_long_file_shows_its_first_lines_only() {
    for_each_database(async |store| {
        let mut content = "user_id,last_name\n".to_owned();
        for at in 0..600 {
            writeln!(content, "u{at},Name{at}").unwrap();
        }
        let content = file(&content);
        let imported = valid_lines(&store, FileKind::Users, content.path(), true).await;
        let lines: Vec<u64> = differences(&imported).into_iter().map(|(line, ..)| line).collect();
        assert_eq!((imported.summary.created, lines), (600, (2..12).collect()));
    })
    .await;
}
