//! Guessing passwords and codes from many addresses, while the owner can still sign in.

use super::library::number;
use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, post};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use db::{Clock, SignIn};
use identity::{session, staff};
use operations::health::{self, ConditionKind};
use policy::Role;
use records::accounts;
use std::net::{IpAddr, Ipv4Addr};

/// Opens a library behind a proxy on this computer.
pub(in crate::web::tests) async fn library(allow_password_only: bool) -> Desk {
    let desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only, ..SignIn::default() },
        |_| (),
        NetworkConfig { proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..NetworkConfig::default() },
    )
    .await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk
}

/// Posts a form from an address, with these cookies.
async fn send(
    desk: &Desk,
    from: &str,
    cookies: &str,
    to: &str,
    form: &str,
) -> (StatusCode, HeaderMap, String) {
    let mut request = post(to, form.to_owned());
    request.headers_mut().insert("x-forwarded-for", from.parse().unwrap());
    let mut browser = desk.clone();
    cookies.clone_into(&mut browser.cookie);
    browser.answer(request).await
}

pub(in crate::web::tests) async fn sign_in(
    desk: &Desk,
    from: &str,
    cookies: &str,
    password: &str,
) -> (StatusCode, HeaderMap, String) {
    let form = format!("form[user_id]=ng&form[password]={}", password.replace(' ', "+"));
    send(desk, from, cookies, "/do/sign_in?page=/sign-in", &form).await
}

async fn send_code(desk: &Desk, from: &str, cookies: &str, code: &str) -> (StatusCode, HeaderMap, String) {
    let to = "/do/second_factor?page=/sign-in/code";
    send_in_session(desk, from, cookies, to, &format!("form[code]={code}")).await
}

/// Posts a form of the session in these cookies.
async fn send_in_session(
    desk: &Desk,
    from: &str,
    cookies: &str,
    to: &str,
    form: &str,
) -> (StatusCode, HeaderMap, String) {
    let key = cookies.split("lethe=").nth(1).unwrap().split(';').next().unwrap();
    let token = session::load_and_touch(&desk.store, key).await.unwrap().map(|session| session.form_token);
    send(desk, from, cookies, to, &format!("{form}&form_token={}", token.unwrap_or_default())).await
}

/// Returns the cookies that a response sets, as the browser sends them back.
pub(in crate::web::tests) fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.split(';').next());
    set.collect::<Vec<_>>().join("; ")
}

fn address(number: usize) -> String {
    format!("10.{}.{}.1", number / 250, number % 250)
}

