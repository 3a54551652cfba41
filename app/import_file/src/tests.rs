//! Whole files, from bytes to the cells of fields.

use crate::{FileNote, FileProblem, ImportFile, OpenError, Plan, Sample};
use encoding_rs::WINDOWS_1252;
use policy::import_profile::{ColumnMapping, DateFormat, FileKind, ImportProfile, built_in};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;

type At<T> = (u64, Option<String>, T);

/// The result of reading a file.
#[derive(Debug, Default)]
struct Read {
    rows: Vec<(u64, BTreeMap<String, String>)>,
    problems: Vec<At<FileProblem>>,
    notes: Vec<At<FileNote>>,
}

fn users() -> ImportProfile {
    built_in("lethe", FileKind::Users).expect("a profile")
}

fn koha() -> ImportProfile {
    built_in("koha", FileKind::Users).expect("a profile")
}

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content.as_ref()).expect("written");
    file
}

fn plan(content: impl AsRef<[u8]>, profile: &ImportProfile) -> (Plan, NamedTempFile) {
    let file = file(content);
    let custom = ["locker".to_owned()];
    (Plan::detect(&ImportFile::single(file.path()), profile, &custom).expect("a file"), file)
}

fn read_with(content: impl AsRef<[u8]>, profile: &ImportProfile) -> Read {
    let (plan, file) = plan(content, profile);
    let at = |line, column: &Option<String>| (line, column.clone());
    let mut read = Read::default();
    for problem in plan.problems() {
        let (line, column) = at(problem.line, &problem.column);
        read.problems.push((line, column, problem.what.clone()));
    }
    if !read.problems.is_empty() {
        return read;
    }
    let mut rows = plan.rows(File::open(file.path()).expect("a file")).expect("rows");
    let targets: Vec<String> = plan.targets().map(str::to_owned).collect();
    while let Some(row) = rows.next_row().expect("read") {
        match row {
            Ok(row) => {
                read.rows.push((row.line, targets.iter().cloned().zip(row.cells).collect()));
                read.notes.extend(row.notes.into_iter().map(|note| (note.line, note.column, note.what)));
            }
            Err(problem) => read.problems.push((problem.line, problem.column, problem.what)),
        }
    }
    read
}

fn read(content: impl AsRef<[u8]>) -> Read {
    read_with(content, &users())
}

/// Returns line and one field of each row.
fn column(read: &Read, target: &str) -> Vec<(u64, String)> {
    read.rows.iter().map(|(line, cells)| (*line, cells[target].clone())).collect()
}

fn at<T>(line: u64, column: &str, what: T) -> At<T> {
    (line, Some(column.to_owned()), what)
}

