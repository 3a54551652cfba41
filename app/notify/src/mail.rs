//! Sends mail through the mail server of the installation. A mail server is the only place to which the address of a
//! person is sent.

use db::{MailSettings, MailTls};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use policy::notification::DeliveryProblem;
use std::time::Duration;
use trail::Store;
use zeroize::Zeroizing;

/// The statuses with which a mail server rejects the login of the installation. They say nothing about the recipient,
/// and an administrator can correct the password.
const LOGIN_STATUSES: [u16; 4] = [530, 534, 535, 538];
/// The statuses with which servers without enhanced status codes reject a recipient.
const RECIPIENT_STATUSES: [u16; 3] = [550, 551, 553];
/// Marks a mail that a program sends, so that no absence message answers it (RFC 3834).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// Time limit for one command to the mail server.
const SMTP_TIMEOUT: Duration = Duration::from_secs(30);

/// A mail without recipients.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Returns whether the installation can send mail.
pub fn is_configured(store: &Store) -> bool {
    store.settings.mail.is_some()
}

/// Returns whether an address can receive mail.
pub fn is_usable(address: &str) -> bool {
    address.parse::<Address>().is_ok()
}

/// Returns whether a text is a sender, with or without a name.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Sends a mail to one address. The error is a code, because the answer of a mail server can contain the address.
///
/// All attempts have the same `message_id`, so that a mail program shows a mail that arrives twice only once.
pub async fn send(store: &Store, to: &str, mail: Mail, message_id: &str) -> Result<(), DeliveryProblem> {
    let settings = store.settings.mail.as_ref().ok_or(DeliveryProblem::NotConfigured)?;
    let to = to.parse::<Address>().map_err(|_| DeliveryProblem::NoAddress)?;
    let from: Mailbox = settings.from.parse().map_err(|_| DeliveryProblem::NotConfigured)?;
    let message_id = format!("<{message_id}@{}>", from.email.domain());
    let message = Message::builder()
        .message_id(Some(message_id))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(mail.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body)
        .map_err(|_| DeliveryProblem::NoAddress)?;
    let transport = transport(settings).await?;
    match tokio::time::timeout(SMTP_TIMEOUT * 2, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(problem(&error)),
        Err(_) => Err(DeliveryProblem::Timeout),
    }
}

fn problem(error: &Error) -> DeliveryProblem {
    if error.status().is_some_and(|status| LOGIN_STATUSES.contains(&status.into())) {
        DeliveryProblem::Login
    } else if error.is_permanent() && !is_about_recipient(error) {
        DeliveryProblem::Refused
    } else if error.is_permanent() {
        DeliveryProblem::Rejected
    } else if error.is_client() {
        // The server can't transport an address with such letters.
        DeliveryProblem::NoAddress
    } else if error.is_transient() {
        DeliveryProblem::RejectedForNow
    } else if error.is_timeout() {
        DeliveryProblem::Timeout
    } else {
        DeliveryProblem::Connection
    }
}

/// Returns whether the mail server rejected the recipient, and not the sender or the text: by the enhanced status code
/// (RFC 3463), or by the status if there is none.
///
/// The text of the answer can contain the address, so it is read here only.
fn is_about_recipient(error: &Error) -> bool {
    let text = error.to_string();
    let mut words = text.split(|sign: char| !(sign.is_ascii_digit() || sign == '.'));
    match words.find(|word| word.starts_with("5.") && word.matches('.').count() == 2) {
        Some("5.1.7" | "5.1.8") => false,
        Some(code) => code.starts_with("5.1.") || code.starts_with("5.2."),
        None => error.status().is_some_and(|status| RECIPIENT_STATUSES.contains(&status.into())),
    }
}

/// Returns the connection to the mail server. The password is read each time, so that it can be changed.
async fn transport(settings: &MailSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryProblem> {
    let tls = || TlsParameters::new(settings.host.clone()).map_err(|_| DeliveryProblem::NotConfigured);
    let tls = match settings.tls {
        MailTls::Starttls => Tls::Required(tls()?),
        MailTls::Tls => Tls::Wrapper(tls()?),
        MailTls::None => Tls::None,
    };
    let mut builder: AsyncSmtpTransportBuilder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .timeout(Some(SMTP_TIMEOUT))
            .tls(tls);
    if let Some((user, file)) = &settings.login {
        let password = tokio::fs::read_to_string(file).await.map_err(|_| DeliveryProblem::NotConfigured)?;
        let password = Zeroizing::new(password);
        builder = builder.credentials(Credentials::new(user.clone(), password.trim().to_owned()));
    }
    Ok(builder.build())
}
