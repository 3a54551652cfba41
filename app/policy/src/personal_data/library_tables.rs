//! The table of the library's settings.

use super::DataClass::{FreeText, NotPersonal};
use super::ErasureAction::Keep;
use super::{RowOwner, Table, entry};

pub(super) const LIBRARY_SETTINGS: Table = Table {
    name: "library_settings",
    label: "Library settings",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key of the row"),
        entry("name", NotPersonal, Keep, "Name of the library"),
        entry("currency", NotPersonal, Keep, "Currency of amounts"),
        entry("address", NotPersonal, Keep, "Postal address of the library"),
        entry("contact", FreeText, Keep, "How users reach the library"),
        entry("logo_digest", NotPersonal, Keep, "Digest of the logo"),
        entry("logo", NotPersonal, Keep, "Logo"),
    ],
};
