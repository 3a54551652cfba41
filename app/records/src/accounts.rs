//! Accounts of staff: roles, invitations and passwords.

use crate::user;
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::{credentials, sessions, user_roles, users};
use db::{Clock, RecordsError};
use identity::Caller;
use identity::session::{self, Proof, Stage, Token, digest};
use identity::staff::{
    CredentialKind, NoticeKind, new_password, notify, password, set_aside, set_password, user_with_id,
};
use policy::form::Problem;
use policy::user_form::UserForm;
use policy::{Action, Channel, ManualChange, Role, Roles, UserNumber};
use safeguards::{approval, manual_changes};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use std::collections::{BTreeMap, BTreeSet};
use trail::audit::{self, AuditAction, Subject};
use trail::person::{self, display_name};
use trail::roles::roles_of;
use trail::undoable;
use trail::{Actor, Store, Undo};
use zeroize::Zeroizing;

/// Lifetime of an invitation.
const INVITATION: TimeDelta = TimeDelta::hours(24);

/// A one-time link to set a password.
#[derive(Debug)]
pub struct Invitation {
    /// The token, used in the URL `/invitation/TOKEN`.
    pub token: Token,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// Filter for a list of staff.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaffQuery {
    /// Only this role.
    pub role: Option<Role>,
}

/// A row in the list of staff.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StaffRow {
    /// User number.
    pub number: UserNumber,
    /// The user's current name.
    pub name: String,
    /// The login name.
    pub user_id: Option<String>,
    /// The roles.
    pub roles: Vec<Role>,
    /// Whether the user has a password.
    pub has_password: bool,
    /// Whether the user has an authenticator app.
    pub has_app: bool,
    /// Number of sessions.
    pub sessions: i64,
}

/// Maximum number of rows in the list. No library comes near it.
const MAX_ACCOUNTS: usize = 1_000;

/// Returns the members of staff, by user number.
pub async fn list(store: &Store, actor: Actor, query: StaffQuery) -> Result<Vec<StaffRow>, RecordsError> {
    actor.require_permission_to_see(Action::ManageStaff)?;
    let mut roles: BTreeMap<i64, Vec<Role>> = BTreeMap::new();
    for row in user_roles::Entity::find().order_by_asc(user_roles::Column::UserNumber).all(&store.db).await? {
        roles.entry(row.user_number).or_default().push(row.role);
    }
    if let Some(wanted) = query.role {
        roles.retain(|_, roles| roles.contains(&wanted));
    }
    let numbers: Vec<i64> = roles.keys().copied().take(MAX_ACCOUNTS).collect();
    let people = users::Entity::find()
        .filter(users::Column::Number.is_in(numbers.iter().copied()))
        .order_by_asc(users::Column::Number)
        .all(&store.db)
        .await?;
    let proven: BTreeSet<(i64, String)> = credentials::Entity::find()
        .select_only()
        .columns([credentials::Column::UserNumber, credentials::Column::Kind])
        .filter(credentials::Column::UserNumber.is_in(numbers.iter().copied()))
        .into_tuple()
        .all(&store.db)
        .await?
        .into_iter()
        .collect();
    let sessions: BTreeMap<i64, i64> = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::UserNumber)
        .column_as(sessions::Column::IdHash.count(), "sessions")
        .filter(sessions::Column::UserNumber.is_in(numbers))
        .group_by(sessions::Column::UserNumber)
        .into_tuple()
        .all(&store.db)
        .await?
        .into_iter()
        .collect();
    let row = |user: users::Model| {
        let has = |kind: CredentialKind| proven.contains(&(user.number, kind.code().to_owned()));
        StaffRow {
            number: UserNumber(user.number),
            name: display_name(&user),
            roles: roles.get(&user.number).cloned().unwrap_or_default(),
            has_password: has(CredentialKind::Password),
            has_app: has(CredentialKind::App),
            sessions: sessions.get(&user.number).copied().unwrap_or_default(),
            user_id: user.user_id,
        }
    };
    Ok(people.into_iter().map(row).collect())
}

async fn has(
    db: &impl ConnectionTrait,
    kind: CredentialKind,
    user: UserNumber,
) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(kind.condition(user)).count(db).await? > 0)
}

/// Returns whether any account has a password.
pub async fn any_sign_in_configured(store: &Store) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find()
        .filter(credentials::Column::Kind.eq(CredentialKind::Password.code()))
        .count(&store.db)
        .await?
        > 0)
}

/// Grants a role to the user with this `UserID`, and creates the user if there is none.
///
/// Returns the user, and an invitation if the user has no password yet.
pub async fn add(
    store: &Store,
    actor: Actor,
    user_id: &str,
    role: Role,
) -> Result<(UserNumber, Option<Invitation>), RecordsError> {
    actor.require(Action::ManageStaff)?;
    let number = if let Some(number) = user_with_id(store, user_id).await? {
        number
    } else {
        let name = user_id.trim().to_owned();
        let form = UserForm { user_id: name.clone(), last_name: name, ..UserForm::default() };
        user::save(store, actor, &form).await.map_err(suppressed)?
    };
    let is_granted = grant_if_missing(store, actor, number, role).await?;
    let invitation = if has(&store.db, CredentialKind::Password, number).await? {
        if !is_granted {
            return Err(has_role());
        }
        None
    } else {
        Some(invite(store, actor, number).await?)
    };
    Ok((number, invitation))
}

