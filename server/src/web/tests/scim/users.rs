//! Reads and changes by an identity system.

use super::{Api, ENTERPRISE, user};
use axum::body::Body;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use chrono::Days;
use policy::suppression::HeldDecision;
use policy::{Role, UserNumber};
use safeguards::suppression::held_line::{self, Chosen};
use serde_json::{Value, json};
use task_centre::run;
use trail::Actor;

on_both!(
    crate::web::tests::scim::Api::new;
    a_user_is_created_read_replaced_and_patched,
    active_is_the_leaving_date,
    a_deleted_user_is_hidden_and_never_anonymised,
    a_deleted_user_comes_back_by_the_same_identifiers,
    identifiers_are_unique_and_values_are_validated,
    filters_select_users,
    lists_have_pages_and_parts,
    versions_prevent_lost_updates,
    staff_are_read_but_not_changed,
    anonymised_and_fictitious_users_are_invisible,
    keys_that_look_alike_are_one_key,
    an_anonymised_user_comes_back_only_by_a_decision,
    a_change_brings_no_anonymised_user_back,
    a_legal_hold_protects_values,
    fields_that_scim_does_not_know_stay,
    discovery_describes_the_server,
);

fn full() -> Value {
    json!({
        "userName": "ang",
        "externalId": "E-1",
        "name": { "familyName": "Ng", "givenName": "Ana", "middleName": "M" },
        "nickName": "An",
        "title": "Dr",
        "preferredLanguage": "en",
        "emails": [{ "value": "ana@example.org", "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "1", "type": "work" }, { "value": "2", "type": "mobile" }],
        "addresses": [{ "streetAddress": "Road 1", "locality": "Leeds", "postalCode": "LS1", "country": "GB",
            "type": "work" }],
        ENTERPRISE: { "department": "LAW" },
    })
}

async fn a_user_is_created_read_replaced_and_patched(api: Api) {
    let created = api.post(full()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    let id = created.id();
    let location = format!("http://localhost/scim/v2/Users/{id}");
    assert_eq!(
        (&created.headers[LOCATION], &created.headers[ETAG]),
        (&location.parse().unwrap(), &"W/\"1\"".parse().unwrap())
    );
    assert_eq!(created.json["meta"]["location"], location);
    let read = api.get(&format!("/Users/{id}")).await;
    assert_eq!((read.status, &read.json), (StatusCode::OK, &created.json));
    for (pointer, value) in [
        ("/displayName", "Ana (An) Ng"),
        ("/locale", "en"),
        ("/emails/0/value", "ana@example.org"),
        ("/addresses/0/locality", "Leeds"),
        ("/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department", "LAW"),
    ] {
        assert_eq!(read.json.pointer(pointer).unwrap(), value, "{}", read.json);
    }
    assert_eq!(read.json["active"], true);
    let number = "SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ang'";
    let number: i64 = api.text(number).await.parse().unwrap();
    assert_ne!(id, number.to_string(), "the user number is not the id");
    let stored = records::user::read(&api.desk.store, UserNumber(number)).await.unwrap();
    assert!(stored.imported);
    assert_eq!(stored.created_on, Some(api.desk.store.clock.today()));

    let replaced = api
        .put(&id, json!({ "userName": "ang2", "name": { "familyName": "Li" }, "nickName": null, "id": "x" }))
        .await;
    assert_eq!((replaced.status, replaced.id()), (StatusCode::OK, id.clone()), "{}", replaced.json);
    assert_eq!(replaced.json["name"], json!({ "familyName": "Li" }), "names are replaced as a whole");
    assert!(replaced.json["nickName"].is_null(), "an explicit null removes the value");
    assert_eq!(replaced.json["emails"], created.json["emails"], "what is not delivered stays");
    let patched = api
        .patch(
            &id,
            json!([
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "li@example.org" },
                { "op": "Remove", "path": "phoneNumbers[type eq \"mobile\"]" },
                { "op": "Add", "value": { "name.givenName": "Bo", "locale": "de" } },
            ]),
        )
        .await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.json);
    assert_eq!(patched.json["emails"][0]["value"], "li@example.org");
    assert_eq!(patched.json["phoneNumbers"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&patched.json["preferredLanguage"], &patched.json["displayName"]),
        (&json!("de"), &json!("Bo Li"))
    );
    let events = "SELECT action || ' ' || channel || ' ' || detail FROM audit_events WHERE subject_id = ";
    let last =
        api.text(&format!("{events}{number} AND subject_kind = 'user' ORDER BY id DESC LIMIT 1")).await;
    assert_eq!(last, "user_changed api api_key=1,first_name,email,mobile,language");
    let first = api.text(&format!("{events}{number} AND subject_kind = 'user' ORDER BY id LIMIT 1")).await;
    assert_eq!(first, "user_created api api_key=1");
    assert_eq!(api.found("userName eq \"ANG2\"").await, ["ang2"]);
}

async fn active_is_the_leaving_date(api: Api) {
    let today = api.desk.store.clock.today();
    let day =
        |text: &str| policy::dates::iso(today.checked_add_days(Days::new(text.parse().unwrap())).unwrap());
    let id = api.post(user("a")).await.id();
    let off = api.set_active(&id, false).await;
    assert_eq!((off.status, &off.json["active"]), (StatusCode::OK, &json!(false)));
    assert_eq!(api.leaving_on("a").await, day("0"));
    let on = api.set_active(&id, true).await;
    assert_eq!((&on.json["active"], api.leaving_on("a").await), (&json!(true), String::new()));

    // A leaving date in the future comes back, too.
    let future = day("90");
    api.execute(&format!("UPDATE users SET leaving_on = '{future}' WHERE user_id = 'a'")).await;
    assert_eq!(api.get(&format!("/Users/{id}")).await.json["active"], true);
    api.set_active(&id, false).await;
    assert_eq!(api.leaving_on("a").await, day("0"));
    api.set_active(&id, true).await;
    assert_eq!(api.leaving_on("a").await, future);

    // The leaving date of another source stays, earlier or not.
    api.execute("UPDATE users SET leaving_on = '2018-01-15' WHERE user_id = 'a'").await;
    for active in [false, true] {
        let answer = api.set_active(&id, active).await;
        assert_eq!((answer.status, &answer.json["active"]), (StatusCode::OK, &json!(false)), "{active}");
        assert_eq!(api.leaving_on("a").await, "2018-01-15");
    }
    // A leaving date that staff changed after SCIM is no longer SCIM's.
    api.execute("UPDATE users SET leaving_on = NULL WHERE user_id = 'a'").await;
    api.set_active(&id, false).await;
    api.execute("UPDATE users SET leaving_on = '2017-01-15' WHERE user_id = 'a'").await;
    api.set_active(&id, true).await;
    assert_eq!(api.leaving_on("a").await, "2017-01-15");

    let born_inactive =
        api.post(json!({ "userName": "b", "name": { "familyName": "B" }, "active": "False" })).await;
    assert_eq!((born_inactive.status, api.leaving_on("b").await), (StatusCode::CREATED, day("0")));
    let answer = api.put(&born_inactive.id(), json!({ "userName": "b", "active": true })).await;
    assert_eq!(
        (answer.status, api.leaving_on("b").await),
        (StatusCode::OK, String::new()),
        "{}",
        answer.json
    );
    assert_eq!(
        api.text("SELECT CAST(COUNT(*) AS TEXT) FROM users WHERE anonymised_on IS NOT NULL").await,
        "0"
    );
}

async fn a_deleted_user_is_hidden_and_never_anonymised(api: Api) {
    let id = api.post(full()).await.id();
    assert_eq!(api.delete(&id).await.status, StatusCode::NO_CONTENT);
    let today = policy::dates::iso(api.desk.store.clock.today());
    assert_eq!(api.leaving_on("ang").await, today);
    assert_eq!(api.text("SELECT first_name FROM users WHERE user_id = 'ang'").await, "Ana");
    assert_eq!(api.get(&format!("/Users/{id}")).await.error(), (404, ""));
    assert_eq!(api.set_active(&id, true).await.error(), (404, ""));
    assert_eq!(api.put(&id, full()).await.error(), (404, ""));
    assert_eq!(api.delete(&id).await.error(), (404, ""));
    assert!(api.found("userName eq \"ang\"").await.is_empty());
    // A new leaving date by staff or an import brings the user back.
    api.execute("UPDATE users SET leaving_on = NULL WHERE user_id = 'ang'").await;
    assert_eq!(api.get(&format!("/Users/{id}")).await.json["active"], true);
    // An earlier leaving date stays.
    api.execute("UPDATE users SET leaving_on = '2018-01-15' WHERE user_id = 'ang'").await;
    assert_eq!(api.delete(&id).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.leaving_on("ang").await, "2018-01-15");
    assert_eq!(api.get(&format!("/Users/{id}")).await.status, StatusCode::NOT_FOUND);
}

async fn a_deleted_user_comes_back_by_the_same_identifiers(api: Api) {
    let first = api.post(full()).await.id();
    api.delete(&first).await;
    // The UserID alone can belong to another person by now.
    for other in [
        json!({ "userName": "ang", "externalId": "E-2", "name": { "familyName": "Om" } }),
        json!({ "userName": "ang", "name": { "familyName": "Om" } }),
    ] {
        let answer = api.post(other).await;
        assert_eq!(answer.error(), (409, "uniqueness"), "{}", answer.json);
    }
    let back =
        api.post(json!({ "userName": "ang9", "externalId": "E-1", "name": { "familyName": "Om" } })).await;
    assert_eq!((back.status, back.id()), (StatusCode::CREATED, first.clone()), "{}", back.json);
    assert_eq!((&back.json["active"], &back.json["userName"]), (&json!(true), &json!("ang9")));
    assert_eq!(back.json["emails"][0]["value"], "ana@example.org", "what is not delivered stays");
    assert_eq!(api.leaving_on("ang9").await, "");

    let without = api.post(user("b")).await.id();
    api.delete(&without).await;
    let answer =
        api.post(json!({ "userName": "b", "externalId": "E-3", "name": { "familyName": "B" } })).await;
    assert_eq!(answer.error(), (409, "uniqueness"));
    assert_eq!(api.post(user("b")).await.id(), without);
}

async fn identifiers_are_unique_and_values_are_validated(api: Api) {
    let first = api.post(full()).await.id();
    let other = api.post(user("b")).await.id();
    for body in [user("ang"), json!({ "userName": "c", "externalId": "E-1", "name": { "familyName": "C" } })]
    {
        let answer = api.post(body).await;
        assert_eq!(answer.error(), (409, "uniqueness"));
    }
    let answer = api.patch(&other, json!([{ "op": "replace", "path": "userName", "value": "ang" }])).await;
    assert_eq!(answer.error(), (409, "uniqueness"));
    assert!(answer.json["detail"].as_str().unwrap().contains("userName"));
    api.execute("INSERT INTO terms (kind, code, name) VALUES ('department', 'MED', 'Medicine')").await;
    for (body, named) in [
        (json!({ "name": { "familyName": "C" } }), "userName"),
        (json!({ "userName": " ", "name": { "familyName": "C" } }), "userName"),
        (json!({ "userName": "c" }), "name.familyName"),
        (json!({ "userName": "c", "name": { "familyName": "Anonymised user 7F3KQ2" } }), "name.familyName"),
        (json!({ "userName": "c\u{0}", "name": { "familyName": "C" } }), "userName"),
        (json!({ "userName": "c\u{202E}", "name": { "familyName": "C" } }), "userName"),
        (
            json!({ "userName": "c", "name": { "familyName": "C" }, "emails": [{ "value": "no address" }] }),
            "emails",
        ),
        (json!({ "userName": "c", "name": { "familyName": "x".repeat(201) } }), "name.familyName"),
        (
            json!({ "userName": "c", "name": { "familyName": "C" }, ENTERPRISE: { "department": "LAW" } }),
            "department",
        ),
    ] {
        let answer = api.post(body).await;
        assert_eq!(answer.error(), (400, "invalidValue"), "{named}");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains(named) && !detail.contains("no address"), "{detail}");
    }
    let answer = api.patch(&first, json!([{ "op": "remove", "path": "name.familyName" }])).await;
    assert_eq!(answer.error(), (400, "mutability"));
    assert_eq!(api.text("SELECT CAST(COUNT(*) AS TEXT) FROM users WHERE user_id = 'c'").await, "0");
    assert_eq!(
        api.get(&format!("/Users/{first}")).await.json["meta"]["version"],
        "W/\"1\"",
        "nothing was changed"
    );
}

