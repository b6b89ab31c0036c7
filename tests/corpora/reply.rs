//! What holds of every verdict, whatever a server sends.
//!
//! An input is a reply in the manner of HTTP, so that a corpus can be read:
//!
//! ```text
//! 429 confidential
//! Retry-After: 7
//!
//! {"error":"slow_down"}
//! ```
//!
//! The words behind the status are the facts of the request and of the transfer, see [`Input::of_text`]. An input that
//! begins with a byte no text has, [`BUILT`], is taken for choices instead, of which a reply is built.

use std::fmt::Write;

use arbitrary::{Result, Unstructured};
use refresh_coordinator::oauth::code;
use refresh_coordinator::oauth::judge::{judge, judge_returned, judge_revocation, judge_thrown};
use refresh_coordinator::oauth::reply::{Body, Facts, Reply};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::verdict::{Class, Fault, Granted, Refusal, Spent, Verdict};
use serde_json::{Map, Value};

/// The first byte of an input that is built of choices.
const BUILT: u8 = 0xff;
/// What every request of these tests presented.
const PRESENTED: &str = "rt.8xLOxBtZp8-0a1b2c3d";
/// What every confidential client of these tests proves itself with.
const CLIENT_SECRET: &str = "cs_Vq7+mL/3==hush~1";
/// When every reply of these tests comes: November 2026, in milliseconds since the epoch.
const RECEIVED: i64 = 1_795_000_000_000;
/// The longest wish that is heeded, in milliseconds.
const LONGEST_WAIT: i64 = 300_000;
/// Two hundred years in milliseconds, the furthest moment that is believed.
const LONGEST_LIFE: i64 = 2 * 3_155_760_000_000;

/// Judges the reply in every way there is, and asserts of each verdict what must hold of it.
pub fn check(input: &[u8]) {
    let Some(input) = Input::read(input) else { return };
    let secrets = [PRESENTED, CLIENT_SECRET];
    let facts = Facts {
        client_authenticated: input.confidential,
        token_sent: !input.nothing_sent,
        scope: if input.commas { Some("Mail.Read,Mail.Send") } else { None },
        secrets: &secrets,
        received_at: RECEIVED,
    };
    let body = match input.transfer {
        Transfer::Whole => Body::Text(&input.body),
        Transfer::TooLarge => Body::TooLarge,
        Transfer::Truncated => Body::Truncated,
    };
    let reply = Reply { status: input.status, redirected: input.redirected, headers: &input.headers, body };
    let verdict = judge(&reply, &facts);
    assert_eq!(judge(&reply, &facts), verdict, "a judgement depends on nothing else");
    match &verdict {
        Verdict::Granted(granted) => of_grant(&input, granted),
        Verdict::Refused(refusal) => of_refusal(&input, refusal, &facts),
    }
    of_revocation(&input, &reply, &facts);
    if let Some(Value::Object(members)) = input.json() {
        of_custom_refresh(&input, &members, &facts);
    }
}

fn of_grant(input: &Input, granted: &Granted) {
    assert!((200..300).contains(&input.status) && !input.redirected, "granted with {}", input.status);
    assert_eq!(input.transfer, Transfer::Whole, "granted with half a body");
    let token = granted.access_token.as_ref().expect("a grant has an access token").expose();
    assert!(is_token(token) && input.holds(token), "the access token is in the reply");
    of_members(granted);
    if let Some(token) = &granted.refresh_token {
        assert!(input.holds(token.expose()), "the refresh token is in the reply");
    }
}

