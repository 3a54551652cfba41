//! Lists are pages, by key: no page costs more the further back it is.

/// The most rows on a page.
pub const MOST_ROWS: u64 = 100;
/// Rows on a page unless asked otherwise.
pub const ROWS: u64 = 50;

/// Which page of a list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Paging {
    /// The page begins after this key; None for the first page.
    pub after: Option<String>,
    /// Rows wanted, at most [`MOST_ROWS`].
    pub rows: Option<u64>,
}

impl Paging {
    /// Rows to read: one more than the page has, to know whether there is another page.
    pub(crate) fn limit(&self) -> u64 {
        self.rows.unwrap_or(ROWS).clamp(1, MOST_ROWS) + 1
    }
}

/// One page of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The key after which the next page begins; None on the last page.
    pub next: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), next: None }
    }
}

impl<T> Page<T> {
    /// Makes a page of rows that were read with [`Paging::limit`].
    pub(crate) fn of(mut rows: Vec<T>, paging: &Paging, key: impl Fn(&T) -> String) -> Self {
        let wanted = usize::try_from(paging.limit() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = more.then(|| rows.last().map(key)).flatten();
        Self { rows, next }
    }

    /// The same page of other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), next: self.next }
    }
}
