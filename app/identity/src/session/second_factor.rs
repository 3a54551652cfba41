//! The second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

use super::{
    AuthFactor, Session, Stage, Token, digest, forget_others, must_be_confirmed, record_failed_sign_in,
    renew, with_code,
};
use crate::staff::{self, CredentialKind, NoticeKind, notify};
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::{credentials, users};
use db::{Clock, RecordsError};
use policy::form::Problem;
use policy::{Roles, UserNumber};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    Set,
};
use totp_rs::{Builder, Secret, Totp};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store, person};
use zeroize::Zeroizing;

/// Time limit for setting up an app.
const SET_UP: TimeDelta = TimeDelta::minutes(30);
/// Length of a secret, in bytes.
const SECRET: usize = 20;
/// Number of recovery codes.
const CODES: usize = 10;
/// Characters of recovery codes, without similar-looking ones.
const SIGNS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Number of characters in a recovery code: about 79 bits.
const SIZE: usize = 16;
const GROUP: usize = 4;
/// Hash prefix for recovery codes.
const RECOVERY: &str = "lethe recovery ";
/// The issuer that an app displays.
const ISSUER: &str = "Lethe";

/// The kind of second factor that was used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecondFactorKind {
    App,
    RecoveryCode,
}

/// An authenticator app that is being set up.
#[derive(Debug)]
pub struct Setup {
    /// The secret, for manual entry.
    pub secret: Zeroizing<String>,
    /// The same as a URL, for the QR code.
    pub address: Zeroizing<String>,
}

/// Starts or continues to set up an authenticator app, which is active once its first code was entered.
///
/// The secret belongs to one session. An attacker with only the password therefore can't see the secret that the
/// owner is setting up.
pub async fn begin_setup(store: &Store, session: &Session) -> Result<Setup, RecordsError> {
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    may_set_up(session)?;
    let secret = match begun_setup(&tx, store, session).await? {
        Some(secret) => secret,
        None => new_secret(&tx, store, session).await?,
    };
    store.commit(tx).await?;
    let account = users::Entity::find_by_id(session.user.0).one(&store.db).await?;
    let account = account.and_then(|user| user.user_id).unwrap_or_else(|| session.user.to_string());
    let totp = Builder::new()
        .with_secret(Secret::from(secret.to_vec()))
        .with_issuer(Some(ISSUER))
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(|_| RecordsError::Corrupt("secret"))?;
    let address = totp.to_url().map_err(|_| RecordsError::Corrupt("secret"))?;
    Ok(Setup { secret: Zeroizing::new(totp.secret().to_base32()), address: Zeroizing::new(address) })
}

/// Returns the secret that this session is setting up.
async fn begun_setup(
    tx: &DatabaseTransaction,
    store: &Store,
    session: &Session,
) -> Result<Option<Zeroizing<Vec<u8>>>, RecordsError> {
    let young = credentials::Column::CreatedAt.gt(Clock::system_now() - SET_UP);
    let begun = CredentialKind::AppToConfirm.condition(session.user).add(young);
    for begun in credentials::Entity::find().filter(begun).all(tx).await? {
        let opened = match staff::open_totp_secret(store, session.user.0, &begun.secret).await {
            // It was encrypted with a key that has been replaced.
            Err(RecordsError::Corrupt(_)) => continue,
            opened => opened?,
        };
        let whole = opened.split_first_chunk::<SECRET>();
        let (secret, of) = whole.ok_or(RecordsError::Corrupt("secret"))?;
        if of == session.id.as_bytes() {
            return Ok(Some(Zeroizing::new(secret.to_vec())));
        }
    }
    Ok(None)
}

/// Creates a secret for this session and stores it together with the session's id.
async fn new_secret(
    tx: &DatabaseTransaction,
    store: &Store,
    session: &Session,
) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    let mut secret = Zeroizing::new(vec![0; SECRET]);
    rand::rng().fill_bytes(&mut secret);
    let with_session = Zeroizing::new([secret.as_slice(), session.id.as_bytes()].concat());
    let sealed = staff::seal_totp_secret(store, session.user.0, &with_session).await?;
    let old = credentials::Column::CreatedAt.lte(Clock::system_now() - SET_UP);
    let given_up = CredentialKind::AppToConfirm.condition(session.user).add(old);
    credentials::Entity::delete_many().filter(given_up).exec(tx).await?;
    insert(tx, session.user, CredentialKind::AppToConfirm, sealed, None).await?;
    Ok(secret)
}

/// Activates the app after its first code was entered.
///
/// Returns the recovery codes, which are shown once, and the new token of the session, which is now complete. Ends
/// all other sessions.
pub async fn confirm_setup(
    store: &Store,
    session: &Session,
    code: &str,
) -> Result<(Vec<String>, Token), RecordsError> {
    let user = session.user;
    let tx = store.begin().await?;
    person::lock(&tx, user).await?;
    may_set_up(session)?;
    let secret = begun_setup(&tx, store, session).await?.ok_or(RecordsError::Stale)?;
    let Some(step) = step_at(&secret, code, Clock::system_now()) else {
        drop(tx);
        record_failed_sign_in(store, Some(user), "code").await?;
        let what = "The code".to_owned();
        return Err(RecordsError::field("code", Problem::NotProven { what }));
    };
    for old in [CredentialKind::App, CredentialKind::AppToConfirm, CredentialKind::Recovery] {
        credentials::Entity::delete_many().filter(old.condition(user)).exec(&tx).await?;
    }
    let sealed = staff::seal_totp_secret(store, user.0, &secret).await?;
    insert(&tx, user, CredentialKind::App, sealed, Some(step)).await?;
    let codes: Vec<String> = (0..CODES).map(|_| random_code()).collect();
    for code in &codes {
        insert(&tx, user, CredentialKind::Recovery, digest(RECOVERY, &plain(code)), None).await?;
    }
    let token = renew(&tx, session, AuthFactor::SecondFactor, session.signed_in_at).await?;
    forget_others(&tx, user, &token).await?;
    let actor = Actor::signed_in(user, Roles::default(), Clock::system_now());
    let subject = Subject::User(user.0);
    audit::record_event(&tx, &store.clock, actor, AuditAction::SecondFactorSet, subject, None, "").await?;
    notify(&tx, user, NoticeKind::AppSet).await?;
    if session.stage == Stage::SetUp {
        let means = with_code(session.first);
        audit::record_event(&tx, &store.clock, actor, AuditAction::SignedIn, subject, None, &means).await?;
    }
    store.commit(tx).await?;
    Ok((codes, token))
}

