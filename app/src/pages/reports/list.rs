//! The list of reports.

use crate::parts::Frame;
use leptos::prelude::*;
use records::report::Report;

/// What can be reported, one line each.
#[component]
pub fn ReportsPage() -> impl IntoView {
    let reports = Report::ALL.map(|report| {
        view! {
            <li>
                <a href=format!("/reports/{}", report.code())>
                    <b>{report.words()}</b>
                    <span>{report.explanation()}</span>
                </a>
            </li>
        }
    });
    view! {
        <Frame
            title="Reports"
            lead="What the library learned from its loans and requests. Every number is the same before and after borrowers are anonymised."
        >
            <ul class="modules">{reports.collect_view()}</ul>
            <p>
                "Reports read loans and requests with the user category and department of their own day, and never \
                 a name. What is kept of a person is told in "
                <a href="/personal-data">"What is personal here"</a>"."
            </p>
        </Frame>
    }
}
