//! `lethe audit`: lists the recorded actions, and verifies that no event was changed.

use super::{Output, with_options};
use clap::{Args, Subcommand};
use db::pagination::Paging;
use policy::numbers::{counted, grouped};
use std::process::ExitCode;
use trail::audit::{self, AuditAction, AuditFinding, AuditForm, AuditRow, Subject, Verification};
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Verify the whole audit: report events that were changed, removed, reordered or inserted. If it is
    /// intact, anchor its end and exit with success.
    Verify,
    /// List events, newest first.
    List(Filters),
}

/// The filters of the list, and its length.
#[derive(Args, Debug)]
pub(crate) struct Filters {
    /// From this day on.
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true)]
    from: String,
    /// Up to this day.
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true)]
    to: String,
    /// Code of the action. An unknown code lists all of them.
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    action: String,
    /// By this member of staff.
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true)]
    staff: String,
    /// Kind of the object, for example user or task. An unknown kind lists all of them.
    #[arg(long, value_name = "KIND", default_value = "", hide_default_value = true)]
    kind: String,
    /// Id or user number of the object.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    id: String,
    /// Of this run.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    run: String,
    /// Number of events, at most 100.
    #[arg(long, default_value_t = 50)]
    last: u64,
    /// Continue after the event with this key.
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
}

impl Audit {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify => {
                let verdict = audit::verify_and_record(store, Actor::COMMAND_LINE).await?;
                output.print(&verdict, verdict_text)?;
                Ok(if verdict.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::List(filters) => list(store, output, filters).await,
        }
    }
}

async fn list(store: &Store, output: Output, filters: Filters) -> anyhow::Result<ExitCode> {
    let Filters { from, to, action, staff, kind, id, run, last, after } = filters;
    let form = AuditForm { from, to, action, staff, kind, id, run };
    let query = form.validate().map_err(|errors| with_options(&errors, &options()))?;
    let paging = Paging { after, rows: Some(last), ..Paging::default() };
    let page = audit::list(store, Actor::COMMAND_LINE, &query, &paging).await?;
    output.print(&page.rows, |rows| rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the options of the filters that have some.
fn options() -> [(&'static str, Vec<&'static str>); 2] {
    [
        ("action", AuditAction::ALL.iter().map(|action| action.code()).collect()),
        ("kind", Subject::KINDS.iter().map(|(kind, _)| *kind).collect()),
    ]
}

fn line(row: &AuditRow) -> String {
    let staff = row.staff.map_or_else(|| "–".to_owned(), |staff| staff.to_string());
    let subject = row.subject.map_or_else(|| row.kind.clone(), |id| format!("{} {id}", row.kind));
    let sequence = row.sequence.map_or_else(|| "–".to_owned(), |sequence| sequence.to_string());
    let (at, channel) = (super::output::instant(row.at), &row.channel);
    format!("{}\t{sequence}\t{at}\t{staff}\t{channel}\t{}\t{subject}\t{}", row.id, row.action, row.detail)
}

fn verdict_text(verdict: &Verification) -> String {
    let events = counted(verdict.events, "event", "events");
    let anchors = counted(i64::try_from(verdict.anchors).unwrap_or(i64::MAX), "anchor", "anchors");
    if verdict.is_whole() {
        return format!("The audit is intact: {events}, compared with {anchors}");
    }
    let mut lines = vec![format!("The audit was altered: {events}, compared with {anchors}")];
    lines.extend(verdict.findings.iter().map(AuditFinding::label));
    if verdict.more > 0 {
        let more = grouped(i64::try_from(verdict.more).unwrap_or(i64::MAX));
        lines.push(format!("… and {more} more"));
    }
    let is_changed = |finding: &&AuditFinding| matches!(finding, AuditFinding::Changed { .. });
    let changed = verdict.findings.iter().take_while(is_changed).count();
    if changed > 1 && verdict.findings.first() == Some(&AuditFinding::Changed { sequence: 1 }) {
        lines.push(
            "LETHE_KEY_FILE is probably not the key with which the first events were written: lethe key show \
             lists replaced keys"
                .to_owned(),
        );
    }
    lines.join("\n")
}
