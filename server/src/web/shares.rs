//! Permits that are shared fairly among clients: limited by address and by network. The limits fall as fewer permits
//! are left.

use app::rate_limit::{network_of, wider_network_of};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One network may hold at most a third of the permits that are left. The more networks hold permits, the fewer each
/// may hold, so that a new network still finds some.
const SHARE_OF_LEFT_DIVISOR: usize = 3;
/// A network may always hold one 64th of all permits, however few are left.
const MIN_SHARE_DIVISOR: usize = 64;

/// A pool of permits.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    per_address: usize,
    per_network: usize,
    total: usize,
    held: Arc<Mutex<Held>>,
}

/// The numbers of held permits, by address and by network.
#[derive(Debug, Default)]
struct Held {
    by_address: HashMap<IpAddr, usize>,
    by_network: HashMap<IpAddr, usize>,
    total: usize,
}

/// A permit, held until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    held: Arc<Mutex<Held>>,
    address: IpAddr,
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shares {
    pub(super) fn new(per_address: usize, per_network: usize, total: usize) -> Self {
        Self { per_address, per_network, total, held: Arc::default() }
    }

    /// Returns a permit for a client, or `None` if a limit is reached.
    pub(super) fn try_acquire(&self, address: IpAddr) -> Option<Permit> {
        let mut held = lock(&self.held);
        let count = |counts: &HashMap<IpAddr, usize>, key| counts.get(&key).copied().unwrap_or_default();
        let by_address = count(&held.by_address, network_of(address));
        let by_network = count(&held.by_network, wider_network_of(address));
        let left = self.total.saturating_sub(held.total);
        let fair = (left / SHARE_OF_LEFT_DIVISOR).max(self.total / MIN_SHARE_DIVISOR).max(1);
        if held.total >= self.total
            || by_address >= self.per_address.min(fair)
            || by_network >= self.per_network.min(fair)
        {
            return None;
        }
        held.total += 1;
        *held.by_address.entry(network_of(address)).or_default() += 1;
        *held.by_network.entry(wider_network_of(address)).or_default() += 1;
        Some(Permit { held: self.held.clone(), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.total = held.total.saturating_sub(1);
        let Held { by_address, by_network, .. } = &mut *held;
        for (counts, key) in
            [(by_address, network_of(self.address)), (by_network, wider_network_of(self.address))]
        {
            if let Some(count) = counts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn take(shares: &Shares, from: impl IntoIterator<Item = String>) -> Vec<Permit> {
        from.into_iter().filter_map(|from| shares.try_acquire(address(&from))).collect()
    }

    #[test]
    fn an_address_and_a_network_are_limited_to_their_share() {
        let shares = Shares::new(10, 15, 1_000);
        let held = take(&shares, (0..100).map(|_| "192.0.2.1".to_owned()));
        assert_eq!(held.len(), 10);
        assert_eq!(take(&shares, (0..100).map(|_| "::ffff:192.0.2.1".to_owned())).len(), 0);
        assert_eq!(take(&shares, (2..4).map(|host| format!("192.0.2.{host}"))).len(), 2);
        assert_eq!(take(&shares, (0..100).map(|host| format!("2001:db8:1:2::{host:x}"))).len(), 10);
        assert_eq!(take(&shares, (0..100).map(|net| format!("2001:db8:1:{net:x}::1"))).len(), 15);
        drop(held);
        assert!(shares.try_acquire(address("192.0.2.1")).is_some());
        assert!(lock(&shares.held).by_address.is_empty());
    }

    #[test]
    fn a_few_networks_cannot_take_all_permits() {
        let shares = Shares::new(32, 96, 512);
        let of_sixteen = (0..512).map(|number| format!("198.{}.100.1", number % 16));
        let held = take(&shares, of_sixteen);
        assert!(held.len() <= 448, "{}", held.len());
        let others = take(&shares, (0..64).map(|number| format!("203.{number}.113.7")));
        assert_eq!(others.len(), 64, "each of the other networks gets a permit");
        assert!(shares.try_acquire(address("198.1.100.1")).is_none());
        let many = take(&shares, (0..10_000).map(|number| format!("10.{}.{}.1", number / 250, number % 250)));
        assert_eq!(held.len() + others.len() + many.len(), 512);
    }

    /// Three addresses hold as many connections as they can; a library behind one address still connects.
    #[test]
    fn three_addresses_leave_permits_to_a_library() {
        let shares = Shares::new(128, 256, 768);
        let held = take(&shares, (0..3_000).map(|number| format!("198.{}.100.1", number % 3)));
        let library = take(&shares, (0..1_000).map(|_| "203.0.113.7".to_owned()));
        eprintln!("three addresses hold {} permits, a library gets {}", held.len(), library.len());
        assert!(library.len() >= 90, "{}", library.len());
    }
}
