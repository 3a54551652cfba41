//! A mail server in this process. It accepts everything except mail to addresses with another answer.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running mail server.
pub struct MailServer {
    /// Its port on this computer.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    received: Vec<(String, String)>,
    answers: BTreeMap<String, &'static str>,
}

impl MailServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let of_server = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = of_server.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &state));
            }
        });
        Self { port, state }
    }

    /// Answers mail to this address with a status from now on. `None`: accepts it.
    pub fn answer(&self, address: &str, answer: Option<&'static str>) {
        let answers = &mut self.state.lock().unwrap().answers;
        match answer {
            Some(answer) => answers.insert(address.to_owned(), answer),
            None => answers.remove(address),
        };
    }

    /// Returns the addresses to which mail was accepted, in alphabetical order.
    pub fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.state.lock().unwrap().received.iter().map(|(to, _)| to.clone()).collect();
        all.sort();
        all
    }

    /// Returns the last mail to an address, with the soft line breaks of its encoding removed.
    pub fn mail_to(&self, address: &str) -> String {
        let state = self.state.lock().unwrap();
        let (_, mail) = state.received.iter().rev().find(|(to, _)| to == address).unwrap();
        mail.replace("=\r\n", "").replace("=3D", "=")
    }

    /// Returns the token of the link in the last mail to an address.
    pub fn token_for(&self, address: &str) -> String {
        let mail = self.mail_to(address);
        let (_, rest) = mail.split_once("/keep/").unwrap();
        rest.chars().take_while(char::is_ascii_alphanumeric).collect()
    }
}

/// Speaks as much SMTP as a client without extensions needs.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let answer = |text: &str| {
        let _ = (&stream).write_all(format!("{text}\r\n").as_bytes());
    };
    answer("220 localhost");
    let mut to = String::new();
    while let Some(Ok(line)) = lines.next() {
        let command = line.to_ascii_uppercase();
        if let Some((_, address)) = line.split_once("TO:<").filter(|_| command.starts_with("RCPT")) {
            address.split('>').next().unwrap().clone_into(&mut to);
            let refused = state.lock().unwrap().answers.get(&to).copied();
            answer(refused.unwrap_or("250 accepted"));
        } else if command.starts_with("DATA") {
            answer("354 go on");
            let mut mail = String::new();
            while let Some(Ok(line)) = lines.next() {
                if line == "." {
                    break;
                }
                mail.push_str(&line);
                mail.push_str("\r\n");
            }
            state.lock().unwrap().received.push((to.clone(), mail));
            answer("250 accepted");
        } else if command.starts_with("QUIT") {
            answer("221 bye");
            return;
        } else {
            answer("250 localhost");
        }
    }
}
