//! For the data protection officer: users anonymised by month, and the last checks of audit and backups.

use crate::components::{BarChart, Column, DataTable, PostButton, Timestamp, flash};
use crate::error::AppError;
use crate::islands::Pending;
use crate::state::{actor, store};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use operations::dashboard::{self, AuditCheck, ErasuresOfMonth, Evidence};
use policy::dates::shown_month;
use policy::numbers::grouped;

/// Verifies the audit in the background.
#[allow(clippy::unused_async, reason = "server functions are async")]
#[server(prefix = "/do", endpoint = "verify_audit", input = PostUrl)]
pub(crate) async fn verify_audit() -> Result<(), AppError> {
    dashboard::start_audit_check(&store(), actor())?;
    flash::redirect("/?done=audit-verification-started");
    Ok(())
}

/// Renders the section.
pub(super) fn section(evidence: &Evidence, erasures: &[ErasuresOfMonth]) -> impl IntoView + use<> {
    view! {
        <section aria-labelledby="evidence">
            <h2 id="evidence">"Evidence"</h2>
            <div data-live="evidence">{checks(evidence)}</div>
            {by_month(erasures)}
        </section>
    }
}

fn checks(evidence: &Evidence) -> impl IntoView + use<> {
    let never = |text: &'static str| view! { <span class="tag">{text}</span> }.into_any();
    let audit = match evidence.audit {
        AuditCheck::Never => never("Never verified"),
        AuditCheck::UnderWay(since) => {
            view! { "Being verified since " <Timestamp at=since /> " " <Pending here="/".to_owned() /> }
                .into_any()
        }
        AuditCheck::Done { at, is_whole: true } => checked(at, "Intact", "proven"),
        AuditCheck::Done { at, is_whole: false } => checked(at, "Altered: run lethe audit verify", "bad"),
        AuditCheck::NotVerified(at) => {
            checked(at, "Could not be verified: try again, then run lethe audit verify", "due")
        }
    };
    let backup = evidence
        .backed_up_at
        .map_or_else(|| never("No backup yet"), |at| view! { <Timestamp at /> }.into_any());
    let drill = match evidence.drilled {
        None => never("No drill yet: run lethe drill FILE"),
        Some((at, true)) => checked(at, "Passed", "proven"),
        Some((at, false)) => checked(at, "Failed", "bad"),
    };
    let is_under_way = matches!(evidence.audit, AuditCheck::UnderWay(_));
    let verify = (!is_under_way).then(
        || view! { <PostButton function=VerifyAudit::PATH page="/" label="Verify audit" values=vec![] /> },
    );
    view! {
        <dl class="facts">
            <dt>"Audit"</dt><dd>{audit} " " {verify}</dd>
            <dt>"Last backup"</dt><dd>{backup}</dd>
            <dt>"Last restore drill"</dt><dd>{drill}</dd>
        </dl>
    }
}

fn checked(at: DateTime<Utc>, result: &'static str, class: &'static str) -> AnyView {
    view! { <span class=format!("tag {class}")>{result}</span> " " <Timestamp at /> }.into_any()
}

fn by_month(erasures: &[ErasuresOfMonth]) -> impl IntoView + use<> {
    let bars: Vec<(String, i64)> = erasures.iter().map(|one| (shown_month(one.month), one.users)).collect();
    let sum: i64 = bars.iter().map(|(_, users)| users).sum();
    let rows = bars
        .iter()
        .map(|(month, users)| view! { <tr><th scope="row">{month.clone()}</th><td class="number">{grouped(*users)}</td></tr> })
        .collect_view();
    let footer =
        view! { <tr><th scope="row">"Twelve months"</th><td class="number">{grouped(sum)}</td></tr> };
    view! {
        <h3>"Users anonymised by month"</h3>
        <BarChart title="Users anonymised by month" what="users" bars in_time=true />
        <details class="more">
            <summary>"Show the numbers"</summary>
            <DataTable label="Users anonymised by month" caption="Users anonymised by month" footer=footer.into_any()
                columns=vec![Column::text("Month"), Column::number("Users")]>{rows}</DataTable>
        </details>
    }
}
