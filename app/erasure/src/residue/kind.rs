//! Kinds of values. A finding stores the kind instead of the value.

use serde::Serialize;

/// The kind of a value, in descending order of evidence.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// The login name.
    UserId,
    /// The e-mail address.
    Email,
    /// The barcode of the library card.
    Barcode,
    /// The identifier of another system.
    ExternalId,
    /// Another identifier of the record.
    Identifier,
    /// First name and last name, in either order.
    FullName,
    /// Phone or mobile phone.
    Phone,
    /// Street and house number.
    Street,
    /// An address to which a message was sent.
    Address,
    /// The value of a custom field.
    CustomValue,
    /// The last name alone.
    LastName,
    /// The first name alone.
    FirstName,
    /// The middle name alone.
    MiddleName,
    /// The preferred name alone.
    PreferredName,
    /// The postcode.
    Postcode,
}

impl ValueKind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::UserId,
        Self::Email,
        Self::Barcode,
        Self::ExternalId,
        Self::Identifier,
        Self::FullName,
        Self::Phone,
        Self::Street,
        Self::Address,
        Self::CustomValue,
        Self::LastName,
        Self::FirstName,
        Self::MiddleName,
        Self::PreferredName,
        Self::Postcode,
    ];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::Email => "email",
            Self::Barcode => "barcode",
            Self::ExternalId => "external_id",
            Self::Identifier => "identifier",
            Self::FullName => "full_name",
            Self::Phone => "phone",
            Self::Street => "street",
            Self::Address => "address",
            Self::CustomValue => "custom_value",
            Self::LastName => "last_name",
            Self::FirstName => "first_name",
            Self::MiddleName => "middle_name",
            Self::PreferredName => "preferred_name",
            Self::Postcode => "postcode",
        }
    }

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

    /// Returns the kind with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the kind of value in an identifying column of `users`.
    pub(super) fn of_column(column: &str) -> Self {
        match column {
            "user_id" => Self::UserId,
            "email" => Self::Email,
            "barcode" => Self::Barcode,
            "external_id" => Self::ExternalId,
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
    pub(super) const fn is_name(self) -> bool {
        matches!(
            self,
            Self::FullName | Self::LastName | Self::FirstName | Self::MiddleName | Self::PreferredName
        )
    }

    /// Returns whether it can have the form of an e-mail address.
    pub(super) const fn may_be_address(self) -> bool {
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
    pub(super) fn belongs_in(self, column: Self) -> bool {
        self == column || self.is_name() && column.is_name()
    }
}
