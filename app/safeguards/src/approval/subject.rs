//! The subject of an approval.

use db::entity::{legal_holds, runs};
use db::{RecordsError, checksum};
use policy::approval::ApprovalKind;
use policy::import_limits::CountedBy;
use policy::{Role, Roles, UserNumber};
use trail::Actor;

/// The subject of a request, identified by its fingerprint.
#[derive(Clone, Debug)]
pub struct ApprovalSubject {
    pub(super) kind: ApprovalKind,
    pub(super) preview: Option<i64>,
    pub(super) hold: Option<i64>,
    pub(super) user: Option<i64>,
    /// The number of users or lines with which a file exceeds a safety limit.
    pub(super) users: Option<i64>,
    /// The safety limit that counts this number.
    pub(super) counted_by: CountedBy,
    pub(super) fingerprint: String,
    /// The maker of the subject, who cannot approve it either.
    pub(super) maker: Option<i64>,
}

impl ApprovalSubject {
    /// Returns a subject without references and maker.
    const fn new(kind: ApprovalKind, fingerprint: String) -> Self {
        Self {
            kind,
            preview: None,
            hold: None,
            user: None,
            users: None,
            counted_by: None,
            fingerprint,
            maker: None,
        }
    }

    /// Returns the subject for the run of this preview. Rejects a preview without a fingerprint.
    pub fn run_of(preview: &runs::Model) -> Result<Self, RecordsError> {
        let fingerprint = preview.fingerprint.clone();
        let fingerprint =
            fingerprint.ok_or_else(|| RecordsError::Refused("This preview has no fingerprint".to_owned()))?;
        let subject = Self::new(ApprovalKind::Run, fingerprint);
        Ok(Self { preview: Some(preview.id), maker: preview.actor_number, ..subject })
    }

    /// Returns the subject for applying the current rules to the users behind this fingerprint.
    pub const fn reapply_of(fingerprint: String) -> Self {
        Self::new(ApprovalKind::Reapply, fingerprint)
    }

    /// Returns the subject for releasing this legal hold in its current state.
    pub(crate) fn release_of(hold: &legal_holds::Model) -> Self {
        let subject = format!(
            "lethe-legal-hold-1\n{}\n{:?}\n{:?}\n{}\n{:?}\n{}\n",
            hold.id,
            hold.user_number,
            hold.category,
            hold.reason.code(),
            hold.owner_number,
            hold.review_on
        );
        Self { hold: Some(hold.id), ..Self::new(ApprovalKind::LegalHoldRelease, digest(&subject)) }
    }

    /// Returns the subject for more manual changes by this actor.
    pub fn over_limit_changes_by(actor: Actor) -> Self {
        let user = actor.staff.map(|staff| staff.0);
        let subject = format!("lethe-more-changes-1\n{user:?}\n{}\n", actor.channel.code());
        Self { user, maker: user, ..Self::new(ApprovalKind::MoreChanges, digest(&subject)) }
    }

    /// Returns the subject for anonymising this member of staff with these roles. They cannot approve it
    /// themselves.
    pub fn staff_anonymising_of(number: UserNumber, roles: Roles) -> Self {
        let roles: Vec<&str> = roles.iter().map(Role::code).collect();
        let subject = format!("lethe-staff-1\n{number}\n{}\n", roles.join(","));
        let user = Some(number.0);
        Self { user, maker: user, ..Self::new(ApprovalKind::StaffAnonymising, digest(&subject)) }
    }

    /// Returns the subject for more changes by identity systems, whatever their key.
    pub fn api_changes() -> Self {
        Self::new(ApprovalKind::ApiChanges, digest("lethe-api-changes-1\n"))
    }

    /// Returns the subject for destroying the key of the suppression list.
    pub(crate) fn suppression_key() -> Self {
        Self::new(ApprovalKind::SuppressionKey, digest("lethe-suppression-key-1\n"))
    }

    /// Returns the subject for importing the file with this SHA-256, with the number that exceeds a safety limit.
    pub fn import_of(sha256: String, (number, counted_by): (i64, CountedBy)) -> Self {
        Self { users: Some(number), counted_by, ..Self::new(ApprovalKind::Import, sha256) }
    }
}

fn digest(subject: &str) -> String {
    checksum::sha256(&[subject.as_bytes()])
}
