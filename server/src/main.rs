//! Lethe: the staff desk that lets a library forget people without forgetting what it learned.

mod config;
mod web;

use clap::Parser;

/// What can be asked on the command line.
#[derive(Debug, Parser)]
#[command(name = "lethe", version, about)]
struct Arguments {}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let config = config::Config::read()?;
    let store = records::Store::open(&config.database_url, config.clock()).await?;
    web::serve(&config, store).await
}