async fn filters_select_users(api: Api) {
    let first = api.post(full()).await.id();
    for (user_id, name, external) in
        [("bo.li", "Li", "e-2"), ("100%", "Per_cent", "E_2"), ("om", "O'Brien", "E\"3")]
    {
        let body = json!({ "userName": user_id, "externalId": external, "name": { "familyName": name } });
        assert_eq!(api.post(body).await.status, StatusCode::CREATED);
    }
    let gone = api.post(user("gone")).await.id();
    api.set_active(&gone, false).await;
    let all = ["ang", "bo.li", "100%", "om"];
    for (filter, found) in [
        ("userName eq \"ang\"", vec!["ang"]),
        ("USERNAME EQ \"ANG\"", vec!["ang"]),
        ("userName eq \"an\"", vec![]),
        ("userName sw \"BO.\"", vec!["bo.li"]),
        ("userName ew \".li\"", vec!["bo.li"]),
        ("userName co \"O.L\"", vec!["bo.li"]),
        ("userName co \"%\"", vec!["100%"]),
        ("userName sw \"_\"", vec![]),
        ("name.familyName eq \"per_cent\"", vec!["100%"]),
        ("name.familyName co \"_\"", vec!["100%"]),
        ("name.familyName eq \"o'brien\"", vec!["om"]),
        ("name.familyName sw \"O'\" and userName ne \"x\"", vec!["om"]),
        ("externalId eq \"E-1\"", vec!["ang"]),
        ("externalId eq \"e-1\"", vec!["ang"]),
        ("externalId eq \"E-2\"", vec!["bo.li"]),
        ("externalId eq \"E\\\"3\"", vec!["om"]),
        (&format!("id eq \"{first}\""), vec!["ang"]),
        ("emails.value eq \"ANA@example.org\"", vec!["ang"]),
        ("emails[type eq \"work\" and value sw \"ana@\"]", vec!["ang"]),
        ("emails[type eq \"home\"]", vec![]),
        ("phoneNumbers[type eq \"mobile\" and value eq \"2\"]", vec!["ang"]),
        ("phoneNumbers[type eq \"mobile\" and value eq \"1\"]", vec![]),
        ("phoneNumbers.value eq \"1\"", vec!["ang"]),
        ("addresses.locality eq \"leeds\"", vec!["ang"]),
        ("nickName pr", vec!["ang"]),
        (&format!("{ENTERPRISE}:department eq \"LAW\""), vec!["ang"]),
        ("active eq false and userName eq \"gone\"", vec!["gone"]),
        ("active eq true and (userName eq \"ang\" or userName eq \"gone\")", vec!["ang"]),
        ("not (externalId pr) and userName eq \"gone\"", vec!["gone"]),
        ("externalId pr and active eq true", all.to_vec()),
        ("userName eq \"x' OR 1=1 --\"", vec![]),
    ] {
        assert_eq!(api.found(filter).await, found, "{filter}");
        let search =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter });
        let answer = api.write(Method::POST, "/Users/.search", &search).await;
        assert_eq!(
            (answer.status, &answer.json["totalResults"]),
            (StatusCode::OK, &json!(found.len())),
            "{filter}"
        );
    }
}

