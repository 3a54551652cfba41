//! The assets of both places: the folder that the tests use, and the program if it was built with the feature.

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LAST_MODIFIED, RANGE,
    VARY,
};
use axum::http::{HeaderMap, Request};
use tower::ServiceExt as _;

fn places() -> Vec<Site> {
    vec![
        Site::Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site")),
        #[cfg(feature = "embed-assets")]
        Site::Embedded,
    ]
}

async fn get(site: &Site, path: &str, sent: &[(HeaderName, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::get(path);
    for (name, value) in sent {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let (parts, body) = site.routes().oneshot(request).await.expect("an answer").into_parts();
    (parts.status, parts.headers, to_bytes(body, 1 << 20).await.expect("a body").to_vec())
}

#[tokio::test]
async fn both_places_answer_alike() {
    const BROTLI: (HeaderName, &str) = (ACCEPT_ENCODING, "gzip, br");
    for (path, sent, status, expected) in [
        ("/pkg/lethe.css", None, StatusCode::OK, "text/css"),
        ("/pkg/lethe.css", Some(BROTLI), StatusCode::OK, "text/css"),
        ("/pkg/lethe.css", Some((ACCEPT_ENCODING, "gzip")), StatusCode::OK, "text/css"),
        ("/pkg/lethe.css", Some((RANGE, "bytes=0-3")), StatusCode::PARTIAL_CONTENT, "text/css"),
        ("/pkg/lethe.js", Some(BROTLI), StatusCode::OK, "text/javascript"),
        ("/pkg/lethe_bg.wasm", None, StatusCode::OK, "application/wasm"),
        ("/favicon.svg", Some(BROTLI), StatusCode::OK, "image/svg+xml"),
        ("/pkg/missing.js", None, StatusCode::NOT_FOUND, ""),
        ("/pkg/", None, StatusCode::NOT_FOUND, ""),
        ("/pkg/../hash.txt", None, StatusCode::NOT_FOUND, ""),
        ("/pkg/%2e%2e/favicon.svg", None, StatusCode::NOT_FOUND, ""),
    ] {
        let mut answers = Vec::new();
        for site in places() {
            let (found, mut headers, body) = get(&site, path, sent.as_slice()).await;
            assert_eq!(found, status, "{path} {sent:?} {site:?}");
            let kind = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().expect("text"));
            assert_eq!(kind, expected, "{path} {site:?}");
            // The program keeps whole seconds of a file's time only, so the two tags differ.
            assert_eq!(headers.remove(ETAG).is_some(), status.is_success(), "{path} {site:?}");
            answers.push((headers, body));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path} {sent:?}: {answers:?}");
    }
}

#[tokio::test]
async fn assets_are_cached_for_ever_and_compressed_beforehand() {
    for site in places() {
        let (_, headers, body) = get(&site, "/pkg/lethe.css", &[(ACCEPT_ENCODING, "gzip, br")]).await;
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(
            (headers[CONTENT_ENCODING].as_bytes(), body.as_slice()),
            (&b"br"[..], &b"brotli, for the tests"[..])
        );
        assert_eq!(headers[VARY], "accept-encoding");
        assert!(headers.contains_key(LAST_MODIFIED));
        let tag = headers[ETAG].to_str().expect("text");
        let known = [(ACCEPT_ENCODING, "gzip, br"), (IF_NONE_MATCH, tag)];
        assert_eq!(get(&site, "/pkg/lethe.css", &known).await.0, StatusCode::NOT_MODIFIED);
        assert_eq!(get(&site, "/pkg/missing.js", &[]).await.1[CACHE_CONTROL], "no-store");
    }
}

#[test]
fn every_file_that_a_page_names_exists() {
    for site in places() {
        let files = site.files().expect("names");
        assert_eq!(files, ["pkg/lethe.css", "pkg/lethe.js", "pkg/lethe_bg.wasm"]);
        for file in files {
            assert!(site.read(&file).is_ok(), "{file} {site:?}");
        }
    }
}

#[test]
fn the_names_contain_the_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(HASH_FILE), "0123abcd\n").expect("written");
    let site = Site::Folder(folder.path().to_owned());
    assert_eq!(&*site.options().output_name, "lethe.0123abcd");
    assert_eq!(site.files().expect("names")[2], "pkg/lethe.0123abcd_bg.wasm");
}

#[test]
fn a_folder_takes_precedence() {
    let folder = Path::new("elsewhere");
    assert_eq!(Site::new(Some(folder)).folder(), Some(folder));
    let otherwise = if cfg!(feature = "embed-assets") { None } else { Some(Path::new("target/site")) };
    assert_eq!(Site::new(None).folder(), otherwise);
}
