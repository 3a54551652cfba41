//! The compiled assets: style sheet, script, WebAssembly and icon, from a folder or from the program itself.

#[cfg(feature = "embed-assets")]
mod embedded;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::Response;
use leptos::config::LeptosOptions;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, TokioBackend};
use tower_http::set_header::SetResponseHeaderLayer;

/// The file with the hash of the build, which the names of script, WebAssembly and style sheet contain.
pub(crate) const HASH_FILE: &str = "hash.txt";
/// The folder with these three.
const PACKAGE: &str = "pkg";
/// Their name without the hash.
const NAME: &str = "lethe";

/// The place of the compiled assets.
#[derive(Clone, Debug)]
pub(crate) enum Site {
    /// A folder that `make site` wrote.
    Folder(PathBuf),
    /// The program, which was built with the feature `embed-assets`.
    #[cfg(feature = "embed-assets")]
    Embedded,
}

impl Site {
    /// Returns the folder, or the assets in the program if no folder is set. A program without assets uses
    /// `target/site`.
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        match folder {
            Some(folder) => Self::Folder(folder.to_owned()),
            #[cfg(feature = "embed-assets")]
            None => Self::Embedded,
            #[cfg(not(feature = "embed-assets"))]
            None => Self::Folder(PathBuf::from("target/site")),
        }
    }

    /// Returns the folder, if the assets are in one.
    #[cfg_attr(
        not(feature = "embed-assets"),
        expect(clippy::unnecessary_wraps, reason = "without embedded assets there is always a folder")
    )]
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            #[cfg(feature = "embed-assets")]
            Self::Embedded => None,
        }
    }

    /// Returns the paths of the style sheet, the script and the WebAssembly. Without a hash file they have no hash.
    pub(crate) fn files(&self) -> io::Result<[String; 3]> {
        let name = self.output_name()?;
        Ok([".css", ".js", "_bg.wasm"].map(|end| format!("{PACKAGE}/{name}{end}")))
    }

    /// Reads a file of the site.
    pub(crate) fn read(&self, path: &str) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Self::Folder(folder) => std::fs::read(folder.join(path)).map(Cow::Owned),
            #[cfg(feature = "embed-assets")]
            Self::Embedded => embedded::read(path).map(Cow::Borrowed),
        }
    }

    /// Returns what Leptos needs to name the assets in a page. The server reads the hash here, once. Leptos would read
    /// it from a file for each page, which a program with embedded assets does not have.
    pub(crate) fn options(&self) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name(self.output_name().unwrap_or_else(|_| NAME.to_owned()))
            .site_root(self.folder().unwrap_or(Path::new("")).to_string_lossy().into_owned())
            .site_pkg_dir(PACKAGE)
            .build()
    }

    /// Returns the routes of the assets. Their answers are the same for both places.
    pub(crate) fn routes(&self) -> Router {
        match self {
            Self::Folder(folder) => routes(folder, TokioBackend),
            #[cfg(feature = "embed-assets")]
            Self::Embedded => routes(Path::new(""), embedded::Embedded),
        }
    }

    /// Returns the name that script, WebAssembly and style sheet share.
    fn output_name(&self) -> io::Result<String> {
        match self.read(HASH_FILE) {
            Ok(hash) => Ok(format!("{NAME}.{}", String::from_utf8_lossy(&hash).trim())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(NAME.to_owned()),
            Err(error) => Err(error),
        }
    }
}

/// Serves the package, compressed beforehand and cached for ever because of the hashed names, and the icon. A file that
/// is missing may appear later.
fn routes<B: Backend>(site: &Path, backend: B) -> Router {
    let package = ServeDir::with_backend(site.join(PACKAGE), backend.clone());
    let cache = |response: &Response| {
        let is_found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        let cache = if is_found { "public, max-age=31536000, immutable" } else { "no-store" };
        Some(HeaderValue::from_static(cache))
    };
    let package = Router::new()
        .fallback_service(package.precompressed_br().precompressed_gzip())
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, cache));
    Router::new()
        .nest_service("/pkg", package)
        .route_service("/favicon.svg", ServeDir::with_backend(site, backend))
}
