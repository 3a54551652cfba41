//! The chart of a report. It shows nothing that the table does not contain.

use crate::components::{Bar, BarChart};
use leptos::prelude::*;
use policy::numbers::grouped;
use records::report::{Counted, Key};

/// The maximum number of distinguishable vertical bars: twenty years by month.
const MAX_VERTICAL: usize = 240;
/// The maximum number of horizontal bars.
const MAX_HORIZONTAL: usize = 30;

/// Draws the first number of a report.
#[component]
pub(super) fn Chart(
    /// The report.
    counted: Counted,
) -> impl IntoView {
    let in_time = counted.keys.len() == 1 && counted.keys.iter().all(|key| Key::is_time(*key));
    let mut bars: Vec<Bar> =
        counted.rows.iter().map(|row| (row.labels.join(" · "), row.numbers[0])).collect();
    let all = bars.len();
    if in_time {
        bars.drain(..all.saturating_sub(MAX_VERTICAL));
    } else {
        bars.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        bars.truncate(MAX_HORIZONTAL);
    }
    let left_out = (bars.len() < all).then(|| {
        let which = if in_time { "last" } else { "largest" };
        let shown = i64::try_from(bars.len()).unwrap_or(i64::MAX);
        format!("The chart shows the {} {which} rows. The table contains all rows.", grouped(shown))
    });
    let what = counted.headings[0];
    let title = format!("{}: {}", counted.report.label(), what.to_lowercase());
    view! {
        <BarChart title what bars in_time />
        {left_out.map(|label| view! { <p class="hint">{label}</p> })}
    }
}