async fn lists_have_pages_and_parts(api: Api) {
    for at in 0..5 {
        api.post(user(&format!("u{at}"))).await;
    }
    let list = async |query: &str| {
        let answer = api.get(&format!("/Users?filter=userName%20sw%20%22u%22&{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.json);
        let users = answer.json["Resources"].as_array().unwrap();
        let names: Vec<String> =
            users.iter().map(|user| user["userName"].as_str().unwrap_or_default().to_owned()).collect();
        assert_eq!(
            (&answer.json["totalResults"], &answer.json["itemsPerPage"]),
            (&json!(5), &json!(names.len()))
        );
        (names.join(" "), answer.json["startIndex"].as_u64().unwrap(), answer.json)
    };
    for (query, names, start) in [
        ("count=2", "u0 u1", 1),
        ("startIndex=3&count=2", "u2 u3", 3),
        ("startIndex=6", "", 6),
        ("startIndex=-7&count=1", "u0", 1),
        ("count=0", "", 1),
        ("count=-1", "", 1),
        ("count=999999999999&sortBy=userName&sortOrder=descending", "u0 u1 u2 u3 u4", 1),
    ] {
        let (found, from, _) = list(query).await;
        assert_eq!((found.as_str(), from), (names, start), "{query}");
    }
    let (_, _, json) = list("count=1&attributes=userName").await;
    let mut keys: Vec<&String> = json["Resources"][0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["id", "schemas", "userName"]);
    let (_, _, json) = list("count=1&excludedAttributes=name,meta").await;
    assert!(json["Resources"][0]["name"].is_null() && !json["Resources"][0]["userName"].is_null());
    for (query, kind) in [
        ("count=x", "invalidValue"),
        ("startIndex=1.5", "invalidValue"),
        ("attributes=id&excludedAttributes=name", "invalidValue"),
        ("filter=a&filter=b", "invalidValue"),
        ("filter=userName", "invalidFilter"),
    ] {
        assert_eq!(api.get(&format!("/Users?{query}")).await.error(), (400, kind), "{query}");
    }
}

async fn versions_prevent_lost_updates(api: Api) {
    let id = api.post(user("a")).await.id();
    let path = format!("/Users/{id}");
    let body = super::with_schema(json!({ "userName": "a", "title": "Dr" }));
    let put = async |tag: &str| {
        let request = api.request(Method::PUT, &path).header(IF_MATCH, tag);
        api.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(put("W/\"7\"").await.error(), (412, ""));
    assert_eq!(put("W/\"1\"").await.headers[ETAG], "W/\"2\"");
    assert_eq!(put("W/\"1\"").await.error(), (412, ""), "the version is used up");
    assert_eq!(put("*").await.status, StatusCode::OK);
    let read = api.request(Method::GET, &path).header(IF_NONE_MATCH, "W/\"2\"").body(Body::empty()).unwrap();
    assert_eq!(api.send(read).await.status, StatusCode::NOT_MODIFIED);
    let delete = api.request(Method::DELETE, &path).header(IF_MATCH, "W/\"1\"").body(Body::empty()).unwrap();
    assert_eq!(api.send(delete).await.error(), (412, ""));
    // An unchanged user keeps its version.
    assert_eq!(api.put(&id, json!({ "userName": "a", "title": "Dr" })).await.headers[ETAG], "W/\"2\"");
}

async fn staff_are_read_but_not_changed(api: Api) {
    api.desk.staff("lib", &[Role::Librarian]).await;
    let id = api.text("SELECT scim_id FROM users WHERE user_id = 'lib'").await;
    assert_eq!(api.get(&format!("/Users/{id}")).await.json["userName"], "lib");
    assert_eq!(api.found("userName eq \"lib\"").await, ["lib"]);
    for answer in [
        api.put(&id, user("lib2")).await,
        api.set_active(&id, false).await,
        api.patch(&id, json!([{ "op": "replace", "path": "name.familyName", "value": "X" }])).await,
        api.delete(&id).await,
    ] {
        assert_eq!(answer.error(), (403, ""), "{}", answer.json);
    }
    assert_eq!((api.leaving_on("lib").await, api.text("SELECT role FROM user_roles WHERE role = 'librarian' AND user_number = (SELECT number FROM users WHERE user_id = 'lib')").await), (String::new(), "librarian".to_owned()));
    // A user without a role who can sign in is protected, too.
    let id = api.post(user("p")).await.id();
    api.execute(
        "INSERT INTO credentials (user_number, kind, secret, created_at) SELECT number, 'password', 'x', \
         '2018-01-15T12:00:00+00:00' FROM users WHERE user_id = 'p'",
    )
    .await;
    assert_eq!(api.set_active(&id, false).await.error(), (403, ""));
    // Roles in a body change nothing.
    let answer = api
        .post(
            json!({ "userName": "r", "name": { "familyName": "R" }, "roles": [{ "value": "administrator" }],
        "password": "plum tractor seventeen", "groups": [{ "value": "x" }] }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let of_r = "user_number = (SELECT number FROM users WHERE user_id = 'r')";
    for table in ["user_roles", "credentials"] {
        assert_eq!(api.text(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE {of_r}")).await, "0");
    }
}

async fn anonymised_and_fictitious_users_are_invisible(api: Api) {
    api.execute(
        "INSERT INTO users (uuid, scim_id, user_id, user_id_key, last_name, fictitious, replacement, anonymised_on) \
         VALUES ('of a shelf', 'of a shelf', 'shelf', 'shelf', 'Shelf', TRUE, NULL, NULL), \
         ('of an anonymised user', NULL, NULL, NULL, NULL, FALSE, 'Anonymised user 7F3KQ2', '2018-01-15')",
    )
    .await;
    for id in ["of a shelf", "of an anonymised user", "nothing"] {
        let path = app::url::percent_encoded(id);
        assert_eq!(api.get(&format!("/Users/{path}")).await.error(), (404, ""), "{id}");
        assert_eq!(api.set_active(&path, true).await.error(), (404, ""), "{id}");
        assert_eq!(api.put(&path, user("x")).await.error(), (404, ""), "{id}");
        assert_eq!(api.delete(&path).await.error(), (404, ""), "{id}");
        assert!(api.found(&format!("id eq \"{id}\"")).await.is_empty(), "{id}");
    }
    assert!(!api.get("/Users").await.json.to_string().contains("Anonymised user"));
}

async fn keys_that_look_alike_are_one_key(api: Api) {
    let id = api
        .post(json!({ "userName": "José", "externalId": "E-ß", "name": { "familyName": "Ng" } }))
        .await
        .id();
    for filter in [
        "userName eq \"JOSE\u{301}\"",
        "userName eq \"jose\u{301}\"",
        "externalId eq \"e-SS\"",
        "userName ne \"x\" and externalId eq \"E-ß\"",
    ] {
        assert_eq!(api.found(filter).await, ["José"], "{filter}");
    }
    assert!(api.found("externalId pr and userName ne \"jose\u{301}\"").await.is_empty());
    assert!(api.found("userName eq \"jose\"").await.is_empty());
    for body in
        [user("JOSE\u{301}"), json!({ "userName": "c", "externalId": "e-ss", "name": { "familyName": "C" } })]
    {
        assert_eq!(api.post(body).await.error(), (409, "uniqueness"));
    }
    // A deleted user comes back by another spelling.
    api.delete(&id).await;
    let again = json!({ "userName": "josé", "externalId": "E-SS", "name": { "familyName": "Ng" } });
    assert_eq!(api.post(again).await.id(), id);
    for hidden in ["c\u{AD}", "c\u{200E}", "c\u{200D}"] {
        assert_eq!(api.post(user(hidden)).await.error(), (400, "invalidValue"), "{hidden:?}");
        let external = json!({ "userName": "c", "externalId": hidden, "name": { "familyName": "C" } });
        assert_eq!(api.post(external).await.error(), (400, "invalidValue"), "{hidden:?}");
    }
}

async fn an_anonymised_user_comes_back_only_by_a_decision(api: Api) {
    let store = &api.desk.store;
    super::super::suppression::single_task(store).await;
    let ng = json!({ "userName": "ng", "externalId": "E-1", "name": { "familyName": "Ng" } });
    let id = api.post(ng.clone()).await.id();
    let number: i64 =
        api.text("SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await.parse().unwrap();
    run::anonymise_one(store, Actor::COMMAND_LINE, UserNumber(number), &number.to_string()).await.unwrap();
    run::background_scans().await;
    // Nothing links the record with the identity system any more.
    assert_eq!(api.get(&format!("/Users/{id}")).await.error(), (404, ""));
    assert!(api.found(&format!("id eq \"{id}\"")).await.is_empty());
    assert_eq!(api.text(&format!("SELECT scim_id FROM users WHERE number = {number}")).await, "");

    let held = "SELECT source || ' ' || kind || ' ' || line || ' ' || times_seen FROM held_lines";
    for times in 1..3 {
        let answer = api.post(ng.clone()).await;
        assert_eq!(answer.error(), (409, "uniqueness"));
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains("externalId: An anonymised user had this value"), "{detail}");
        assert!(detail.contains("Held lines"), "{detail}");
        assert_eq!(api.text(held).await, format!("scim external_id 0 {times}"));
    }
    let (_, _, page) = api.desk.get("/users/held-lines").await;
    assert!(page.contains("From the identity system") && page.contains("2 requests"), "{page}");
    let decide = async |decision| {
        held_line::decide(store, Actor::COMMAND_LINE, &Chosen::Undecided { seen: 1, newest: None }, decision)
            .await
            .unwrap();
    };
    decide(HeldDecision::Ignore).await;
    assert_eq!(api.post(ng.clone()).await.error(), (409, "uniqueness"));
    // A changed request asks again.
    let changed = json!({ "userName": "ng2", "externalId": "e-1", "name": { "familyName": "Ngo" } });
    assert_eq!(api.post(changed.clone()).await.error(), (409, "uniqueness"));
    decide(HeldDecision::DifferentPerson).await;
    let new = api.post(changed).await;
    assert_eq!(new.status, StatusCode::CREATED);
    assert_ne!(new.id(), id);
    assert_eq!(api.text(held).await, "");
    let last = "SELECT detail FROM audit_events WHERE action = 'user_created' ORDER BY id DESC LIMIT 1";
    assert_eq!(api.text(last).await, "api_key=1,suppressed=different_person");
    // A weak key with another external identifier belongs to another person.
    let other = json!({ "userName": "NG", "externalId": "E-2", "name": { "familyName": "Other" } });
    assert_eq!(api.post(other).await.status, StatusCode::CREATED);
}

/// A new user and a change of its identifiers are together what a new user with these identifiers is.
async fn a_change_brings_no_anonymised_user_back(api: Api) {
    let store = &api.desk.store;
    super::super::suppression::single_task(store).await;
    api.post(json!({ "userName": "ng", "externalId": "E-1", "name": { "familyName": "Ng" } })).await;
    let number: i64 =
        api.text("SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await.parse().unwrap();
    run::anonymise_one(store, Actor::COMMAND_LINE, UserNumber(number), &number.to_string()).await.unwrap();
    run::background_scans().await;
    let with_id =
        api.post(json!({ "userName": "x1", "externalId": "X-1", "name": { "familyName": "X" } })).await.id();
    let without = api.post(json!({ "userName": "x2", "name": { "familyName": "X" } })).await.id();
    let replace = |path: &str, value: &str| json!([{ "op": "replace", "path": path, "value": value }]);
    for id in [&with_id, &without] {
        let answer = api.patch(id, replace("externalId", "e-1")).await;
        assert_eq!(answer.error(), (409, "uniqueness"));
    }
    assert_eq!(api.patch(&without, replace("userName", "NG")).await.error(), (409, "uniqueness"));
    // With an identifier of their own, other people get the UserID.
    assert_eq!(api.patch(&with_id, replace("userName", "ng")).await.status, StatusCode::OK);
    assert_eq!(api.patch(&with_id, replace("title", "Dr")).await.status, StatusCode::OK);
    let rows = "SELECT kind FROM held_lines WHERE kind = 'external_id'";
    assert_eq!(api.text(rows).await, "external_id", "staff decide about the request");
}

async fn a_legal_hold_protects_values(api: Api) {
    let id = api.post(full()).await.id();
    api.execute(
        "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) SELECT number, 'dispute', '2018-01-15', \
         '2099-01-15' FROM users WHERE user_id = 'ang'",
    )
    .await;
    for operations in [
        json!([{ "op": "replace", "path": "emails.value", "value": "x@example.org" }]),
        json!([{ "op": "remove", "path": "emails" }]),
        json!([{ "op": "replace", "path": "title", "value": "Prof" }]),
    ] {
        let answer = api.patch(&id, operations).await;
        assert_eq!(answer.error(), (403, ""));
        assert!(answer.json["detail"].as_str().unwrap().contains("legal hold"));
    }
    assert_eq!(api.text("SELECT email FROM users WHERE user_id = 'ang'").await, "ana@example.org");
    assert_eq!(api.set_active(&id, false).await.status, StatusCode::OK, "the leaving date is not protected");
}

async fn fields_that_scim_does_not_know_stay(api: Api) {
    let id = api.post(full()).await.id();
    api.execute("INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
    api.execute("INSERT INTO custom_values SELECT number, 'locker', 'L 7' FROM users WHERE user_id = 'ang'")
        .await;
    api.execute(
        "UPDATE users SET barcode = 'B 1', birth_date = '1990-01-31', gender = 'f', notes = 'Line 1', category = 'STU' \
         WHERE user_id = 'ang'",
    )
    .await;
    assert_eq!(api.put(&id, user("ang")).await.status, StatusCode::OK);
    let stored = api
        .text(
            "SELECT barcode || '|' || CAST(birth_date AS TEXT) || '|' || gender || '|' || notes || '|' || category || '|' || \
             value || '|' || email FROM users JOIN custom_values ON user_number = number WHERE user_id = 'ang'",
        )
        .await;
    assert_eq!(stored, "B 1|1990-01-31|f|Line 1|STU|L 7|ana@example.org");
}

async fn discovery_describes_the_server(api: Api) {
    let config = api.get("/ServiceProviderConfig").await.json;
    assert_eq!((&config["patch"]["supported"], &config["sort"]["supported"]), (&json!(true), &json!(false)));
    assert_eq!(api.get("/ResourceTypes").await.json["totalResults"], 1);
    assert_eq!(api.get("/ResourceTypes/User").await.json["schemaExtensions"][0]["schema"], ENTERPRISE);
    assert_eq!(api.get("/Schemas").await.json["totalResults"], 2);
    let schema = api.get(&format!("/Schemas/{ENTERPRISE}")).await.json;
    assert_eq!(schema["attributes"][0]["name"], "department");
    for path in ["/Schemas/x", "/ResourceTypes/x", "/Groups", "/Users/x/y", "/Me", ""] {
        assert_eq!(api.get(path).await.error(), (404, ""), "{path}");
    }
    let answer = api.write(Method::POST, "/Schemas", &json!({})).await;
    assert_eq!(answer.error(), (405, ""));
    assert_eq!(answer.headers["allow"], "GET,HEAD");
}

/// Changes by an identity system count as an import. Beyond the limit it has to wait.
#[tokio::test]
async fn too_many_deactivated_users_are_stopped() {
    let api = Api::new(crate::web::tests::desk::Desk::open().await).await;
    let mut ids = Vec::new();
    for at in 0..30 {
        ids.push(api.post(user(&format!("u{at}"))).await.id());
    }
    let mut done = 0;
    for id in &ids {
        let answer = api.set_active(id, false).await;
        if answer.status == StatusCode::OK {
            done += 1;
        } else {
            assert_eq!(answer.error(), (429, ""));
            assert!(answer.json["detail"].as_str().unwrap().contains("Safety limit reached"));
            assert_eq!(answer.headers[RETRY_AFTER], "3600");
        }
    }
    assert_eq!(done, 20);
    let left = "SELECT CAST(COUNT(*) AS TEXT) FROM users WHERE leaving_on IS NOT NULL";
    assert_eq!(api.text(left).await, "20");
    let events =
        "SELECT CAST(COUNT(*) AS TEXT) FROM audit_events WHERE action = 'limit_reached' AND channel = 'api'";
    assert_eq!(api.text(events).await, "1", "a repeating identity system does not fill the audit");
    // A member of staff approves more changes. Lethe has made the request, once.
    let requests = "SELECT CAST(COUNT(*) AS TEXT) FROM approvals WHERE kind = 'api_changes'";
    assert_eq!(api.text(requests).await, "1");
    let (_, _, page) = api.desk.get("/approvals").await;
    assert!(page.contains("More changes by identity systems") && page.contains("Identity system"), "{page}");
    let (_, _, page) = api.desk.get("/approvals/1").await;
    assert!(page.contains("Approve more changes by identity systems"), "{page}");
    let (status, _, page) = api.desk.post("/do/approve_request?page=/approvals/1", "form[approval]=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    for id in &ids[20..] {
        assert_eq!(api.set_active(id, false).await.status, StatusCode::OK);
    }
    assert_eq!(api.text(left).await, "30");
    let confirmed = "SELECT CAST(COUNT(*) AS TEXT) FROM manual_changes WHERE kind = 'import_confirmed'";
    assert_eq!(api.text(confirmed).await, "10", "they count neither for files nor for later changes");
    // Other changes are accepted.
    assert_eq!(api.put(&ids[29], json!({ "userName": "u29", "title": "Dr" })).await.status, StatusCode::OK);
    let (_, _, page) = api.desk.get("/").await;
    assert!(page.contains("safety limit"), "{page}");
}
