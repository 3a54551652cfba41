//! The report: prints each figure and writes all of them as JSON.

use anyhow::Context as _;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// The bound that a figure must meet.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn label(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least}"),
            Self::AtMost(most) => format!("at most {most}"),
        }
    }
}

/// All measured figures.
#[derive(Default)]
pub struct Report {
    figures: Vec<Figure>,
    database: String,
    part: String,
}

#[derive(Serialize)]
struct Figure {
    database: String,
    part: String,
    name: String,
    value: f64,
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

impl Report {
    /// Begins a part on one database system, and prints its library.
    pub fn begin(&mut self, database: &str, part: &str, library: &str) {
        (self.database, self.part) = (database.to_owned(), part.to_owned());
        println!("\n{part}, {database}: {library}");
    }

    /// Adds a figure without a target.
    pub fn line(&mut self, name: &str, value: f64, unit: &str) {
        self.add(name, value, unit, None);
    }

    /// Adds a figure with its target.
    pub fn target(&mut self, name: &str, value: f64, unit: &str, target: Target) {
        self.add(name, value, unit, Some(target));
    }

    fn add(&mut self, name: &str, value: f64, unit: &str, target: Option<Target>) {
        let met = target.map(|target| target.is_met(value));
        let verdict = match (target, met) {
            (Some(target), Some(met)) => {
                format!("   {} ({})", if met { "met" } else { "MISSED" }, target.label())
            }
            _ => String::new(),
        };
        println!("  {name:<48} {:>14} {unit:<4}{verdict}", formatted(value));
        self.figures.push(Figure {
            database: self.database.clone(),
            part: self.part.clone(),
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            target: target.map(Target::label),
            met,
        });
    }

    /// Writes all figures to a file in `target`. Returns an error if one missed its target and targets are judged.
    pub fn end(&self, file: &str, judged: bool) -> anyhow::Result<()> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")),
            PathBuf::from,
        );
        let path = target.join(file);
        std::fs::write(&path, serde_json::to_vec_pretty(&self.figures)?)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        let missed = self.figures.iter().filter(|figure| figure.met == Some(false)).count();
        anyhow::ensure!(missed == 0 || !judged, "{missed} targets are missed");
        Ok(())
    }
}

/// Formats a figure with thousands separators, and with decimals only if it is small.
fn formatted(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut formatted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            formatted.push(',');
        }
        formatted.push(digit);
    }
    formatted
}

/// Returns the median.
pub fn median(took: impl IntoIterator<Item = Duration>) -> Duration {
    let mut took: Vec<Duration> = took.into_iter().collect();
    took.sort();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// Returns a duration in milliseconds.
pub fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
