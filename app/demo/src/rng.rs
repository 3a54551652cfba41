//! Repeatable random choices.

use chrono::{Duration, NaiveDate};
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

/// A seeded random number generator. It is for demo data only, never for secrets. The algorithm is named, because the
/// one of `StdRng` may change with the crate.
pub(super) struct SeededRng(ChaCha12Rng);

impl SeededRng {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// Returns a generator for one object, so that the object can be regenerated at any time.
    pub(super) fn for_one(seed: u64, thing: i64) -> Self {
        Self::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ thing.unsigned_abs())
    }

    /// Returns a whole number from 0 to `end`, exclusive. 0 if `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end < 2 { 0 } else { self.0.random_range(0..end) }
    }

    /// Returns a whole number from `least` to `most`, inclusive.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        if most <= least { least } else { self.0.random_range(least..=most) }
    }

    /// Returns true with this percentage.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// Returns one of the elements. `all` must not be empty.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Returns a day from `first` to `last`.
    pub(super) fn day(&mut self, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        first + Duration::days(self.between(0, (last - first).num_days()))
    }

    /// Returns a random UUID.
    pub(super) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid().to_string()
    }

    /// Fills a pattern: `#` becomes a digit, `@` a capital letter.
    pub(super) fn fill(&mut self, pattern: &str) -> String {
        pattern
            .chars()
            .map(|c| match c {
                '#' => char::from(*self.pick(b"0123456789")),
                '@' => char::from(*self.pick(b"ABDEFGHJLNPQRSTUWXYZ")),
                c => c,
            })
            .collect()
    }
}
