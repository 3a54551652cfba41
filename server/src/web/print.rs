//! The style sheet with the header and footer of printed pages about a run.

use app::state::AppState;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use policy::dates;
use serde::Deserialize;
use std::fmt::Write as _;
use trail::library;

/// The query of the style sheet: the run that the page is about.
#[derive(Deserialize)]
pub(super) struct PrintQuery {
    run: Option<i64>,
}

/// Answers with a style sheet that prints library, run, date and page number in the margins.
pub(super) async fn print_style(
    State(state): State<AppState>,
    Query(PrintQuery { run }): Query<PrintQuery>,
) -> impl IntoResponse {
    // If the database does not answer, the page itself reports it.
    let library = library::read(&state.store.db).await.unwrap_or_default();
    let library = library.name.as_deref().unwrap_or("Lethe");
    let run = run.map(|run| format!("Run {run}")).unwrap_or_default();
    let today = dates::shown(state.store.clock.today());
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], style(library, &run, &today))
}

fn style(library: &str, run: &str, date: &str) -> String {
    let [library, run, date] = [library, run, date].map(css_string);
    format!(
        "@page {{ margin: 20mm 16mm; font: 9pt sans-serif; @top-left {{ content: {library}; }} \
         @top-center {{ content: {run}; }} @top-right {{ content: {date}; }} \
         @bottom-right {{ content: \"Page \" counter(page) \" of \" counter(pages); }} }}\n"
    )
}

/// Returns a text as a CSS string. Everything except ASCII letters, digits and spaces is escaped. A space ends each
/// escape, because CSS would otherwise take a space of the text as its end.
fn css_string(text: &str) -> String {
    let mut string = String::from("\"");
    for char in text.chars() {
        if char.is_ascii_alphanumeric() || char == ' ' {
            string.push(char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(string, "\\{:06x} ", u32::from(char));
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_library_cannot_end_the_css_string() {
        assert_eq!(css_string("Town 2"), "\"Town 2\"");
        assert_eq!(css_string("\"}\\\n"), "\"\\000022 \\00007d \\00005c \\00000a \"");
        assert_eq!(css_string("Köln"), "\"K\\0000f6 ln\"");
        let style = style("A", "Run 5", "1 Jan 2018");
        assert!(style.contains("@top-left { content: \"A\"; }"), "{style}");
        assert!(style.contains("counter(page) \" of \" counter(pages)"), "{style}");
    }
}
