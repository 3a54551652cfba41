//! Notifications: the events of which staff and monitoring are notified, and the forms that choose them.

use crate::form::{FieldErrors, Problem};
use crate::permission::Action;
use crate::stored::{coded_enum, part_of_key};
use crate::text;
use serde::{Deserialize, Serialize};

coded_enum! {
    /// An event of which staff and monitoring are notified.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Event: "event of the notification" {
        /// A request waits for a second person.
        ApprovalWaiting = "approval_waiting",
        /// A safety limit stopped a run, which waits for confirmation.
        RunStopped = "run_stopped",
        /// A run failed, as a whole or in part, or found no file.
        RunFailed = "run_failed",
        /// A task did not run at its time.
        RunMissed = "run_missed",
        /// The residue search found values of anonymised users.
        FindingsOpen = "findings_open",
        /// A legal hold is due for review.
        LegalHoldDue = "legal_hold_due",
        /// Lines of imports wait for a decision.
        HeldLinesWaiting = "held_lines_waiting",
        /// A member of staff tests a recipient.
        Test = "test",
    }
}

part_of_key!(Event);

impl Event {
    /// The events that can be chosen, in the order of forms.
    pub const CHOICES: [Self; 7] = [
        Self::ApprovalWaiting,
        Self::RunStopped,
        Self::RunFailed,
        Self::RunMissed,
        Self::FindingsOpen,
        Self::LegalHoldDue,
        Self::HeldLinesWaiting,
    ];

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApprovalWaiting => "A request is waiting for a second person",
            Self::RunStopped => "A safety limit stopped a run, which is waiting for confirmation",
            Self::RunFailed => "A run failed, or failed for some users or lines, or found no file",
            Self::RunMissed => "A task did not run at its time",
            Self::FindingsOpen => "Old values of anonymised users were found",
            Self::LegalHoldDue => "A legal hold is due for review",
            Self::HeldLinesWaiting => "Held lines are waiting for a decision",
            Self::Test => "Test message",
        }
    }

    /// Returns the permission without which a member of staff is not notified: that of the page about the event.
    pub const fn needs(self) -> Action {
        match self {
            Self::ApprovalWaiting | Self::RunStopped | Self::RunFailed | Self::RunMissed => Action::SeeTasks,
            Self::FindingsOpen => Action::SeeResidue,
            Self::LegalHoldDue => Action::SeeUsers,
            Self::HeldLinesWaiting => Action::EditUsers,
            Self::Test => Action::Administer,
        }
    }

    /// Returns the type in the body of a webhook, whose parts a full stop separates.
    pub const fn webhook_type(self) -> &'static str {
        match self {
            Self::ApprovalWaiting => "approval.waiting",
            Self::RunStopped => "run.stopped",
            Self::RunFailed => "run.failed",
            Self::RunMissed => "run.missed",
            Self::FindingsOpen => "findings.open",
            Self::LegalHoldDue => "legal_hold.due",
            Self::HeldLinesWaiting => "held_lines.waiting",
            Self::Test => "test",
        }
    }
}

coded_enum! {
    /// The state of a delivery to one recipient.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeliveryState: "state of the delivery" {
        /// It waits for its next attempt.
        Waiting = "waiting",
        /// The recipient has it.
        Delivered = "delivered",
        /// No further attempt is made. A condition reports it.
        Failed = "failed",
        /// The recipient may no longer get it, or has no address.
        Skipped = "skipped",
        /// It failed, and a member of staff has discarded it.
        Discarded = "discarded",
    }
}

impl DeliveryState {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Delivered => "Delivered",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
            Self::Discarded => "Discarded",
        }
    }
}

