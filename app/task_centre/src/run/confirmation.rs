//! Confirmation by typing the number of users.

/// Parses a number as people type it, including `1,234` and `1 234`.
pub fn typed_number(typed: &str) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    digits.parse().ok()
}