#[test]
fn an_unclosed_quote_swallows_no_line() {
    let header = "user_id,last_name,notes\n";
    let unclosed = |line, column: &str| vec![at(line, column, FileProblem::UnclosedQuote)];
    let read_rest = |content: &str, lines: &[u64], problems: Vec<At<FileProblem>>| {
        let read = read(format!("{header}{content}"));
        assert_eq!(read.problems, problems, "{content}");
        assert_eq!(read.rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{content}");
    };
    read_rest("b1a,Alder,\"likes maps\nb1b,Birch,none\nb1c,Cedar,none\n", &[3, 4], unclosed(2, "notes"));
    // A second stray mark closes the first one at the end of a line.
    let both = |first, second: &str| {
        vec![
            at(first, "notes", FileProblem::UnclosedQuote),
            at(second.parse().expect("a line"), "notes", FileProblem::UnclosedQuote),
        ]
    };
    read_rest("b1a,Alder,\"likes maps\nb1b,Birch,none\nb1c,Cedar,\"\n", &[3], both(2, "4"));
    read_rest(
        "b1a,Alder,\"likes maps\nb1b,Birch,27\"\nb1c,Cedar,x\n",
        &[4],
        vec![at(2, "notes", FileProblem::UnclosedQuote), at(3, "notes", FileProblem::QuoteInCell)],
    );
    // Names have no line breaks.
    read_rest(
        "b1a,\"Alder,x\nb1b,Birch\",none\nb1c,Cedar,x\n",
        &[4],
        vec![at(2, "last_name", FileProblem::UnclosedQuote), at(3, "last_name", FileProblem::QuoteInCell)],
    );
    read_rest("b1a,Al\"der,x\nb1b,Birch,y\n", &[3], vec![at(2, "last_name", FileProblem::QuoteInCell)]);
    read_rest("b1a,\"Al\"der,x\nb1b,Birch,y\n", &[3], vec![at(2, "last_name", FileProblem::QuoteInCell)]);
    read_rest("b1a,Alder,\"a\nb\"c\nb1b,Birch,y\n", &[4], {
        let mut problems = unclosed(2, "notes");
        problems.push(at(3, "user_id", FileProblem::QuoteInCell));
        problems
    });
    read_rest("b1a,Alder,\"", &[], unclosed(2, "notes"));
    read_rest("b1a,Alder,\"two\nlines, and a \"\"word\"\"\"\nb1b,Birch,\"\"\n", &[2, 4], Vec::new());
}

#[test]
fn a_file_that_is_cut_off_is_reported() {
    let whole = "user_id,last_name,leaving_on\nu,Alder,2020-12-31\nv,Birch,2020-12-31";
    let read = read(whole);
    assert_eq!((read.rows.len(), read.notes), (2, vec![(3, None, FileNote::NoLineEnd)]));
    let cut = self::read(&whole[..whole.len() - 1]);
    assert_eq!(column(&cut, "leaving_on")[1], (3, "2020-12-3".to_owned()), "the import rejects this date");
    for end in ["v", "v,Birch"] {
        let cut = self::read(format!("user_id,last_name,leaving_on\nu,Alder,2020-12-31\n{end}"));
        assert_eq!(cut.problems, [(3, None, FileProblem::CutOff)], "{end}");
    }
    assert!(self::read(format!("{whole}\n")).notes.is_empty());
}

#[test]
fn delimiters_titles_and_empty_rows_are_understood() {
    let expected = vec!["Alder".to_owned(), "Birch".to_owned()];
    for content in [
        "user_id;last_name\nu;Alder\nv;Birch\n",
        "user_id\tlast_name\nu\tAlder\nv\tBirch\n",
        "user_id|last_name\r\nu|Alder\r\nv|Birch\r\n",
        "sep=;\r\nuser_id;last_name\r\nu;Alder\r\nv;Birch\r\n",
        "\"sep=;\"\nuser_id;last_name\nu;Alder\nv;Birch\n",
        "List of users,\n,\nuser_id,last_name\nu,Alder\nv,Birch\n",
        "Users of 15 Jan 2018; all branches\n\nuser_id;last_name\nu;Alder\nv;Birch\n",
        "user_id,last_name,,\nu,Alder,,\n,,,\nv,Birch,,\n\n",
        "User_ID,Last name\nu,Alder\n \u{A0},\nv,Birch\n",
        "Benutzerkennung;Nachname\nu;Alder\nv;Birch\n",
        "identifiant,nom\nu,Alder\nv,Birch\n",
        "user_id,last_name\ru,Alder\rv,Birch\r",
        "user_id,last_name\n\"u\", \"Alder\" \nv,\u{A0}Birch \n",
    ] {
        for mark in ["", "\u{FEFF}"] {
            let read = read(format!("{mark}{content}"));
            assert_eq!(read.problems, [], "{content:?}");
            let names: Vec<String> = column(&read, "last_name").into_iter().map(|(_, name)| name).collect();
            assert_eq!(names, expected, "{content:?}");
        }
    }
    let read = read("user_id,last_name\n\n,\nu,Alder\n\"v\",\"Birch\"\n");
    assert_eq!(column(&read, "user_id"), [(4, "u".to_owned()), (5, "v".to_owned())]);
}

#[test]
fn every_encoding_is_read_and_a_change_is_reported() {
    let text = "user_id,last_name\nu,Müller\nv,Gonçalves\n";
    let expected = [(2, "Müller".to_owned()), (3, "Gonçalves".to_owned())];
    let utf16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
    };
    let (windows, _, _) = WINDOWS_1252.encode(text);
    for bytes in [
        text.as_bytes().to_vec(),
        utf16("\u{FEFF}", u16::to_le_bytes),
        utf16("\u{FEFF}", u16::to_be_bytes),
        utf16("", u16::to_le_bytes),
        utf16("", u16::to_be_bytes),
        windows.to_vec(),
    ] {
        assert_eq!(column(&read(&bytes), "last_name"), expected);
    }
    let mostly_utf8 = [text.as_bytes(), b"w,M\xFCller\nx,Birch\n"].concat();
    let mixed = read(&mostly_utf8);
    assert_eq!(mixed.problems, [at(4, "last_name", FileProblem::NotText("UTF-8"))]);
    assert_eq!(mixed.rows.len(), 3);
    let mostly_windows = [windows.as_ref(), windows.as_ref(), "w,Müller\n".as_bytes()].concat();
    let mixed = read(&mostly_windows);
    let header_again = (4, None, FileProblem::HeaderAgain);
    assert_eq!(mixed.problems, [header_again, at(7, "last_name", FileProblem::NotText("windows-1252"))]);
    let odd = read([utf16("\u{FEFF}", u16::to_le_bytes), vec![b'x']].concat());
    assert_eq!(odd.problems.len(), 1, "{odd:?}");
    let lost = read("user_id,last_name\nu,M\u{FFFD}ller\n");
    assert_eq!(lost.notes, [at(2, "last_name", FileNote::LostLetter)]);
}

