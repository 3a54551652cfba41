//! The suppression list: keyed digests of identifiers of anonymised users, held lines, fingerprints of the key.

use super::DataClass::{Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::Keep;
use super::{RowOwner, Table, entry};

pub(super) const SUPPRESSED_KEYS: Table = Table {
    name: "suppressed_keys",
    label: "Suppression list: pseudonymous personal data while its key exists",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", QuasiIdentifier, Keep, "Part of the digest. Leads to no record"),
        entry("kind", NotPersonal, Keep, "External identifier, UserID, barcode or e-mail"),
        entry(
            "digest",
            QuasiIdentifier,
            Keep,
            "Keyed digest of an identifier, so that it does not return through an import. Only the key outside the \
             database can test a value; destroying the key ends that",
        ),
        entry("added_on", NotPersonal, Keep, "First day of the month of anonymising"),
        entry("expires_on", NotPersonal, Keep, "Deleted on"),
    ],
};

pub(super) const HELD_LINES: Table = Table {
    name: "held_lines",
    label: "Lines of import files held because of the suppression list: pseudonymous while its key exists",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry(
            "digest",
            QuasiIdentifier,
            Keep,
            "Keyed digest of the suppressed identifier, to recognise the line in the next file",
        ),
        entry("kind", NotPersonal, Keep, "Kind of the suppressed identifier"),
        entry("source", NotPersonal, Keep, "Kind of file"),
        entry("import_id", NotPersonal, Keep, "Last import with this line"),
        entry("line", NotPersonal, Keep, "Number of the line in the file"),
        entry("line_digest", QuasiIdentifier, Keep, "Keyed digest of the line, to recognise a change"),
        entry("first_seen_on", NotPersonal, Keep, "First held"),
        entry("last_seen_on", NotPersonal, Keep, "Last held"),
        entry("times_seen", NotPersonal, Keep, "Number of imports with this line"),
        entry("decision", NotPersonal, Keep, "Decision, as a code"),
        entry("decided_by", Link, Keep, "Member of staff who decided"),
        entry("decided_on", NotPersonal, Keep, "Decided"),
    ],
};

pub(super) const SUPPRESSION_LIST_KEYS: Table = Table {
    name: "suppression_list_keys",
    label: "Fingerprints of the keys of the suppression list",
    owner: RowOwner::NoUser,
    columns: &[
        entry("fingerprint", NotPersonal, Keep, "Fingerprint of the key, never the key"),
        entry("recorded_at", NotPersonal, Keep, "In use since"),
        entry("destroyed_at", NotPersonal, Keep, "Destroyed"),
    ],
};
