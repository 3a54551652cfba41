//! The currency of the library, by its ISO 4217 code.
//!
//! Amounts are stored in hundredths, whatever the currency.

use crate::numbers::money;
use crate::stored::{Coded, Stored};
use iso_currency::{Currency as Iso, IntoEnumIterator as _};
use serde::{Serialize, Serializer};

/// A currency of ISO 4217 with at most three decimals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_code", to_str = "crate::stored::to_code")
)]
pub struct Currency(Iso);

/// Maximum number of decimals. Units of account such as CLF have more.
const MAX_DECIMALS: u16 = 3;

impl Currency {
    /// Returns all currencies, by code.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Iso::iter().filter_map(|iso| Self::from_code(iso.code())).collect();
        all.sort_by_key(|currency| currency.code());
        all
    }

    /// Returns the code, such as `EUR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the currency with this code. None for an unknown code, and for metals and units of account.
    pub fn from_code(code: &str) -> Option<Self> {
        let iso = Iso::from_code(code)?;
        iso.exponent().filter(|decimals| *decimals <= MAX_DECIMALS).map(|_| Self(iso))
    }

    /// Returns the English name.
    pub fn name(self) -> String {
        self.0.name().to_owned()
    }

    /// Returns the number of decimals of an amount.
    pub fn decimals(self) -> u16 {
        self.0.exponent().unwrap_or(2)
    }

    /// Formats an amount in hundredths with the decimals of the currency: `EUR 1,250.00`, `JPY 1,250`, `KWD 12.500`.
    ///
    /// Keeps a fraction that the currency does not have, so that no part of the amount is hidden.
    pub fn amount(self, hundredths: i64) -> String {
        let amount = money(hundredths);
        let amount = match self.decimals() {
            0 | 1 if hundredths % 100 == 0 => amount.trim_end_matches("00").trim_end_matches('.').to_owned(),
            3 => format!("{amount}0"),
            _ => amount,
        };
        format!("{}\u{a0}{amount}", self.code())
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self(Iso::GBP)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl Stored for Currency {
    const NAME: &'static str = "currency";
}

impl Coded for Currency {
    fn code(self) -> &'static str {
        self.code()
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::from_code(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (code, hundredths, text) in [
            ("EUR", 125_000, "EUR 1,250.00"),
            ("GBP", -1, "GBP -0.01"),
            ("JPY", 125_000, "JPY 1,250"),
            ("JPY", 100_000, "JPY 1,000"),
            ("JPY", 50, "JPY 0.50"),
            ("JPY", 0, "JPY 0"),
            ("KWD", 1_250, "KWD 12.500"),
        ] {
            let currency = Currency::from_code(code).expect("a currency");
            assert_eq!(currency.amount(hundredths).replace('\u{a0}', " "), text);
        }
    }

    #[test]
    fn metals_units_of_account_and_other_texts_are_no_currencies() {
        for code in ["XAU", "XXX", "CLF", "eur", "", "EURO"] {
            assert_eq!(Currency::from_code(code), None, "{code}");
        }
        let codes: Vec<&str> = Currency::all().into_iter().map(Currency::code).collect();
        assert!(codes.len() > 140 && codes.is_sorted() && codes.contains(&"CHF"), "{codes:?}");
    }
}