/// Returns the error about a new member of staff whose `UserID` is on the suppression list. The list of staff has no
/// field for the decision.
fn suppressed(error: RecordsError) -> RecordsError {
    match error {
        RecordsError::Invalid(errors) if errors.0.iter().any(|error| error.problem == Problem::Suppressed) => {
            RecordsError::Refused(
                "Nothing was changed. An anonymised user had this UserID. Create the user with “Create user” first, \
                 and decide there whether this is the same person"
                    .to_owned(),
            )
        }
        error => error,
    }
}

/// Grants a role. Ends all sessions of the user, who must sign in again with the factors that the new role
/// requires. Rejects a role that the user already has.
pub async fn grant_role(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    role: Role,
) -> Result<(), RecordsError> {
    if grant_if_missing(store, actor, number, role).await? { Ok(()) } else { Err(has_role()) }
}

fn has_role() -> RecordsError {
    RecordsError::Refused("This user already has this role. Nothing was changed".to_owned())
}

/// Grants a role. Returns false if the user already has it.
async fn grant_if_missing(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    role: Role,
) -> Result<bool, RecordsError> {
    let tx = changing(store, actor, number).await?;
    let user = person::lock(&tx, number).await?;
    if user.anonymised_on.is_some() || user.fictitious {
        return Err(RecordsError::Refused(
            "Nothing was changed. An anonymised or fictitious user cannot be staff".to_owned(),
        ));
    }
    let roles = roles_of(&tx, number).await?;
    if roles.has(role) {
        return Ok(false);
    }
    // A new approver counts only after some hours, so that one person can't quickly create a second one.
    let is_new = |action: Action| role.may(action) && !roles.may(action);
    if actor.channel == Channel::Web && [Action::Approve, Action::ReleaseLegalHolds].into_iter().any(is_new) {
        manual_changes::record(&tx, actor, ManualChange::MadeStaff, [(number, 0)]).await?;
    }
    user_roles::ActiveModel {
        user_number: Set(number.0),
        role: Set(role),
        granted_on: Set(store.clock.today()),
    }
    .insert(&tx)
    .await?;
    session::forget(&tx, number).await?;
    record(&tx, store, actor, AuditAction::RoleGranted, number, role.code()).await?;
    store.commit(tx).await?;
    Ok(true)
}

/// Revokes a role and ends all sessions of the user. Returns how to undo it, or `None` if the user didn't have the
/// role.
pub async fn revoke_role(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    role: Role,
) -> Result<Option<Undo>, RecordsError> {
    let tx = changing(store, actor, number).await?;
    person::lock(&tx, number).await?;
    let held = user_roles::Entity::find_by_id((number.0, role)).one(&tx).await?;
    let Some(held) = held else { return Ok(None) };
    let change =
        undoable::Change::RoleRevoked { user: number.0, role: held.role, granted_on: held.granted_on };
    user_roles::Entity::delete_by_id((held.user_number, held.role)).exec(&tx).await?;
    if roles_of(&tx, number).await?.is_empty() {
        manual_changes::record(&tx, actor, ManualChange::LastRoleTaken, [(number, 0)]).await?;
    }
    session::forget(&tx, number).await?;
    let subject = Subject::User(number.0);
    let event =
        audit::note_event(&tx, &store.clock, actor, AuditAction::RoleRevoked, subject, None, role.code())
            .await?;
    store.commit(tx).await?;
    Ok(Some(Undo::new(actor, change, event)))
}

