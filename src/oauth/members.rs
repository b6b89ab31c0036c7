//! The members of a body, JSON or form, without those that are dangerous in JavaScript.
//!
//! Must not know what a member means.

use serde_json::{Map, Value};

/// Nested deeper than this, a member is dropped. The JSON parser stops there by itself; other sources may not.
const DEEPEST: usize = 128;

/// The members of a body: a JSON object or a form (GitHub), whatever the content type says. None if it is neither.
pub(super) fn members(text: &str) -> Option<Map<String, Value>> {
    let text = unmarked(text);
    if text.starts_with('{') {
        let parsed = serde_json::from_str(text).or_else(|_| serde_json::from_str(&mended(text)));
        return match parsed {
            Ok(Value::Object(members)) => Some(own(members)),
            _ => None,
        };
    }
    if !text.contains('=') || text.contains(char::is_whitespace) {
        return None;
    }
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        members.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    // Much is a form to the letter. One that is meant as a reply has one of these.
    let meant = members.contains_key("access_token") || members.contains_key("error");
    meant.then(|| own(members))
}

/// The text with every half of a surrogate pair that stands alone replaced (`\ud83d` becomes `\ufffd`). JavaScript
/// reads such JSON, the parser here does not, and a name cut in the middle of an emoji must not cost the tokens.
fn mended(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        mended.push_str(before);
        mended.push('\\');
        let half = surrogate(after);
        let pair = after.get(5..).and_then(|text| text.strip_prefix('\\')).and_then(surrogate);
        let taken = match (half, pair) {
            (Some(Half::First), Some(Half::Second)) => 11,
            (Some(_), _) => {
                mended.push_str("ufffd");
                rest = after.get(5..).unwrap_or_default();
                continue;
            }
            // The escaped character itself, which may be another backslash.
            (None, _) => after.chars().next().map_or(0, char::len_utf8),
        };
        mended.push_str(after.get(..taken).unwrap_or_default());
        rest = after.get(taken..).unwrap_or_default();
    }
    mended.push_str(rest);
    mended
}

enum Half {
    First,
    Second,
}

/// Is this, behind a backslash, half of a surrogate pair?
fn surrogate(escape: &str) -> Option<Half> {
    let digits = escape.strip_prefix('u')?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        _ => None,
    }
}

/// The members without those whose names reach an object's prototype in JavaScript, all the way down.
pub(super) fn own(members: Map<String, Value>) -> Map<String, Value> {
    own_to_depth(members, DEEPEST)
}

fn own_to_depth(members: Map<String, Value>, depth: usize) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in members {
        if !matches!(name.as_str(), "__proto__" | "constructor" | "prototype") {
            kept.insert(name, harmless(value, depth));
        }
    }
    kept
}

fn harmless(value: Value, depth: usize) -> Value {
    match (value, depth.checked_sub(1)) {
        (Value::Object(_) | Value::Array(_), None) => Value::Null,
        (Value::Object(members), Some(depth)) => Value::Object(own_to_depth(members, depth)),
        (Value::Array(items), Some(depth)) => {
            Value::Array(items.into_iter().map(|item| harmless(item, depth)).collect())
        }
        (value, _) => value,
    }
}

/// The text without a byte order mark and surrounding space.
pub(super) fn unmarked(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_come_from_json_and_from_forms() {
        assert_eq!(members("\u{feff} {\"a\":1}\n"), json!({ "a": 1 }).as_object().cloned());
        assert_eq!(members("error=x&b=%41+"), json!({ "error": "x", "b": "A " }).as_object().cloned());
        for text in ["", "null", "[]", "\"text\"", "{", "{\"a\":1", "error", "hello=world", "<a b=c>", "it was error=x"]
        {
            assert_eq!(members(text), None, "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_does_not_cost_the_members_beside_it() {
        for (text, expected) in [
            (r#"{"a":"x\ud83d","b":1}"#, json!({ "a": "x\u{fffd}", "b": 1 })),
            (r#"{"a":"\udc00\ud83d\ud83d\ude00\n\\ud83d"}"#, json!({ "a": "\u{fffd}\u{fffd}\u{1f600}\n\\ud83d" })),
            (r#"{"a":"\ud83d\u0041\ud83dé"}"#, json!({ "a": "\u{fffd}A\u{fffd}é" })),
        ] {
            assert_eq!(members(text).map(Value::Object), Some(expected), "{text}");
        }
        for text in [r#"{"a":"\ud83"}"#, r#"{"a":"\"#, r#"{"a":"\ud83d"#, r#"{"a":"\ud83d\"#] {
            assert_eq!(members(text), None, "{text}");
        }
    }

    #[test]
    fn what_reaches_a_prototype_is_dropped_everywhere() {
        let text = r#"{"__proto__":{"a":1},"b":[{"constructor":1,"c":2}],"prototype":0}"#;
        assert_eq!(members(text), json!({ "b": [{ "c": 2 }] }).as_object().cloned());
        let deep = (0..200).fold(json!(1), |value, _| json!([value]));
        let kept = own(json!({ "deep": deep }).as_object().cloned().unwrap());
        assert!(kept["deep"].to_string().contains("null"));
    }
}
