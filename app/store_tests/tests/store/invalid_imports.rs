//! Invalid files: the import reports the line and column of each problem, without the value, and changes nothing.

use crate::support::{add, dump_records, execute, for_each_database, import_loans, import_users, leaver};
use crate::transfer::{file, problems};
use db::RecordsError;
use trail::Actor;
use transfer::{MAX_PROBLEMS, TransferError};

/// Returns invalid user files with the expected problems.
fn cases() -> Vec<(Vec<u8>, Vec<&'static str>)> {
    let big = format!("user_id,last_name,notes\nu,Canary,{}\n", "Canary ".repeat(150_000));
    vec![
        (b"".to_vec(), vec!["line 1: The file is empty. Its first line must name the columns"]),
        (b"\xEF\xBB\xBF".to_vec(), vec!["line 1: The file is empty. Its first line must name the columns"]),
        (
            b"user_id,last_name,shoesize\nu,Canary,x\n".to_vec(),
            vec!["line 1, shoesize: Unknown column. Remove or rename it"],
        ),
        (
            b"user_id,last_name,canary@example.org,1990-01-01\n".to_vec(),
            vec![
                "line 1, column 3: Unknown column. Remove or rename it",
                "line 1, column 4: Unknown column. Remove or rename it",
            ],
        ),
        (
            b"Canary,Ana,canary@example.org\nNg,Bo,x\n".to_vec(),
            vec!["line 1: No known column names found. The first line must name the columns"],
        ),
        (b"user_id,first_name\nu,Canary\n".to_vec(), vec!["line 1, last_name: This column is missing"]),
        (
            b"first_name,last_name\nAna,Canary\n".to_vec(),
            vec!["line 1, user_id: One of the columns external_id, user_id and barcode is required"],
        ),
        (
            b"user_id,last_name,user_id\nu,Canary,v\n".to_vec(),
            vec!["line 1, user_id: This column appears twice"],
        ),
        (
            b"user_id,last_name,custom.shoe_size\nu,Canary,44\n".to_vec(),
            vec![
                "line 1, custom.shoe_size: There is no custom field with this key. Add the field first, or remove the column",
            ],
        ),
        (
            b"user_id,last_name\nu,Canary,too much\n\nv\r\nw,Ng\n".to_vec(),
            vec![
                "line 2: This line has 3 cells, but the header has 2",
                "line 4: This line has 1 cell, but the header has 2",
            ],
        ),
        (
            b"user_id,last_name\nu,M\xFCller\nv,M\xC3\xBCller\nw,\xC3\x85str\xC3\xB6m\n".to_vec(),
            vec![
                "line 2, last_name: This is not UTF-8 text: the encoding changes within the file, or another one was used",
            ],
        ),
        (
            b"user_id#last_name\nu#Canary\n".to_vec(),
            vec!["line 1: No known column names found. The first line must name the columns"],
        ),
        (
            b"user_id,last_name\r\n,Ng\r\nv,\r\n".to_vec(),
            vec![
                "line 2, user_id: Enter a UserID, a barcode or an external identifier",
                "line 3, last_name: Enter a last name",
            ],
        ),
        (
            b"user_id,last_name,first_name\nu,Can\0ary,\x07\nv,Ng,a\xE2\x80\xAEb\n".to_vec(),
            vec![
                "line 2, last_name: Remove the invisible characters (control or direction characters)",
                "line 2, first_name: Remove the invisible characters (control or direction characters)",
                "line 3, first_name: Remove the invisible characters (control or direction characters)",
            ],
        ),
        (big.into_bytes(), vec!["line 2, notes: Enter at most 4,000 characters"]),
        (
            b"user_id,last_name,birth_date,leaving_on,marked_on,email,fictitious\n\
              u,Ng,1899-12-31,2101-01-01,30.2.2018,canary,perhaps\n"
                .to_vec(),
            vec![
                "line 2, leaving_on: Enter a date from 1900 to 2100",
                "line 2, email: Enter an e-mail address like name@example.org, or leave it empty",
                "line 2, birth_date: Enter a date from 1900 to 2100",
                "line 2, fictitious: Choose one of the options",
                "line 2, marked_on: Enter a date like 15 Jan 2018 or 2018-01-15",
            ],
        ),
        (
            b"user_id,last_name,notes\nu,Ng,\"two\nlines\"\nu,Canary,\n".to_vec(),
            vec!["line 4, user_id: Already used on an earlier line. Each user may have only one line"],
        ),
        (
            b"user_id,last_name\nu,Anonymised user 7F3KQ2\n".to_vec(),
            vec!["line 2, last_name: Enter another name: this one is reserved for anonymised users"],
        ),
    ]
}

