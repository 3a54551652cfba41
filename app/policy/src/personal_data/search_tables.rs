//! Tables of what staff arrange for their own searches.

use super::DataClass::{FreeText, Link, NotPersonal};
use super::ErasureAction::DeleteRow;
use super::{RowOwner, Table, entry};

pub(super) const USER_LIST_LAYOUTS: Table = Table {
    name: "user_list_layouts",
    label: "Layouts of the list of users",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, DeleteRow, "Member of staff"),
        entry("columns", NotPersonal, DeleteRow, "Columns, as codes"),
        entry("page_rows", NotPersonal, DeleteRow, "Users on a page"),
    ],
};

pub(super) const SAVED_SEARCHES: Table = Table {
    name: "saved_searches",
    label: "Saved searches",
    owner: RowOwner::User("owner_number"),
    columns: &[
        entry("id", NotPersonal, DeleteRow, "Key"),
        entry("owner_number", Link, DeleteRow, "Member of staff who saved it"),
        entry("name", FreeText, DeleteRow, "Name"),
        entry("shared", NotPersonal, DeleteRow, "All staff who may see users can run it"),
        entry("search_text", FreeText, DeleteRow, "Text of the search; it can name any user"),
        entry("filters", NotPersonal, DeleteRow, "Filters and order, as codes and dates"),
        entry("changed_at", NotPersonal, DeleteRow, "Saved"),
    ],
};