coded_enum! {
    /// Why a delivery did not succeed.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DeliveryProblem: "problem of the delivery" {
        /// There is no connection.
        Connection = "connection",
        /// The server did not answer in time.
        Timeout = "timeout",
        /// The mail server rejected the mail for now.
        RejectedForNow = "rejected_for_now",
        /// The mail server rejected the mail for good.
        Rejected = "rejected",
        /// The mail server refuses the sender or the text, for all recipients.
        Refused = "refused",
        /// The mail server rejected the login of the installation.
        Login = "login",
        /// The server answered with another status than success.
        BadStatus = "bad_status",
        /// The server no longer wants webhooks.
        Gone = "gone",
        /// The address is in a private network.
        PrivateAddress = "private_address",
        /// The secret cannot be decrypted with the current key.
        Secret = "secret",
        /// E-mail is not configured.
        NotConfigured = "not_configured",
        /// The recipient has no address that can receive mail.
        NoAddress = "no_address",
        /// The recipient is no longer allowed to see the event, or cannot sign in.
        NoPermission = "no_permission",
        /// The webhook was disabled.
        Disabled = "disabled",
        /// The process ended during the last attempt.
        Interrupted = "interrupted",
    }
}

impl DeliveryProblem {
    /// Returns the label: what happened, and where it helps what to do.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connection => "No connection to the server",
            Self::Timeout => "The server did not answer in time",
            Self::RejectedForNow => "The mail server rejected it for now",
            Self::Rejected => "The mail server rejected it",
            Self::Refused => "The mail server refuses e-mail from this sender. Check the configuration",
            Self::Login => "The mail server rejected user name or password. Check the configuration",
            Self::BadStatus => "The server did not answer with success",
            Self::Gone => "The server no longer accepts webhooks (410)",
            Self::PrivateAddress => "The address is in a private network",
            Self::Secret => "The secret cannot be read. Create the webhook again",
            Self::NotConfigured => "E-mail is not configured",
            Self::NoAddress => "No usable e-mail address",
            Self::NoPermission => "No longer allowed to see this",
            Self::Disabled => "The webhook is disabled",
            Self::Interrupted => "The last attempt was interrupted",
        }
    }

    /// Returns whether a later attempt can succeed.
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Timeout
                | Self::RejectedForNow
                | Self::Login
                | Self::BadStatus
                | Self::PrivateAddress
                | Self::NotConfigured
        )
    }
}

/// The number of attempts of a delivery.
pub const MAX_ATTEMPTS: i32 = 8;

/// Returns the seconds from a failed attempt to the next one: half a minute, then four times as long each time. The
/// last attempt is about two days after the first one. None if it was the last attempt.
pub fn seconds_to_next(attempts: i32) -> Option<i64> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    Some(30 * 4_i64.pow(attempts.clamp(1, MAX_ATTEMPTS).cast_unsigned() - 1))
}

/// A set of events. Stored as their codes, separated by a comma.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(
        value_type = "String",
        from_str = "crate::notification::events",
        to_str = "crate::notification::codes"
    )
)]
pub struct Events(pub Vec<Event>);

/// Reads stored events.
#[cfg(feature = "db")]
pub(crate) fn events(codes: &str) -> Result<Events, crate::stored::Unreadable> {
    let codes = codes.split(',').filter(|code| !code.is_empty());
    codes.map(crate::stored::from_code).collect::<Result<_, _>>().map(Events)
}

/// Returns the events as they are stored.
#[cfg(feature = "db")]
pub(crate) fn codes(events: &Events) -> String {
    events.0.iter().map(|event| event.code()).collect::<Vec<_>>().join(",")
}

/// The form that creates a webhook.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookForm {
    /// The name, which says what receives the webhook.
    pub name: String,
    /// The address to which it is posted.
    pub url: String,
    /// The events, by their codes.
    pub events: EventTicks,
}

/// The ticked checkboxes of events, one for each event that can be chosen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a checkbox of the form")]
pub struct EventTicks {
    approval_waiting: bool,
    run_stopped: bool,
    run_failed: bool,
    run_missed: bool,
    findings_open: bool,
    legal_hold_due: bool,
    held_lines_waiting: bool,
}

