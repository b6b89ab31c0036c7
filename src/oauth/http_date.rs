//! Dates of HTTP (RFC 9110 section 5.6.7) in their three forms, as milliseconds since the epoch.

use crate::protocol::tokens::Millis;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads IMF-fixdate (`Sun, 06 Nov 1994 08:49:37 GMT`), the form of RFC 850 (`Sunday, 06-Nov-94 08:49:37 GMT`) and
/// that of asctime (`Sun Nov  6 08:49:37 1994`). `now` decides the century of a year with two digits.
pub(super) fn parse(text: &str, now: Millis) -> Option<Millis> {
    let parts: Vec<&str> = text.split([' ', ',', '-']).filter(|part| !part.is_empty()).collect();
    let (day, month, year, time) = match *parts.as_slice() {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = 1 + MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64;
    let day = number(day, 1, 31)?;
    let full = if year.len() == 2 { full_year(number(year, 0, 99)?, now) } else { number(year, 1970, 9999)? };
    let mut clock = time.split(':');
    let (hour, minute) = (number(clock.next()?, 0, 23)?, number(clock.next()?, 0, 59)?);
    // 60 is a leap second.
    let second = number(clock.next()?, 0, 60)?;
    if clock.next().is_some() {
        return None;
    }
    Some((((days(full, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| all_digits && (least..=most).contains(number))
}

/// A year with two digits that would lie more than 50 years ahead is one of the past (RFC 9110 section 5.6.7).
fn full_year(short: i64, now: Millis) -> i64 {
    const YEAR: Millis = 31_556_952_000;
    let this = 1970 + now / YEAR;
    let year = this - this % 100 + short;
    if year > this + 50 { year - 100 } else { year }
}

/// Days since the epoch, by the civil calendar: years begin in March, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_000_000_000; // November 2026

    #[test]
    fn all_three_forms_are_read() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text, NOW), Some(784_111_777_000), "{text}");
        }
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT", NOW), Some(0));
        assert_eq!(parse("Thu, 29 Feb 2024 23:59:60 GMT", NOW), Some(1_709_251_200_000));
        assert_eq!(parse("Fri, 01 Mar 2024 00:00:00 GMT", NOW), Some(1_709_251_200_000));
        assert_eq!(parse("Wednesday, 01-Jan-76 00:00:00 GMT", NOW), Some(3_345_062_400_000), "50 years ahead");
        assert_eq!(parse("Saturday, 01-Jan-77 00:00:00 GMT", NOW), Some(220_924_800_000), "51 would be");
        assert_eq!(parse("Saturday, 01-Jan-28 00:00:00 GMT", NOW), Some(1_830_297_600_000));
    }

    #[test]
    fn everything_else_is_no_date() {
        for text in [
            "",
            "soon",
            "-5",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:11 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "2026-11-21T00:00:00Z",
        ] {
            assert_eq!(parse(text, NOW), None, "{text}");
        }
    }
}
