//! Builds the program again when the assets that it embeds change. `LETHE_ASSETS_DIR` must name their folder.
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_EMBED_ASSETS").is_some() {
        println!("cargo::rerun-if-env-changed=LETHE_ASSETS_DIR");
        println!("cargo::rerun-if-changed={}", std::env::var("LETHE_ASSETS_DIR").unwrap_or_default());
    }
}
