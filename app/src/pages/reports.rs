//! Reports: the list, one report, and its CSV file.

mod chart;
mod csv;
mod list;
mod one;

pub use csv::report_csv;
pub use list::ReportsPage;
pub use one::ReportPage;
