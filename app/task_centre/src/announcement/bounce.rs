//! Bounces that arrive later, as messages of mail servers (RFC 3464). The id of the original message leads to the
//! announcement; addresses in the message are not read.

use super::MESSAGE_PREFIX;
use db::RecordsError;
use db::entity::announcements::{ActiveModel, Column, Entity};
use policy::announcement::AnnouncementState;
use policy::notification::DeliveryProblem;
use policy::{Action, UserNumber};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Serialize;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// What a message of a mail server says about an announcement.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Received {
    /// The announcement bounced.
    Bounced {
        /// The user.
        user: UserNumber,
    },
    /// The e-mail is only late, or the user has answered meanwhile. Nothing was changed.
    Unchanged,
    /// The message is about no announcement, or its user has been anonymised.
    Unknown,
}

/// Records the bounce that a message reports.
pub async fn receive(store: &Store, actor: Actor, message: &str) -> Result<Received, RecordsError> {
    actor.require(Action::Administer)?;
    let Some(id) = message_id(message) else { return Ok(Received::Unknown) };
    let tx = store.begin().await?;
    let row = Entity::find().filter(Column::MessageId.eq(id)).lock_exclusive().one(&tx).await?;
    let Some(row) = row else { return Ok(Received::Unknown) };
    // A server on the same machine reports a bounce before the batch of its e-mail has ended.
    let can_bounce = matches!(
        row.state,
        AnnouncementState::Sending | AnnouncementState::Sent | AnnouncementState::Unclear
    );
    if !is_permanent(message) || !can_bounce {
        return Ok(Received::Unchanged);
    }
    ActiveModel {
        id: Set(row.id),
        state: Set(AnnouncementState::Bounced),
        problem: Set(Some(DeliveryProblem::Rejected)),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let (action, subject) = (AuditAction::AnnouncementBounced, Subject::User(row.user_number));
    audit::record_event(&tx, &store.clock, actor, action, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(Received::Bounced { user: UserNumber(row.user_number) })
}

/// Returns the id of the original message, without brackets and domain. `None` if the message names no announcement.
fn message_id(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(&format!("<{MESSAGE_PREFIX}"))?;
    let end = rest.find(|sign: char| !(sign.is_ascii_hexdigit() || sign == '-'))?;
    let at = message.len() - rest.len() - MESSAGE_PREFIX.len();
    message.get(at..at + MESSAGE_PREFIX.len() + end)
}

/// Returns whether the delivery has failed for good: `Action: failed` with a status 5.x.x.
fn is_permanent(message: &str) -> bool {
    let field = |name: &str| {
        message.lines().find_map(|line| {
            let (before, value) = line.split_once(':')?;
            before.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
        })
    };
    field("Action").is_some_and(|action| action == "failed")
        && field("Status").is_some_and(|status| status.starts_with('5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "From: MAILER-DAEMON@example.org\r\nSubject: Undelivered\r\n\r\n--x\r\n\
                          Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
                          Final-Recipient: rfc822; gone@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--x\r\n\
                          Content-Type: text/rfc822-headers\r\n\r\n\
                          Message-ID: <announcement-0b0c-1f@example.org>\r\n";

    #[test]
    fn a_report_names_the_message_and_says_whether_it_is_final() {
        assert_eq!(message_id(REPORT), Some("announcement-0b0c-1f"));
        assert!(is_permanent(REPORT));
        for late in [REPORT.replace("failed", "delayed"), REPORT.replace("5.1.1", "4.4.7")] {
            assert!(!is_permanent(&late), "{late}");
        }
        for other in ["", "Message-ID: <x@example.org>", "<announcement-", "announcement-0b0c@example.org"] {
            assert_eq!(message_id(other), None, "{other}");
        }
    }
}
