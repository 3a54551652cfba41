//! Reads the whole database once, in blocks, and matches each block on another thread.

use super::erased_values::ErasedValues;
use super::match_filter::{Match, MatchFilter};
use super::search::Search;
use super::searched_tables::{SearchedTable, searched_tables};
use db::RecordsError;
use db::dialect::{self, Block, Blocks, quoted};
use sea_orm::{ConnectionTrait, DbErr};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use trail::Store;

/// Maximum number of distinct rows for columns to be read as codes.
const MAX_DIFFERENT: u64 = 2_000;
/// Capacity of the channel: one block is matched, one is queued, one is being read.
const MAX_WAITING_BLOCKS: usize = 1;

/// A block that was read.
enum Piece {
    /// Rows with their keys.
    Rows(Arc<SearchedTable>, Block),
    /// The distinct rows of the columns with few distinct values.
    Different(Arc<SearchedTable>, Block),
}

/// All findings, and the search that produced them.
pub(super) struct Findings {
    pub(super) matches: Vec<Match>,
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
    let (pieces, received) = channel(MAX_WAITING_BLOCKS);
    let matching = spawn_blocking(move || match_pieces(memory, received));
    let read = read_everything(db, &pieces).await;
    drop(pieces);
    let mut matches = matching.await.map_err(|_| RecordsError::Corrupt("text that was searched"))??;
    read?;
    scan_shared_texts(db, &mut matches).await?;
    let (matches, search) = matches.into_matches();
    Ok(Findings { matches, search })
}

fn match_pieces(memory: ErasedValues, mut pieces: Receiver<Piece>) -> Result<MatchFilter, RecordsError> {
    let mut matches = MatchFilter::new(Search::new(memory)?);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Rows(searched, block) => matches.rows(&searched, &block),
            Piece::Different(searched, block) => matches.different(&searched, &block),
        }
    }
    Ok(matches)
}

async fn read_everything(db: &impl ConnectionTrait, pieces: &Sender<Piece>) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let (searched, _) = searched_tables(&dialect::tables(db).await?);
    for mut searched in searched {
        if !searched.low_cardinality.is_empty() {
            let different =
                dialect::different(db, &searched.table, &searched.low_cardinality_names(), MAX_DIFFERENT)
                    .await?;
            match different {
                Some(block) => send(pieces, Piece::Different(Arc::new(searched.clone()), block)).await?,
                None => searched = searched.with_all_read(),
            }
        }
        if searched.columns.is_empty() {
            continue;
        }
        let source = searched.rows_query(backend);
        let searched = Arc::new(searched);
        let mut blocks = Blocks::open(db, &source).await?;
        while let Some(block) = blocks.next(db).await? {
            send(pieces, Piece::Rows(Arc::clone(&searched), block)).await?;
        }
    }
    Ok(())
}

/// Sends a block. Fails only if the search could not be built or has failed.
async fn send(pieces: &Sender<Piece>, piece: Piece) -> Result<(), DbErr> {
    pieces.send(piece).await.map_err(|_| DbErr::Custom("the search has ended".to_owned()))
}

/// Reads the rows of shared texts in which a value was found.
async fn scan_shared_texts(db: &impl ConnectionTrait, matches: &mut MatchFilter) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    for shared in matches.take_shared_texts() {
        let Some(column) = shared.searched.low_cardinality.get(shared.column) else { continue };
        let filter = format!("t.{} = ?", quoted(&column.name));
        let searched = Arc::new(shared.searched.only(shared.column));
        let source = searched.rows_query_where(backend, filter, vec![shared.text.as_str().into()]);
        let mut blocks = Blocks::open(db, &source).await?;
        while let Some(block) = blocks.next(db).await? {
            matches.rows(&searched, &block);
        }
    }
    Ok(())
}
