//! Rate limits for passwords, codes, exports and answers: by network, by address, by account and address, and by account.
//!
//! A caller in a session, or on a device from which the account signed in before, has a separate budget. It does not
//! use those of address and network. An attacker at the same address therefore cannot lock out the owner. An address
//! from which the account signed in before has a separate budget for the account, too. Keys are stored as hashes.

mod store;

pub use store::Budget;

use governor::RateLimiter;
use governor::clock::{Clock, DefaultClock, Reference as _};
use identity::Caller;
use policy::UserNumber;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::Limiter;

/// Duration for which an address stays known for an account after a sign-in.
const KNOWN_ADDRESS_TIMEOUT: Duration = Duration::from_hours(30 * 24);
/// The number of attempts after which full limiters drop the keys with a full budget.
const CLEANING_INTERVAL: u32 = 256;

/// The budgets of all limits, and the number of keys that each stores.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// For a network: an IPv6 /48, as providers assign to one customer.
    pub network: Budget,
    /// For an address: an IPv4 address, or an IPv6 /64, as one household has.
    pub address: Budget,
    /// For one account from one address.
    pub account_and_address: Budget,
    /// For one account from all unknown devices and addresses.
    pub account: Budget,
    /// For one account: from one known device or address, and from all of its sessions.
    pub known: Budget,
    /// For the refused requests of a member of staff.
    pub refused: Budget,
    /// For the exports of a member of staff.
    pub exports: Budget,
    /// For the answers to announcements from one address. Users of a campus share it.
    pub answers: Budget,
    /// The number of keys that each limit stores.
    pub max_keys: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        let budget = |burst, period| Budget { burst, period };
        Self {
            network: budget(90, Duration::from_secs(4)),
            address: budget(30, Duration::from_secs(10)),
            account_and_address: budget(6, Duration::from_mins(1)),
            account: budget(20, Duration::from_mins(3)),
            known: budget(6, Duration::from_mins(1)),
            refused: budget(60, Duration::from_secs(2)),
            exports: budget(60, Duration::from_secs(5)),
            answers: budget(300, Duration::from_secs(1)),
            max_keys: 20_000,
        }
    }
}

/// The account of an attempt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Account<'a> {
    /// A user.
    User(UserNumber),
    /// A UserID that no user has.
    Unknown(&'a str),
}

/// The kind of an attempt. Each kind has a separate budget.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AttemptKind {
    /// A sign-in with a password.
    Password,
    /// A sign-in with a code of the second factor.
    Code,
    /// Setting up an authenticator app.
    NewApp,
    /// Signing in again with password and code in a session.
    Reauthentication,
}

/// The evidence that distinguishes the owner of an account from other callers at the same address.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KnownCaller<'a> {
    /// The id of a device from which this account signed in before.
    Device(&'a str),
    /// A session of this account with a complete sign-in.
    Session,
}

/// An attempt to prove an identity.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The kind.
    pub kind: AttemptKind,
    /// The account.
    pub account: Account<'a>,
    /// The address of the caller.
    pub address: IpAddr,
    /// The identity of the caller, if it is known.
    pub known: Option<KnownCaller<'a>>,
}

/// Counts the attempts that reach this process.
#[derive(Debug)]
pub struct RateLimits<C: Clock = DefaultClock> {
    network: Limiter<C>,
    address: Limiter<C>,
    account_and_address: Limiter<C>,
    account: Limiter<C>,
    known: Limiter<C>,
    refused: Limiter<C>,
    exports: Limiter<C>,
    answers: Limiter<C>,
    known_addresses: Mutex<HashMap<u64, C::Instant>>,
    max_keys: usize,
    attempts: AtomicU32,
    hasher: RandomState,
    clock: C,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self::with_limits(Budgets::default())
    }
}

