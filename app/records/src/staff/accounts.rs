//! Accounts of staff: who has which role, and how they come to a password.

use super::notices::{NoticeKind, notify};
use super::password::{Caller, opaque};
use super::{Kind, set_aside, strength};
use crate::actor::{Actor, Channel};
use crate::approval;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::{credentials, sessions, user_roles, users};
use crate::error::RecordsError;
use crate::limits::{self, Change};
use crate::protection;
use crate::session::{self, Proof, Stage, Token, digest};
use crate::store::Store;
use crate::undo::{self, Undo};
use crate::user::{self, display_name};
use chrono::{DateTime, TimeDelta, Utc};
use policy::form::Problem;
use policy::user_form::UserForm;
use policy::{Action, Role, Roles, UserNumber};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// How long an invitation counts.
const INVITATION: TimeDelta = TimeDelta::hours(24);

/// A link for once, with which somebody sets a password.
#[derive(Debug)]
pub struct Invitation {
    /// Its key; it goes into the address `/invitation/KEY`.
    pub token: Token,
    /// Until when it counts.
    pub expires_at: DateTime<Utc>,
}

/// Whom a list of staff names.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaffQuery {
    /// Of one role only.
    pub role: Option<Role>,
}

/// A member of staff, as a list shows them.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StaffRow {
    /// User number.
    pub number: UserNumber,
    /// The name the user has now.
    pub name: String,
    /// The name to sign in with.
    pub user_id: Option<String>,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they have an authenticator app.
    pub has_app: bool,
    /// How many sessions they have.
    pub sessions: i64,
}

/// The most members of staff that a list shows. No library comes near it.
const MOST: usize = 1_000;

/// Staff, by number.
pub async fn list(store: &Store, actor: Actor, query: StaffQuery) -> Result<Vec<StaffRow>, RecordsError> {
    actor.must_be_allowed(Action::ManageStaff)?;
    let mut roles: BTreeMap<i64, Vec<Role>> = BTreeMap::new();
    for row in user_roles::Entity::find().order_by_asc(user_roles::Column::UserNumber).all(&store.db).await? {
        roles.entry(row.user_number).or_default().extend(Role::from_code(&row.role));
    }
    if let Some(wanted) = query.role {
        roles.retain(|_, roles| roles.contains(&wanted));
    }
    let numbers: Vec<i64> = roles.keys().copied().take(MOST).collect();
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
        let has = |kind: Kind| proven.contains(&(user.number, kind.code().to_owned()));
        StaffRow {
            number: UserNumber(user.number),
            name: display_name(&user),
            roles: roles.get(&user.number).cloned().unwrap_or_default(),
            has_password: has(Kind::Password),
            has_app: has(Kind::App),
            sessions: sessions.get(&user.number).copied().unwrap_or_default(),
            user_id: user.user_id,
        }
    };
    Ok(people.into_iter().map(row).collect())
}

async fn has(db: &impl ConnectionTrait, kind: Kind, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(kind.of(user)).count(db).await? > 0)
}

/// The roles of a user.
pub async fn roles_of(db: &impl ConnectionTrait, user: UserNumber) -> Result<Roles, RecordsError> {
    let rows = user_roles::Entity::find().filter(user_roles::Column::UserNumber.eq(user.0)).all(db).await?;
    Ok(rows.iter().filter_map(|row| Role::from_code(&row.role)).collect())
}

/// The user with this `UserID`.
pub async fn user_with_id(store: &Store, user_id: &str) -> Result<Option<UserNumber>, RecordsError> {
    let user_id = user_id.trim();
    if user_id.is_empty() {
        return Ok(None);
    }
    let found = users::Entity::find().filter(users::Column::UserId.eq(user_id)).one(&store.db).await?;
    Ok(found.map(|user| UserNumber(user.number)))
}

/// Whether there is anybody who could sign in.
pub async fn anybody(store: &Store) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find()
        .filter(credentials::Column::Kind.eq(Kind::Password.code()))
        .count(&store.db)
        .await?
        > 0)
}

/// Gives a role to the user with this `UserID`; where there is none, one is created. Whoever has no password yet gets an
/// invitation.
pub async fn add(
    store: &Store,
    actor: Actor,
    user_id: &str,
    role: Role,
) -> Result<(UserNumber, Option<Invitation>), RecordsError> {
    actor.must(Action::ManageStaff)?;
    let number = if let Some(number) = user_with_id(store, user_id).await? {
        number
    } else {
        let name = user_id.trim().to_owned();
        let form = UserForm { user_id: name.clone(), last_name: name, ..UserForm::default() };
        user::save(store, actor, &form).await?
    };
    give_role(store, actor, number, role).await?;
    let invitation = if has(&store.db, Kind::Password, number).await? {
        None
    } else {
        Some(invite(store, actor, number).await?)
    };
    Ok((number, invitation))
}

