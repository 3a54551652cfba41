//! Findings of the residue search: kinds of values and decisions.

use crate::stored::coded_enum;
use serde::Serialize;

coded_enum! {
    /// The kind of a value, in descending order of evidence.
    #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ValueKind: "kind of the value" {
        /// The login name.
        UserId = "user_id",
        /// The e-mail address.
        Email = "email",
        /// The barcode of the library card.
        Barcode = "barcode",
        /// The identifier of another system.
        ExternalId = "external_id",
        /// Another identifier of the record.
        Identifier = "identifier",
        /// First name and last name, in either order.
        FullName = "full_name",
        /// Phone or mobile phone.
        Phone = "phone",
        /// Street and house number.
        Street = "street",
        /// An address to which a message was sent.
        Address = "address",
        /// The value of a custom field.
        CustomValue = "custom_value",
        /// The last name alone.
        LastName = "last_name",
        /// The first name alone.
        FirstName = "first_name",
        /// The middle name alone.
        MiddleName = "middle_name",
        /// The preferred name alone.
        PreferredName = "preferred_name",
        /// The postcode.
        Postcode = "postcode",
    }
}

impl ValueKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UserId => "UserID",
            Self::Email => "e-mail",
            Self::Barcode => "barcode",
            Self::ExternalId => "external identifier",
            Self::Identifier => "identifier",
            Self::FullName => "full name",
            Self::Phone => "phone",
            Self::Street => "street and number",
            Self::Address => "address of a message",
            Self::CustomValue => "value of a custom field",
            Self::LastName => "last name",
            Self::FirstName => "first name",
            Self::MiddleName => "middle name",
            Self::PreferredName => "preferred name",
            Self::Postcode => "postcode",
        }
    }

    /// Returns the kind of value in an identifying column of `users`.
    pub fn of_column(column: &str) -> Self {
        match column {
            "user_id" | "user_id_key" => Self::UserId,
            "email" => Self::Email,
            "barcode" | "barcode_key" => Self::Barcode,
            "external_id" | "external_id_key" => Self::ExternalId,
            "phone" | "mobile" => Self::Phone,
            "street" => Self::Street,
            "last_name" => Self::LastName,
            "first_name" => Self::FirstName,
            "middle_name" => Self::MiddleName,
            "preferred_name" => Self::PreferredName,
            "postcode" => Self::Postcode,
            _ => Self::Identifier,
        }
    }

    /// Returns whether it is a name or part of one.
    pub const fn is_name(self) -> bool {
        matches!(
            self,
            Self::FullName | Self::LastName | Self::FirstName | Self::MiddleName | Self::PreferredName
        )
    }

    /// Returns whether it can have the form of an e-mail address.
    pub const fn may_be_address(self) -> bool {
        matches!(
            self,
            Self::UserId
                | Self::Email
                | Self::Barcode
                | Self::ExternalId
                | Self::Identifier
                | Self::CustomValue
        )
    }

    /// Returns whether a column of kind `column` may hold the same value for another user.
    pub fn belongs_in(self, column: Self) -> bool {
        self == column || self.is_name() && column.is_name()
    }
}

coded_enum! {
    /// The decision on a finding.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FindingDecision: "decision" {
        /// The text was removed.
        Removed = "removed",
        /// The text stays, because it is about another person.
        Kept = "kept",
        /// The text was no longer there.
        Gone = "gone",
    }
}

impl FindingDecision {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Removed => "Removed",
            Self::Kept => "Kept: about another person",
            Self::Gone => "No longer there",
        }
    }
}
