//! Whenever a change fails, both records are unchanged; otherwise the merge is complete.

use super::{CLI, count, pair};
use crate::canary::plant::Planter;
use crate::canary::{library, removes_everything};
use crate::faults::inject::{Faults, Pattern};
use crate::support::{add_task, dump, execute, for_each_database};
use policy::NoteTreatment;
use std::collections::BTreeSet;
use task_centre::run::merge;
use task_centre::run::{self, SingleOrder};
use trail::Store;

/// More steps than one merge can need.
const MAX_STEPS: u64 = 500;

async fn merge_is_done(store: &Store, staying: i64, losing: i64) -> bool {
    let typed = losing.to_string();
    let order = SingleOrder { typed: &typed, reason: "error", ..SingleOrder::default() };
    let merged = merge::merge(store, CLI, pair(staying, losing), &order).await;
    run::background_scans().await;
    merged.is_ok()
}

/// Plants a duplicate of the user 1, with a loan.
async fn duplicate(store: &Store, number: i64) {
    Planter::new(&store.db, 1).await.plant(number).await;
    // The keys of the planted user are free for the record that stays.
    execute(store, &format!("UPDATE users SET guarantor_number = NULL WHERE number = {number}")).await;
}

#[tokio::test]
async fn a_failing_change_leaves_both_records_unchanged() {
    for_each_database(async |store| {
        library(&store, 0).await;
        add_task(&store, &removes_everything(NoteTreatment::Mark)).await;
        let faults = Faults::install(&store).await;
        for (pattern, first) in [(Pattern::Once as fn(u64) -> Pattern, 100), (Pattern::From, 200)] {
            let mut number = first;
            duplicate(&store, number).await;
            let mut before = dump(&store).await;
            let mut struck = BTreeSet::new();
            let mut finished = false;
            for step in 1..MAX_STEPS {
                faults.arm(pattern(step)).await;
                let done = merge_is_done(&store, 1, number).await;
                let steps = faults.disarm().await;
                if !done {
                    assert_eq!(dump(&store).await, before, "{:?}", pattern(step));
                    struck = faults.struck().await;
                    continue;
                }
                let left = format!("SELECT COUNT(*) AS n FROM loans WHERE user_number = {number}");
                assert_eq!(count(&store, &left).await, 0, "{:?}", pattern(step));
                let gone = format!(
                    "SELECT COUNT(*) AS n FROM users WHERE number = {number} AND anonymised_on IS NOT NULL"
                );
                assert_eq!(count(&store, &gone).await, 1);
                if steps < step {
                    finished = true;
                    break;
                }
                // The failure came after the commit.
                number += 1;
                duplicate(&store, number).await;
                before = dump(&store).await;
            }
            assert!(finished, "merging takes more steps than expected");
            for change in [
                "users_update",
                "loans_update",
                "messages_update",
                "key_periods_update",
                "audit_events_insert",
                "runs_insert",
                "certificates_insert",
            ] {
                assert!(struck.contains(change), "{change} was never struck: {struck:?}");
            }
        }
    })
    .await;
}
