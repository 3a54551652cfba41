//! Keyset pagination: the cost of a page does not depend on its position in the list.

/// The maximum number of rows on a page.
pub const MAX_ROWS: u64 = 100;
/// The default number of rows on a page.
pub const DEFAULT_ROWS: u64 = 50;

/// Selects one page of a list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Paging {
    /// The page begins after this key. None for the first page.
    pub after: Option<String>,
    /// The page ends before this key. Only lists that can go back read it.
    pub before: Option<String>,
    /// The number of rows, at most [`MAX_ROWS`].
    pub rows: Option<u64>,
}

impl Paging {
    /// Returns how many rows to read: one more than the page shows, which tells whether another page follows.
    pub fn limit(&self) -> u64 {
        self.rows.unwrap_or(DEFAULT_ROWS).clamp(1, MAX_ROWS) + 1
    }
}

/// One page of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The key after which the next page begins. None on the last page.
    pub next: Option<String>,
    /// The key before which the previous page ends. None on the first page, and for lists that cannot go back.
    pub previous: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), next: None, previous: None }
    }
}

impl<T> Page<T> {
    /// Builds a page from rows that were read forwards with [`Paging::limit`].
    pub fn from_rows(mut rows: Vec<T>, paging: &Paging, key: impl Fn(&T) -> String) -> Self {
        let wanted = usize::try_from(paging.limit() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = more.then(|| rows.last().map(key)).flatten();
        Self { rows, next, previous: None }
    }

    /// Converts the rows of the page.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), next: self.next, previous: self.previous }
    }
}
