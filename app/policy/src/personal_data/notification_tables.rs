//! Tables of notifications: the outbox, the deliveries, what staff and monitoring get, and the announcements to users.

use super::DataClass::{Credential, FreeText, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{DeleteRow, Keep};
use super::{RowOwner, Table, entry};

pub(super) const NOTIFICATIONS: Table = Table {
    name: "notifications",
    label: "Notifications",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key of the row"),
        entry("event", NotPersonal, Keep, "Event, as a code"),
        entry("task_id", NotPersonal, Keep, "Task"),
        entry("run_id", NotPersonal, Keep, "Run or preview"),
        entry("approval_id", NotPersonal, Keep, "Approval request"),
        entry("legal_hold_id", NotPersonal, Keep, "Legal hold"),
        entry("at", NotPersonal, Keep, "When it happened"),
        entry("once", NotPersonal, Keep, "Key that makes an event happen once"),
        entry("spread_at", NotPersonal, Keep, "When its recipients were determined"),
    ],
};

pub(super) const NOTIFICATION_DELIVERIES: Table = Table {
    name: "notification_deliveries",
    label: "Deliveries of notifications",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key of the row"),
        entry("notification_id", NotPersonal, DeleteRow, "Notification"),
        entry(
            "user_number",
            Link,
            DeleteRow,
            "Member of staff who gets an e-mail; the address is not stored",
        ),
        entry("webhook_id", NotPersonal, DeleteRow, "Webhook that gets it"),
        entry("message_id", NotPersonal, DeleteRow, "Random id by which the receiver recognises it"),
        entry("state", NotPersonal, DeleteRow, "State"),
        entry("problem", NotPersonal, DeleteRow, "Problem of the last attempt, as a code"),
        entry("attempts", NotPersonal, DeleteRow, "Number of attempts"),
        entry("next_at", NotPersonal, DeleteRow, "Next attempt"),
        entry("holder", NotPersonal, DeleteRow, "Process that delivers it"),
        entry("held_until", NotPersonal, DeleteRow, "Until when"),
        entry("ended_at", NotPersonal, DeleteRow, "When it ended"),
    ],
};

pub(super) const NOTIFICATION_CHOICES: Table = Table {
    name: "notification_choices",
    label: "Events that staff get by e-mail",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, DeleteRow, "Member of staff"),
        entry("event", NotPersonal, DeleteRow, "Event, as a code"),
    ],
};

pub(super) const WEBHOOKS: Table = Table {
    name: "webhooks",
    label: "Webhooks",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key of the row"),
        entry("name", FreeText, Keep, "Name that says what receives the webhook"),
        entry("url", NotPersonal, Keep, "Address"),
        entry("secret", Credential, Keep, "Secret with which webhooks are signed, encrypted"),
        entry("events", NotPersonal, Keep, "Events, as codes"),
        entry("created_by", Link, Keep, "Member of staff who created it"),
        entry("created_at", NotPersonal, Keep, "Created"),
        entry("disabled_at", NotPersonal, Keep, "Disabled"),
    ],
};

pub(super) const ANNOUNCEMENTS: Table = Table {
    name: "announcements",
    label: "Announcements of anonymising",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key of the row"),
        entry("user_number", Link, DeleteRow, "User who got the e-mail; address and text are not stored"),
        entry("task_id", NotPersonal, DeleteRow, "Task that anonymises the user"),
        entry("run_id", NotPersonal, DeleteRow, "Run that sent it"),
        entry("due_on", QuasiIdentifier, DeleteRow, "First day on which the task can anonymise the user"),
        entry("token_digest", Credential, DeleteRow, "Digest of the link; the link is not stored"),
        entry("message_id", NotPersonal, DeleteRow, "Random id by which a bounce is recognised"),
        entry("state", NotPersonal, DeleteRow, "State"),
        entry("problem", NotPersonal, DeleteRow, "Problem of the sending, as a code"),
        entry("sent_at", NotPersonal, DeleteRow, "When the mail server accepted it"),
    ],
};