#[tokio::test]
async fn guesses_of_a_password_from_many_addresses_are_limited() {
    let desk = library(true).await;
    let (status, headers, _) = sign_in(&desk, "192.0.2.1", "", PASSWORD).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let device = cookies(&headers);
    let device = device.split("; ").find(|cookie| cookie.starts_with("lethe-device=")).unwrap();

    let mut checked = 0;
    for number in 0..100 {
        for password in ["guess number one", "guess number two"] {
            let (status, headers, _) = sign_in(&desk, &address(number), "", password).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(headers["retry-after"], "60");
            } else {
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
                checked += 1;
            }
        }
    }
    assert!((10..=20).contains(&checked), "{checked} of 200 guesses from 100 addresses");
    // The owner can sign in from any address with a known browser, and from a known address with any browser.
    assert_eq!(sign_in(&desk, "198.51.100.9", device, PASSWORD).await.0, StatusCode::SEE_OTHER);
    assert_eq!(sign_in(&desk, "192.0.2.1", "", PASSWORD).await.0, StatusCode::SEE_OTHER);
    // The device cookie of one user is not valid for another user.
    desk.staff("chief", &[Role::Administrator]).await;
    let form = "form[user_id]=chief&form[password]=a+wrong+password";
    let mut allowed = 0;
    for number in 100..140 {
        let to = "/do/sign_in?page=/sign-in";
        let (status, ..) = send(&desk, &address(number), device, to, form).await;
        allowed += usize::from(status == StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!((10..=20).contains(&allowed), "{allowed}");
    // Repeated failed sign-ins are counted, not recorded one by one.
    let failed = "SELECT COUNT(*) FROM audit_events WHERE action = 'sign_in_failed'";
    assert_eq!(number(&desk.store, failed).await, 2);
}

/// Sets up an app for ng, and returns the recovery codes and the cookie of their device.
pub(in crate::web::tests) async fn with_app(desk: &Desk) -> (Vec<String>, String) {
    let (_, headers, _) = sign_in(desk, "192.0.2.1", "", PASSWORD).await;
    let key = cookies(&headers).strip_prefix("lethe=").unwrap().to_owned();
    let halfway = session::load_and_touch(&desk.store, &key).await.unwrap().unwrap();
    let secret = session::begin_setup(&desk.store, &halfway).await.unwrap().secret;
    let secret = totp_rs::Secret::try_from_base32(&*secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let form = format!("form[code]={}&form_token={}", totp.generate_current(), halfway.form_token);
    let to = "/do/confirm_app?page=/sign-in/app";
    let (status, headers, page) = send(desk, "192.0.2.1", &format!("lethe={key}"), to, &form).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let codes = page.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    let device = cookies(&headers);
    let device = device.split("; ").find(|cookie| cookie.starts_with("lethe-device=")).unwrap().to_owned();
    (codes, device)
}

#[tokio::test]
async fn guesses_of_codes_are_limited_and_the_owner_is_notified() {
    let desk = library(false).await;
    let (codes, device) = with_app(&desk).await;
    let user = staff::user_with_id(&desk.store, "ng").await.unwrap().unwrap();

    // An attacker who knows the password uses a new address for each request.
    let mut checked = Vec::new();
    for number in 0..8 {
        let from = |step: usize| address(100 * number + step);
        let (status, headers, _) = sign_in(&desk, &from(99), "", PASSWORD).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let session = cookies(&headers);
        let mut checked_now = 0;
        for step in 0..12 {
            // Wrong recovery codes count as well.
            let code = if step % 2 == 0 { format!("{step:06}") } else { "aaaa-bbbb-cccc-dddd".to_owned() };
            let (status, ..) = send_code(&desk, &from(step), &session, &code).await;
            checked_now +=
                usize::from([StatusCode::UNPROCESSABLE_ENTITY, StatusCode::CONFLICT].contains(&status));
        }
        checked.push(checked_now);
    }
    assert_eq!(checked, [5, 5, 0, 0, 0, 0, 0, 0], "five in each sign-in, ten in all");
    // Another server on the same database counts the same attempts.
    let other = desk.store.as_another_process(Clock::new(chrono_tz::Tz::Europe__London));
    let (_, headers, _) = sign_in(&desk, "10.9.9.9", "", PASSWORD).await;
    let key = cookies(&headers).strip_prefix("lethe=").unwrap().to_owned();
    let halfway = session::load_and_touch(&other, &key).await.unwrap().unwrap();
    let refused = session::second_factor(&other, &halfway, &codes[0], None).await;
    assert!(matches!(refused, Err(db::RecordsError::Busy)), "{refused:?}");

    // The owner signs in with a known browser.
    let (status, headers, _) = sign_in(&desk, "203.0.113.5", &device, PASSWORD).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let halfway = format!("{}; {device}", cookies(&headers));
    let (status, headers, page) = send_code(&desk, "203.0.113.5", &halfway, &codes[0]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let mut owner = desk.clone();
    owner.cookie = cookies(&headers).split("; ").next().unwrap().to_owned();
    let notice = "A sign-in with your password was ended after five wrong codes";
    for page in ["/", "/users", "/account"] {
        assert!(owner.get(page).await.2.contains("Read the notices there"), "{page}");
    }
    assert!(owner.get("/account").await.2.contains(notice));
    let refused =
        format!("SELECT COUNT(*) FROM audit_events WHERE action = 'codes_refused' AND subject_id = {user}");
    assert_eq!(number(&desk.store, &refused).await, 2);
    let conditions = health::read(&desk.store).await.unwrap().conditions;
    assert!(
        conditions.iter().any(|one| one.what == ConditionKind::CodesGuessed { accounts: 1 }),
        "{conditions:?}"
    );

    // Read notices stay on the page of the account.
    let key = owner.cookie.strip_prefix("lethe=").unwrap();
    owner.token = session::load_and_touch(&desk.store, key).await.unwrap().unwrap().form_token;
    let page = owner.get("/account").await.2;
    let until = page.split("form[until]\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("form[until]={}", until.replace('+', "%2B"));
    assert_eq!(owner.post("/do/read_notices?page=/account", form).await.0, StatusCode::SEE_OTHER);
    assert!(!owner.get("/").await.2.contains("Read the notices there"));
    assert!(owner.get("/account").await.2.contains(notice));
}

/// All staff share one address. An attacker uses up its rate limit; the owner can still sign in and reauthenticate.
#[tokio::test]
async fn an_attacker_at_the_same_address_cannot_lock_the_owner_out() {
    let desk = library(false).await;
    let (codes, device) = with_app(&desk).await;
    let here = "192.0.2.1";
    let attack = async || {
        for number in 0..100 {
            let form = format!("form[user_id]=junk{number}&form[password]=x");
            send(&desk, here, "lethe-device=00.11", "/do/sign_in?page=/sign-in", &form).await;
        }
        assert_eq!(sign_in(&desk, here, "", PASSWORD).await.0, StatusCode::TOO_MANY_REQUESTS);
    };
    attack().await;
    let (status, headers, page) = sign_in(&desk, here, &device, PASSWORD).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let halfway = format!("{}; {device}", cookies(&headers));
    let (status, headers, page) = send_code(&desk, here, &halfway, &codes[0]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    attack().await;
    // The session alone is enough: the browser may have deleted the device cookie.
    let whole = cookies(&headers).split("; ").next().unwrap().to_owned();
    let password = PASSWORD.replace(' ', "+");
    let form = format!("form[password]={password}&form[code]={}", codes[1]);
    let to = "/do/sign_in_again?page=/sign-in/again";
    let (status, headers, page) = send_in_session(&desk, here, &whole, to, &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let new = "violet+anchor+ninety+marbles";
    let form = format!("form[old]={password}&form[password]={new}&form[repeated]={new}");
    let to = "/do/change_password?page=/account";
    let (status, headers, page) = send_in_session(&desk, here, &cookies(&headers), to, &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    // Guesses in a stolen session are limited, too.
    let whole = cookies(&headers);
    let mut checked = 0;
    for _ in 0..20 {
        let form = "form[old]=guess&form[password]=x&form[repeated]=x";
        let (status, ..) = send_in_session(&desk, here, &whole, to, form).await;
        checked += usize::from(status == StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(checked <= 6, "{checked} of 20 guesses in a session");
}

/// Four wrong codes do not end a sign-in, but they count over all sign-ins of the user.
#[tokio::test]
async fn the_owner_is_notified_of_wrong_codes_in_many_sign_ins() {
    let desk = library(false).await;
    with_app(&desk).await;
    let user = staff::user_with_id(&desk.store, "ng").await.unwrap().unwrap();
    let notices = async |kind: &str| {
        let sql = format!(
            "SELECT COALESCE(SUM(times), 0) FROM account_notices WHERE kind = '{kind}' AND user_number = {user}"
        );
        number(&desk.store, &sql).await
    };
    let guessed = async || {
        let conditions = health::read(&desk.store).await.unwrap().conditions;
        conditions.iter().any(|one| one.what == ConditionKind::CodesGuessed { accounts: 1 })
    };
    let (mut wrong, mut refused) = (0, 0);
    for round in 0..4 {
        let (_, headers, _) = sign_in(&desk, &address(round), "", PASSWORD).await;
        let session = cookies(&headers);
        for _ in 0..4 {
            let (status, ..) = send_code(&desk, &address(round), &session, "000000").await;
            wrong += usize::from(status == StatusCode::UNPROCESSABLE_ENTITY);
            refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(notices("codes_tried").await, i64::from(wrong >= 5), "after {wrong} wrong codes");
            assert_eq!(guessed().await, wrong >= 5, "after {wrong} wrong codes");
            assert_eq!(notices("codes_used_up").await, i64::from(wrong >= 10), "after {wrong} wrong codes");
        }
    }
    assert_eq!((wrong, refused, notices("codes_refused").await), (10, 6, 0));
}

#[tokio::test]
async fn a_password_matches_in_every_unicode_normalisation() {
    let desk = library(true).await;
    let added = accounts::add(&desk.store, trail::Actor::COMMAND_LINE, "bar", Role::Librarian).await.unwrap();
    let key = added.1.unwrap().token;
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let composed = "gr\u{f6}\u{df}ere B\u{e4}renh\u{f6}hle fr\u{fc}h";
    let decomposed = "gro\u{308}\u{df}ere Ba\u{308}renho\u{308}hle fru\u{308}h";
    let form = format!(
        "form[key]={}&form[password]={}&form[repeated]={}",
        key.reveal(),
        percent(composed),
        percent(decomposed)
    );
    let to = "/do/accept_invitation?page=/sign-in";
    let (status, _, page) = send(&desk, "192.0.2.1", "", to, &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    for typed in [composed, decomposed] {
        let form = format!("form[user_id]=bar&form[password]={}", percent(typed));
        let (status, ..) = send(&desk, "192.0.2.1", "", "/do/sign_in?page=/sign-in", &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{typed}");
    }
}

#[tokio::test]
async fn every_form_rejects_breached_and_guessable_passwords() {
    let desk = library(true).await;
    let ng = desk.another("ng").await;
    let invited =
        accounts::add(&desk.store, trail::Actor::COMMAND_LINE, "bar", Role::Librarian).await.unwrap();
    let key = invited.1.unwrap().token;
    let to = "/do/accept_invitation?page=/sign-in";
    for bad in ["correct+horse+battery+staple", "Summer2026!!Summer2026", "forget+me+in+the+library"] {
        let form =
            format!("form[old]={}&form[password]={bad}&form[repeated]={bad}", PASSWORD.replace(' ', "+"));
        let (status, _, page) = ng.post("/do/change_password?page=/account", form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(page.contains("Enter another password"), "{bad}");
        let form = format!("form[key]={}&form[password]={bad}&form[repeated]={bad}", key.reveal());
        let (status, ..) = send(&desk, "192.0.2.1", "", to, &form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(desk.try_to_sign_in("ng", PASSWORD).await.0, StatusCode::SEE_OTHER, "nothing was changed");
}
