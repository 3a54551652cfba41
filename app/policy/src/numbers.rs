//! Formats numbers for people.

/// Formats an integer with thousands separators: `1,204`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a count with its noun: `1 user`, `1,204 users`.
pub fn counted(number: i64, singular: &str, plural: &str) -> String {
    let noun = if number == 1 { singular } else { plural };
    format!("{} {noun}", grouped(number))
}

/// Formats a difference with its sign: `+1,204`, `-3`, `0`.
pub fn signed(number: i64) -> String {
    if number > 0 { format!("+{}", grouped(number)) } else { grouped(number) }
}

/// Formats a share with one decimal and a no-break space: `1.3 %`. A share that isn't 0 or 100 % is never shown as such.
pub fn percent(part: i64, of: i64) -> String {
    if part <= 0 || of <= 0 {
        return "0\u{a0}%".to_owned();
    }
    if part >= of {
        return "100\u{a0}%".to_owned();
    }
    let tenths = part.saturating_mul(1000).saturating_add(of / 2) / of;
    match tenths {
        0 => "less than 0.1\u{a0}%".to_owned(),
        1000.. => "more than 99.9\u{a0}%".to_owned(),
        tenths => format!("{}.{}\u{a0}%", tenths / 10, tenths % 10),
    }
}

/// Formats an amount in cents, to be shown with the library's currency: `-0.01`, `1,250.00`.
pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let whole = i64::try_from(cents / 100).unwrap_or(i64::MAX);
    format!("{sign}{}.{:02}", grouped(whole), cents % 100)
}

/// Parses an amount with a decimal point, such as `12.50` or `-3`. Returns it in cents, or `None` for another text.
pub fn parse_money(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(decimals) || decimals.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{decimals:0<2}").parse().ok()?;
    let cents = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)?;
    Some(if is_negative { -cents } else { cents })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_204_567, "1,204,567"), (-36_500, "-36,500")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "user", "users"), "1 user");
        assert_eq!(counted(1204, "user", "users"), "1,204 users");
    }

    #[test]
    fn shares_and_differences_are_never_rounded_away() {
        for (part, of, text) in [
            (0, 30_000, "0 %"),
            (396, 30_000, "1.3 %"),
            (1, 30_000, "less than 0.1 %"),
            (29_999, 30_000, "more than 99.9 %"),
            (30_000, 30_000, "100 %"),
            (1, 8, "12.5 %"),
            (0, 0, "0 %"),
            (0, 10, "0 %"),
            (1, 1_000_000, "less than 0.1 %"),
            (13, 1000, "1.3 %"),
            (1, 3, "33.3 %"),
            (999_999, 1_000_000, "more than 99.9 %"),
            (10, 10, "100 %"),
        ] {
            assert_eq!(percent(part, of), text.replace(" %", "\u{a0}%"), "{part} of {of}");
        }
        assert_eq!([1_204, 0, -3].map(signed), ["+1,204", "0", "-3"]);
    }

    #[test]
    fn amounts_are_parsed_or_rejected() {
        for (text, cents) in [("12.50", 1250), ("12.5", 1250), ("-3", -300), ("0.07", 7), ("007", 700)] {
            assert_eq!(parse_money(text), Some(cents), "{text}");
        }
        let wrong = [
            "",
            "-",
            ".5",
            "5.",
            "1,234",
            "12,50",
            "1.234,50",
            "12.505",
            "EUR 5",
            "1e3",
            "+5",
            "--5",
            "５",
            "99999999999999999999",
        ];
        for text in wrong {
            assert_eq!(parse_money(text), None, "{text}");
        }
    }

    #[test]
    fn money_keeps_its_sign() {
        assert_eq!(money(-1), "-0.01");
        assert_eq!(money(125_000), "1,250.00");
        assert_eq!(money(i64::MIN), "-92,233,720,368,547,758.08");
    }
}