/// Returns an error unless the session's owner confirmed the change of sign-in methods.
///
/// The first app of an account that needs one requires only the password, since there is no other factor yet.
fn may_set_up(session: &Session) -> Result<(), RecordsError> {
    match session.stage {
        Stage::SetUp => Ok(()),
        Stage::SignedIn => must_be_confirmed(session),
        Stage::SecondFactor => Err(RecordsError::SignInAgain),
    }
}

/// Checks a code of this user and invalidates it. Returns its kind, or `None` if it is wrong.
pub(crate) async fn prove(
    tx: &DatabaseTransaction,
    store: &Store,
    owner: UserNumber,
    code: &str,
) -> Result<Option<SecondFactorKind>, RecordsError> {
    let Some(app) = credentials::Entity::find().filter(CredentialKind::App.condition(owner)).one(tx).await?
    else {
        return Ok(None);
    };
    // Recovery codes work even if the app's secret can't be decrypted, e.g. because the key was replaced.
    if plain(code).len() == SIZE {
        return prove_by_recovery_code(tx, owner, code).await;
    }
    if let Some(step) = step_of(store, &app, code).await? {
        // Of two concurrent attempts, the second finds the step used.
        let used = credentials::Entity::update_many()
            .col_expr(credentials::Column::UsedStep, step.into())
            .filter(credentials::Column::Id.eq(app.id))
            .filter(
                Condition::any()
                    .add(credentials::Column::UsedStep.is_null())
                    .add(credentials::Column::UsedStep.lt(step)),
            )
            .exec(tx)
            .await?;
        return Ok((used.rows_affected == 1).then_some(SecondFactorKind::App));
    }
    Ok(None)
}

async fn prove_by_recovery_code(
    tx: &DatabaseTransaction,
    owner: UserNumber,
    code: &str,
) -> Result<Option<SecondFactorKind>, RecordsError> {
    let used = credentials::Entity::delete_many()
        .filter(CredentialKind::Recovery.condition(owner))
        .filter(credentials::Column::Secret.eq(digest(RECOVERY, &plain(code))))
        .exec(tx)
        .await?;
    Ok((used.rows_affected == 1).then_some(SecondFactorKind::RecoveryCode))
}

/// Returns the time step of an app's code, if it is the current, previous or next one.
async fn step_of(store: &Store, app: &credentials::Model, code: &str) -> Result<Option<i64>, RecordsError> {
    let secret = match staff::open_totp_secret(store, app.user_number, &app.secret).await {
        // It was encrypted with a key that has been replaced. The owner can use a recovery code.
        Err(RecordsError::Corrupt(_)) => return Ok(None),
        secret => secret?,
    };
    Ok(step_at(&secret, code, Clock::system_now()))
}

fn step_at(secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<i64> {
    let totp: Totp = Builder::new().with_secret(Secret::from(secret.to_vec())).build().ok()?;
    let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    let step = totp.check(&code, now.timestamp().unsigned_abs())?;
    i64::try_from(step).ok()
}

fn random_code() -> String {
    let mut rng = rand::rng();
    let signs: Vec<u8> = (0..SIZE).filter_map(|_| SIGNS.choose(&mut rng).copied()).collect();
    let groups: Vec<String> =
        signs.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join("-")
}

/// Returns a recovery code in canonical form.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect()
}

async fn insert(
    db: &impl ConnectionTrait,
    user: UserNumber,
    kind: CredentialKind,
    secret: String,
    used_step: Option<i64>,
) -> Result<(), RecordsError> {
    credentials::ActiveModel {
        user_number: Set(user.0),
        kind: Set(kind.code().to_owned()),
        secret: Set(secret),
        created_at: Set(Clock::system_now()),
        used_step: Set(used_step),
        ..Default::default()
    }
    .insert(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of its eight digits.
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("an instant");
            assert_eq!(step_at(secret, code, at(seconds)), Some(seconds / 30), "{code}");
            assert_eq!(step_at(secret, code, at(seconds + 30)), Some(seconds / 30), "the one before");
            assert_eq!(step_at(secret, code, at(seconds + 90)), None, "too late");
        }
        let at = DateTime::from_timestamp(59, 0).expect("an instant");
        assert_eq!(step_at(secret, " 287 082 ", at), Some(1));
        assert_eq!(step_at(secret, "", at), None);
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        let code = random_code();
        assert_eq!(code.len(), SIZE + SIZE / GROUP - 1);
        assert_ne!(code, random_code());
        assert_eq!(plain(&code.to_uppercase().replace('-', " ")), plain(&code));
    }
}
