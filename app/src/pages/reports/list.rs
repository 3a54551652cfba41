//! The list of reports.

use crate::components::PageLayout;
use leptos::prelude::*;
use records::report::Report;

/// Shows the reports, one line each.
#[component]
pub fn ReportsPage() -> impl IntoView {
    let reports = Report::ALL.map(|report| {
        view! {
            <li>
                <a href=format!("/reports/{}", report.code())>
                    <b>{report.label()}</b>
                    <span>{report.explanation()}</span>
                </a>
            </li>
        }
    });
    view! {
        <PageLayout
            title="Reports"
            lead="Counts of loans, requests and borrowers. Every number is the same before and after borrowers are anonymised."
        >
            <ul class="modules">{reports.collect_view()}</ul>
            <p>
                "Reports use loans and requests with the user category and department on their date, and \
                 never a name. For what is kept about a person, see the "
                <a href="/personal-data">"Register of personal data"</a>"."
            </p>
        </PageLayout>
    }
}
