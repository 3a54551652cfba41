//! The parts that pages are made of. All are rendered on the server and work without WebAssembly.

mod banner;
pub(crate) mod forms;
pub(crate) mod frame;
pub(crate) mod lists;
pub(crate) mod load;
mod plain;
mod print;
mod raw;

pub(crate) use banner::Banner;
pub(crate) use forms::{
    AskFirst, DateInput, FieldProblem, FilterProblem, Notice, PostButton, ProblemSummary, SignInFirst,
    UserName,
};
pub(crate) use frame::{Action, Crumb, Frame};
pub use lists::percent_encoded;
pub(crate) use lists::{Count, Day, Moment, Pager, Pages, options};
pub(crate) use load::{
    choice, date_query, filter, named_in_path, own_address, page, paging, query, sought_text, wrong_filters,
};
pub(crate) use plain::Plain;
pub(crate) use print::PrintHeader;
pub(crate) use raw::escaped;