/// What holds of everything granted, by an endpoint or by a custom `refresh`.
fn of_members(granted: &Granted) {
    for token in [&granted.access_token, &granted.refresh_token].into_iter().flatten() {
        assert!(is_token(token.expose()), "a token can be sent in a header");
    }
    assert!(granted.lifetime.is_none() || granted.expires_at.is_none(), "one end, not two");
    assert!(granted.lifetime.is_none_or(|life| (1..=LONGEST_LIFE).contains(&life)), "{:?}", granted.lifetime);
    assert!(granted.expires_at.is_none_or(|end| end > RECEIVED), "a token that was granted just now has not ended");
    assert!(granted.subject.as_ref().is_none_or(|subject| !subject.is_empty()));
    assert!(is_harmless(&Value::Object(granted.extra.clone())), "no member reaches a prototype");
    let Granted { lifetime, expires_at, .. } = granted;
    let shown = format!("Granted {{ lifetime: {lifetime:?}, expires_at: {expires_at:?}, .. }}");
    assert_eq!(format!("{granted:?}"), shown, "nothing else is ever printed");
}

fn of_refusal(input: &Input, refusal: &Refusal, facts: &Facts<'_>) {
    of_any_refusal(input, refusal, facts);
    let code = &*refusal.details.code;
    let redirected = input.redirected || (300..400).contains(&input.status);
    assert_eq!(redirected, code == code::REDIRECTED, "a redirect is one, whatever it says");
    if redirected {
        assert_eq!(refusal.class, Class::Configuration);
        return;
    }
    if says_not_now(input.status) {
        assert_eq!(refusal.class, Class::Transient, "a gateway in trouble ends no session: {}", input.status);
    }
    if matches!(refusal.class, Class::Revoked(_)) {
        assert_eq!(input.transfer, Transfer::Whole, "what was not read ends no session");
        let bare_401 = input.status == 401 && !facts.client_authenticated;
        assert!(bare_401 || input.says_that_the_token_is_dead(), "nothing in it says that the token is dead");
    }
    assert!(!input.must_be_granted(), "tokens were thrown away: {refusal:?}");
}

/// What holds of every refusal, wherever it comes from.
fn of_any_refusal(input: &Input, refusal: &Refusal, facts: &Facts<'_>) {
    let Refusal { class, spent, details, retry_after } = refusal;
    let revoked = matches!(class, Class::Revoked(_));
    let unknown =
        [code::UNKNOWN, code::MALFORMED, code::NO_ACCESS_TOKEN, code::TOO_LARGE, code::TRUNCATED, code::THREW];
    if unknown.contains(&&*details.code) {
        assert_eq!(*class, Class::Transient, "what is unknown ends no session");
        assert_eq!(*spent == Spent::Maybe, facts.token_sent, "and nobody knows what became of the token");
    }
    assert!(facts.token_sent || *spent != Spent::Maybe, "what was not sent is not spent by accident");
    assert!(!revoked || *spent != Spent::No || !facts.token_sent, "a dead token is not as good as new");
    assert_eq!(details.fault, if *class == Class::Configuration { Fault::Caller } else { Fault::Server });
    assert!(!details.code.is_empty() && details.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    if let Some(wait) = retry_after {
        assert_eq!(*class, Class::Transient, "only what passes is worth waiting for");
        assert!((0..=LONGEST_WAIT).contains(wait), "{wait}");
    }
    assert!(details.message.chars().count() <= 600, "one sentence");
    assert!(!details.message.chars().any(char::is_control), "one line: {:?}", details.message);
    let failure = Failure::refused(refusal, None);
    let mut printed = format!("{refusal:?}\n{failure:?}\n{failure}");
    write!(printed, "\n{:?}", Verdict::Refused(Box::new(refusal.clone()))).expect("a string takes all");
    for secret in facts.secrets {
        assert!(!shows(&printed, secret), "a secret in {printed}");
    }
    for run in input.runs_of_tokens() {
        assert!(!printed.contains(&run), "a token of the reply in {printed}");
    }
}

fn of_revocation(input: &Input, reply: &Reply<'_>, facts: &Facts<'_>) {
    match judge_revocation(reply, facts) {
        Ok(()) => {
            let success = (200..300).contains(&input.status);
            assert!(success || !says_not_now(input.status), "{} revokes nothing", input.status);
            assert!(success || input.says_that_the_token_is_dead(), "nothing says that it is revoked");
        }
        Err(refusal) => {
            of_any_refusal(input, &refusal, facts);
            assert!(!(200..300).contains(&input.status));
        }
    }
}

/// The same members, as a custom `refresh` returns or throws them.
fn of_custom_refresh(input: &Input, members: &Map<String, Value>, facts: &Facts<'_>) {
    match judge_returned(members, facts) {
        Verdict::Granted(granted) => {
            let end = granted.lifetime.is_some() || granted.expires_at.is_some();
            assert!(granted.access_token.is_some() || end, "a session has a token, or an end");
            of_members(&granted);
        }
        Verdict::Refused(refusal) => of_any_refusal(input, &refusal, facts),
    }
    for status in [None, Some(input.status)] {
        let refusal = judge_thrown(status, &input.headers, members, facts);
        of_any_refusal(input, &refusal, facts);
        assert!(!status.is_some_and(says_not_now) || refusal.class == Class::Transient);
        if matches!(refusal.class, Class::Revoked(_)) {
            let bare_401 = status == Some(401) && !facts.client_authenticated;
            assert!(bare_401 || input.says_that_the_token_is_dead(), "nothing thrown says that the token is dead");
        }
    }
}

/// How much of the body arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transfer {
    Whole,
    TooLarge,
    Truncated,
}

