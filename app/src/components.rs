//! The components of pages. The server renders them, and they work without WebAssembly.

mod banner;
mod bar_chart;
mod bare_layout;
mod data_table;
mod escape;
pub(crate) mod flash;
pub(crate) mod forms;
mod library_name;
mod links;
pub(crate) mod lists;
pub(crate) mod load;
mod modules;
pub(crate) mod page_layout;
mod print;
mod shortcuts;
mod sign_out;
pub(crate) mod undo;

pub(crate) use banner::Banner;
pub(crate) use bar_chart::{Bar, BarChart};
pub(crate) use bare_layout::BareLayout;
pub(crate) use data_table::{Column, DataTable, text_columns};
pub(crate) use escape::escaped;
pub(crate) use forms::{
    AskFirst, DateInput, FieldProblem, FilterProblem, NewPasswordFields, Notice, PostButton, ProblemSummary,
    ReauthHint, UserName,
};
pub(crate) use library_name::{LibraryName, Logo};
pub(crate) use links::{person_link, task_link, task_links, user_address};
pub(crate) use lists::{Count, Day, Pager, Pages, RecordDay, Timestamp, options};
pub(crate) use load::{
    choice, date_query, filter, filter_error, filtered_list, guarded_page, own_address, paging, path_param,
    query, search_text,
};
pub(crate) use modules::modules;
pub(crate) use page_layout::{Crumb, PageAction, PageLayout};
pub(crate) use print::PrintHeader;
pub(crate) use shortcuts::Shortcuts;
pub(crate) use sign_out::SignOut;