#[test]
fn dates_are_read_by_column_and_ambiguous_ones_asked() {
    let dates = |first: &str, second: &str| {
        read(format!("user_id,last_name,leaving_on,birth_date\nu,A,{first},1990-01-02\nv,B,{second},\n"))
    };
    for (first, second) in [
        ("15.01.2018", "03.04.2018"),
        ("15/01/2018", "03/04/2018"),
        ("43115", "43193"),
        ("01/15/2018 10:30", "04/03/2018"),
        ("20180115", "20180403"),
        ("2018-01-15T00:00:00Z", "2018-04-03"),
    ] {
        let found = column(&dates(first, second), "leaving_on");
        assert_eq!(found, [(2, "2018-01-15".to_owned()), (3, "2018-04-03".to_owned())], "{first}");
    }
    let read = dates("03/04/2018", "05/06/2018");
    assert_eq!(read.problems, [at(1, "leaving_on", FileProblem::AmbiguousDates)]);
    let chosen = ImportProfile { dates: DateFormat::DayMonthYear, ..users() };
    let read = read_with("user_id,last_name,leaving_on,birth_date\nu,A,03/04/2018,1990-01-02\n", &chosen);
    assert_eq!(column(&read, "leaving_on"), [(2, "2018-04-03".to_owned())]);
    assert_eq!(column(&read, "birth_date"), [(2, "1990-01-02".to_owned())]);
}

#[test]
fn damage_by_spreadsheets_is_reported_at_its_cell() {
    for value in ["2.9001E+13", "123456.0", "#N/A", "#REF!", "########"] {
        let read = read(format!("user_id,barcode,last_name\nu,{value},Alder\nv,1,Birch\n"));
        assert_eq!(read.problems, [at(2, "barcode", FileProblem::Damaged)], "{value}");
        assert_eq!(read.rows.len(), 1);
    }
    for value in ["=\"00123456\"", "\"=\"\"00123456\"\"\""] {
        let read = read(format!("user_id,barcode,last_name\nu,{value},Alder\n"));
        assert_eq!(column(&read, "barcode"), [(2, "00123456".to_owned())]);
        assert_eq!(read.notes, [at(2, "barcode", FileNote::Unwrapped)]);
    }
    let read = read("user_id,phone,last_name\nu,4.4163E+11,Alder\n");
    assert_eq!((read.problems, read.notes), (Vec::new(), vec![at(2, "phone", FileNote::Rounded)]));
}

