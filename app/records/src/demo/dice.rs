//! Chance that can be repeated: the same seed throws the same.

use chrono::{Duration, NaiveDate};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A seeded source of chance. It is for believable examples only: nothing here is secret.
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Dice of its own for one thing, so that the thing can be made again at any time.
    pub(super) fn for_one(seed: u64, thing: i64) -> Self {
        Self::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ thing.unsigned_abs())
    }

    /// A whole number from 0 up to but not including `end`; 0 where there is no choice.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end < 2 { 0 } else { self.0.random_range(0..end) }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        if most <= least { least } else { self.0.random_range(least..=most) }
    }

    /// True this often in a hundred times.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of these, which may not be empty.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A day from `first` to `last`.
    pub(super) fn day(&mut self, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        first + Duration::days(self.between(0, (last - first).num_days()))
    }

    /// A key like any other random UUID.
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