/// Gives a role. All sessions of the user end: they sign in again, with what the new role demands.
pub async fn give_role(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    role: Role,
) -> Result<(), RecordsError> {
    let tx = changing(store, actor, number).await?;
    let user = user::lock(&tx, number).await?;
    if user.anonymised_on.is_some() || user.fictitious {
        return Err(RecordsError::Refused(
            "Nothing was changed: only a person who is not anonymised can be staff".to_owned(),
        ));
    }
    let roles = roles_of(&tx, number).await?;
    if roles.has(role) {
        return Ok(());
    }
    // Nobody makes up a second person at the desk: a new one counts after some hours.
    let is_new = |action: Action| role.may(action) && !roles.may(action);
    if actor.channel == Channel::Desk && [Action::Approve, Action::ReleaseHolds].into_iter().any(is_new) {
        limits::record(&tx, actor, Change::MadeStaff, [(number, 0)]).await?;
    }
    user_roles::ActiveModel {
        user_number: Set(number.0),
        role: Set(role.code().to_owned()),
        granted_on: Set(store.clock.today()),
    }
    .insert(&tx)
    .await?;
    session::forget(&tx, number).await?;
    note(&tx, store, actor, Deed::RoleGiven, number, role.code()).await?;
    store.commit(tx).await?;
    Ok(())
}

/// Takes a role. All sessions of the user end. None if the user did not have it.
pub async fn take_role(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    role: Role,
) -> Result<Option<Undo>, RecordsError> {
    let tx = changing(store, actor, number).await?;
    user::lock(&tx, number).await?;
    let held = user_roles::Entity::find_by_id((number.0, role.code().to_owned())).one(&tx).await?;
    let Some(held) = held else { return Ok(None) };
    let change =
        undo::Change::RoleTaken { user: number.0, role: held.role.clone(), granted_on: held.granted_on };
    user_roles::Entity::delete_by_id((held.user_number, held.role)).exec(&tx).await?;
    if roles_of(&tx, number).await?.is_empty() {
        limits::record(&tx, actor, Change::LastRoleTaken, [(number, 0)]).await?;
    }
    session::forget(&tx, number).await?;
    let subject = Subject::User(number.0);
    let event =
        audit::note_event(&tx, &store.clock, actor, Deed::RoleTaken, subject, None, role.code()).await?;
    store.commit(tx).await?;
    Ok(Some(Undo::of(actor, change, event)))
}