#[test]
fn an_unusable_file_is_explained_at_once() {
    let on_line = |line, problem| vec![(line, None, problem)];
    assert_eq!(read("").problems, on_line(1, FileProblem::Empty));
    assert_eq!(read("\u{FEFF}").problems, on_line(1, FileProblem::Empty));
    assert_eq!(read("\n\n,,\n").problems, on_line(1, FileProblem::Empty));
    assert_eq!(read("user_id,last_name\n").problems, on_line(1, FileProblem::NoRows));
    assert_eq!(read("title\n\nuser_id,last_name\n\n,\n").problems, on_line(3, FileProblem::NoRows));
    assert_eq!(read("Alder,Ana\nBirch,Bo\n").problems, on_line(1, FileProblem::NoHeader));
    let wide = format!("user_id,last_name{}\n", ",x".repeat(10_000));
    assert_eq!(read(wide).problems, on_line(1, FileProblem::TooManyColumns { max: 1_000 }));
    assert_eq!(read("user_id,first_name\nu,A\n").problems, [at(1, "last_name", FileProblem::ColumnMissing)]);
    let long = format!("user_id,last_name\nu,{}\nv,Birch\n", "x".repeat(9 * 1024 * 1024));
    let read = read(long);
    assert_eq!(
        (read.problems, column(&Read { rows: read.rows, ..Read::default() }, "user_id")),
        (on_line(2, FileProblem::TooLong), vec![(3, "v".to_owned())])
    );

    let of = |path: &Path| Plan::detect(&ImportFile::single(path), &users(), &[]);
    assert!(matches!(of(Path::new(".")), Err(OpenError::NotAFile)));
    assert!(matches!(of(Path::new("no/such/file")), Err(OpenError::Io(_))));
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        assert!(matches!(of(&pipe), Err(OpenError::NotAFile)), "a pipe without a writer doesn't block");
    }
}

#[test]
fn line_numbers_are_those_of_an_editor() {
    for end in ["\n", "\r\n"] {
        let content = format!(
            "last_name,notes,user_id{end}A,x,1{end}{end}B,\"x{end}y\",2{end}{end}{end}C,\"c\rd\",3{end}D,z,4{end}"
        );
        let read = read(content);
        let expected = [(2, "x"), (4, "x\ny"), (8, "c\rd"), (9, "z")];
        assert_eq!(column(&read, "notes"), expected.map(|(line, text)| (line, text.to_owned())), "{end:?}");
    }
}