impl RateLimits {
    /// Returns limits with these budgets and the clock of the system.
    pub fn with_limits(limits: Budgets) -> Self {
        Self::new(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimits<C> {
    /// Returns limits with these budgets.
    pub fn new(limits: Budgets, clock: C) -> Self {
        let limiter = |budget: Budget| budget.limiter(limits.max_keys, clock.clone());
        Self {
            network: limiter(limits.network),
            address: limiter(limits.address),
            account_and_address: limiter(limits.account_and_address),
            account: limiter(limits.account),
            known: limiter(limits.known),
            refused: limiter(limits.refused),
            exports: limiter(limits.exports),
            answers: limiter(limits.answers),
            known_addresses: Mutex::default(),
            max_keys: limits.max_keys,
            attempts: AtomicU32::default(),
            hasher: RandomState::new(),
            clock,
        }
    }

    /// Counts an attempt from an address and returns whether it is allowed. Attempts on a known account use
    /// [`Self::allows`].
    pub fn allows_from(&self, address: IpAddr) -> bool {
        self.drop_unused_keys();
        self.network.check_key(&self.key(wider_network_of(address))).is_ok()
            && self.address.check_key(&self.key(network_of(address))).is_ok()
    }

    /// Counts an attempt on an account. Returns the kind of caller, or None if the attempt is not allowed.
    pub fn allows(&self, attempt: &Attempt<'_>) -> Option<Caller> {
        let Attempt { kind, account, address, known } = *attempt;
        let allows_known = |key| self.known.check_key(&key).is_ok().then_some(Caller::Known);
        if let Some(known) = known {
            self.drop_unused_keys();
            return allows_known(self.key((kind, account, known)));
        }
        if !self.allows_from(address) {
            return None;
        }
        let address = network_of(address);
        if self.is_known(account, address) {
            return allows_known(self.key((kind, account, address)));
        }
        let is_allowed = self.account_and_address.check_key(&self.key((kind, account, address))).is_ok()
            && self.account.check_key(&self.key((kind, account))).is_ok();
        is_allowed.then_some(Caller::Unknown)
    }

    /// Counts a refused request and returns whether it still gets a page.
    pub fn allows_forbidden_page(&self, user: UserNumber) -> bool {
        self.refused.check_key(&self.key(user)).is_ok()
    }

    /// Counts an export and returns whether it is allowed.
    pub fn allows_export(&self, user: UserNumber) -> bool {
        self.exports.check_key(&self.key(user)).is_ok()
    }

    /// Counts an answer to an announcement and returns whether it is allowed.
    pub fn allows_answer(&self, address: IpAddr) -> bool {
        self.drop_unused_keys();
        self.answers.check_key(&self.key(network_of(address))).is_ok()
    }

    /// Stores that an account completed a sign-in from an address.
    pub fn remember_address(&self, user: UserNumber, address: IpAddr) {
        let key = self.key((Account::User(user), network_of(address)));
        let now = self.clock.now();
        let mut known = self.known_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.max_keys && !known.contains_key(&key) {
            let oldest = known.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key);
            oldest.and_then(|oldest| known.remove(&oldest));
        }
        known.insert(key, now);
    }

    fn is_known(&self, account: Account<'_>, network: IpAddr) -> bool {
        let known = self.known_addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.get(&self.key((account, network)));
        at.is_some_and(|at| self.clock.now().duration_since(*at) < KNOWN_ADDRESS_TIMEOUT.into())
    }

    /// Returns the number of stored keys.
    pub fn key_count(&self) -> usize {
        let known = self.known_addresses.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.limiters().map(RateLimiter::len).iter().sum::<usize>() + known
    }

    fn limiters(&self) -> [&Limiter<C>; 8] {
        [
            &self.network,
            &self.address,
            &self.account_and_address,
            &self.account,
            &self.known,
            &self.refused,
            &self.exports,
            &self.answers,
        ]
    }

    /// Drops the keys with a full budget from limiters that are full.
    fn drop_unused_keys(&self) {
        if self.attempts.fetch_add(1, Ordering::Relaxed).is_multiple_of(CLEANING_INTERVAL) {
            for limiter in self.limiters().into_iter().filter(|limiter| limiter.len() >= self.max_keys) {
                limiter.retain_recent();
            }
        }
    }

    /// Returns the keyed hash of a key: long names take no memory, and an attacker cannot construct collisions.
    fn key(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

/// Returns what counts as one address: an IPv6 /64, as one household or library has, or an IPv4 address in any
/// notation.
pub fn network_of(address: IpAddr) -> IpAddr {
    prefix_of(address, 64)
}

/// Returns what counts as one network: an IPv6 /48, as one customer of a provider can have, or an IPv4 address.
pub fn wider_network_of(address: IpAddr) -> IpAddr {
    prefix_of(address, 48)
}

fn prefix_of(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> bits)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
