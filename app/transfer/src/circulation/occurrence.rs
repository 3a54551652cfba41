//! Pairs the lines of a file with rows that have no key of their own.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts how often each description has come so far, in the whole file.
///
/// A user can have several equal charges on one day. The first line with a description belongs to the first such row,
/// the second line to the second row, so that the same file changes nothing when it is imported again.
#[derive(Debug)]
pub(super) struct Occurrences<K>(HashMap<K, usize>);

impl<K> Default for Occurrences<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Occurrences<K> {
    /// Returns how many earlier lines have this description.
    pub(super) fn next(&mut self, key: K) -> usize {
        let count = self.0.entry(key).or_default();
        *count += 1;
        *count - 1
    }
}