#[test]
fn patrons_of_koha_are_read() {
    let content = "\u{FEFF}borrowernumber,cardnumber,surname,firstname,categorycode,branchcode,dateexpiry,email,address,address2,\
                   borrowernotes,patron_attributes,privacy\r\n\
                   7,00123,Müller,Ana\u{A0},PT,MAIN,9999-12-31,ana@example.org; am@example.org,1 High St,Flat 2,\
                   \"Likes \"\"maps\"\"\nand atlases\",\"CLASS:2012,LOCKER:B 12\",1\r\n";
    let read = read_with(content, &koha());
    assert_eq!(read.problems, []);
    let [(line, cells)] = read.rows.as_slice() else { panic!("{read:?}") };
    let expected = [
        ("external_id", "7"),
        ("barcode", "00123"),
        ("last_name", "Müller"),
        ("first_name", "Ana"),
        ("category", "PT"),
        ("branch", "MAIN"),
        ("leaving_on", ""),
        ("email", "ana@example.org"),
        ("street", "1 High St, Flat 2"),
        ("notes", "Likes \"maps\"\nand atlases"),
        ("custom.locker", "B 12"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    assert_eq!((*line, cells), (2, &expected));
    // The attribute CLASS has no custom field.
    let notes = [("patron_attributes", FileNote::UnknownAttribute), ("email", FileNote::FirstOfSeveral)];
    assert_eq!(read.notes, notes.map(|(column, note)| at(2, column, note)));
    let (plan, _file) = plan(content, &koha());
    let detected = plan.detected();
    assert_eq!(
        (detected.encoding.as_str(), detected.delimiter, detected.header_line),
        ("UTF-8", Some(','), Some(1))
    );
    assert_eq!(detected.ignored, ["privacy"]);
    assert_eq!(detected.rows.len(), 1);
    assert_eq!(detected.rows[0].len(), detected.columns.len());
}

#[test]
fn users_of_folio_are_read_in_every_form() {
    let first = r#"{"id":"f-1","username":"ana","personal":{"lastName":"Müller \"M\" {","addresses":[{"city":"Other"},{"primaryAddress":true,"city":"Bern","addressLine1":"1 High St","addressLine2":"Flat 2"}]},"expirationDate":"2018-01-15T23:59:59.000+0000","customFields":{"locker":"B 12"},"active":true}"#;
    let second = r#"{"id":"f-2","personal":{"lastName":"Birch","addresses":[]}}"#;
    let folio = built_in("folio", FileKind::Users).expect("a profile");
    for (content, lines) in [
        (format!("{{\n\"users\": [\n{first},\n{second}\n], \"totalRecords\": 2}}"), [3, 4]),
        (format!("[{first},\n{second}]"), [1, 2]),
        (format!("{first}\n{second}\n"), [1, 2]),
        (format!("\u{FEFF}{{\"totalRecords\":2,\"users\":[{first},\n{second}]}}\n"), [1, 2]),
    ] {
        let read = read_with(&content, &folio);
        assert_eq!(read.problems, [], "{content}");
        let expected = [(lines[0], "Müller \"M\" {".to_owned()), (lines[1], "Birch".to_owned())];
        assert_eq!(column(&read, "last_name"), expected);
        assert_eq!(column(&read, "street")[0].1, "1 High St, Flat 2");
        assert_eq!(column(&read, "city")[0].1, "Bern");
        assert_eq!(column(&read, "leaving_on")[0].1, "2018-01-15");
        assert_eq!(column(&read, "custom.locker")[0].1, "B 12");
    }
    for pages in [
        format!("{{\"users\":[{first}],\"totalRecords\":9}}\n{{\"users\":[{second}],\"totalRecords\":2}}"),
        format!("[{first}]\n[{second}]\n"),
        format!("{{\"users\":[{first}]}}\n{{\"users\":[],\"meta\":{{\"page\":[2]}}}}\n{second}"),
    ] {
        let read = read_with(&pages, &folio);
        assert_eq!((read.rows.len(), read.problems), (2, vec![]), "{pages}");
    }
    let missing = read_with(format!("{{\"users\":[{first}],\n\"totalRecords\":303}}"), &folio);
    let problem = FileProblem::UsersMissing { listed: 1, total: 303 };
    assert_eq!((missing.rows.len(), missing.problems), (1, vec![(2, None, problem)]));
    for (after, problem) in [
        (", \"totalRecords\"", FileProblem::UserCutOff),
        (" nonsense}", FileProblem::NotJson),
        (", \"users\": [{}]}", FileProblem::TwoLists),
        ("}} and more", FileProblem::NotJson),
        ("} and more", FileProblem::NotJson),
    ] {
        let read = read_with(format!("{{\"users\": [{first}]{after}"), &folio);
        assert_eq!((read.rows.len(), read.problems), (1, vec![(1, None, problem)]), "{after}");
    }
    let cut = read_with(format!("{{\"users\": [\n{first},\n{}", &second[..20]), &folio);
    assert_eq!((cut.rows.len(), cut.problems), (1, vec![(3, None, FileProblem::UserCutOff)]));
    let cut = read_with(format!("{{\"users\": [\n{first},\n"), &folio);
    assert_eq!((cut.rows.len(), cut.problems), (1, vec![(3, None, FileProblem::UserCutOff)]));
    assert_eq!(read_with("user_id,last_name\n", &folio).problems, [(1, None, FileProblem::NotJson)]);
    assert_eq!(read_with("{\"users\": []}", &folio).problems, [(1, None, FileProblem::NoRows)]);
}

#[test]
fn tables_of_evergreen_are_joined() {
    let usr = file(
        "id,card,usrname,family_name,profile,home_ou,mailing_address,billing_address,expire_date,deleted,last_update_time\n\
                    2,12,ana,Alder,5,7,,31,2018-01-15 10:26:51-04,f,2017-02-03 10:00:00-04\n\
                    3,13,bo,Birch,6,7,32,,,t,2017-03-04 10:00:00-04\n",
    );
    let card = file("id,usr,barcode,active\n12,2,999,1\n");
    let address = file("id,street1,street2,city,country,post_code\n31,1 High St,Flat 2,Bern,CH,3000\n");
    let groups = file("id,name\n5,Patrons\n");
    let profile = built_in("evergreen", FileKind::Users).expect("a profile");
    let mut files = ImportFile::single(usr.path());
    let missing = Plan::detect(&files, &profile, &[]).expect("a plan");
    assert_eq!(missing.problems().len(), 2, "card and usr_address are missing");
    for (name, table) in [("card", &card), ("usr_address", &address), ("grp_tree", &groups)] {
        files.tables.insert(name.to_owned(), table.path().to_owned());
    }
    let plan = Plan::detect(&files, &profile, &[]).expect("a plan");
    assert_eq!(plan.problems(), []);
    let mut rows = plan.rows(File::open(usr.path()).expect("a file")).expect("rows");
    let targets: Vec<String> = plan.targets().map(str::to_owned).collect();
    let mut next = || {
        let row = rows.next_row().expect("read")?.expect("a row");
        Some((targets.iter().cloned().zip(row.cells).collect::<BTreeMap<_, _>>(), row.notes))
    };
    let (first, notes) = next().expect("a row");
    for (target, value) in [
        ("external_id", "2"),
        ("barcode", "999"),
        ("category", "Patrons"),
        ("branch", "7"),
        ("street", "1 High St, Flat 2"),
        ("postcode", "3000"),
        ("leaving_on", "2018-01-15"),
        ("marked_on", ""),
    ] {
        assert_eq!(first[target], value, "{target}");
    }
    assert!(notes.is_empty());
    let (second, notes) = next().expect("a row");
    assert_eq!((second["barcode"].as_str(), second["category"].as_str()), ("", "6"));
    assert_eq!(second["marked_on"], "2017-03-04", "Evergreen has deleted the user");
    assert_eq!(notes.len(), 1, "the group has no name");
    assert!(next().is_none());
}

#[test]
fn the_first_rows_of_a_file_with_unknown_columns_are_shown() {
    let read = |content: &str| {
        let file = file(content);
        Sample::read(&ImportFile::single(file.path()), FileKind::Users, &[]).expect("a file")
    };
    let sample = read("Report\nNachname;Kürzel\nAlder; aa \nBirch;bb\n").expect("rows");
    assert_eq!((sample.delimiter, sample.header_line), (';', 2));
    assert_eq!(sample.names, ["Nachname", "Kürzel"]);
    assert_eq!(sample.rows, [["Alder", "aa"], ["Birch", "bb"]]);
    let sample = read("foo;bar;baz\nAlder, Ann;aa;1\n").expect("rows");
    assert_eq!((sample.delimiter, sample.names.len()), (';', 3));
    for (content, problem) in [
        ("", FileProblem::Empty),
        ("foo;bar\n", FileProblem::NoRows),
        ("Alder;a@example.org\nBirch;b@example.org\n", FileProblem::NoHeader),
    ] {
        assert_eq!(read(content).expect_err("a problem").what, problem, "{content}");
    }
}

#[test]
fn a_column_that_the_profile_ignores_is_no_problem() {
    let mut profile =
        ImportProfile { columns: Vec::new(), ..built_in("lethe", FileKind::Users).expect("a profile") };
    let column = |source: &str, target: Option<&str>| ColumnMapping {
        source: source.to_owned(),
        target: target.map(str::to_owned),
        ..ColumnMapping::default()
    };
    profile.columns = vec![
        column("E-Mail", Some("email")),
        column("Email", None),
        column("#", None),
        column("Name", Some("last_name")),
        column("Nr", Some("external_id")),
    ];
    let (plan, _file) = plan("Nr;Name;E-Mail;Email;#\n1;Alder;a@example.org;x;y\n", &profile);
    assert_eq!(plan.problems(), []);
    assert_eq!(plan.targets().collect::<Vec<_>>(), ["external_id", "last_name", "email"]);
    assert_eq!(plan.detected().ignored, ["Email", "#"]);
}
