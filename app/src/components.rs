//! The parts that pages are made of. All are rendered on the server and work without WebAssembly.

mod banner;
mod bare_layout;
mod escape;
pub(crate) mod forms;
pub(crate) mod lists;
pub(crate) mod load;
pub(crate) mod page_layout;
mod print;

pub(crate) use banner::Banner;
pub(crate) use bare_layout::BareLayout;
pub(crate) use escape::escaped;
pub(crate) use forms::{
    AskFirst, DateInput, FieldProblem, FilterProblem, Notice, PostButton, ProblemSummary, ReauthHint,
    UserName,
};
pub use lists::percent_encoded;
pub(crate) use lists::{Count, Day, Pager, Pages, Timestamp, options};
pub(crate) use load::{
    choice, date_query, filter, guarded_page, own_address, paging, path_param, query, search_text,
    wrong_filters,
};
pub(crate) use page_layout::{Crumb, PageAction, PageLayout};
pub(crate) use print::PrintHeader;
