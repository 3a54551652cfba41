//! How long the phases of a run take: the engine marks them as spans of its trace, and here they are added up.

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

/// The spans that ended since they were last taken, by name.
#[derive(Clone, Default)]
pub struct Phases(Arc<Mutex<BTreeMap<String, Duration>>>);

impl Phases {
    /// Begins to measure everything that happens in this process.
    pub fn measure() -> Self {
        let phases = Self::default();
        tracing_subscriber::registry().with(phases.clone()).init();
        phases
    }

    /// What was measured since the last time.
    pub fn take(&self) -> BTreeMap<String, Duration> {
        self.0.lock().map(|mut phases| std::mem::take(&mut *phases)).unwrap_or_default()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Phases {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_span() && metadata.target().starts_with("records") && *metadata.level() <= Level::DEBUG
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut named = Named(span.name().to_owned());
            attributes.record(&mut named);
            span.extensions_mut().insert((named.0, Instant::now()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some((name, began)) = extensions.get::<(String, Instant)>() else { return };
        if let Ok(mut phases) = self.0.lock() {
            *phases.entry(name.clone()).or_default() += began.elapsed();
        }
    }
}

/// The name of a span with the table that it is about.
struct Named(String);

impl Visit for Named {
    fn record_str(&mut self, _: &tracing::field::Field, value: &str) {
        self.0 = format!("{} {value}", self.0);
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}
