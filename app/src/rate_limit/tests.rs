use super::*;
use governor::clock::FakeRelativeClock;

const NG: Account<'static> = Account::User(UserNumber(7));
const HOUR: Duration = Duration::from_hours(1);

fn throttle() -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    (Throttle::new(Limits::default(), clock.clone()), clock)
}

fn ipv4(number: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0x0a00_0000 | number).into()
}

fn ipv6(prefix: u128, host: u128) -> IpAddr {
    Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | prefix | host).into()
}

fn attempt(account: Account<'_>, address: IpAddr) -> Attempt<'_> {
    Attempt { shown: Shown::Password, account, address, known: None }
}

fn allows(throttle: &Throttle<FakeRelativeClock>, attempt: &Attempt<'_>) -> bool {
    throttle.allows(attempt).is_some()
}

/// How many of the attempts of an hour are allowed: from so many addresses, each of which tries once a minute.
fn allowed_in_an_hour(
    throttle: &Throttle<FakeRelativeClock>,
    clock: &FakeRelativeClock,
    attempt: impl Fn(u32) -> Attempt<'static>,
    mut each_minute: impl FnMut(),
) -> usize {
    let mut allowed = 0;
    for _ in 0..60 {
        allowed += (0..1_000).filter(|number| allows(throttle, &attempt(*number))).count();
        each_minute();
        clock.advance(HOUR / 60);
    }
    allowed
}

#[test]
fn a_thousand_addresses_reach_one_account_a_few_times_and_its_owner_signs_in_meanwhile() {
    for shown in [Shown::Password, Shown::Code] {
        let (throttle, clock) = throttle();
        let home = ipv4(0x00ff_0001);
        throttle.signed_in(UserNumber(7), home);
        let guess = |number| Attempt { shown, ..attempt(NG, ipv4(number)) };
        let mut of_owner = Vec::new();
        let allowed = allowed_in_an_hour(&throttle, &clock, guess, || {
            let device =
                Attempt { shown, known: Some(Known::Device("laptop")), ..attempt(NG, ipv4(0x00ee_0001)) };
            let address = Attempt { shown, ..attempt(NG, home) };
            of_owner.extend([device, address].map(|attempt| throttle.allows(&attempt)));
        });
        eprintln!("{shown:?}: {allowed} of 60,000 attempts of an hour from 1,000 addresses reach the check");
        assert!(allowed <= 40, "{allowed}");
        assert_eq!(of_owner, vec![Some(Caller::Known); 120]);
    }
}

#[test]
fn one_address_is_slowed_and_others_are_not() {
    let (throttle, clock) = throttle();
    let (stranger, library) = (ipv4(1), ipv4(2));
    let allowed = (0..1_000).filter(|_| allows(&throttle, &attempt(NG, stranger))).count();
    assert_eq!(allowed, 6);
    assert!(allows(&throttle, &attempt(NG, library)));
    let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
    let all = names.iter().filter(|name| allows(&throttle, &attempt(Account::Unknown(name), stranger)));
    assert!(all.count() <= 30);
    clock.advance(HOUR);
    assert!(allows(&throttle, &attempt(NG, stranger)));
}

#[test]
fn a_known_device_has_a_budget_too() {
    let (throttle, _) = throttle();
    let stolen = Attempt { known: Some(Known::Device("laptop")), ..attempt(NG, ipv4(1)) };
    let allowed =
        (0..1_000).filter(|number| throttle.allows(&Attempt { address: ipv4(*number), ..stolen }).is_some());
    assert_eq!(allowed.count(), 6);
    assert!(throttle.allows(&Attempt { known: Some(Known::Device("phone")), ..stolen }).is_some());
}

#[test]
fn networks_of_ipv6_count_as_one() {
    let (throttle, _) = throttle();
    let of_one_64 = (0..1_000).filter(|host| allows(&throttle, &attempt(NG, ipv6(0, *host)))).count();
    assert_eq!(of_one_64, 6);
    let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
    let of_one_48 = (0..1_000).zip(&names).filter(|(subnet, name)| {
        allows(&throttle, &attempt(Account::Unknown(name), ipv6(1 << 80 | subnet << 64, 1)))
    });
    assert_eq!(of_one_48.count(), 90);
    assert!(allows(&throttle, &attempt(Account::Unknown("x"), ipv6(2 << 80, 1))));
}

#[test]
fn the_owner_is_let_in_although_others_spent_what_their_address_has() {
    for address in [ipv4(1), ipv6(0, 1)] {
        let (throttle, clock) = throttle();
        let names: Vec<String> = (0..1_000).map(|name| name.to_string()).collect();
        for name in &names {
            let _ = allows(&throttle, &attempt(Account::Unknown(name), address));
        }
        while allows(&throttle, &attempt(NG, address)) {}
        assert!(!throttle.allows_from(address));
        for shown in [Shown::Password, Shown::Code, Shown::NewApp, Shown::Again] {
            for known in [Known::Device("laptop"), Known::Session] {
                let of_owner = Attempt { shown, known: Some(known), ..attempt(NG, address) };
                assert_eq!(throttle.allows(&of_owner), Some(Caller::Known), "{shown:?} {known:?}");
                // A thief of the session or device is slowed down.
                let allowed = (0..1_000).filter(|_| allows(&throttle, &of_owner)).count();
                assert_eq!(allowed, 5, "{shown:?} {known:?}");
            }
        }
        clock.advance(HOUR / 60);
        let of_owner = Attempt { known: Some(Known::Session), ..attempt(NG, address) };
        assert_eq!((0..1_000).filter(|_| allows(&throttle, &of_owner)).count(), 1);
    }
}

#[test]
fn an_ipv4_address_is_the_same_in_ipv6_notation() {
    let (throttle, _) = throttle();
    let mapped = "::ffff:10.0.0.1".parse().expect("an address");
    assert_eq!(network_of(mapped), ipv4(1));
    throttle.signed_in(UserNumber(7), mapped);
    assert_eq!(throttle.allows(&attempt(NG, ipv4(1))), Some(Caller::Known));
}

#[test]
fn an_address_is_known_for_a_month_and_for_its_account_only() {
    let (throttle, clock) = throttle();
    throttle.signed_in(UserNumber(7), ipv4(1));
    let other = attempt(Account::User(UserNumber(8)), ipv4(1));
    assert_eq!(throttle.allows(&other), Some(Caller::Unknown));
    clock.advance(KNOWN_FOR.saturating_sub(Duration::from_secs(1)));
    assert_eq!(throttle.allows(&attempt(NG, ipv4(1))), Some(Caller::Known));
    clock.advance(Duration::from_secs(1));
    assert_eq!(throttle.allows(&attempt(NG, ipv4(1))), Some(Caller::Unknown));
}

/// Returns the memory of this process in kB, where the system tells it.
fn resident_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[test]
fn many_and_long_names_take_bounded_memory_and_reset_no_budget() {
    let (throttle, clock) = throttle();
    while allows(&throttle, &attempt(NG, ipv4(1))) {}
    let long = "x".repeat(1_900_000);
    assert!(throttle.allows(&attempt(Account::Unknown(&long), ipv4(2))).is_some());
    let before = throttle.keys();
    let memory_before = resident_kilobytes();
    for number in 0..100_000_u32 {
        let name = format!("name {number}");
        let _ = allows(&throttle, &attempt(Account::Unknown(&name), ipv4(number << 4 | 3)));
    }
    let after = throttle.keys();
    let most = 5 * (Limits::default().max_keys + 1_024);
    eprintln!(
        "{before} keys before, {after} after 100,000 names from 100,000 addresses; {most} at most, of 17 bytes"
    );
    assert!(after <= most, "{after}");
    if let (Some(before), Some(after)) = (memory_before, resident_kilobytes()) {
        eprintln!("{before} kB of memory before, {after} kB after");
        assert!(after.saturating_sub(before) < 32 << 10, "{before} kB, {after} kB");
    }
    assert!(!allows(&throttle, &attempt(NG, ipv4(1))), "the budget in use is as it was");
    throttle.signed_in(UserNumber(7), ipv4(1));
    assert_eq!(
        throttle.allows(&attempt(NG, ipv4(1))),
        Some(Caller::Known),
        "the owner has a budget of their own"
    );
    clock.advance(24 * HOUR);
    for number in 0..CLEAN_EVERY {
        let _ = allows(&throttle, &attempt(NG, ipv4(number)));
    }
    assert!(throttle.keys() < 1_000, "{}", throttle.keys());
}
