//! `lethe report NAME`: prints a report as a text table or as JSON.

use super::{Output, with_options};
use anyhow::bail;
use policy::numbers::grouped;
use records::report::{Counted, Report, ReportForm, count};
use std::process::ExitCode;
use trail::Store;

/// The report, its period and its grouping.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(help = format!("The report: {}", Report::ALL.map(Report::code).join(", ")))]
    name: String,
    /// Split the rows by branch, category or department.
    #[arg(long, default_value = "", hide_default_value = true)]
    by: String,
    /// The first day, for example 2018-01-15.
    #[arg(long, default_value = "", hide_default_value = true)]
    from: String,
    /// The last day, for example 2018-01-15.
    #[arg(long, default_value = "", hide_default_value = true)]
    to: String,
}

/// Prints a report.
pub(crate) async fn print(store: &Store, output: Output, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Some(report) = Report::from_code(&arguments.name) else {
        let names = Report::ALL.map(Report::code).join(", ");
        bail!("There is no report {}. There are: {names}", arguments.name);
    };
    let form = ReportForm { from: arguments.from, to: arguments.to, by: arguments.by };
    let query = match form.validate(report) {
        Ok(query) => query,
        Err(errors) => {
            let keys = report.choices().iter().map(|key| key.code()).collect();
            return Err(with_options(&errors, &[("by", keys)]));
        }
    };
    let counted = count(store, report, &query).await?;
    output.print(&counted, |counted| {
        format!("{}, {}\n\n{}\n\n{}", report.label(), query.period(), table(counted), report.note())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the rows as aligned columns: labels left-aligned, numbers right-aligned.
fn table(counted: &Counted) -> String {
    let keys = counted.keys.len();
    let numbers = |numbers: [i64; 2]| numbers.map(grouped);
    let mut lines: Vec<Vec<String>> = vec![counted.columns().into_iter().map(str::to_owned).collect()];
    for row in &counted.rows {
        lines.push(row.labels.iter().cloned().chain(numbers(row.numbers)).collect());
    }
    let total = (0..keys).map(|column| if column == 0 { "Total".to_owned() } else { String::new() });
    lines.push(total.chain(numbers(counted.total)).collect());
    let widths: Vec<usize> = (0..keys + 2)
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < keys { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::report::{Key, Row};

    #[test]
    fn the_columns_of_a_report_are_aligned() {
        let row = |label: &str, numbers| Row { labels: vec![label.to_owned()], numbers };
        let counted = Counted {
            report: Report::RequestsByBranch,
            from: None,
            to: None,
            keys: vec![Key::Branch],
            headings: Report::RequestsByBranch.numbers(),
            rows: vec![row("Main library", [1_204, 7]), row("Süd", [3, 2])],
            total: [1_207, 8],
        };
        assert_eq!(
            table(&counted),
            "Branch        Requests  Requesters\n\
             Main library     1,204           7\n\
             Süd                  3           2\n\
             Total            1,207           8"
        );
    }
}
