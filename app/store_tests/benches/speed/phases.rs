//! The durations of the phases of a run: sums of the tracing spans that the engine emits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::field::Visit;
use tracing::span::{Attributes, Id};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The time spent in spans since the last call of [`Phases::take`], by name.
#[derive(Clone, Default)]
pub struct Phases(Arc<Mutex<BTreeMap<String, Duration>>>);

impl Phases {
    /// Starts to measure all spans of this process.
    pub fn measure() -> Self {
        let phases = Self::default();
        tracing_subscriber::registry().with(phases.clone()).init();
        phases
    }

    /// Returns and resets the measured times.
    pub fn take(&self) -> BTreeMap<String, Duration> {
        self.0.lock().map(|mut phases| std::mem::take(&mut *phases)).unwrap_or_default()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Phases {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let is_of_engine = ["erasure", "records", "safeguards", "task_centre", "trail"]
            .iter()
            .any(|name| metadata.target().starts_with(name));
        metadata.is_span() && is_of_engine && *metadata.level() <= Level::DEBUG
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut named = Named(span.name().to_owned());
            attributes.record(&mut named);
            span.extensions_mut().insert(Open {
                name: named.0,
                began: Instant::now(),
                counted: Duration::ZERO,
            });
        }
    }

    // Not on close: the thread of a connection may hold the span a moment longer.
    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(open) = extensions.get_mut::<Open>() else { return };
        let took = open.began.elapsed();
        if let Ok(mut phases) = self.0.lock() {
            *phases.entry(open.name.clone()).or_default() += took.saturating_sub(open.counted);
        }
        open.counted = took;
    }
}

/// An open span, and its time counted so far.
struct Open {
    name: String,
    began: Instant,
    counted: Duration,
}

/// The name of a span, with the table that it concerns.
struct Named(String);

impl Visit for Named {
    fn record_str(&mut self, _: &tracing::field::Field, value: &str) {
        self.0 = format!("{} {value}", self.0);
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}
