//! Values as the database stores them: enums as codes, settings as JSON.
//!
//! With the feature `db`, the columns of the entities have these types. A text that is none of their values is an
//! error of the query.

#[cfg(feature = "db")]
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// A type whose values the database stores as text.
pub trait Stored: Sized {
    /// The name of a value in messages: `state of the run`.
    const NAME: &'static str;
}

/// An enum whose values are stored as codes. The macro `coded_enum` implements it.
pub trait Coded: Stored + Copy {
    /// Returns the stable code that is stored.
    fn code(self) -> &'static str;
    /// Returns the value with this code, or `None` if there is none.
    fn from_code(code: &str) -> Option<Self>;
}

/// A stored text is not a value of its type. The message omits the text, which can contain personal data.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("The stored {0} cannot be read")]
pub struct Unreadable(pub &'static str);

/// Reads a stored code.
pub fn from_code<T: Coded>(code: &str) -> Result<T, Unreadable> {
    T::from_code(code).ok_or(Unreadable(T::NAME))
}

/// Returns the code to store.
pub fn to_code<T: Coded>(value: &T) -> &'static str {
    value.code()
}

/// Reads stored JSON.
#[cfg(feature = "db")]
pub fn from_json<T: Stored + DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|_| Unreadable(T::NAME))
}

/// Returns the JSON to store.
///
/// # Panics
///
/// If a value has no JSON form, such as a map with keys that are not texts. No stored type has one.
#[cfg(feature = "db")]
pub fn to_json<T: Stored + Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("stored types have a JSON form")
}

/// Defines an enum that is stored as codes, from one list: the variants, `ALL`, `code` and `from_code`. The text after
/// the name of the enum is the name of a value in messages. Two variants with one code are an error of Clippy.
macro_rules! coded_enum {
    (
        $(#[$attribute:meta])*
        pub enum $type:ident: $name:literal {
            $($(#[$of_variant:meta])* $variant:ident = $code:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[cfg_attr(
            feature = "db",
            derive(sea_orm::DeriveValueType),
            sea_orm(
                value_type = "String",
                from_str = "crate::stored::from_code",
                to_str = "crate::stored::to_code"
            )
        )]
        pub enum $type {
            $($(#[$of_variant])* $variant,)+
        }

        impl $type {
            /// All values, in the order of the enum.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// Returns the stable code that is stored.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// Returns the value with this code, or `None` if there is none.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::stored::Stored for $type {
            const NAME: &'static str = $name;
        }

        impl $crate::stored::Coded for $type {
            fn code(self) -> &'static str {
                self.code()
            }

            fn from_code(code: &str) -> Option<Self> {
                Self::from_code(code)
            }
        }
    };
}

pub(crate) use coded_enum;

/// Allows a coded enum as part of a primary key. `SeaORM` requires this conversion, which only integers have.
macro_rules! part_of_key {
    ($type:ident) => {
        #[cfg(feature = "db")]
        impl sea_orm::TryFromU64 for $type {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($type)))
            }
        }
    };
}

pub(crate) use part_of_key;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunState;

    #[test]
    fn a_code_is_read_back_as_its_value() {
        for state in RunState::ALL {
            assert_eq!(from_code(to_code(&state)), Ok(state));
        }
    }

    #[test]
    fn an_unknown_code_names_the_kind_of_value_only() {
        let error = from_code::<RunState>("jane.doe@example.org").map_err(|error| error.to_string());
        assert_eq!(error, Err("The stored state of the run cannot be read".to_owned()));
    }
}