/// One reply, and the facts of its request.
struct Input {
    status: u16,
    redirected: bool,
    confidential: bool,
    nothing_sent: bool,
    commas: bool,
    transfer: Transfer,
    headers: Vec<(String, String)>,
    body: String,
}

impl Input {
    fn read(input: &[u8]) -> Option<Self> {
        match input.split_first() {
            Some((&BUILT, choices)) => Self::built(&mut Unstructured::new(choices)).ok(),
            // Decoded as a host decodes it.
            _ => Self::of_text(&String::from_utf8_lossy(input)),
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let status = words.next()?.parse().ok()?;
        let words: Vec<&str> = words.collect();
        let is = |word| words.contains(&word);
        let headers = lines.filter_map(|line| line.split_once(':'));
        Some(Self {
            status,
            redirected: is("redirected"),
            confidential: is("confidential"),
            nothing_sent: is("nothing-sent"),
            commas: is("commas"),
            transfer: match () {
                () if is("too-large") => Transfer::TooLarge,
                () if is("truncated") => Transfer::Truncated,
                () => Transfer::Whole,
            },
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.to_owned(),
        })
    }

    fn built(choices: &mut Unstructured<'_>) -> Result<Self> {
        const STATUSES: [u16; 20] =
            [200, 200, 200, 201, 204, 302, 400, 400, 400, 401, 401, 403, 404, 408, 409, 425, 429, 500, 503, 0];
        const HEADERS: [&str; 6] =
            ["retry-after", "date", "x-rate-limit-reset", "x-amzn-errortype", "www-authenticate", "content-type"];
        let status = if choices.ratio(1, 8)? { choices.arbitrary()? } else { *choices.choose(&STATUSES)? };
        let facts: u8 = choices.arbitrary()?;
        let mut headers = Vec::new();
        while headers.len() < 4 && choices.ratio(1, 3)? {
            let value = match choices.int_in_range(0..=3)? {
                0 => choices.arbitrary::<i64>()?.to_string(),
                1 => choices.arbitrary::<u16>()?.to_string(),
                2 => (*choices.choose(&WORDS)?).to_owned(),
                _ => "Sat, 21 Nov 2026 06:13:00 GMT".to_owned(),
            };
            headers.push(((*choices.choose(&HEADERS)?).to_owned(), value));
        }
        let value = object(choices, 3)?;
        let body = if facts & 0x30 == 0x30 { form(&value) } else { Value::Object(value).to_string() };
        Ok(Self {
            status,
            redirected: facts & 0xc0 == 0xc0,
            confidential: facts & 1 != 0,
            nothing_sent: facts & 6 == 6,
            commas: facts & 8 != 0,
            transfer: Transfer::Whole,
            headers,
            body,
        })
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_str(bare(&self.body)).ok()
    }

    /// Parts of the tokens that stand in the body where tokens stand: twelve letters and digits, which cannot be words.
    fn runs_of_tokens(&self) -> Vec<String> {
        let Some(json) = self.json() else { return Vec::new() };
        let names = ["access_token", "refresh_token", "id_token", "accessToken", "refreshToken", "idToken"];
        let tokens = names.into_iter().filter_map(|name| json.get(name)?.as_str());
        let runs = tokens.flat_map(|token| (0..token.len()).filter_map(|at| token.get(at..at + 12)));
        let is_token = |run: &&str| {
            run.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && run.bytes().filter(|byte| byte.is_ascii_digit()).count() >= 2
        };
        runs.filter(is_token).map(str::to_owned).collect()
    }

    /// Everything that the reply says, in every way it may be meant.
    fn said(&self) -> Vec<String> {
        let mut said = vec![self.body.clone(), unescaped(&self.body)];
        said.extend(form_urlencoded::parse(bare(&self.body).as_bytes()).map(|(_, value)| value.into_owned()));
        said.extend(self.headers.iter().map(|(_, value)| value.clone()));
        said
    }

    fn holds(&self, text: &str) -> bool {
        self.said().iter().any(|said| said.contains(text))
    }

    /// Is there a word in it that tells a dead refresh token from a wrong request?
    fn says_that_the_token_is_dead(&self) -> bool {
        let said: Vec<String> = self.said().iter().map(|said| said.to_ascii_lowercase()).collect();
        DEAD.iter().any(|word| said.iter().any(|said| said.contains(word)))
    }

    /// RFC 6749 section 5.1, to the letter.
    fn must_be_granted(&self) -> bool {
        let Some(Value::Object(members)) = self.json() else { return false };
        let token = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Some(false),
            Some(Value::String(token)) => (token.is_empty() || is_token(token)).then_some(!token.is_empty()),
            Some(_) => None,
        };
        let whole = self.transfer == Transfer::Whole && !self.redirected && (200..300).contains(&self.status);
        let failed = members.get("ok") == Some(&Value::Bool(false));
        whole && !failed && token("access_token") == Some(true) && token("refresh_token").is_some()
    }
}

