//! Compares the reach of policies: whether one selects more users, or removes more data, than a confirmed one.

use crate::field::{Field, Treatment};
use crate::policy::{Conditions, Policy, Scope};

/// Returns whether `policy` could select a user, or remove a value, that `confirmed` doesn't.
///
/// In doubt, it returns true, so that a preview is required before scheduled runs continue.
pub fn extends_beyond(policy: &Policy, confirmed: &Policy) -> bool {
    selects_more(policy, confirmed) || removes_more(policy, confirmed)
}

fn selects_more(policy: &Policy, confirmed: &Policy) -> bool {
    if policy.conditions.is_empty() {
        return false;
    }
    let scope = policy.scope == confirmed.scope || confirmed.scope == Scope::All;
    !scope || confirmed.conditions.is_empty() || !asks_at_least(&policy.conditions, &confirmed.conditions)
}

/// Returns whether all confirmed conditions are still set, with at least as many days.
fn asks_at_least(conditions: &Conditions, confirmed: &Conditions) -> bool {
    [
        (conditions.leaving, confirmed.leaving),
        (conditions.activity, confirmed.activity),
        (conditions.marked, confirmed.marked),
    ]
    .into_iter()
    // `None` is less than any number of days.
    .all(|(days, confirmed)| days >= confirmed)
}

fn removes_more(policy: &Policy, confirmed: &Policy) -> bool {
    let stronger = |field: Field| reach(policy.treatment(field)) > reach(confirmed.treatment(field));
    Field::ALL.into_iter().any(stronger)
        || confirmed.keep_custom.iter().any(|key| !policy.keep_custom.contains(key))
}

/// Returns how much of a value a treatment removes.
const fn reach(treatment: Treatment) -> u8 {
    match treatment {
        Treatment::Keep => 0,
        Treatment::Year | Treatment::District | Treatment::Month => 1,
        Treatment::Decade => 2,
        Treatment::Remove => 3,
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::{Blockers, Days, RunMode, UserFacts, Verdict, assess};
    use chrono::{Duration, NaiveDate};
    use proptest::prelude::*;

    fn day(offset: i64) -> NaiveDate {
        NaiveDate::default() + Duration::days(20_000 + offset)
    }

    fn policies() -> impl Strategy<Value = Policy> {
        let days = || proptest::option::of((0..20u32).prop_map(|days| Days::new(days).expect("few days")));
        let treatment = |field: Field| proptest::sample::select(field.treatments().to_vec());
        (
            proptest::sample::select(Scope::ALL.to_vec()),
            days(),
            days(),
            days(),
            treatment(Field::BirthDate),
            treatment(Field::Phone),
        )
            .prop_map(|(scope, leaving, activity, marked, birth, phone)| Policy {
                scope,
                conditions: Conditions { leaving, activity, marked },
                fields: [(Field::BirthDate, birth), (Field::Phone, phone)].into(),
                ..Policy::default()
            })
    }

    fn facts() -> impl Strategy<Value = UserFacts> {
        let date = || proptest::option::of((-25i64..2).prop_map(day));
        (any::<bool>(), date(), date(), date()).prop_map(|(imported, leaving_on, activity, marked_on)| {
            UserFacts {
                anonymised: false,
                staff: false,
                fictitious: false,
                imported,
                created_on: Some(day(-30)),
                leaving_on,
                last_activity_on: activity,
                marked_on,
                kept_since: None,
                blockers: Blockers::default(),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_policy_within_reach_selects_no_new_user(new in policies(), old in policies(), facts in facts()) {
            if !extends_beyond(&new, &old) {
                let eligible = |policy| assess(&facts, policy, day(0), RunMode::Bulk) == Verdict::Eligible;
                prop_assert!(!eligible(&new) || eligible(&old));
            }
        }

        #[test]
        fn the_same_settings_do_not_extend_beyond(policy in policies()) {
            prop_assert!(!extends_beyond(&policy, &policy));
        }
    }

    #[test]
    fn each_way_of_extending_beyond_is_detected() {
        let five = Conditions { leaving: Days::new(5), ..Conditions::default() };
        let base = Policy { conditions: five, keep_custom: vec!["faculty".into()], ..Policy::default() };
        let with = |change: fn(&mut Policy)| {
            let mut policy = base.clone();
            change(&mut policy);
            extends_beyond(&policy, &base)
        };
        assert!(with(|policy| policy.conditions.leaving = Days::new(4)));
        assert!(with(|policy| policy.scope = Scope::All));
        assert!(with(|policy| policy.keep_custom.clear()));
        assert!(with(
            |policy| policy.conditions = Conditions { marked: Days::new(5), ..Conditions::default() }
        ));
        assert!(with(|policy| {
            policy.fields.insert(Field::Category, Treatment::Remove);
        }));
        assert!(!with(|policy| policy.conditions.leaving = Days::new(6)));
        assert!(!with(|policy| policy.conditions.marked = Days::new(6)));
        assert!(!with(|policy| policy.conditions = Conditions::default()), "no users are selected");
        assert!(extends_beyond(&base, &Policy::default()), "without a condition, no users are confirmed");
    }
}
