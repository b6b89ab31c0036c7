//! Seconds in the forms that servers write them, as milliseconds, without floating-point formatting or parsing.

use serde_json::Value;

use crate::protocol::tokens::Millis;

/// A hundred years: what a number is cut to, so that no sum of moments overflows.
pub(super) const LONGEST: Millis = 3_155_760_000_000;

/// A JSON number or numeric string of seconds, not negative, as milliseconds.
pub(super) fn seconds(value: &Value) -> Option<Millis> {
    match value {
        Value::Number(number) => millis(number.as_f64()?, 1_000.0),
        Value::String(text) => decimal_seconds(text),
        _ => None,
    }
}

/// A JSON number of milliseconds, not negative.
pub(super) fn milliseconds(value: &Value) -> Option<Millis> {
    millis(value.as_f64()?, 1.0)
}

/// A plain decimal number of seconds ("3600", "0.529"), as milliseconds. No sign, no exponent.
pub(super) fn decimal_seconds(text: &str) -> Option<Millis> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // All digits: what does not fit is too long, not too wrong.
    let whole: Millis = whole.parse().unwrap_or(LONGEST);
    let thousandths =
        fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + Millis::from(digit - b'0'));
    Some(whole.saturating_mul(1_000).saturating_add(thousandths).min(LONGEST))
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn millis(number: f64, unit: f64) -> Option<Millis> {
    // The cast saturates, and NaN is in no range.
    (number >= 0.0).then_some((number * unit) as Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_come_as_numbers_and_as_strings() {
        assert_eq!(seconds(&json!(3600)), Some(3_600_000));
        assert_eq!(seconds(&json!(0.529)), Some(529));
        assert_eq!(seconds(&json!("3600")), Some(3_600_000));
        assert_eq!(seconds(&json!(" 1.5 ")), Some(1_500));
        assert_eq!(seconds(&json!("99999999999999999999")), Some(LONGEST));
        for nonsense in [
            json!(-1),
            json!("-1"),
            json!("1e3"),
            json!(""),
            json!("."),
            json!("1.x"),
            json!("1.-"),
            json!(null),
            json!([60]),
            json!("soon"),
        ] {
            assert_eq!(seconds(&nonsense), None, "{nonsense}");
        }
    }
}