/// What only a reply says that means the refresh token itself, in lower case: the rows of
/// `tests/replies/rows.rs` that end a session.
const DEAD: [&str; 21] = [
    "invalid_grant",
    "invalid_token",
    "bad_refresh_token",
    "invalid_refresh_token",
    "token_revoked",
    "token_expired",
    "refresh_token_not_found",
    "refresh_token_already_used",
    "session_not_found",
    "session_expired",
    "user_not_found",
    "refreshtokenreuseexception",
    "notauthorizedexception",
    "usernotfoundexception",
    "invalidgrantexception",
    "expiredtokenexception",
    "invalid refresh token",
    "invalid_code",
    "value passed for the token was invalid",
    "invalid \"refresh_token\" in request",
    "refresh_token is invalid",
];

/// Names of members that mean something somewhere.
const NAMES: [&str; 40] = [
    "access_token",
    "refresh_token",
    "id_token",
    "token_type",
    "scope",
    "expires_in",
    "expires_at",
    "accessToken",
    "refreshToken",
    "idToken",
    "expiresIn",
    "expiresAt",
    "extra",
    "ok",
    "error",
    "error_description",
    "errorDescription",
    "message",
    "Message",
    "msg",
    "error_message",
    "errorSummary",
    "detail",
    "reason",
    "errors",
    "errorType",
    "code",
    "error_code",
    "errorCode",
    "error_codes",
    "suberror",
    "error_subtype",
    "status",
    "__type",
    "type",
    "category",
    "subCategory",
    "retry_after",
    "__proto__",
    "constructor",
];