/// Takes everything with which a member of staff could sign in. Their roles stay, so that no task anonymises them. While
/// that can be undone the credentials are set aside, and no sign-in finds them.
pub async fn disable(store: &Store, actor: Actor, number: UserNumber) -> Result<Undo, RecordsError> {
    let tx = changing(store, actor, number).await?;
    user::lock(&tx, number).await?;
    set_aside::set_aside(&tx, number).await?;
    session::forget(&tx, number).await?;
    let subject = Subject::User(number.0);
    let event = audit::note_event(&tx, &store.clock, actor, Deed::StaffDisabled, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(Undo::of(actor, undo::Change::SignInDisabled { user: number.0 }, event))
}

/// Invites a member of staff to set a password, for the first time or anew. Earlier invitations count no more; a password
/// that there is counts until then.
pub async fn invite(store: &Store, actor: Actor, number: UserNumber) -> Result<Invitation, RecordsError> {
    let tx = changing(store, actor, number).await?;
    user::lock(&tx, number).await?;
    if roles_of(&tx, number).await?.is_empty() {
        return Err(RecordsError::Refused("Give this user a role first. Nothing was changed".to_owned()));
    }
    // Whoever has the link and not the second factor of the account is a new person to it.
    if actor.channel == Channel::Desk && !has(&tx, Kind::App, number).await? {
        limits::record(&tx, actor, Change::MadeStaff, [(number, 0)]).await?;
    }
    credentials::Entity::delete_many().filter(Kind::Invitation.of(number)).exec(&tx).await?;
    let (token, now) = (Token::random(), Clock::real());
    let expires_at = now + INVITATION;
    credentials::ActiveModel {
        user_number: Set(number.0),
        kind: Set(Kind::Invitation.code().to_owned()),
        secret: Set(token.hash()),
        created_at: Set(now),
        expires_at: Set(Some(expires_at)),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    note(&tx, store, actor, Deed::StaffInvited, number, "").await?;
    if has(&tx, Kind::Password, number).await? {
        notify(&tx, number, NoticeKind::Invited).await?;
    }
    store.commit(tx).await?;
    Ok(Invitation { token, expires_at })
}

/// Whom an invitation is for, if it counts: the `UserID`.
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
        .filter(credentials::Column::Kind.eq(Kind::Invitation.code()))
        .filter(credentials::Column::Secret.eq(digest("", key)))
        .filter(credentials::Column::ExpiresAt.gt(Clock::real()))
        .one(db)
        .await?;
    Ok(found)
}

/// Accepts an invitation: sets the password. All sessions end; a new one begins.
pub async fn accept(
    store: &Store,
    key: &str,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<(Token, Stage), RecordsError> {
    let (number, _) = invited(store, key).await?.ok_or(RecordsError::NotFound("password link"))?;
    let hash = new_password(store, number, new, repeated).await?;
    let tx = store.begin().await?;
    user::lock(&tx, number).await?;
    // Somebody else may have been quicker with the same link.
    let invitation = invitation(&tx, key).await?.ok_or(RecordsError::NotFound("password link"))?;
    credentials::Entity::delete_by_id(invitation.id).exec(&tx).await?;
    let had_password = has(&tx, Kind::Password, number).await?;
    let actor = Actor::signed_in(number, Roles::default(), Clock::real());
    // The hours after which they count as a second person begin again: the link came from the desk.
    if approval::is_new(&tx, number).await? {
        limits::record(&tx, actor, Change::MadeStaff, [(number, 0)]).await?;
    }
    set_password(&tx, number, hash).await?;
    session::forget(&tx, number).await?;
    note(&tx, store, actor, Deed::PasswordSet, number, "invitation").await?;
    if had_password {
        notify(&tx, number, NoticeKind::PasswordSet).await?;
    }
    // An invitation of somebody whose last role was taken meanwhile counts no more.
    let begun = session::begin_proven(&tx, store, number, &Proof::password()).await?;
    let begun = begun.ok_or(RecordsError::NotFound("password link"))?;
    store.commit(tx).await?;
    Ok(begun)
}

/// The hash of a new password, if it is good enough and was typed the same twice.
pub(crate) async fn new_password(
    store: &Store,
    number: UserNumber,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<String, RecordsError> {
    let user =
        users::Entity::find_by_id(number.0).one(&store.db).await?.ok_or(RecordsError::NotFound("user"))?;
    let known: Vec<&str> =
        [&user.user_id, &user.first_name, &user.last_name, &user.email, &user.barcode, &user.phone]
            .into_iter()
            .filter_map(|value| value.as_deref())
            .chain(["lethe", "library"])
            .collect();
    strength::check(&new, &known).map_err(|problem| RecordsError::field("password", problem))?;
    if *opaque(&new) != *opaque(repeated) {
        return Err(RecordsError::field("repeated", Problem::PasswordsDiffer));
    }
    store.hashing.hash(Caller::Known, new).await
}

/// Sets the password of a user to one with this hash. Invitations that are out count no more.
pub(crate) async fn set_password(
    db: &impl ConnectionTrait,
    number: UserNumber,
    hash: String,
) -> Result<(), RecordsError> {
    for old in [Kind::Password, Kind::Invitation] {
        credentials::Entity::delete_many().filter(old.of(number)).exec(db).await?;
    }
    credentials::ActiveModel {
        user_number: Set(number.0),
        kind: Set(Kind::Password.code().to_owned()),
        secret: Set(hash),
        created_at: Set(Clock::real()),
        ..Default::default()
    }
    .insert(db)
    .await?;
    session::forget_wrong_codes(db, number).await
}

/// Sets the password of an account of the demo library, which is printed for everybody to read.
pub async fn set_demo_password(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    password: &str,
) -> Result<(), RecordsError> {
    actor.must(Action::Administer)?;
    let hash = store.hashing.hash(Caller::Known, Zeroizing::new(password.to_owned())).await?;
    let tx = store.begin().await?;
    set_password(&tx, number, hash).await?;
    note(&tx, store, actor, Deed::PasswordSet, number, "demo").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Begins a change of somebody's account. Nobody changes their own roles or invites themselves.
async fn changing(
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<sea_orm::DatabaseTransaction, RecordsError> {
    actor.must(Action::ManageStaff)?;
    if actor.staff == Some(number) {
        return Err(RecordsError::Refused(
            "Nothing was changed: somebody else has to change your account".to_owned(),
        ));
    }
    let tx = store.begin().await?;
    protection::observe(&tx, store).await?;
    Ok(tx)
}

async fn note(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    actor: Actor,
    deed: Deed,
    number: UserNumber,
    detail: &str,
) -> Result<(), RecordsError> {
    Ok(audit::note(tx, &store.clock, actor, deed, Subject::User(number.0), None, detail).await?)
}