#[tokio::test]
async fn an_invalid_user_file_is_explained_and_changes_nothing() {
    for_each_database(async |store| {
        add(&store, leaver("Before")).await;
        let before = dump_records(&store).await;
        for (content, expected) in cases() {
            let name = String::from_utf8_lossy(&content[..content.len().min(80)]).into_owned();
            let result = import_users(&store, Actor::COMMAND_LINE, file(&content).path(), false).await;
            let messages = problems(result);
            assert_eq!(messages, expected, "{name}");
            assert!(
                !messages.iter().any(|problem| problem.to_lowercase().contains("canary")),
                "{messages:?}"
            );
        }
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn an_invalid_loan_file_is_explained_and_changes_nothing() {
    let header = "user_id,item_barcode,branch,issued_on,due_on,renewals,note";
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        let before = dump_records(&store).await;
        let cases = [
            ("user_id,branch,issued_on,due_on\n".to_owned(), "line 1, item_barcode: This column is missing"),
            (
                "item_barcode,branch,issued_on,due_on\n".to_owned(),
                "line 1, user_id: One of the columns external_id, user_id, barcode and user_number is required",
            ),
            (
                format!("{header}\n,I1,main,2018-01-01,2018-02-01,,\n"),
                "line 2, user_id: Enter the user's external identifier, UserID, barcode or number",
            ),
            (
                format!("{header}\nNg-id,,main,2018-01-01,2018-02-01,,\n"),
                "line 2, item_barcode: Enter the barcode of the item",
            ),
            (
                format!("{header}\nNg-id,I1,main,,2018-02-01,,\n"),
                "line 2, issued_on: Enter a date like 15 Jan 2018 or 2018-01-15",
            ),
            (
                format!("{header}\nNg-id,I1,main,2018-01-01,2018-02-01,-1,\n"),
                "line 2, renewals: Choose one of the options",
            ),
            (
                format!("{header}\nNg-id,I1,main,2018-01-01,2018-02-01,,a\0b\n"),
                "line 2, note: Remove the invisible characters (control or direction characters)",
            ),
        ];
        for (content, expected) in cases {
            let result = import_loans(&store, Actor::COMMAND_LINE, file(&content).path(), false).await;
            assert_eq!(problems(result), [expected], "{content}");
        }
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn many_problems_are_counted_and_an_endless_line_is_not_read() {
    for_each_database(async |store| {
        let content = format!("user_id,last_name\n{}", "u,\n".repeat(MAX_PROBLEMS + 150));
        match import_users(&store, Actor::COMMAND_LINE, file(content).path(), false).await {
            Err(TransferError::File(problems)) => {
                assert_eq!(
                    (problems.problems.len(), problems.total),
                    (MAX_PROBLEMS, MAX_PROBLEMS as u64 + 150)
                );
                assert_eq!(problems.to_string(), "The file has 10,150 problems. Nothing was changed");
            }
            other => panic!("{other:?}"),
        }
        let endless = format!("user_id,last_name\nu,\"{}", "endless ".repeat(2_000_000));
        let messages = problems(import_users(&store, Actor::COMMAND_LINE, file(endless).path(), false).await);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("line 2, last_name: A quotation mark opens"), "{messages:?}");
    })
    .await;
}

#[tokio::test]
async fn a_file_without_lines_is_rejected() {
    for_each_database(async |store| {
        let content = file("user_id,last_name\r\n");
        let problems = problems(import_users(&store, Actor::COMMAND_LINE, content.path(), false).await);
        assert_eq!(
            problems,
            ["line 1: The file has no lines with data. Export it again from the other system"]
        );
        let missing = import_users(&store, Actor::COMMAND_LINE, "no/such/file".as_ref(), false).await;
        assert!(matches!(missing, Err(TransferError::Io(_))));
        let folder = import_users(&store, Actor::COMMAND_LINE, ".".as_ref(), false).await;
        assert!(matches!(folder, Err(TransferError::Records(RecordsError::Refused(_)))));
    })
    .await;
}

/// Dates of past events can't be after today; other dates can.
#[tokio::test]
async fn a_past_event_in_the_future_is_rejected_at_its_cell() {
    for_each_database(async |store| {
        let before = dump_records(&store).await;
        for column in ["birth_date", "created_on", "last_activity_on", "marked_on"] {
            let content = format!("user_id,last_name,{column}\nng,Ng,2018-01-22\n");
            let problems =
                problems(import_users(&store, Actor::COMMAND_LINE, file(&content).path(), false).await);
            assert_eq!(problems, [format!("line 2, {column}: Enter a date no later than today")]);
        }
        let loan = "user_id,item_barcode,branch,issued_on,due_on,returned_on\n";
        for (line, column) in [
            ("ng,I1,main,2018-01-22,2018-02-22,", "issued_on"),
            ("ng,I1,main,2018-01-20,2018-02-20,2018-01-22", "returned_on"),
        ] {
            let content = format!("{loan}{line}\n");
            let problems =
                problems(import_loans(&store, Actor::COMMAND_LINE, file(&content).path(), false).await);
            assert_eq!(problems, [format!("line 2, {column}: Enter a date no later than today")]);
        }
        assert_eq!(dump_records(&store).await, before);
        let content = "user_id,last_name,leaving_on,created_on\nng,Ng,2081-05-01,21/01/2018\n";
        import_users(&store, Actor::COMMAND_LINE, file(content).path(), false).await.unwrap();
        import_loans(
            &store,
            Actor::COMMAND_LINE,
            file(format!("{loan}ng,I1,main,2018-01-21,2018-02-20,\n")).path(),
            false,
        )
        .await
        .unwrap();
    })
    .await;
}

/// An ambiguous date is rejected. The message doesn't contain it, because messages about a file contain no values.
#[tokio::test]
async fn an_ambiguous_date_is_rejected_without_its_value() {
    for_each_database(async |store| {
        let content = "user_id,last_name,birth_date\nng,Ng,03/04/1990\n";
        let problems = problems(import_users(&store, Actor::COMMAND_LINE, file(content).path(), false).await);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("line 1, birth_date: "), "{problems:?}");
        assert!(problems[0].contains("2018-01-15") && !problems[0].contains("1990"), "{problems:?}");
    })
    .await;
}

/// Fills each cell of each column with bytes that no text contains.
#[tokio::test]
async fn no_cell_accepts_a_control_character() {
    for_each_database(async |store| {
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        let users = "user_id,title,first_name,middle_name,last_name,preferred_name,email,phone,mobile,street,postcode,city,\
                     country,birth_date,gender,language,barcode,external_id,category,department,branch,notes,fictitious,\
                     created_on,leaving_on,last_activity_on,marked_on,guarantor_user_id,custom.locker";
        let loans = "user_id,external_id,barcode,user_number,item_barcode,title,branch,issued_on,due_on,returned_on,renewals,\
                     category,department,note,return_note";
        let before = dump_records(&store).await;
        for (header, of_users) in [(users, true), (loans, false)] {
            let columns: Vec<&str> = header.split(',').collect();
            for (place, column) in columns.iter().enumerate() {
                for text in ["a\0b", "a\u{1}b", "a\u{7f}b", "a\u{202E}b"] {
                    let mut cells: Vec<&str> = columns
                        .iter()
                        .map(|column| match *column {
                            "last_name" | "item_barcode" | "branch" => "x",
                            "user_id" => "ng",
                            "issued_on" | "due_on" => "2018-01-02",
                            _ => "",
                        })
                        .collect();
                    cells[place] = text;
                    let file = file(format!("{header}\n{}\n", cells.join(",")));
                    let result = if of_users {
                        import_users(&store, Actor::COMMAND_LINE, file.path(), false).await
                    } else {
                        import_loans(&store, Actor::COMMAND_LINE, file.path(), false).await
                    };
                    let problems = problems(result);
                    let at = format!("line 2, {column}: ");
                    assert!(problems.iter().all(|problem| problem.starts_with(&at)), "{column} {problems:?}");
                    assert!(!problems.is_empty(), "{column} {text:?}");
                }
            }
        }
        assert_eq!(dump_records(&store).await, before);
    })
    .await;
}
