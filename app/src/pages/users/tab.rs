//! The tabs of a user's record, as plain links.

use crate::components::user_address;
use leptos::prelude::*;
use policy::numbers::grouped;
use policy::{Blocker, UserNumber};
use records::user::UserCounts;

/// A tab.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Tab {
    #[default]
    Details,
    Loans,
    History,
    Requests,
    Charges,
    Messages,
    Catalogue,
}

impl Tab {
    const ALL: [Self; 7] = [
        Self::Details,
        Self::Loans,
        Self::History,
        Self::Requests,
        Self::Charges,
        Self::Messages,
        Self::Catalogue,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Loans => "loans",
            Self::History => "history",
            Self::Requests => "requests",
            Self::Charges => "charges",
            Self::Messages => "messages",
            Self::Catalogue => "catalogue",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Details => "Details",
            Self::Loans => "Open loans",
            Self::History => "Loan history",
            Self::Requests => "Requests",
            Self::Charges => "Charges",
            Self::Messages => "Messages",
            Self::Catalogue => "Catalogue records",
        }
    }

    pub(super) fn from_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|tab| tab.code() == code).unwrap_or_default()
    }

    /// Returns the address of the tab.
    pub(super) fn address(self, user: UserNumber) -> String {
        format!("{}?tab={}", user_address(user), self.code())
    }

    /// Returns the address where a blocker can be resolved.
    pub(super) fn for_blocker(blocker: Blocker, user: UserNumber) -> String {
        match blocker {
            Blocker::OpenLoan => Self::Loans.address(user),
            Blocker::OpenRequest => Self::Requests.address(user),
            Blocker::UnsettledCharge => Self::Charges.address(user),
            Blocker::Guarantor => format!("{}#guarantees", Self::Details.address(user)),
            Blocker::LegalHold => format!("{}#legal-holds", Self::Details.address(user)),
        }
    }

    /// Returns the numbers of all rows and of open rows.
    const fn counts(self, counts: &UserCounts) -> Option<(i64, i64)> {
        match self {
            Self::Details => None,
            Self::Loans => Some((counts.open_loans, 0)),
            Self::History => Some((counts.past_loans, 0)),
            Self::Requests => Some((counts.requests, counts.open_requests)),
            Self::Charges => Some((counts.charges, counts.unsettled_charges)),
            Self::Messages => Some((counts.messages, 0)),
            Self::Catalogue => Some((counts.catalogue_records, 0)),
        }
    }
}

/// Renders the tabs.
pub(super) fn tabs(user: UserNumber, here: Tab, counts: &UserCounts) -> impl IntoView + use<> {
    let links = Tab::ALL
        .map(|tab| {
            let count = tab.counts(counts).map(|(all, open)| {
                let open = (open > 0).then(|| format!(" ({} open)", grouped(open)));
                view! { <span class="count">{grouped(all)}{open}</span> }
            });
            let current = (tab == here).then_some("page");
            view! { <a href=tab.address(user) aria-current=current>{tab.label()}" "{count}</a> }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label="Parts of the record">{links}</nav> }
}
