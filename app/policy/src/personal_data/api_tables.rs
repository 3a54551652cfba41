//! Tables of the API: its keys, and the leaving dates that identity systems set.

use super::DataClass::{Credential, FreeText, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{DeleteRow, Keep};
use super::{RowOwner, Table, entry};

pub(super) const API_KEYS: Table = Table {
    name: "api_keys",
    label: "API keys",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key of the row"),
        entry("name", FreeText, Keep, "Name that says what uses the key"),
        entry("key_hash", Credential, Keep, "Hash of the key, never the key"),
        entry("scopes", NotPersonal, Keep, "What the key may do"),
        entry("created_by", Link, Keep, "Member of staff who created it"),
        entry("created_at", NotPersonal, Keep, "Created"),
        entry("expires_at", NotPersonal, Keep, "Valid until"),
        entry("last_used_on", NotPersonal, Keep, "Day of the last use"),
        entry("revoked_at", NotPersonal, Keep, "Revoked"),
    ],
};

pub(super) const SCIM_DEPARTURES: Table = Table {
    name: "scim_departures",
    label: "Leaving dates set by an identity system",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("user_number", Link, DeleteRow, "User"),
        entry("leaving_on", QuasiIdentifier, DeleteRow, "Leaving date that the identity system set or found"),
        entry("earlier_on", QuasiIdentifier, DeleteRow, "Leaving date before that"),
        entry("deleted", NotPersonal, DeleteRow, "The identity system deleted the user"),
    ],
};