/// Values that mean something somewhere.
const WORDS: [&str; 28] = [
    "invalid_grant",
    "invalid_client",
    "invalid_request",
    "unauthorized_client",
    "server_error",
    "use_dpop_nonce",
    "interaction_required",
    "NotAuthorizedException",
    "com.amazonaws.cognito#RefreshTokenReuseException:http://x",
    "Invalid Refresh Token.",
    "AADSTS70008: expired",
    "AADSTS50196: loop",
    "token request is already being processed",
    "Value passed for the token was invalid.",
    "refresh_token is invalid",
    "VALIDATION_ERROR",
    "INVALID_TOKEN",
    "bad_token",
    "basic_action",
    "invalid_rapt",
    "conflict",
    "Basic realm=\"x\"",
    PRESENTED,
    CLIENT_SECRET,
    "at-0123456789abcdef",
    "e30.eyJleHAiOjE4MDAwMDAwMDAsImlhdCI6MTc5OTk5NjQwMCwic3ViIjoiYW5uIn0.c2ln",
    "",
    "line\nbreak",
];

fn object(choices: &mut Unstructured<'_>, depth: u8) -> Result<Map<String, Value>> {
    let mut members = Map::new();
    for _ in 0..choices.int_in_range(0..=8)? {
        members.insert((*choices.choose(&NAMES)?).to_owned(), value(choices, depth)?);
    }
    Ok(members)
}

fn value(choices: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match choices.int_in_range(0..=if depth > 0 { 9 } else { 7 })? {
        0 => Value::Null,
        1 => Value::Bool(choices.arbitrary()?),
        2 => Value::from(choices.arbitrary::<i64>()?),
        3 => Value::from(choices.arbitrary::<f64>()?),
        4 => Value::from(*choices.choose(&[0, 1, 3_600, 50_076, 70_008, 700_082, 9_002_313, 1_795_003_600_i64])?),
        5 => Value::from(choices.arbitrary::<&str>()?),
        6 | 7 => Value::from(*choices.choose(&WORDS)?),
        8 => Value::Array((0..choices.int_in_range(0..=3)?).map(|_| value(choices, depth - 1)).collect::<Result<_>>()?),
        _ => Value::Object(object(choices, depth - 1)?),
    })
}

fn form(members: &Map<String, Value>) -> String {
    let pairs =
        members.iter().map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// RFC 6585, RFC 9110: a status that speaks of the server and not of the request.
fn says_not_now(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// RFC 6749 appendix A.12: one or more visible ASCII characters or spaces.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// Does the text contain eight or more characters in a row of the secret?
fn shows(text: &str, secret: &str) -> bool {
    (0..secret.len()).filter_map(|at| secret.get(at..at + 8)).any(|run| text.contains(run))
}

fn is_harmless(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| {
            !matches!(name.as_str(), "__proto__" | "constructor" | "prototype") && is_harmless(value)
        }),
        Value::Array(items) => items.iter().all(is_harmless),
        _ => true,
    }
}

/// The text without what may stand around JSON.
fn bare(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

/// The text with the escapes of JSON replaced wherever they stand. Reads more into it than is there, never less.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.strip_prefix('u').and_then(|digits| u32::from_str_radix(digits.get(..4)?, 16).ok());
        rest = match (code, after.chars().next()) {
            (Some(code), _) => {
                plain.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                after.get(5..).unwrap_or_default()
            }
            (None, Some(letter)) => {
                plain.push(match letter {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    letter => letter,
                });
                after.get(letter.len_utf8()..).unwrap_or_default()
            }
            (None, None) => "",
        };
    }
    plain.push_str(rest);
    plain
}