impl EventTicks {
    /// Returns whether an event is ticked.
    pub const fn has(self, event: Event) -> bool {
        match event {
            Event::ApprovalWaiting => self.approval_waiting,
            Event::RunStopped => self.run_stopped,
            Event::RunFailed => self.run_failed,
            Event::RunMissed => self.run_missed,
            Event::FindingsOpen => self.findings_open,
            Event::LegalHoldDue => self.legal_hold_due,
            Event::HeldLinesWaiting => self.held_lines_waiting,
            Event::Test => false,
        }
    }

    /// Returns the ticked events.
    pub fn events(self) -> Vec<Event> {
        Event::CHOICES.into_iter().filter(|event| self.has(*event)).collect()
    }
}

impl FromIterator<Event> for EventTicks {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        events.into_iter().fold(Self::default(), |ticks, event| match event {
            Event::ApprovalWaiting => Self { approval_waiting: true, ..ticks },
            Event::RunStopped => Self { run_stopped: true, ..ticks },
            Event::RunFailed => Self { run_failed: true, ..ticks },
            Event::RunMissed => Self { run_missed: true, ..ticks },
            Event::FindingsOpen => Self { findings_open: true, ..ticks },
            Event::LegalHoldDue => Self { legal_hold_due: true, ..ticks },
            Event::HeldLinesWaiting => Self { held_lines_waiting: true, ..ticks },
            Event::Test => ticks,
        })
    }
}

/// A validated form. The address is only a line of text; the sender parses it as a URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookDraft {
    /// The name.
    pub name: String,
    /// The address.
    pub url: String,
    /// The events.
    pub events: Events,
}

impl WebhookForm {
    /// Validates the form. It must have at least one event.
    pub fn validate(&self) -> Result<WebhookDraft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", text::required_line(&self.name, "a name"));
        let url = errors.take("url", text::line(&self.url, MAX_URL));
        if url.as_deref() == Some("") {
            errors.add("url", Problem::NotAWebhookAddress);
        }
        let events = self.events.events();
        if events.is_empty() {
            errors.add("events", Problem::not_chosen("at least one event"));
        }
        match (name, url) {
            (Some(name), Some(url)) if errors.is_empty() => {
                Ok(WebhookDraft { name, url, events: Events(events) })
            }
            _ => Err(errors),
        }
    }
}

/// Maximum length of an address, in characters.
const MAX_URL: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_days_and_not_for_ever() {
        let times: Vec<i64> = (1..).map_while(seconds_to_next).collect();
        assert_eq!(times, [30, 120, 480, 1_920, 7_680, 30_720, 122_880]);
        assert_eq!(times.len() + 1, usize::try_from(MAX_ATTEMPTS).expect("a number"));
    }

    #[test]
    fn ticks_and_events_are_the_same() {
        for event in Event::CHOICES {
            assert_eq!(EventTicks::from_iter([event]).events(), [event]);
        }
        assert_eq!(EventTicks::from_iter(Event::CHOICES).events(), Event::CHOICES);
        assert!(!Event::CHOICES.contains(&Event::Test));
        assert_eq!(Event::CHOICES.len() + 1, Event::ALL.len());
    }

    #[test]
    fn a_webhook_needs_a_name_an_address_and_an_event() {
        let fields: Vec<String> = WebhookForm::default()
            .validate()
            .expect_err("errors")
            .0
            .into_iter()
            .map(|one| one.field)
            .collect();
        assert_eq!(fields, ["name", "url", "events"]);
        let form = WebhookForm {
            name: "Monitoring".to_owned(),
            url: " https://hooks.example.org ".to_owned(),
            events: EventTicks::from_iter([Event::RunFailed]),
        };
        let draft = form.validate().expect("valid");
        assert_eq!(
            (draft.url.as_str(), draft.events.0),
            ("https://hooks.example.org", vec![Event::RunFailed])
        );
    }
}
