//! The subject of an approval, and the possible decisions.

use db::checksum;
use db::entity::{legal_holds, runs};
use db::error::RecordsError;
use policy::{Role, Roles, UserNumber};
use serde::Serialize;
use trail::actor::Actor;

/// The kind of a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The run of a preview.
    Run,
    /// A run that applies the current rules to users anonymised under older ones.
    Reapply,
    /// The release of a legal hold.
    HoldRelease,
    /// More manual changes than the safety limits allow.
    MoreChanges,
    /// Anonymising a member of staff.
    StaffAnonymising,
    /// An import that exceeds the safety limits.
    Import,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Run,
        Self::Reapply,
        Self::HoldRelease,
        Self::MoreChanges,
        Self::StaffAnonymising,
        Self::Import,
    ];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Reapply => "reapply",
            Self::HoldRelease => "hold_release",
            Self::MoreChanges => "more_changes",
            Self::StaffAnonymising => "staff_anonymising",
            Self::Import => "import",
        }
    }

    /// Returns the kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The decision about a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A second person agreed.
    Approved,
    /// A second person disagreed.
    Declined,
    /// The member of staff who made the request took it back.
    Withdrawn,
    /// The subject was executed without a second person.
    NotNeeded,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 4] = [Self::Approved, Self::Declined, Self::Withdrawn, Self::NotNeeded];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::NotNeeded => "not_needed",
        }
    }

    /// Returns the decision with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.code() == code)
    }
}

/// The subject of a request, identified by its fingerprint.
#[derive(Clone, Debug)]
pub struct ApprovalSubject {
    pub(super) kind: Kind,
    pub(super) preview: Option<i64>,
    pub(super) hold: Option<i64>,
    pub(super) user: Option<i64>,
    /// The number of users that an import changes.
    pub(super) users: Option<i64>,
    pub(super) fingerprint: String,
    /// The maker of the subject, who cannot approve it either.
    pub(super) maker: Option<i64>,
}

impl ApprovalSubject {
    /// Returns the subject for the run of this preview. Rejects a preview without a fingerprint.
    pub fn run_of(preview: &runs::Model) -> Result<Self, RecordsError> {
        let fingerprint = preview.fingerprint.clone();
        Ok(Self {
            kind: Kind::Run,
            preview: Some(preview.id),
            hold: None,
            user: None,
            users: None,
            fingerprint: fingerprint
                .ok_or_else(|| RecordsError::Refused("This preview has no fingerprint".to_owned()))?,
            maker: preview.actor_number,
        })
    }

    /// Returns the subject for applying the current rules to the users behind this fingerprint.
    pub const fn reapply_of(fingerprint: String) -> Self {
        Self {
            kind: Kind::Reapply,
            preview: None,
            hold: None,
            user: None,
            users: None,
            fingerprint,
            maker: None,
        }
    }

    /// Returns the subject for releasing this legal hold in its present state.
    pub(crate) fn release_of(hold: &legal_holds::Model) -> Self {
        let seal = format!(
            "lethe-hold-1\n{}\n{:?}\n{:?}\n{}\n{:?}\n{:?}\n",
            hold.id, hold.user_number, hold.category, hold.reason, hold.owner_number, hold.review_on
        );
        Self {
            kind: Kind::HoldRelease,
            preview: None,
            hold: Some(hold.id),
            user: None,
            users: None,
            fingerprint: checksum::sha256(&[seal.as_bytes()]),
            maker: None,
        }
    }

    /// Returns the subject for more manual changes by this actor.
    pub fn more_changes_of(actor: Actor) -> Self {
        let user = actor.staff.map(|staff| staff.0);
        let seal = format!("lethe-more-changes-1\n{user:?}\n{}\n", actor.channel.code());
        Self {
            kind: Kind::MoreChanges,
            preview: None,
            hold: None,
            user,
            users: None,
            fingerprint: checksum::sha256(&[seal.as_bytes()]),
            maker: user,
        }
    }

    /// Returns the subject for anonymising this member of staff with these roles. They cannot approve it
    /// themselves.
    pub fn staff_anonymising_of(number: UserNumber, roles: Roles) -> Self {
        let roles: Vec<&str> = roles.iter().map(Role::code).collect();
        let seal = format!("lethe-staff-1\n{number}\n{}\n", roles.join(","));
        Self {
            kind: Kind::StaffAnonymising,
            preview: None,
            hold: None,
            user: Some(number.0),
            users: None,
            fingerprint: checksum::sha256(&[seal.as_bytes()]),
            maker: Some(number.0),
        }
    }

    /// Returns the subject for importing the file with this SHA-256, in which `users` count towards the safety
    /// limits.
    pub const fn import_of(sha256: String, users: i64) -> Self {
        Self {
            kind: Kind::Import,
            preview: None,
            hold: None,
            user: None,
            users: Some(users),
            fingerprint: sha256,
            maker: None,
        }
    }
}
