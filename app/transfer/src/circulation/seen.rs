//! The memory of an import about the lines so far, at few bytes each.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// The maximum size of a filter, in words of 64 bits: 32 MB.
const MAX_WORDS: u64 = 4 * 1024 * 1024;
/// Number of bytes of the file for each bit of a filter.
const BYTES_PER_BIT: u64 = 4;
/// Number of bits of each key. A line has about 100 bytes, so that about one new key in 2,000 looks known.
const BITS_PER_KEY: u64 = 4;

/// A set of ids of rows, which are usually close to each other.
#[derive(Default)]
pub(super) struct Ids(HashMap<i64, u64>);

impl Ids {
    /// Adds an id.
    pub(super) fn insert(&mut self, id: i64) {
        *self.0.entry(id.div_euclid(64)).or_default() |= 1 << id.rem_euclid(64);
    }

    /// Returns whether the id was added.
    pub(super) fn contains(&self, id: i64) -> bool {
        self.0.get(&id.div_euclid(64)).is_some_and(|block| block & (1 << id.rem_euclid(64)) != 0)
    }
}

/// Says of most keys that they are new. Of the others, the database must say whether they are.
pub(super) struct Filter {
    words: Vec<u64>,
    hasher: RandomState,
}

impl Filter {
    /// Returns a filter for the lines of a file of this size.
    pub(super) fn new(bytes: u64) -> Self {
        let words = (bytes / BYTES_PER_BIT / 64).clamp(1, MAX_WORDS);
        Self { words: vec![0; usize::try_from(words).unwrap_or(1)], hasher: RandomState::new() }
    }

    /// Adds a key. Returns whether it is certainly new.
    pub(super) fn insert(&mut self, key: &impl Hash) -> bool {
        let hash = self.hasher.hash_one(key);
        let (first, step) = (hash & u64::from(u32::MAX), hash >> 32 | 1);
        let bits = self.words.len() as u64 * 64;
        let mut is_new = false;
        for bit in (0..BITS_PER_KEY).map(|number| (first + number * step) % bits) {
            let place = usize::try_from(bit / 64).unwrap_or_default();
            let Some(word) = self.words.get_mut(place) else { continue };
            is_new |= *word & 1 << (bit % 64) == 0;
            *word |= 1 << (bit % 64);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_once_it_was_added() {
        let mut ids = Ids::default();
        for id in [0, 63, 64, -1, -64, i64::MAX, i64::MIN] {
            assert!(!ids.contains(id), "{id}");
            ids.insert(id);
            assert!(ids.contains(id), "{id}");
        }
    }

    #[test]
    fn a_filter_forgets_no_key_and_knows_most_new_ones() {
        let mut filter = Filter::new(90 * 10_000);
        let new = (0..10_000).filter(|key| filter.insert(key)).count();
        assert!(new > 9_980, "{new}");
        assert!((0..10_000).all(|key| !filter.insert(&key)));
    }
}
