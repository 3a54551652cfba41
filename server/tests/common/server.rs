//! The whole program as a server, with a simple HTTP client.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Time limit for Lethe's recovery from a fault.
pub const RECOVERY_TIMEOUT: Duration = Duration::from_secs(40);

/// A server that ends with the test.
pub struct Server {
    process: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
    pub cookie: String,
}

/// A response and the time that it took.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
    pub took: Duration,
}

impl Server {
    pub fn start(mut lethe: Command) -> Self {
        let mut process = lethe
            .arg("serve")
            .envs([
                ("LETHE_ADDR", "127.0.0.1:0"),
                ("LETHE_ALLOW_PASSWORD_ONLY", "1"),
                ("LETHE_LEASE_SECONDS", "5"),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned())).unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let written = log.clone();
        std::thread::spawn(move || {
            for line in lines {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
        Self { process, address, log, cookie: String::new() }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn get(&self, path: &str) -> Answer {
        send(&self.address, &self.cookie, &format!("GET {path}"), "")
    }

    pub fn post(&self, path: &str, form: &str) -> Answer {
        send(&self.address, &self.cookie, &format!("POST {path}"), form)
    }

    /// Reads the form token of the session.
    pub fn token(&self) -> String {
        let page = self.get("/account").body;
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    /// Saves a new user by the form.
    pub fn save(&self, token: &str, name: &str) -> Answer {
        static NEXT_KEY: AtomicU64 = AtomicU64::new(1);
        let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let form = format!(
            "form[last_name]={name}&form[notes]=typed+by+hand&form_token={token}&form_key={key:064x}"
        );
        self.post("/do/save_user?page=/users/new", &form)
    }

    /// Waits until `/healthz` answers this status.
    pub fn wait_for_health(&self, status: u16) -> Duration {
        let began = Instant::now();
        while self.get("/healthz").status != status {
            assert!(began.elapsed() < RECOVERY_TIMEOUT, "health never had status {status}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        began.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a request and reads the whole response.
pub fn send(address: &str, cookie: &str, method_and_path: &str, form: &str) -> Answer {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    write!(
        stream,
        "{method_and_path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned(), took: began.elapsed() }
}
