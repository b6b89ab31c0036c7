//! A reply taken apart: its members, the error codes in all the places where servers put them, its descriptions.
//!
//! Finds things; must not know what they mean.

use serde_json::{Map, Value};

use super::http_date;
use super::members::unmarked;
use crate::protocol::tokens::Millis;

/// The parts of a reply, or of what a custom `refresh` threw.
pub(super) struct Answer<'a> {
    /// HTTP status, if there was a reply.
    pub status: Option<u16>,
    /// Header names and values.
    pub headers: &'a [(String, String)],
    /// The members of a JSON object or a form; none if the body is neither.
    pub members: Option<Map<String, Value>>,
    /// The body as it came; empty if there is none.
    pub text: &'a str,
}

/// Members whose string value may be an error code, in this order. `error` first: that is the standard's place.
const CODE_MEMBERS: [&str; 6] = ["code", "error_code", "errorCode", "status", "__type", "type"];
/// Members that hold tokens, in either spelling.
const TOKEN_MEMBERS: [&str; 6] =
    ["access_token", "refresh_token", "id_token", "accessToken", "refreshToken", "idToken"];
/// Members that describe the error.
const DESCRIPTION_MEMBERS: [&str; 9] = [
    "error_description",
    "errorDescription",
    "message",
    "Message",
    "msg",
    "error_message",
    "errorSummary",
    "detail",
    "reason",
];

impl Answer<'_> {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// A top-level member.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.as_ref()?.get(name)
    }

    /// What stands where tokens stand. A refusal may have some, and may repeat them in what it says.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        TOKEN_MEMBERS.into_iter().filter_map(|name| self.member(name)?.as_str())
    }

    /// What the clock of the server showed (RFC 9110 section 6.6.1), if the host lets us see it.
    pub fn date(&self, received_at: Millis) -> Option<Millis> {
        http_date::parse(self.header("date")?, received_at)
    }

    /// The error code in the standard's place, known or not.
    pub fn error(&self) -> Option<&str> {
        let error = match self.member("error")? {
            Value::Object(error) => text(error, "code").or_else(|| text(error, "type"))?,
            error => error.as_str()?,
        };
        Some(bare(error)).filter(|code| !code.is_empty())
    }

    /// Everything that may be an error code, the likeliest first, without the name spaces of AWS
    /// (`com.amazonaws.x#Exception:http://…`).
    pub fn codes(&self) -> Vec<&str> {
        let mut codes = Vec::new();
        if let Some(members) = &self.members {
            match members.get("error") {
                Some(Value::Object(error)) => {
                    codes.extend(["code", "type", "error", "status"].into_iter().filter_map(|name| text(error, name)));
                }
                Some(Value::String(error)) => codes.push(error.as_str()),
                _ => {}
            }
            for error in listed(members) {
                codes.extend(["errorType", "code", "error", "type"].into_iter().filter_map(|name| text(error, name)));
            }
            codes.extend(CODE_MEMBERS.into_iter().filter_map(|name| text(members, name)));
        }
        codes.extend(self.header("x-amzn-errortype"));
        codes.into_iter().map(bare).filter(|code| !code.is_empty()).collect()
    }

    /// Is this one of the error codes? Letters in any case.
    pub fn has_code(&self, code: &str) -> bool {
        self.codes().iter().any(|other| other.eq_ignore_ascii_case(code))
    }

    /// Everything that describes the error, the likeliest first.
    pub fn descriptions(&self) -> Vec<&str> {
        let Some(members) = &self.members else { return Vec::new() };
        let mut found: Vec<&str> = DESCRIPTION_MEMBERS.into_iter().filter_map(|name| text(members, name)).collect();
        let nested = match members.get("error") {
            Some(Value::Object(error)) => Some(error),
            _ => None,
        };
        for error in nested.into_iter().chain(listed(members)) {
            let names = ["message", "long_message", "description", "error_description"];
            found.extend(names.into_iter().filter_map(|name| text(error, name)));
        }
        // Some write a sentence where the code belongs.
        found.extend(text(members, "error").filter(|error| error.contains(' ')));
        found
    }

    /// Is a description exactly this text, but for case and a full stop?
    pub fn says_exactly(&self, text: &str) -> bool {
        let text = text.trim_end_matches('.');
        self.descriptions().into_iter().any(|said| said.trim().trim_end_matches('.').eq_ignore_ascii_case(text))
    }

    /// Does a description contain this phrase? In any case of letters.
    pub fn says(&self, phrase: &str) -> bool {
        let is_phrase = |window: &[u8]| window.eq_ignore_ascii_case(phrase.as_bytes());
        self.descriptions().into_iter().any(|text| text.as_bytes().windows(phrase.len()).any(is_phrase))
    }

    /// Does the body contain this word, whole?
    pub fn mentions(&self, word: &str) -> bool {
        let part = |byte: Option<&u8>| byte.is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphanumeric());
        let bytes = self.text.as_bytes();
        bytes.windows(word.len()).enumerate().any(|(at, window)| {
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            window == word.as_bytes() && !part(before) && !part(bytes.get(at + word.len()))
        })
    }

    /// Is the body a page for people, or XML?
    pub fn is_markup(&self) -> bool {
        unmarked(self.text).starts_with('<')
    }

    /// Is there nothing in the body?
    pub fn is_empty(&self) -> bool {
        self.members.is_none() && unmarked(self.text).is_empty()
    }
}

/// The objects in `errors`.
fn listed(members: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    members.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn bare(code: &str) -> &str {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.rsplit_once('#').map_or(code, |(_, code)| code).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::members::members;

    fn answer(text: &str) -> Answer<'_> {
        Answer { status: Some(400), headers: &[], members: members(text), text }
    }

    #[test]
    fn codes_are_found_wherever_they_stand() {
        for (text, code) in [
            (r#"{"error":"invalid_grant"}"#, "invalid_grant"),
            (r#"{"error":{"code":"expired_token"}}"#, "expired_token"),
            (r#"{"error":{"code":400,"type":"bad"}}"#, "bad"),
            (r#"{"errors":[{"errorType":"invalid_grant"}]}"#, "invalid_grant"),
            (r#"{"code":400,"error_code":"refresh_token_not_found"}"#, "refresh_token_not_found"),
            (r#"{"status":"BAD_REFRESH_TOKEN"}"#, "bad_refresh_token"),
            (r#"{"__type":"com.amazonaws.x#NotAuthorizedException:http://y"}"#, "NotAuthorizedException"),
        ] {
            assert!(answer(text).has_code(code), "{text}");
        }
        let headers = [("X-Amzn-ErrorType".to_owned(), "InvalidGrantException:".to_owned())];
        let answer = Answer { status: Some(400), headers: &headers, members: None, text: "" };
        assert_eq!(answer.codes(), ["InvalidGrantException"]);
    }

    #[test]
    fn descriptions_are_found_wherever_they_stand() {
        for (text, description) in [
            (r#"{"error_description":"over"}"#, "over"),
            (r#"{"error":{"message":"over"}}"#, "over"),
            (r#"{"errors":[{"long_message":"over"}]}"#, "over"),
            (r#"{"error":"it is over"}"#, "it is over"),
        ] {
            assert_eq!(answer(text).descriptions(), [description], "{text}");
        }
    }

    #[test]
    fn a_word_is_mentioned_whole_or_not_at_all() {
        assert!(answer("failed: invalid_grant.").mentions("invalid_grant"));
        assert!(!answer("not_invalid_grant invalid_granted éinvalid_grant1").mentions("invalid_grant"));
    }
}
