//! The shape of a cron line: five fields. Small enough for the browser; the times themselves are computed
//! by the `croner` library, in [`crate::zones`] (a test holds the two equal).

/// Whether a text is a cron line: minute, hour, day of the month, month, day of the week. Each field is a
/// list of `*`, numbers, ranges and steps; months and days of the week may be named.
pub fn is_cron_line(line: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let lower = line.trim().to_ascii_lowercase();
    let fields: Vec<&str> = lower.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return false };
    is_field(minute, 0, 59, &[])
        && is_field(hour, 0, 23, &[])
        && is_field(day, 1, 31, &[])
        && is_field(month, 1, 12, &MONTHS)
        && is_field(weekday, 0, 7, &DAYS)
}

fn is_field(field: &str, least: u32, most: u32, names: &[&str]) -> bool {
    let value = |text: &str| -> Option<u32> {
        if let Some(place) = names.iter().position(|name| *name == text) {
            return u32::try_from(place).ok().map(|place| place + least);
        }
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().filter(|n| (least..=most).contains(n))
    };
    field.split(',').all(|part| {
        let (base, step) = part.split_once('/').map_or((part, None), |(base, step)| (base, Some(step)));
        let stepped = step.is_none_or(|step| {
            (1..=2).contains(&step.len())
                && step.bytes().all(|byte| byte.is_ascii_digit())
                && step.parse().is_ok_and(|step: u32| (1..=most).contains(&step))
        });
        let range = match base.split_once('-') {
            Some((from, to)) => matches!((value(from), value(to)), (Some(from), Some(to)) if from <= to),
            None => base == "*" || (step.is_none() && value(base).is_some()),
        };
        stepped && range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_in_range() {
        for line in
            ["30 2 * * mon", "*/15 0-6 1,15 jan-jun 1-5", "0 0 * * 7", "59 23 31 12 0", " 0  4 * * * "]
        {
            assert!(is_cron_line(line), "{line}");
        }
        for line in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "@daily",
            "a * * * *",
            "5/2 * * * *",
            "1, * * * *",
            "+1 * * * *",
        ] {
            assert!(!is_cron_line(line), "{line}");
        }
    }
}
