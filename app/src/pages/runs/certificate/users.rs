//! The complete list of the users of a certificate, by user number. It is printed in full, too.

use erasure::certificate::Counted;
use leptos::prelude::*;
use policy::numbers::counted;
use policy::{Outcome, UserNumber};

/// Renders the numbers of all users by outcome.
pub(super) fn list(groups: &[(Counted, Vec<UserNumber>)]) -> impl IntoView + use<> {
    let groups = groups
        .iter()
        .map(|(group, numbers)| {
            let count = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
            let heading = format!("{}: {}", label(group), counted(count, "user", "users"));
            let label = heading.clone();
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            view! {
                <h3>{heading}</h3>
                <p class="numbers" role="region" aria-label=label tabindex="0">{numbers.join(", ")}</p>
            }
        })
        .collect_view();
    view! {
        <p>"Listed by user number. User numbers are never reused."</p>
        {groups}
    }
}

fn label(group: &Counted) -> String {
    let outcome = group.outcome.map_or("Not reached", Outcome::label);
    match (group.reason, &group.failure) {
        (Some(reason), _) => format!("{outcome}, {}", reason.label()),
        (None, Some(code)) => format!("{outcome}, code {code}"),
        (None, None) => outcome.to_owned(),
    }
}
