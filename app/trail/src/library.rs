//! The settings of the library: name, currency, address, contact and logo. They are one row, which exists after the
//! first change.

use crate::audit::{self, AuditAction, Subject};
use crate::{Actor, Store};
use base16ct::lower::encode_string;
use db::entity::library_settings::{self, ActiveModel, Column, Entity};
use db::{RecordsError, checksum};
use imagesize::ImageType;
use policy::Action;
use policy::currency::Currency;
use policy::library::{LibraryForm, LogoProblem, MAX_LOGO_BYTES, MAX_LOGO_PIXELS};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbErr, DerivePartialModel, EntityTrait,
    QuerySelect,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The key of the only row.
const ROW: i16 = 1;
/// The number of bytes of the digest that the address of a logo contains.
const DIGEST_BYTES: usize = 8;

/// The settings of the library, without the logo itself.
#[derive(Clone, Debug, Default, DerivePartialModel, Eq, PartialEq, Serialize)]
#[sea_orm(entity = "Entity")]
pub struct Library {
    /// The name.
    pub name: Option<String>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The postal address.
    pub address: Option<String>,
    /// The contact for users.
    pub contact: Option<String>,
    /// A digest of the logo, which changes with it. None without a logo.
    pub logo_digest: Option<String>,
}

/// A logo.
#[derive(Clone, Debug)]
pub struct Logo {
    /// The media type.
    pub media_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
    /// Its digest, which the address of the logo contains.
    pub digest: String,
}

/// Returns the settings, or the defaults before the first change.
pub async fn read(db: &impl ConnectionTrait) -> Result<Library, DbErr> {
    let row = Entity::find_by_id(ROW).into_partial_model::<Library>().one(db).await?;
    Ok(row.unwrap_or_default())
}

/// Returns the form with the current settings.
pub async fn form(store: &Store, actor: Actor) -> Result<LibraryForm, RecordsError> {
    actor.require_permission_to_see(Action::Administer)?;
    let library = read(&store.db).await?;
    let based_on = Some(digest(&library));
    Ok(LibraryForm {
        name: library.name.unwrap_or_default(),
        currency: library.currency.code().to_owned(),
        address: library.address.unwrap_or_default(),
        contact: library.contact.unwrap_or_default(),
        based_on,
    })
}

/// Returns the digest of the settings that the form changes.
fn digest(library: &Library) -> String {
    let Library { name, currency, address, contact, .. } = library;
    let texts = [name.as_deref(), Some(currency.code()), address.as_deref(), contact.as_deref()];
    // No text contains U+0000.
    checksum::sha256(&[texts.map(Option::unwrap_or_default).join("\0").as_bytes()])
}

/// A change of the logo.
#[derive(Clone, Debug)]
pub enum LogoChange {
    /// The logo stays.
    Keep,
    /// This picture becomes the logo.
    Set(Vec<u8>),
    /// There is no logo any more.
    Remove,
}

/// Saves name, currency, address and contact.
pub async fn save(store: &Store, actor: Actor, form: &LibraryForm) -> Result<(), RecordsError> {
    change(store, actor, Some(form), LogoChange::Keep).await
}

/// Sets the logo. The form of the page calls [`picture`] first; any other file is rejected.
pub async fn set_logo(store: &Store, actor: Actor, bytes: Vec<u8>) -> Result<(), RecordsError> {
    change(store, actor, None, LogoChange::Set(bytes)).await
}

/// Removes the logo. Rejects if there is none.
pub async fn remove_logo(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    change(store, actor, None, LogoChange::Remove).await
}

/// Changes all settings that are given, or none of them. The audit names the changed fields. Rejects if nothing
/// changes, or if the settings have changed since the form showed them.
pub async fn change(
    store: &Store,
    actor: Actor,
    form: Option<&LibraryForm>,
    logo: LogoChange,
) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let draft = form.map(LibraryForm::validate).transpose().map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let before = locked(&tx).await?;
    let mut row = ActiveModel { id: Unchanged(ROW), ..Default::default() };
    let mut changed = Vec::new();
    if form.and_then(|form| form.based_on.as_ref()).is_some_and(|based_on| *based_on != digest(&before)) {
        return Err(RecordsError::Stale);
    }
    if let Some(draft) = draft {
        let fields = [
            ("name", before.name != draft.name),
            ("currency", before.currency != draft.currency),
            ("address", before.address != draft.address),
            ("contact", before.contact != draft.contact),
        ];
        changed.extend(fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)));
        row.name = Set(draft.name);
        row.currency = Set(draft.currency);
        row.address = Set(draft.address);
        row.contact = Set(draft.contact);
    }
    match logo {
        LogoChange::Keep => {}
        LogoChange::Set(bytes) => {
            picture(&bytes).map_err(|problem| RecordsError::Refused(problem.label()))?;
            row.logo_digest = Set(Some(encode_string(&Sha256::digest(&bytes)[..DIGEST_BYTES])));
            row.logo = Set(Some(bytes));
            changed.push("logo");
        }
        LogoChange::Remove if before.logo_digest.is_none() => return Err(RecordsError::NotFound("logo")),
        LogoChange::Remove => {
            (row.logo_digest, row.logo) = (Set(None), Set(None));
            changed.push("logo_removed");
        }
    }
    if changed.is_empty() {
        return Err(RecordsError::Refused("Nothing was changed. Enter other settings".to_owned()));
    }
    row.update(&tx).await?;
    let (action, subject) = (AuditAction::LibraryChanged, Subject::Library);
    audit::record_event(&tx, &store.clock, actor, action, subject, None, &changed.join(",")).await?;
    store.commit(tx).await
}

/// Locks the row, which is inserted if it is missing, and returns the settings.
async fn locked(tx: &DatabaseTransaction) -> Result<Library, DbErr> {
    let first = ActiveModel { id: Set(ROW), currency: Set(Currency::default()), ..Default::default() };
    let mut nothing = sea_orm::sea_query::OnConflict::column(Column::Id);
    Entity::insert(first).on_conflict(nothing.do_nothing().to_owned()).exec_without_returning(tx).await?;
    let row = Entity::find_by_id(ROW).lock_exclusive().into_partial_model::<Library>().one(tx).await?;
    Ok(row.unwrap_or_default())
}

/// Returns the media type of a picture that can be the logo. The content decides, not the name of the file.
pub fn picture(bytes: &[u8]) -> Result<&'static str, LogoProblem> {
    if bytes.is_empty() {
        return Err(LogoProblem::NoFile);
    }
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(LogoProblem::TooLarge);
    }
    let media_type = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => "image/png",
        Ok(ImageType::Jpeg) => "image/jpeg",
        Ok(ImageType::Webp) => "image/webp",
        _ => return Err(LogoProblem::NotAPicture),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| LogoProblem::NotAPicture)?;
    let sides = 1..=MAX_LOGO_PIXELS;
    if sides.contains(&size.width) && sides.contains(&size.height) {
        Ok(media_type)
    } else {
        Err(LogoProblem::TooManyPixels)
    }
}

/// Returns the logo.
pub async fn logo(store: &Store) -> Result<Logo, RecordsError> {
    let none = RecordsError::NotFound("logo");
    let Some(row) = Entity::find_by_id(ROW).one(&store.db).await? else { return Err(none) };
    let library_settings::Model { logo: Some(bytes), logo_digest: Some(digest), .. } = row else {
        return Err(none);
    };
    match picture(&bytes) {
        Ok(media_type) => Ok(Logo { media_type, bytes, digest }),
        Err(_) => Err(RecordsError::Corrupt("logo")),
    }
}
