//! A signed-in member of staff with all permissions, for requests to a server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

const PASSWORD: &str = "plum+tractor+seventeen";

/// Adds the member of staff by the command line, and signs in. Returns the session cookie. The server must run with
/// `LETHE_ALLOW_PASSWORD_ONLY=1`.
pub fn sign_in(lethe: impl Fn() -> Command, address: &str) -> String {
    let mut link = None;
    for role in ["administrator", "systems_librarian", "dpo"] {
        let added = lethe().args(["staff", "add", "tester", "--role", role, "--json"]).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let added: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
        link = added["invitation"].as_str().map(str::to_owned);
    }
    let link = link.unwrap();
    let key = link.rsplit('/').next().unwrap();
    let form = format!("form[key]={key}&form[password]={PASSWORD}&form[repeated]={PASSWORD}");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /do/accept_invitation?page=/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    cookie.unwrap_or_else(|| panic!("{answer}")).split(';').next().unwrap().to_owned()
}
