//! The category and department of a line, which a loan, request or charge keeps from its own day.

use super::cells::CellReader;
use crate::reader::Header;
use policy::TermKind;
use safeguards::key_periods::LoanUser;

/// The codes of a line. `None` means an empty cell or a missing column.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    category: Option<String>,
    department: Option<String>,
}

impl Codes {
    /// Reads the codes of a line.
    pub(super) fn read(cells: &mut CellReader<'_>) -> Self {
        Self { category: cells.short("category"), department: cells.short("department") }
    }

    /// Returns the codes to be spelled, with their kinds.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (TermKind, &mut String)> {
        let category = self.category.as_mut().map(|code| (TermKind::Category, code));
        let department = self.department.as_mut().map(|code| (TermKind::Department, code));
        [category, department].into_iter().flatten()
    }

    /// Returns category and department of a new row: those of the user, where the file has no such column.
    pub(super) fn or_of(self, header: &Header, user: &LoanUser) -> (Option<String>, Option<String>) {
        let choose = |column: &str, own: Option<String>, of_user: &Option<String>| {
            if header.has(column) { own } else { of_user.clone() }
        };
        (
            choose("category", self.category, &user.category),
            choose("department", self.department, &user.department),
        )
    }

    /// Changes category and department of an existing row.
    pub(super) fn set(self, header: &Header, category: &mut Option<String>, department: &mut Option<String>) {
        set_cells(
            header,
            [("category", self.category, category), ("department", self.department, department)],
        );
    }
}

/// Sets the places of these columns to their cells. An empty cell empties its place only if the import says so.
pub(super) fn set_cells<const N: usize>(
    header: &Header,
    cells: [(&str, Option<String>, &mut Option<String>); N],
) {
    for (column, value, place) in cells {
        if header.has(column) && (value.is_some() || header.clears_empty()) {
            *place = value;
        }
    }
}
