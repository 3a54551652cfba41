//! Each operation at each kind of path, and what is rejected.

use super::*;
use serde_json::json;

fn start() -> Value {
    json!({
        "userName": "ng",
        "name": { "familyName": "Ng", "givenName": "Ana" },
        "active": true,
        "emails": [{ "value": "a@b", "type": "work" }],
        "phoneNumbers": [{ "value": "1", "type": "work" }, { "value": "2", "type": "mobile" }],
        ENTERPRISE: { "department": "LAW" },
    })
}

fn patched(operations: &Value) -> Result<Value, ScimError> {
    let Value::Object(start) = start() else { unreachable!() };
    let mut document = Document(start);
    apply(&mut document, &json!({ "schemas": [PATCH_OP], "Operations": operations }))?;
    Ok(Value::Object(document.0))
}

#[test]
fn operations_change_what_their_path_names() {
    for (operation, pointer, expected) in [
        (json!({"op":"replace","path":"userName","value":"x"}), "/userName", json!("x")),
        (json!({"op":"Replace","path":"USERNAME","value":"x"}), "/userName", json!("x")),
        (json!({"op":"add","path":"name.middleName","value":"M"}), "/name/middleName", json!("M")),
        (json!({"op":"add","path":"name","value":{"middleName":"M"}}), "/name/familyName", json!("Ng")),
        (
            json!({"op":"replace","path":"name","value":{"familyName":"X"}}),
            "/name",
            json!({"familyName":"X"}),
        ),
        (json!({"op":"remove","path":"name.givenName"}), "/name", json!({"familyName":"Ng"})),
        (json!({"op":"replace","path":"active","value":"False"}), "/active", json!(false)),
        (
            json!({"op":"replace","path":"emails[type eq \"work\"].value","value":"x@y"}),
            "/emails",
            json!([{"value":"x@y","type":"work"}]),
        ),
        (
            json!({"op":"replace","path":"emails[primary eq true].value","value":"x@y"}),
            "/emails/0/value",
            json!("x@y"),
        ),
        (json!({"op":"replace","path":"emails.value","value":"x@y"}), "/emails/0/value", json!("x@y")),
        (
            json!({"op":"add","path":"emails","value":[{"value":"x@y","type":"work"}]}),
            "/emails",
            json!([{"value":"x@y","type":"work"}]),
        ),
        (
            json!({"op":"add","path":"addresses[type eq \"work\"].locality","value":"Leeds"}),
            "/addresses",
            json!([{"type":"work","locality":"Leeds"}]),
        ),
        (
            json!({"op":"add","path":"addresses.locality","value":"Leeds"}),
            "/addresses",
            json!([{"locality":"Leeds"}]),
        ),
        (
            json!({"op":"remove","path":"phoneNumbers[type eq \"work\"]"}),
            "/phoneNumbers",
            json!([{"value":"2","type":"mobile"}]),
        ),
        (
            json!({"op":"remove","path":"phoneNumbers","value":[{"value":"2"}]}),
            "/phoneNumbers",
            json!([{"value":"1","type":"work"}]),
        ),
        (json!({"op":"remove","path":"phoneNumbers[type eq \"fax\"]"}), "/phoneNumbers/1/value", json!("2")),
        (
            json!({"op":"replace","path":"phoneNumbers[not (type eq \"work\") and value co \"2\"]",
            "value":{"value":"3"}}),
            "/phoneNumbers/1",
            json!({"value":"3","type":"mobile"}),
        ),
        (
            json!({"op":"replace","path":format!("{ENTERPRISE}:department"),"value":"MED"}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department",
            json!("MED"),
        ),
        (
            json!({"op":"replace","path":format!("{CORE}:emails[type eq \"work\"].value"),"value":"x@y"}),
            "/emails/0/value",
            json!("x@y"),
        ),
        (
            json!({"op":"replace","path":ENTERPRISE,"value":{"department":"MED","manager":"x"}}),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            json!({"department":"MED"}),
        ),
        (
            json!({"op":"replace","value":{"name.givenName":"X","displayName":"Y","unknown":1,
            (format!("{ENTERPRISE}:department")):"MED"}}),
            "/name/givenName",
            json!("X"),
        ),
    ] {
        let done = patched(&json!([operation])).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(done.pointer(pointer), Some(&expected), "{operation}: {done}");
    }
    let done = patched(&json!([{"op":"remove","path":"emails"}, {"op":"remove","path":ENTERPRISE}]));
    let done = done.expect("a document");
    assert!(done.get("emails").is_none() && done.get(ENTERPRISE).is_none());
}

#[test]
fn invalid_operations_are_rejected_with_their_reason() {
    use ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};
    for (operation, kind) in [
        (json!({"op":"replace","path":"shoeSize","value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"name.shoeSize","value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"name[type eq \"x\"]","value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"emails[type eq","value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"userName.x","value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"a".repeat(100_000),"value":"x"}), InvalidPath),
        (
            json!({"op":"replace","path":format!("emails[{}type eq \"x\"{}]", "(".repeat(300), ")".repeat(300)),
            "value":"x"}),
            InvalidPath,
        ),
        (json!({"op":"replace","path":7,"value":"x"}), InvalidPath),
        (json!({"op":"replace","path":"emails[shoe eq \"x\"].value","value":"x"}), InvalidFilter),
        (json!({"op":"replace","path":"emails[value gt \"x\"].value","value":"x"}), InvalidFilter),
        (json!({"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}), NoTarget),
        (json!({"op":"remove"}), NoTarget),
        (json!({"op":"replace","path":"id","value":"x"}), Mutability),
        (json!({"op":"replace","path":"displayName","value":"x"}), Mutability),
        (json!({"op":"replace","path":"meta.version","value":"x"}), InvalidPath),
        (json!({"op":"remove","path":"userName"}), Mutability),
        (json!({"op":"remove","path":"active"}), Mutability),
        (json!({"op":"remove","path":"name.familyName"}), Mutability),
        (json!({"op":"replace","path":"name","value":null}), Mutability),
        (json!({"op":"replace","path":"userName"}), InvalidValue),
        (json!({"op":"replace","path":"userName","value":{}}), InvalidValue),
        (json!({"op":"replace","value":"x"}), InvalidValue),
        (json!({"op":"replace","value":{"userName":7}}), InvalidValue),
        (json!({"op":"move","path":"userName","value":"x"}), InvalidSyntax),
        (json!("replace"), InvalidSyntax),
    ] {
        let error = patched(&json!([operation])).expect_err(&operation.to_string());
        assert_eq!((error.status, error.kind), (400, Some(kind)), "{operation}: {error}");
    }
    let many: Vec<Value> = vec![json!({"op":"remove","path":"title"}); 101];
    for operations in [json!([]), json!({}), json!(null), json!(many)] {
        assert_eq!(patched(&operations).expect_err("operations").kind, Some(InvalidSyntax));
    }
}
