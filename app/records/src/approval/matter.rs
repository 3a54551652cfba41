//! What is approved, and what was decided about it.

use crate::checksum;
use crate::entity::{legal_holds, runs};
use crate::error::RecordsError;
use serde::Serialize;

/// What kind of thing is approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The run of a preview.
    Run,
    /// A run that brings people under the present rules.
    Reapply,
    /// The release of a legal hold.
    HoldRelease,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Run, Self::Reapply, Self::HoldRelease];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Reapply => "reapply",
            Self::HoldRelease => "hold_release",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A second person agrees.
    Approved,
    /// A second person does not.
    Declined,
    /// Whoever asked has taken it back, or nobody has to be asked any more.
    Withdrawn,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 3] = [Self::Approved, Self::Declined, Self::Withdrawn];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The decision with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.code() == code)
    }
}

/// One thing that is asked for, with its seal.
#[derive(Clone, Debug)]
pub(crate) struct Matter {
    pub(super) kind: Kind,
    pub(super) preview: Option<i64>,
    pub(super) hold: Option<i64>,
    pub(super) fingerprint: String,
    /// Who made what is to be approved, besides whoever asks.
    pub(super) maker: Option<i64>,
}

impl Matter {
    /// The run of this preview.
    pub(crate) fn run_of(preview: &runs::Model) -> Result<Self, RecordsError> {
        let fingerprint = preview.fingerprint.clone();
        Ok(Self {
            kind: Kind::Run,
            preview: Some(preview.id),
            hold: None,
            fingerprint: fingerprint
                .ok_or_else(|| RecordsError::Refused("This preview was not sealed".to_owned()))?,
            maker: preview.actor_number,
        })
    }

    /// The run that brings the people of this fingerprint under the present rules.
    pub(crate) const fn reapply_of(fingerprint: String) -> Self {
        Self { kind: Kind::Reapply, preview: None, hold: None, fingerprint, maker: None }
    }

    /// The release of this hold, as it stands.
    pub(crate) fn release_of(hold: &legal_holds::Model) -> Self {
        let seal = format!(
            "lethe-hold-1\n{}\n{:?}\n{:?}\n{}\n{:?}\n{:?}\n",
            hold.id, hold.user_number, hold.category, hold.reason, hold.owner_number, hold.review_on
        );
        Self {
            kind: Kind::HoldRelease,
            preview: None,
            hold: Some(hold.id),
            fingerprint: checksum::sha256(&[seal.as_bytes()]),
            maker: None,
        }
    }
}
