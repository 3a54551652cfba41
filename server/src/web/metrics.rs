//! The metrics of the service in the text format of Prometheus.

use operations::health::{ConditionKind, Figures, Health};
use policy::{Outcome, RULES_VERSION, RunState};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The content type of the text format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Returns all metrics. Without an answer of the database, those that it provides are missing.
pub(super) fn text(found: Option<(Health, Figures)>, since_tick: i64) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("lethe");
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let build = Info::new([("version", version), ("rules_version", RULES_VERSION.to_string())]);
    registry.register("build", "The program", build);
    let up = gauge(&mut registry, "database_up", "Whether the database answers");
    up.set(i64::from(found.is_some()));
    let tick: Gauge = Gauge::default();
    tick.set(since_tick);
    registry.register_with_unit(
        "scheduler_last_tick_age",
        "Time since the scheduler last ran",
        Unit::Seconds,
        tick,
    );
    if let Some((health, figures)) = found {
        conditions(&mut registry, &health);
        runs(&mut registry, &figures);
    }
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

fn gauge(registry: &mut Registry, name: &'static str, help: &'static str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

/// Registers one gauge for each kind of condition, including those without any, so that an alarm can be set on it.
fn conditions(registry: &mut Registry, health: &Health) {
    let family = Family::<Labels<1>, Gauge>::default();
    for code in ConditionKind::CODES {
        let count = health.conditions.iter().filter(|one| one.what.code() == code).count();
        family.get_or_create(&[("condition", code)]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register(
        "conditions",
        "Tasks, runs, findings, legal holds and held lines that need attention",
        family,
    );
    let open = health.conditions.iter().find_map(|one| match one.what {
        ConditionKind::FindingsOpen { findings } => Some(findings),
        _ => None,
    });
    gauge(registry, "findings_open", "Residue findings that are waiting for a decision")
        .set(open.unwrap_or_default());
    let due = health.conditions.iter().find_map(|one| match one.what {
        ConditionKind::LegalHoldsDue { holds } => Some(holds),
        _ => None,
    });
    gauge(registry, "legal_holds_due", "Legal holds in force that are due for review")
        .set(due.unwrap_or_default());
    let held = health.conditions.iter().find_map(|one| match one.what {
        ConditionKind::HeldLinesWaiting { lines } => Some(lines),
        _ => None,
    });
    gauge(registry, "held_lines_waiting", "Held lines that have waited for a decision for several days")
        .set(held.unwrap_or_default());
}

fn runs(registry: &mut Registry, figures: &Figures) {
    let runs = Family::<Labels<2>, Gauge>::default();
    let people = Family::<Labels<1>, Counter>::default();
    let mut queued = 0;
    for group in &figures.runs {
        runs.get_or_create(&[("kind", group.kind.code()), ("state", group.state.code())]).set(group.runs);
        if group.state == RunState::Queued {
            queued += group.runs;
        }
        for (outcome, count) in
            [(Outcome::Done, group.done), (Outcome::Skipped, group.skipped), (Outcome::Failed, group.failed)]
        {
            let counter = people.get_or_create(&[("outcome", outcome.code())]);
            counter.inc_by(u64::try_from(count).unwrap_or_default());
        }
    }
    registry.register("runs", "Runs and previews by kind and state", runs);
    registry.register("people", "Users processed by runs, by outcome", people);
    gauge(registry, "queued_runs", "Queued runs").set(queued);
}
