//! Keeps strangers from trying passwords and codes: per account and address, and per address.
//!
//! Nobody is locked out by somebody else: what one address has tried is no matter at another one.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// How often one account can be tried at once from one address, and then how often again.
const OF_ACCOUNT: (u32, Duration) = (6, Duration::from_mins(1));
/// How often all accounts can be tried at once from one address, and then how often again.
const OF_ADDRESS: (u32, Duration) = (30, Duration::from_secs(10));
/// From how many addresses and accounts on it is looked for those that are forgotten.
const MANY: usize = 10_000;

/// Counts tries, in this process.
#[derive(Debug)]
pub struct Throttle {
    of_account: DefaultKeyedRateLimiter<(String, IpAddr)>,
    of_address: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            of_account: RateLimiter::keyed(quota(OF_ACCOUNT)),
            of_address: RateLimiter::keyed(quota(OF_ADDRESS)),
        }
    }
}

fn quota((at_once, then): (u32, Duration)) -> Quota {
    let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(then).unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(at_once)
}

impl Throttle {
    /// Whether an account may be tried from an address now. Each call counts as a try.
    pub fn allows(&self, account: &str, address: IpAddr) -> bool {
        if self.of_account.len() + self.of_address.len() > MANY {
            self.of_account.retain_recent();
            self.of_address.retain_recent();
        }
        let address = network_of(address);
        let account = account.trim().to_lowercase();
        self.of_address.check_key(&address).is_ok() && self.of_account.check_key(&(account, address)).is_ok()
    }
}

/// What counts as one address: an IPv6 network of one household or library has many.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => IpAddr::from((address.to_bits() & !u128::from(u64::MAX)).to_be_bytes()),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_tries_come_to_a_few_and_lock_nobody_out() {
        let throttle = Throttle::default();
        let [stranger, library]: [IpAddr; 2] =
            ["192.0.2.1", "198.51.100.7"].map(|address| address.parse().expect("an address"));
        let let_through = (0..1_000).filter(|_| throttle.allows("ng", stranger)).count();
        assert_eq!(let_through, 6, "at once; one more each minute makes 16 in ten minutes");
        assert!(throttle.allows("Ng ", library), "from elsewhere it is open");
        let all = (0..1_000).filter(|account| throttle.allows(&account.to_string(), stranger)).count();
        assert!(all <= 30, "{all}");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let throttle = Throttle::default();
        let let_through = (0..1_000u128)
            .filter(|host| {
                throttle.allows("ng", IpAddr::from((0x2001_0db8_u128 << 96 | *host).to_be_bytes()))
            })
            .count();
        assert_eq!(let_through, 6);
    }
}
