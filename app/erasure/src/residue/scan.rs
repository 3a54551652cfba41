//! Reads the whole database once, in blocks, and matches each block on another thread.

use super::erased_values::ErasedValues;
use super::match_filter::{Hit, Sift};
use super::search::Search;
use super::searched_tables::{SearchedTable, searched_tables};
use db::dialect::{self, Block, Blocks, quoted};
use db::error::RecordsError;
use sea_orm::{ConnectionTrait, DbErr};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use trail::store::Store;

/// Maximum number of distinct rows for columns to be read as codes.
const MAX_DIFFERENT: u64 = 2_000;
/// Capacity of the channel: one block is matched, one is queued, one is being read.
const WAITING: usize = 1;

/// A block that was read.
enum Piece {
    /// Rows with their keys.
    Rows(Arc<SearchedTable>, Block),
    /// The distinct rows of the columns with few distinct values.
    Different(Arc<SearchedTable>, Block),
}

/// All findings, and the search that produced them.
pub(super) struct Findings {
    pub(super) hits: Vec<Hit>,
    pub(super) search: Search,
}

/// Searches the whole database for all values in `memory`.
pub(super) async fn find(store: &Store, memory: ErasedValues) -> Result<Findings, RecordsError> {
    match dialect::snapshot(&store.db).await? {
        Some(tx) => find_in(&tx, memory).await,
        None => find_in(&store.db, memory).await,
    }
}

async fn find_in(db: &impl ConnectionTrait, memory: ErasedValues) -> Result<Findings, RecordsError> {
    let (pieces, received) = channel(WAITING);
    let sifting = spawn_blocking(move || sift(memory, received));
    let read = read_everything(db, &pieces).await;
    drop(pieces);
    let mut sift = sifting.await.map_err(|_| RecordsError::Corrupt("text that was searched"))??;
    read?;
    look_at_alike(db, &mut sift).await?;
    let (hits, search) = sift.into_hits();
    Ok(Findings { hits, search })
}

fn sift(memory: ErasedValues, mut pieces: Receiver<Piece>) -> Result<Sift, RecordsError> {
    let mut sift = Sift::of(Search::of(memory)?);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Rows(place, block) => sift.rows(&place, &block),
            Piece::Different(place, block) => sift.different(&place, &block),
        }
    }
    Ok(sift)
}

async fn read_everything(db: &impl ConnectionTrait, pieces: &Sender<Piece>) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let (places, _) = searched_tables(&dialect::tables(db).await?);
    for mut place in places {
        if !place.alike.is_empty() {
            let different = dialect::different(db, &place.table, &place.alike_names(), MAX_DIFFERENT).await?;
            match different {
                Some(block) => send(pieces, Piece::Different(Arc::new(place.clone()), block)).await?,
                None => place = place.with_all_read(),
            }
        }
        if place.columns.is_empty() {
            continue;
        }
        let source = place.source(backend);
        let place = Arc::new(place);
        let mut blocks = Blocks::of(db, &source).await?;
        while let Some(block) = blocks.next(db).await? {
            send(pieces, Piece::Rows(Arc::clone(&place), block)).await?;
        }
    }
    Ok(())
}

/// Sends a block. Fails only if the search could not be built or has failed.
async fn send(pieces: &Sender<Piece>, piece: Piece) -> Result<(), DbErr> {
    pieces.send(piece).await.map_err(|_| DbErr::Custom("the search has ended".to_owned()))
}

/// Reads the rows of shared texts in which a value was found.
async fn look_at_alike(db: &impl ConnectionTrait, sift: &mut Sift) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    for alike in sift.take_alike() {
        let Some(column) = alike.place.alike.get(alike.column) else { continue };
        let filter = format!("t.{} = ?", quoted(&column.name));
        let place = Arc::new(alike.place.only(alike.column));
        let source = place.source_where(backend, filter, vec![alike.text.as_str().into()]);
        let mut blocks = Blocks::of(db, &source).await?;
        while let Some(block) = blocks.next(db).await? {
            sift.rows(&place, &block);
        }
    }
    Ok(())
}
