//! The library's settings: the upload of the logo, and name, logo and currency on pages.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::abuse::PNG;
use super::desk::{Desk, post, without_proof};
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Request, StatusCode};
use policy::Role;
use sea_orm::ConnectionTrait as _;
use trail::library;

const UPLOAD: &str = "/library/logo/upload";

/// Returns the request that uploads a picture.
fn upload(token: &str, picture: &[u8]) -> Request<Body> {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n{token}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"logo.svg\"\r\nContent-Type: image/svg+xml\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(picture);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post(UPLOAD).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
    request.body(Body::from(body)).unwrap()
}

/// Uploads a picture and returns the address of the page that follows.
async fn uploaded(desk: &Desk, token: &str, picture: &[u8]) -> String {
    let (status, headers, page) = desk.answer(upload(token, picture)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    without_proof(headers[LOCATION].to_str().unwrap()).to_owned()
}

#[tokio::test]
async fn a_logo_is_uploaded_shown_and_removed() {
    let desk = Desk::open().await;
    assert_eq!(desk.get("/library/logo").await.0, StatusCode::NOT_FOUND);
    assert_eq!(uploaded(&desk, &desk.token, PNG).await, "/library?done=logo-saved");
    let digest = library::read(&desk.store.db).await.unwrap().logo_digest.unwrap();
    let address = format!("/library/logo?v={digest}");
    let (_, _, page) = desk.get("/users").await;
    assert!(page.contains(&format!("src=\"{address}\"")), "every page shows the logo");
    let (status, headers, _) = desk.get(&address).await;
    assert_eq!(status, StatusCode::OK);
    // The content decides about the type, not the name or the type that the browser sent.
    assert_eq!(headers[CONTENT_TYPE], "image/png");
    assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(headers[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'"));
    assert!(headers[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    for other in ["/library/logo", "/library/logo?v=0000"] {
        let (_, headers, _) = desk.get(other).await;
        assert_eq!(headers[CACHE_CONTROL], "private, no-cache", "{other}");
    }
    let (_, location, _) = desk.post("/do/remove_logo?page=/library", "").await;
    assert_eq!(without_proof(&location), "/library?done=logo-removed");
    assert_eq!(desk.get(&address).await.0, StatusCode::NOT_FOUND);
    let (_, _, page) = desk.get("/users").await;
    assert!(!page.contains("/library/logo"));
}

#[tokio::test]
async fn only_small_pictures_of_three_types_become_the_logo() {
    let desk = Desk::open().await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
    let mut wide = PNG.to_vec();
    wide[16..20].copy_from_slice(&2_001_u32.to_be_bytes());
    let mut large = PNG.to_vec();
    large.resize(200_001, 0);
    let mut larger = PNG.to_vec();
    larger.resize(5_000_000, 0);
    for (picture, code) in [
        (&svg[..], "not-a-picture"),
        (&gif[..], "not-a-picture"),
        (b"<!doctype html><script>alert(1)</script>", "not-a-picture"),
        (&PNG[..12], "not-a-picture"),
        (&wide, "too-many-pixels"),
        (&large, "too-large"),
        (&larger, "too-large"),
        (b"", "no-file"),
    ] {
        let page = uploaded(&desk, &desk.token, picture).await;
        assert_eq!(page, format!("/library?failed={code}"));
        let (status, _, page) = desk.get(&page).await;
        assert!(status == StatusCode::OK && page.contains("role=\"alert\""), "{code}");
    }
    assert_eq!(uploaded(&desk, "another", PNG).await, "/library?failed=other-session");
    let not_multipart = desk.answer(post(UPLOAD, format!("form_token={}", desk.token))).await;
    assert_eq!(not_multipart.0, StatusCode::SEE_OTHER);
    assert_eq!(library::read(&desk.store.db).await.unwrap().logo_digest, None);
}

#[tokio::test]
async fn only_administrators_change_the_settings() {
    let mut desk = Desk::open().await;
    for role in Role::ALL {
        desk.staff(role.code(), &[role]).await;
        desk.sign_in(role.code()).await;
        let answers = if role == Role::Administrator { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(desk.answer(upload(&desk.token, PNG)).await.0, answers, "{role:?}");
        let form = format!("form[name]={}&form[currency]=EUR", role.code());
        assert_eq!(desk.post("/do/save_library?page=/account", form).await.0, answers, "{role:?}");
        assert_eq!(desk.post("/do/remove_logo?page=/account", "").await.0, answers, "{role:?}");
    }
    let name = library::read(&desk.store.db).await.unwrap().name;
    assert_eq!(name.as_deref(), Some(Role::Administrator.code()));
}

#[tokio::test]
async fn name_and_currency_are_shown_and_problems_stay_at_their_fields() {
    let desk = Desk::open().await;
    let form = "form[name]=Town+%26+County&form[currency]=JPY&form[address]=1+High+Street%0D%0ATown";
    let (_, location, page) = desk.post("/do/save_library?page=/library", form).await;
    assert_eq!(without_proof(&location), "/library?done=library-saved", "{page}");
    let (_, _, page) = desk.get("/tasks").await;
    assert!(page.contains("Town &amp; County"), "{page}");
    // Another administrator saved while this form was open: the first change is not lost.
    let (_, _, page) = desk.get("/library").await;
    let based_on =
        page.split_once("form[based_on]\" value=\"").expect("the field").1.split('"').next().unwrap();
    desk.post("/do/save_library?page=/library", format!("{form}&form[contact]=020+1")).await;
    let stale = format!("form[name]=Other&form[currency]=EUR&form[based_on]={based_on}");
    let (status, _, page) = desk.post("/do/save_library?page=/library", stale.clone()).await;
    assert!(
        status == StatusCode::CONFLICT && page.contains("changed after you opened it"),
        "{status} {page}"
    );
    desk.post("/do/save_library?page=/library", form).await;
    let (_, location, _) =
        desk.post("/do/save_library?page=/library", stale.replace("Other", "Town+%26+County")).await;
    assert_eq!(
        without_proof(&location),
        "/library?done=library-saved",
        "the settings are those of the form again"
    );
    desk.post("/do/save_library?page=/library", form).await;
    let user = "INSERT INTO users (number, uuid, last_name, imported, created_on) VALUES \
                (700, 'u700', 'Owes', FALSE, '2015-01-01')";
    desk.store.db.execute_unprepared(user).await.unwrap();
    let charge = "INSERT INTO charges (user_number, kind, cents, charged_on) VALUES (700, 'fine', 125000, '2017-01-01')";
    desk.store.db.execute_unprepared(charge).await.unwrap();
    let (_, _, page) = desk.get("/users/700?tab=charges").await;
    assert!(page.contains("JPY\u{a0}1,250<"), "{page}");
    let (status, _, page) =
        desk.post("/do/save_library?page=/library", "form[name]=X&form[currency]=XAU").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Choose a currency") && page.contains("value=\"X\""), "{page}");
}