/// Disables the sign-in of a member of staff.
///
/// The roles stay, so that no task anonymises the user. Until the undo period ends, the credentials are set aside,
/// where no sign-in finds them.
pub async fn disable(store: &Store, actor: Actor, number: UserNumber) -> Result<Undo, RecordsError> {
    let tx = changing(store, actor, number).await?;
    person::lock(&tx, number).await?;
    // Setting aside again would delete the credentials that an undo restores.
    if !set_aside::is_left(&tx, number).await? {
        return Err(RecordsError::Refused(
            "This user already cannot sign in. Nothing was changed".to_owned(),
        ));
    }
    set_aside::set_aside(&tx, number).await?;
    session::forget(&tx, number).await?;
    let subject = Subject::User(number.0);
    let event =
        audit::note_event(&tx, &store.clock, actor, AuditAction::StaffDisabled, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(Undo::new(actor, undoable::Change::SignInDisabled { user: number.0 }, event))
}

/// Creates a link with which a member of staff sets a first or new password.
///
/// Earlier links become invalid. An existing password stays valid until the new one is set.
pub async fn invite(store: &Store, actor: Actor, number: UserNumber) -> Result<Invitation, RecordsError> {
    let tx = changing(store, actor, number).await?;
    person::lock(&tx, number).await?;
    if roles_of(&tx, number).await?.is_empty() {
        return Err(RecordsError::Refused("Give this user a role first. Nothing was changed".to_owned()));
    }
    // Without the account's second factor, the holder of the link could be another person.
    if actor.channel == Channel::Web && !has(&tx, CredentialKind::App, number).await? {
        manual_changes::record(&tx, actor, ManualChange::MadeStaff, [(number, 0)]).await?;
    }
    credentials::Entity::delete_many().filter(CredentialKind::Invitation.condition(number)).exec(&tx).await?;
    let (token, now) = (Token::random(), Clock::system_now());
    let expires_at = now + INVITATION;
    credentials::ActiveModel {
        user_number: Set(number.0),
        kind: Set(CredentialKind::Invitation.code().to_owned()),
        secret: Set(token.hash()),
        created_at: Set(now),
        expires_at: Set(Some(expires_at)),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    record(&tx, store, actor, AuditAction::StaffInvited, number, "").await?;
    if has(&tx, CredentialKind::Password, number).await? {
        notify(&tx, number, NoticeKind::Invited).await?;
    }
    store.commit(tx).await?;
    Ok(Invitation { token, expires_at })
}

/// Returns the number and `UserID` of the invited user, or `None` if the link is invalid.
pub async fn invited(store: &Store, key: &str) -> Result<Option<(UserNumber, String)>, RecordsError> {
    let Some(invitation) = invitation(&store.db, key).await? else { return Ok(None) };
    let user = users::Entity::find_by_id(invitation.user_number).one(&store.db).await?;
    Ok(user.and_then(|user| Some((UserNumber(user.number), user.user_id?))))
}

async fn invitation(
    db: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<credentials::Model>, RecordsError> {
    let found = credentials::Entity::find()
        .filter(credentials::Column::Kind.eq(CredentialKind::Invitation.code()))
        .filter(credentials::Column::Secret.eq(digest("", key)))
        .filter(credentials::Column::ExpiresAt.gt(Clock::system_now()))
        .one(db)
        .await?;
    Ok(found)
}

/// Accepts a link: sets the password, ends all sessions and starts a new one.
pub async fn accept(
    store: &Store,
    key: &str,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<(Token, Stage), RecordsError> {
    let (number, _) = invited(store, key).await?.ok_or(RecordsError::NotFound("invitation"))?;
    let hash = new_password(store, number, new, repeated).await?;
    let tx = store.begin().await?;
    person::lock(&tx, number).await?;
    // The same link may have been used in the meantime.
    let invitation = invitation(&tx, key).await?.ok_or(RecordsError::NotFound("invitation"))?;
    credentials::Entity::delete_by_id(invitation.id).exec(&tx).await?;
    let had_password = has(&tx, CredentialKind::Password, number).await?;
    let actor = Actor::signed_in(number, Roles::default(), Clock::system_now());
    // The waiting time of a new approver restarts, because the link was created on the web.
    if approval::is_new(&tx, number).await? {
        manual_changes::record(&tx, actor, ManualChange::MadeStaff, [(number, 0)]).await?;
    }
    set_password(&tx, number, hash).await?;
    session::forget(&tx, number).await?;
    record(&tx, store, actor, AuditAction::PasswordSet, number, "invitation").await?;
    if had_password {
        notify(&tx, number, NoticeKind::PasswordSet).await?;
    }
    // The link is invalid if the user's last role was revoked in the meantime.
    let begun = session::begin_proven(&tx, store, number, &Proof::password()).await?;
    let begun = begun.ok_or(RecordsError::NotFound("invitation"))?;
    store.commit(tx).await?;
    Ok(begun)
}

/// Sets the password of an account of the demo library. The password is public.
pub async fn set_demo_password(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    password: &str,
) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let hash = password::hash_queue(store).hash(Caller::Known, Zeroizing::new(password.to_owned())).await?;
    let tx = store.begin().await?;
    set_password(&tx, number, hash).await?;
    record(&tx, store, actor, AuditAction::PasswordSet, number, "demo").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Starts the transaction of a change to an account. Members of staff can't change their own roles or invite
/// themselves.
async fn changing(
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<sea_orm::DatabaseTransaction, RecordsError> {
    actor.require(Action::ManageStaff)?;
    if actor.staff == Some(number) {
        return Err(RecordsError::Refused(
            "Nothing was changed. Another administrator must change your account".to_owned(),
        ));
    }
    let tx = store.begin().await?;
    approval::observe(&tx, store).await?;
    Ok(tx)
}

async fn record(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    number: UserNumber,
    detail: &str,
) -> Result<(), RecordsError> {
    Ok(audit::record_event(tx, &store.clock, actor, action, Subject::User(number.0), None, detail).await?)
}
