//! Lethe: anonymises the users of a library and keeps its statistics.

mod causes;
mod command;
mod config;
mod network;
mod oidc;
mod scheduler;
mod site;
mod startup;
mod web;

use clap::Parser;
use std::process::ExitCode;

/// Returns memory to the system after large runs; the default allocator keeps it for each thread.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    startup::keep_files_private();
    let arguments = command::Arguments::parse();
    arguments.execute().await.unwrap_or_else(|error| {
        if !error.is::<command::ReaderGone>() {
            command::print_error(&format!("Not done: {}", causes::describe(&error)));
        }
        ExitCode::FAILURE
    })
}
