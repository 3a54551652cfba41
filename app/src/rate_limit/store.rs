//! The key store of a rate limiter, in bounded memory.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The number of budgets that the keys without memory share.
const SHARED_BUDGETS: u64 = 1_024;

/// A rate limiter by the hash of a key, in bounded memory.
pub(super) type Limiter<C> = RateLimiter<u64, BoundedStore, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A budget: a burst of attempts, and one more after each period.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The attempts in a burst.
    pub burst: u32,
    /// The period after which another attempt is allowed.
    pub period: Duration,
}

impl Budget {
    /// Returns a limiter with this budget for each key, which stores at most `max_keys` keys.
    pub(super) fn limiter<C: Clock>(self, max_keys: usize, clock: C) -> Limiter<C> {
        let burst = NonZeroU32::new(self.burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(self.period).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        RateLimiter::new(quota.allow_burst(burst), BoundedStore::new(max_keys), clock)
    }
}

/// Stores the state of a bounded number of keys. A key in use is never dropped for another one. Otherwise, a caller who
/// sends many keys would get a new budget for each of the old ones. Keys without memory share a few budgets instead.
#[derive(Debug)]
pub(super) struct BoundedStore {
    max_keys: usize,
    states: Mutex<HashMap<u64, Nanos>>,
}

impl BoundedStore {
    fn new(max_keys: usize) -> Self {
        Self { max_keys, states: Mutex::default() }
    }

    fn states(&self) -> MutexGuard<'_, HashMap<u64, Nanos>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for BoundedStore {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut states = self.states();
        let has_room = states.len() < self.max_keys || states.contains_key(key);
        let key = if has_room { *key } else { *key % SHARED_BUDGETS };
        let (decided, state) = decide(states.get(&key).copied())?;
        states.insert(key, state);
        Ok(decided)
    }
}

impl ShrinkableKeyedStateStore<u64> for BoundedStore {
    fn retain_recent(&self, drop_below: Nanos) {
        self.states().retain(|_, state| *state > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.states().shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.states().len()
    }

    fn is_empty(&self) -> bool {
        self.states().is_empty()
    }
}
