//! Reports on the command line, as pages and as CSV files.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "common/staff_session.rs"]
mod staff_session;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn lethe(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lethe"));
    command
        .current_dir(folder)
        .env("LETHE_DATABASE_URL", format!("sqlite://{}/test.db?mode=rwc", folder.display()))
        .env("LETHE_ADDR", "127.0.0.1:0")
        .env("LETHE_ALLOW_PASSWORD_ONLY", "1");
    command
}

fn report(folder: &Path, arguments: &[&str]) -> Output {
    lethe(folder).arg("report").args(arguments).output().unwrap()
}

#[test]
fn the_command_line_prints_a_report_or_the_problem() {
    let folder = tempfile::tempdir().unwrap();
    let valid = report(folder.path(), &["active-borrowers", "--from", "2017-01-01", "--json"]);
    assert!(valid.status.success());
    let json: serde_json::Value = serde_json::from_slice(&valid.stdout).unwrap();
    assert_eq!(json["report"], "active-borrowers");
    assert_eq!(json["from"], "2017-01-01");
    assert_eq!(json["total"], serde_json::json!([0, 0]));

    for (arguments, problem) in [
        (&["loans"][..], "There are: loans-per-month, loans-by-category"),
        (&["loans-per-month", "--from", "soon"], "--from: Enter a date"),
        (&["loans-per-month", "--from", "2018-01-02", "--to", "2018-01-01"], "--to: Enter a last day"),
        (&["loans-per-month", "--by", "name"], "--by: Choose one"),
    ] {
        let wrong = report(folder.path(), arguments);
        assert!(!wrong.status.success(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&wrong.stderr).contains(problem), "{arguments:?}");
        assert!(wrong.stdout.is_empty());
    }
}

/// A server that ends with the test.
struct Server {
    process: Child,
    address: String,
    cookie: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut process = lethe(folder).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned())).unwrap();
        // The log must be read, or the full pipe would block the server.
        std::thread::spawn(move || lines.for_each(drop));
        let cookie = staff_session::sign_in(|| lethe(folder), &address);
        Self { process, address, cookie }
    }

    /// Returns the head and the body of a response.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let Self { address, cookie, .. } = self;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn pages_and_files_show_a_report_or_the_problem() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for (path, status, expected) in [
        ("/reports", 200, "/reports/requests-by-branch"),
        ("/reports/loans-per-month", 200, "lethe import loans FILE"),
        ("/reports/loans-per-month?from=2018-01-01", 200, "from 1 Jan 2018"),
        ("/reports/loans-per-month?from=%3Cb%3Esoon", 422, "value=\"&lt;b&gt;soon\""),
        ("/reports/loans-per-month?to=2101-01-01", 422, "Enter a date from 1900 to 2100"),
        ("/reports/loans-per-month?by=name", 422, "Choose one of the options"),
        ("/reports/names", 404, "There is no such report"),
        ("/reports/loans-by-category/csv", 200, "User category,Department,Loans,Borrowers\r\n"),
        ("/reports/loans-by-category/csv?from=soon", 422, "from: Enter a date like"),
        ("/reports/loans-by-category/csv?names=1", 422, "unknown fields"),
        ("/reports/names/csv", 404, "There is no such report"),
        ("/personal-data", 200, "Search words of users"),
        ("/audit?action=imported", 200, "No events match."),
        ("/audit?from=%3Cb%3Esoon", 422, "value=\"&lt;b&gt;soon\""),
        ("/audit?staff=-1&action=x", 422, "Enter a user number, digits only"),
        ("/audit/csv?to=soon", 422, "to: Enter a date like"),
        ("/audit/csv?names=1", 422, "unknown fields"),
        ("/audit/csv", 200, ",exported,library,,,audit\r\n"),
        ("/audit", 200, "Exported"),
    ] {
        let (head, body) = server.get(path);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
        assert!(body.contains(expected), "{path} contains {expected}");
        assert!(!body.contains("style="), "{path}: the content security policy forbids it");
    }
}
