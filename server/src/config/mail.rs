//! The configuration of the mail server.

use super::{Config, ConfigError, secret_file};
use db::{MailSettings, MailTls};

impl Config {
    /// Returns the mail server, if one is configured. Rejects an unencrypted connection to another computer.
    pub(super) fn mail(&self) -> Result<Option<MailSettings>, ConfigError> {
        let (Some(host), Some(from)) = (self.smtp_host.clone(), self.mail_from.clone()) else {
            let is_unused = self.smtp_host.is_none()
                && self.mail_from.is_none()
                && self.smtp_user.is_none()
                && self.smtp_password_file.is_none();
            return if is_unused { Ok(None) } else { Err(ConfigError::IncompleteMail) };
        };
        if !notify::mail::is_sender(&from) {
            return Err(ConfigError::NotASender);
        }
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.smtp_tls == MailTls::None && !is_here {
            return Err(ConfigError::MailWithoutTls);
        }
        let port = self.smtp_port.unwrap_or(match self.smtp_tls {
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
            MailTls::None => 25,
        });
        let login = match (&self.smtp_user, &self.smtp_password_file) {
            (None, None) => None,
            (Some(user), Some(file)) => Some((user.clone(), file.clone())),
            _ => return Err(ConfigError::IncompleteMail),
        };
        Ok(Some(MailSettings { host, port, tls: self.smtp_tls, login, from }))
    }

    /// Checks the file of the password at the mail server, if one is configured. The mail server gets its text of the
    /// time of each mail, so that it can be replaced while Lethe runs.
    pub(crate) fn check_mail_password(&self) -> Result<(), ConfigError> {
        let Some(file) = &self.smtp_password_file else { return Ok(()) };
        secret_file::read(file).map(drop).ok_or(ConfigError::NoMailPassword)
    }
}
