//! The suppression list: keyed digests of the identifiers of anonymised users, so that an import or a form does not
//! bring these users back.
//!
//! Each digest is an HMAC-SHA-256 over kind and normal form of an external identifier, `UserID`, barcode or e-mail
//! address. Its key is a random file outside the database ([`key`]), separate from the key of the installation, so that
//! it can be destroyed alone. A row has no link to a record. Its id is a part of the digest, and its date is the first
//! day of a month. The anonymiser adds rows ([`list`]); everything that creates users checks them ([`check`]); lines of
//! import files that match are held for a decision ([`held_line`]).
//!
//! If the key is missing or another one while the list has rows, nothing is anonymised and no user is created. Both
//! would leave gaps in the list.

pub mod arrival;
pub mod check;
pub mod destroy;
pub mod held_line;
pub mod key;
pub mod list;

use policy::key_form::normal;
use policy::suppression::KeyKind;

/// A key in its normal form.
pub type KeyForm = (KeyKind, String);

/// The values of the keys that a user has or would have.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyValues<'a> {
    /// The external identifier.
    pub external_id: Option<&'a str>,
    /// The `UserID`.
    pub user_id: Option<&'a str>,
    /// The barcode.
    pub barcode: Option<&'a str>,
    /// The e-mail address.
    pub email: Option<&'a str>,
}

impl KeyValues<'_> {
    /// Returns the normal forms of the keys that are not empty.
    fn normal_forms(&self) -> impl Iterator<Item = (KeyKind, String)> + use<> {
        let all = [
            (KeyKind::ExternalId, self.external_id),
            (KeyKind::UserId, self.user_id),
            (KeyKind::Barcode, self.barcode),
            (KeyKind::Email, self.email),
        ];
        let normal = all.map(|(kind, value)| (kind, normal(value.unwrap_or_default())));
        normal.into_iter().filter(|(_, normal)| !normal.is_empty())
    }

    /// Returns whether there is an external identifier.
    fn has_external_id(&self) -> bool {
        self.external_id.is_some_and(|value| !value.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_keys_are_left_out() {
        let values = KeyValues { user_id: Some(" "), email: Some("A@b.org"), ..KeyValues::default() };
        assert_eq!(values.normal_forms().collect::<Vec<_>>(), [(KeyKind::Email, "a@b.org".to_owned())]);
        assert!(!values.has_external_id());
    }
}
