//! Lethe: the staff desk that lets a library forget people without forgetting what it learned.

mod causes;
mod command;
mod config;
mod oidc;
mod scheduler;
mod startup;
mod web;

use clap::Parser;
use std::process::ExitCode;

/// Gives memory back after large runs, which the allocator of the system keeps for each thread.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    startup::keep_files_private();
    let arguments = command::Arguments::parse();
    arguments.carry_out().await.unwrap_or_else(|error| {
        eprintln!("Not done: {}", causes::of(&error));
        ExitCode::FAILURE
    })
}
