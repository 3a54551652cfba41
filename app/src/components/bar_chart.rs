//! A bar chart, drawn on the server.

use leptos::prelude::*;
use policy::numbers::grouped;

/// Width of a chart, in its own units.
const WIDTH: f64 = 900.0;
/// Height of a chart of vertical bars.
const HEIGHT: f64 = 260.0;
/// Space for the numbers beside the axis.
const LEFT: f64 = 64.0;
/// Space for the labels below the axis.
const BELOW: f64 = 28.0;
/// Space above the highest bar.
const ABOVE: f64 = 16.0;
/// Maximum width of one character of a label.
const CHARACTER: f64 = 7.0;
/// Height of one horizontal bar with its distance.
const LINE: f64 = 26.0;
/// The maximum length of a label, in characters.
const LABEL_LENGTH: usize = 36;

/// One bar: its label and its number.
pub(crate) type Bar = (String, i64);

/// Draws a chart: vertical bars for a time series, horizontal bars for other rows. The table beside it contains every
/// number.
#[component]
pub(crate) fn BarChart(
    /// The title, for screen readers.
    #[prop(into)]
    title: String,
    /// The noun for the counted objects.
    what: &'static str,
    /// The bars.
    bars: Vec<Bar>,
    /// Whether the bars are a time series.
    in_time: bool,
) -> impl IntoView {
    let description = description(&bars, what);
    let most = bars.iter().map(|(_, number)| *number).max().unwrap_or(0).max(1);
    let drawing = if in_time { upright(&bars, most).into_any() } else { lying(&bars, most).into_any() };
    let height = if in_time { HEIGHT } else { LINE.mul_add(to_f64(length(bars.len())), 2.0 * ABOVE) };
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="Chart">
            <svg
                class="chart"
                role="img"
                aria-labelledby="chart-title chart-about"
                viewBox=format!("0 0 {WIDTH} {height}")
                width=WIDTH.to_string()
                height=height.to_string()
            >
                <title id="chart-title">{title}</title>
                <desc id="chart-about">{description}</desc>
                {drawing}
            </svg>
        </div>
    }
}

/// Describes the chart for screen readers.
fn description(bars: &[Bar], what: &str) -> String {
    let most = bars.iter().rev().max_by_key(|(_, number)| *number);
    let most = most.map(|(label, number)| format!(" The highest number is {} ({label}).", grouped(*number)));
    format!(
        "A bar chart of {} rows; longer bars mean more {}.{} The table below contains every number.",
        grouped(length(bars.len())),
        what.to_lowercase(),
        most.unwrap_or_default()
    )
}

fn upright(bars: &[Bar], most: i64) -> impl IntoView + use<> {
    let top = scale_end(most);
    let floor = HEIGHT - BELOW;
    let room = floor - ABOVE;
    let step = (WIDTH - LEFT - 8.0) / to_f64(length(bars.len()));
    let every = bars.len().div_ceil(10).max(1);
    let lines = [0, top / 2, top].map(|value| {
        let y = share(value, top).mul_add(-room, floor);
        view! {
            <line class="axis" x1=LEFT.to_string() x2=WIDTH.to_string() y1=number(y) y2=number(y) />
            <text x=number(LEFT - 8.0) y=number(y + 4.0) text-anchor="end">{grouped(value)}</text>
        }
    });
    let marks: Vec<_> = bars
        .iter()
        .enumerate()
        .map(|(index, (label, value))| {
            let x = step.mul_add(to_f64(length(index)), LEFT);
            let height = share(*value, top) * room;
            let hover = format!("{label}: {}", grouped(*value));
            let below = (index % every == 0).then(|| {
                let middle = number(step.mul_add(0.5, x));
                view! { <text x=middle y=number(HEIGHT - 9.0) text-anchor="middle">{label.clone()}</text> }
            });
            view! {
                <rect
                    class="mark"
                    x=number(step.mul_add(0.1, x))
                    y=number(floor - height)
                    width=number(step * 0.8)
                    height=number(height)
                >
                    <title>{hover}</title>
                </rect>
                {below}
            }
        })
        .collect();
    view! { {lines.collect_view()} {marks.collect_view()} }
}

fn lying(bars: &[Bar], most: i64) -> impl IntoView + use<> {
    let longest = bars.iter().map(|(label, _)| shortened(label).chars().count()).max().unwrap_or(0);
    let labels = CHARACTER.mul_add(to_f64(length(longest)), 24.0);
    // Room for the number at the end of the longest bar.
    let room = WIDTH - labels - 96.0;
    let foot = LINE.mul_add(to_f64(length(bars.len())), ABOVE);
    let marks: Vec<_> = bars
        .iter()
        .enumerate()
        .map(|(index, (label, value))| {
            let y = LINE.mul_add(to_f64(length(index)), ABOVE);
            let width = share(*value, most) * room;
            view! {
                <text x=number(labels - 10.0) y=number(y + 17.0) text-anchor="end">{shortened(label)}</text>
                <rect class="mark" x=number(labels) y=number(y + 4.0) width=number(width) height=number(LINE - 8.0)>
                    <title>{format!("{label}: {}", grouped(*value))}</title>
                </rect>
                <text x=number(labels + width + 8.0) y=number(y + 17.0)>{grouped(*value)}</text>
            }
        })
        .collect();
    view! {
        {marks.collect_view()}
        <line class="axis" x1=number(labels) x2=number(labels) y1=number(ABOVE) y2=number(foot) />
    }
}

/// Returns the end of the scale: an even number of one significant digit that is not below the highest bar.
fn scale_end(most: i64) -> i64 {
    let mut unit = 1;
    while most / unit >= 10 {
        unit *= 10;
    }
    [2, 4, 6, 8, 10, 20].map(|times| times * unit).into_iter().find(|end| *end >= most).unwrap_or(most)
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL_LENGTH {
        return label.to_owned();
    }
    label.chars().take(LABEL_LENGTH - 1).chain(['…']).collect()
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "a chart is not more exact than a pixel")]
fn to_f64(number: i64) -> f64 {
    number as f64
}

fn share(value: i64, of: i64) -> f64 {
    to_f64(value) / to_f64(of.max(1))
}

/// Formats a coordinate with one decimal place.
fn number(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_above_the_highest_bar_and_halves_evenly() {
        for (most, end) in [
            (1, 2),
            (2, 2),
            (3, 4),
            (9, 10),
            (10, 20),
            (21, 40),
            (87, 100),
            (1_204, 2_000),
            (99_999, 100_000),
        ] {
            assert_eq!(scale_end(most), end, "{most}");
            assert_eq!(end % 2, 0);
        }
    }

    #[test]
    fn the_description_names_the_highest_number() {
        let bars = [("Jan 2017".to_owned(), 1), ("Feb 2017".to_owned(), 1_204)];
        assert_eq!(
            description(&bars, "Loans"),
            "A bar chart of 2 rows; longer bars mean more loans. The highest number is 1,204 (Feb 2017). The \
             table below contains every number."
        );
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), LABEL_LENGTH);
    }
}
