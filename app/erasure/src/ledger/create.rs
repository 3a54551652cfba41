//! Creates the ledger of a new database.

use super::entry::{EntryKind, Header};
use super::file::Damage;
use super::tail::Tail;
use super::writer::{Opened, blocking};
use super::{people, watermark};
use db::RecordsError;
use trail::Store;

/// Creates the ledger if the database has none yet.
///
/// Changes nothing if the database already follows a ledger, or if the file belongs to another database.
pub async fn create_if_new(store: &Store) -> Result<(), RecordsError> {
    if watermark::read(&store.db).await?.is_some() {
        return Ok(());
    }
    let opened = Opened::or_created(store).await?;
    // Another process may have created the ledger in the meantime.
    if watermark::read(&store.db).await?.is_some() {
        return Ok(());
    }
    let Some(header) = first_line(store, opened).await? else { return Ok(()) };
    watermark::begin(&store.db, &header.library, &header.start_position()).await?;
    Ok(())
}

/// Returns the first line of the ledger that this database follows from now on.
///
/// Returns `None` if the existing ledger names only users that this database doesn't contain, or can't be read.
async fn first_line(store: &Store, mut opened: Opened) -> Result<Option<Header>, RecordsError> {
    if opened.file.is_empty().map_err(Damage::from)? {
        let (library, begins) = Header::of_new_library();
        let header = Header::new(library, begins);
        let line = header.line().map_err(|_| RecordsError::Corrupt("ledger"))?;
        blocking(move || opened.file.start(&line)).await?.map_err(Damage::from)?;
        return Ok(Some(header));
    }
    let read = blocking(move || {
        let mut first = None;
        let tail = Tail::read(&mut opened.file, |_, entry, _| {
            if let EntryKind::People(people) = &entry.what {
                first.get_or_insert_with(|| people.who.clone());
            }
        });
        tail.map(|tail| (Header::new(tail.library, tail.begins), first))
    });
    match read.await? {
        // A process created the file and died before it wrote the watermark.
        Ok((header, None)) => Ok(Some(header)),
        // The restored backup is older than the ledger of this database.
        Ok((header, Some(first))) if !people::find(&store.db, &first).await?.is_empty() => Ok(Some(header)),
        // An unreadable ledger is reported when the ledger and the database are compared.
        Ok(_) | Err(_) => Ok(None),
    }
}
