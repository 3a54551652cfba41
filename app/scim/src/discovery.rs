//! The features of the server: `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`.

use crate::schema::{CORE, ENTERPRISE, ENTERPRISE_USER, USER, attributes_json};
use crate::{BASE, LIST_RESPONSE, MAX_RESULTS};
use serde_json::{Value, json};

/// Returns the configuration. `host` is the address of the server, such as `https://lethe.example.org`.
pub fn service_provider_config(host: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MAX_RESULTS },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "API key",
            "description": "An API key of Lethe as bearer token",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{host}{BASE}/ServiceProviderConfig"),
        },
    })
}

/// Returns the resource types.
pub fn resource_types(host: &str) -> Vec<Value> {
    vec![json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "User of the library",
        "schema": CORE,
        "schemaExtensions": [{ "schema": ENTERPRISE, "required": false }],
        "meta": { "resourceType": "ResourceType", "location": format!("{host}{BASE}/ResourceTypes/User") },
    })]
}

/// Returns the schemas.
pub fn schemas(host: &str) -> Vec<Value> {
    let schema = |id: &str, name: &str, description: &str, attributes: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id,
            "name": name,
            "description": description,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{host}{BASE}/Schemas/{id}") },
        })
    };
    vec![
        schema(CORE, "User", "User of the library", attributes_json(USER)),
        schema(ENTERPRISE, "EnterpriseUser", "Department of the user", attributes_json(ENTERPRISE_USER)),
    ]
}

/// Returns a list of all of these resources.
pub fn list(resources: &[Value]) -> Value {
    list_from(resources, u64::try_from(resources.len()).unwrap_or(u64::MAX), 1)
}

/// Returns a list of resources from a position, counted from 1, out of `total`.
pub fn list_from(resources: &[Value], total: u64, start: u64) -> Value {
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "itemsPerPage": resources.len(),
        "startIndex": start,
        "Resources": resources,
    })
}
