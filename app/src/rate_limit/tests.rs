use super::*;
use governor::clock::FakeRelativeClock;

const OWNER: Account<'static> = Account::User(UserNumber(7));
const HOUR: Duration = Duration::from_hours(1);

fn rate_limits() -> (RateLimits<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (RateLimits::new(Budgets::default(), clock.clone()), clock)
}

fn ipv4(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0x0a00_0000 | number).into()
}

fn ipv6(prefix: u128, host: u128) -> IpAddr {
    Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | prefix | host).into()
}

fn attempt(account: Account<'_>, address: IpAddr) -> Attempt<'_> {
    Attempt { kind: AttemptKind::Password, account, address, known: None }
}

fn allows(rate_limits: &RateLimits<FakeRelativeClock>, attempt: &Attempt<'_>) -> bool {
    rate_limits.allows(attempt).is_some()
}

/// Returns how many attempts of an hour are allowed, from 1,000 addresses that each try once a minute.
fn allowed_in_an_hour(
    rate_limits: &RateLimits<FakeRelativeClock>,
    clock: &FakeRelativeClock,
    attempt: impl Fn(u32) -> Attempt<'static>,
    mut each_minute: impl FnMut(),
) -> usize {
    let mut allowed = 0;
    for _ in 0..60 {
        allowed += (0..1_000).filter(|number| allows(rate_limits, &attempt(*number))).count();
        each_minute();
        clock.advance(HOUR / 60);
    }
    allowed
}

#[test]
fn a_thousand_addresses_reach_one_account_a_few_times_while_its_owner_signs_in() {
    for kind in [AttemptKind::Password, AttemptKind::Code] {
        let (rate_limits, clock) = rate_limits();
        let home = ipv4(0x00ff_0001);
        rate_limits.remember_address(UserNumber(7), home);
        let guess = |number| Attempt { kind, ..attempt(OWNER, ipv4(number)) };
        let mut of_owner = Vec::new();
        let allowed = allowed_in_an_hour(&rate_limits, &clock, guess, || {
            let device = Attempt {
                kind,
                known: Some(KnownCaller::Device("laptop")),
                ..attempt(OWNER, ipv4(0x00ee_0001))
            };
            let address = Attempt { kind, ..attempt(OWNER, home) };
            of_owner.extend([device, address].map(|attempt| rate_limits.allows(&attempt)));
        });
        eprintln!("{kind:?}: {allowed} of 60,000 attempts of an hour from 1,000 addresses reach the check");
        assert!(allowed <= 40, "{allowed}");
        assert_eq!(of_owner, vec![Some(Caller::Known); 120]);
    }
}

#[test]
fn one_address_is_slowed_and_others_are_not() {
    let (rate_limits, clock) = rate_limits();
    let (stranger, library) = (ipv4(1), ipv4(2));
    let allowed = (0..1_000).filter(|_| allows(&rate_limits, &attempt(OWNER, stranger))).count();
    assert_eq!(allowed, 6);
    assert!(allows(&rate_limits, &attempt(OWNER, library)));
    let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
    let all = names.iter().filter(|name| allows(&rate_limits, &attempt(Account::Unknown(name), stranger)));
    assert!(all.count() <= 30);
    clock.advance(HOUR);
    assert!(allows(&rate_limits, &attempt(OWNER, stranger)));
}

#[test]
fn answers_from_a_campus_are_allowed_and_slow_no_sign_in() {
    let (rate_limits, _) = rate_limits();
    let campus = ipv4(1);
    let allowed = (0..1_000).filter(|_| rate_limits.allows_answer(campus)).count();
    assert_eq!(allowed, 300);
    assert!(allows(&rate_limits, &attempt(OWNER, campus)));
}

#[test]
fn a_known_device_has_a_budget_too() {
    let (rate_limits, _) = rate_limits();
    let stolen = Attempt { known: Some(KnownCaller::Device("laptop")), ..attempt(OWNER, ipv4(1)) };
    let allowed = (0..1_000)
        .filter(|number| rate_limits.allows(&Attempt { address: ipv4(*number), ..stolen }).is_some());
    assert_eq!(allowed.count(), 6);
    assert!(rate_limits.allows(&Attempt { known: Some(KnownCaller::Device("phone")), ..stolen }).is_some());
}

#[test]
fn networks_of_ipv6_count_as_one() {
    let (rate_limits, _) = rate_limits();
    let of_one_64 = (0..1_000).filter(|host| allows(&rate_limits, &attempt(OWNER, ipv6(0, *host)))).count();
    assert_eq!(of_one_64, 6);
    let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
    let of_one_48 = (0..1_000).zip(&names).filter(|(subnet, name)| {
        allows(&rate_limits, &attempt(Account::Unknown(name), ipv6(1 << 80 | subnet << 64, 1)))
    });
    assert_eq!(of_one_48.count(), 90);
    assert!(allows(&rate_limits, &attempt(Account::Unknown("x"), ipv6(2 << 80, 1))));
}

#[test]
fn the_owner_is_allowed_although_others_spent_the_budget_of_the_address() {
    for address in [ipv4(1), ipv6(0, 1)] {
        let (rate_limits, clock) = rate_limits();
        let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
        for name in &names {
            let _ = allows(&rate_limits, &attempt(Account::Unknown(name), address));
        }
        while allows(&rate_limits, &attempt(OWNER, address)) {}
        assert!(!rate_limits.allows_from(address));
        for kind in
            [AttemptKind::Password, AttemptKind::Code, AttemptKind::NewApp, AttemptKind::Reauthentication]
        {
            for known in [KnownCaller::Device("laptop"), KnownCaller::Session] {
                let of_owner = Attempt { kind, known: Some(known), ..attempt(OWNER, address) };
                assert_eq!(rate_limits.allows(&of_owner), Some(Caller::Known), "{kind:?} {known:?}");
                // An attacker with the session or device is slowed down.
                let allowed = (0..1_000).filter(|_| allows(&rate_limits, &of_owner)).count();
                assert_eq!(allowed, 5, "{kind:?} {known:?}");
            }
        }
        clock.advance(HOUR / 60);
        let of_owner = Attempt { known: Some(KnownCaller::Session), ..attempt(OWNER, address) };
        assert_eq!((0..1_000).filter(|_| allows(&rate_limits, &of_owner)).count(), 1);
    }
}

#[test]
fn an_ipv4_address_is_the_same_in_ipv6_notation() {
    let (rate_limits, _) = rate_limits();
    let mapped = "::ffff:10.0.0.1".parse().expect("an address");
    assert_eq!(network_of(mapped), ipv4(1));
    rate_limits.remember_address(UserNumber(7), mapped);
    assert_eq!(rate_limits.allows(&attempt(OWNER, ipv4(1))), Some(Caller::Known));
}

#[test]
fn an_address_is_known_for_a_month_and_for_its_account_only() {
    let (rate_limits, clock) = rate_limits();
    rate_limits.remember_address(UserNumber(7), ipv4(1));
    let other = attempt(Account::User(UserNumber(8)), ipv4(1));
    assert_eq!(rate_limits.allows(&other), Some(Caller::Unknown));
    clock.advance(KNOWN_ADDRESS_TIMEOUT.saturating_sub(Duration::from_secs(1)));
    assert_eq!(rate_limits.allows(&attempt(OWNER, ipv4(1))), Some(Caller::Known));
    clock.advance(Duration::from_secs(1));
    assert_eq!(rate_limits.allows(&attempt(OWNER, ipv4(1))), Some(Caller::Unknown));
}

/// Returns the memory of this process in kB, where the system reports it.
fn resident_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[test]
fn many_and_long_names_take_bounded_memory_and_reset_no_budget() {
    let (rate_limits, clock) = rate_limits();
    while allows(&rate_limits, &attempt(OWNER, ipv4(1))) {}
    let long = "x".repeat(1_900_000);
    assert!(rate_limits.allows(&attempt(Account::Unknown(&long), ipv4(2))).is_some());
    let before = rate_limits.key_count();
    let memory_before = resident_kilobytes();
    for number in 0..100_000_u32 {
        let name = format!("name {number}");
        let _ = allows(&rate_limits, &attempt(Account::Unknown(&name), ipv4(number << 4 | 3)));
    }
    let after = rate_limits.key_count();
    let most = 5 * (Budgets::default().max_keys + 1_024);
    eprintln!(
        "{before} keys before, {after} after 100,000 names from 100,000 addresses; {most} at most, of 17 bytes"
    );
    assert!(after <= most, "{after}");
    if let (Some(before), Some(after)) = (memory_before, resident_kilobytes()) {
        eprintln!("{before} kB of memory before, {after} kB after");
        assert!(after.saturating_sub(before) < 32 << 10, "{before} kB, {after} kB");
    }
    assert!(!allows(&rate_limits, &attempt(OWNER, ipv4(1))), "the budget in use is as it was");
    rate_limits.remember_address(UserNumber(7), ipv4(1));
    assert_eq!(
        rate_limits.allows(&attempt(OWNER, ipv4(1))),
        Some(Caller::Known),
        "the owner has a separate budget"
    );
    clock.advance(24 * HOUR);
    for number in 0..CLEANING_INTERVAL {
        let _ = allows(&rate_limits, &attempt(OWNER, ipv4(number)));
    }
    assert!(rate_limits.key_count() < 1_000, "{}", rate_limits.key_count());
}
