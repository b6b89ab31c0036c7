//! Table: replies that mean something else than their error code says, recognised by what only their vendor sends.
//!
//! A profile is chosen by the reply alone. Stable members come first; a phrase of a description is the last resort.
//! No rule holds against a status that says "not now", unless the rule names that status.

use serde_json::Value;

use super::answer::Answer;
use super::code;
use super::judge::says_not_now;
use super::outcome::Outcome;
use super::reply::Facts;
use crate::protocol::verdict::{Reason, Spent};

/// One rule: if all signs are there, that is what the reply means.
struct Rule(&'static [Sign], &'static Outcome);

/// Something to recognise a reply by.
enum Sign {
    /// HTTP status.
    Status(u16),
    /// An error code, wherever it stands.
    Code(&'static str),
    /// A string member.
    Member(&'static str, &'static str),
    /// A string member with one of these values.
    MemberIn(&'static str, &'static [&'static str]),
    /// One of the numbers that Entra puts into `error_codes`, and into the description as `AADSTS<number>`.
    Aadsts(&'static [u32]),
    /// Any such number.
    AnyAadsts,
    /// A phrase within a description.
    Phrase(&'static str),
    /// A whole description.
    Exactly(&'static str),
    /// A word anywhere in the body.
    Word(&'static str),
    /// The request asked for scopes separated by commas.
    CommasInScope,
}

use Sign::{Aadsts, AnyAadsts, Code, CommasInScope, Exactly, Member, MemberIn, Phrase, Status, Word};

const REFUSED: &Outcome = &Outcome::revoked(Reason::Unknown);
const EXPIRED: &Outcome = &Outcome::revoked(Reason::Expired);
const REUSED: &Outcome = &Outcome::revoked(Reason::Reuse);
const INTERACTION: &Outcome = &Outcome::interaction();
const THROTTLED: &Outcome = &Outcome::throttled();
const CLIENT: &Outcome =
    &Outcome::configuration(code::CLIENT, "the refresh token belongs to another client or environment");
const REQUEST: &Outcome =
    &Outcome::configuration(code::REQUEST, "the authorization server takes the request to be malformed");
const SCOPE: &Outcome = &Outcome::configuration(code::SCOPE, "the requested scopes are to be separated by spaces");

const GRANT: Sign = Code("invalid_grant");

const ENTRA: &[Rule] = &[
    // "Loop detected": it goes on until the client is quiet for minutes.
    Rule(&[Aadsts(&[50196])], &Outcome::throttled().after(300_000)),
    Rule(&[GRANT, Aadsts(&[9002313])], REQUEST),
    Rule(&[GRANT, Member("suberror", "client_mismatch")], CLIENT),
    Rule(&[GRANT, Word("client_mismatch")], CLIENT),
    Rule(&[GRANT, Aadsts(&[700082])], &Outcome::revoked(Reason::Idle)),
    Rule(&[GRANT, Aadsts(&[70008, 700084])], EXPIRED),
    Rule(&[GRANT, Aadsts(&[50173])], &Outcome::revoked(Reason::UserAction)),
    // MFA, conditional access, sign-in frequency, consent, device policies.
    Rule(
        &[GRANT, Aadsts(&[16000, 50072, 50074, 50076, 50078, 50079, 50158, 53000, 53001, 53003, 65001, 70043])],
        INTERACTION,
    ),
    Rule(&[GRANT, Member("suberror", "bad_token")], REFUSED),
    Rule(&[GRANT, Member("suberror", "token_expired")], EXPIRED),
    Rule(
        &[
            GRANT,
            MemberIn(
                "suberror",
                &["basic_action", "additional_action", "message_only", "consent_required", "user_password_expired"],
            ),
        ],
        INTERACTION,
    ),
    Rule(&[GRANT, AnyAadsts, CommasInScope], SCOPE),
];

const GOOGLE: &[Rule] = &[
    Rule(&[GRANT, MemberIn("error_subtype", &["invalid_rapt", "rapt_required"])], INTERACTION),
    Rule(&[Status(500), Code("internal_failure")], &Outcome::server_error().unspent()),
    Rule(&[Status(503), Code("internal_failure")], &Outcome::server_error().unspent()),
];

const NOT_AUTHORIZED: Sign = Code("NotAuthorizedException");

const COGNITO: &[Rule] = &[
    Rule(&[NOT_AUTHORIZED, Phrase("refresh token has been revoked")], REFUSED),
    Rule(&[NOT_AUTHORIZED, Phrase("refresh token has expired")], EXPIRED),
    Rule(&[NOT_AUTHORIZED, Exactly("invalid refresh token")], REFUSED),
    Rule(&[NOT_AUTHORIZED, Exactly("user is disabled")], &Outcome::user_blocked(Spent::No)),
];

const GITHUB: &[Rule] = &[Rule(&[Status(403), Phrase("secondary rate limit")], THROTTLED)];

const SALESFORCE: &[Rule] = &[
    Rule(&[GRANT, Phrase("token request is already being processed")], &Outcome::raced()),
    Rule(&[GRANT, Phrase("inactive user")], &Outcome::user_blocked(Spent::No)),
];

const KEYCLOAK: &[Rule] = &[
    Rule(&[GRANT, Exactly("token is not active")], EXPIRED),
    Rule(&[GRANT, Phrase("maximum allowed refresh token reuse exceeded")], REUSED),
    Rule(&[GRANT, Exactly("stale token")], REUSED),
];

const SUPABASE: &[Rule] = &[
    Rule(&[Status(409), Code("conflict")], &Outcome::raced().unspent()),
    Rule(&[Status(409), Phrase("too many concurrent token refresh requests")], &Outcome::raced().unspent()),
    Rule(&[Phrase("invalid refresh token: already used")], REUSED),
];

const X: &[Rule] = &[Rule(&[Code("invalid_request"), Phrase("value passed for the token was invalid")], REFUSED)];

const ATLASSIAN: &[Rule] = &[Rule(&[Code("unauthorized_client"), Phrase("refresh_token is invalid")], REFUSED)];

const HUBSPOT: &[Rule] =
    &[Rule(&[Member("category", "VALIDATION_ERROR"), Member("subCategory", "INVALID_TOKEN")], REFUSED)];

const ZOHO: &[Rule] = &[
    Rule(&[Phrase("you have made too many requests continuously")], THROTTLED),
    Rule(&[Status(200), Code("invalid_code")], REFUSED),
];

const INTUIT: &[Rule] = &[Rule(&[GRANT, Phrase("incorrect token type or clientid")], CLIENT)];

const AUTHLIB: &[Rule] = &[Rule(&[Code("invalid_request"), Exactly("invalid \"refresh_token\" in request")], REFUSED)];

const TWITCH: &[Rule] =
    &[Rule(&[Status(400), Member("error", "Bad Request"), Exactly("invalid refresh token")], REFUSED)];

const PROFILES: &[&[Rule]] = &[
    ENTRA, GOOGLE, COGNITO, GITHUB, SALESFORCE, KEYCLOAK, SUPABASE, X, ATLASSIAN, HUBSPOT, ZOHO, INTUIT, AUTHLIB,
    TWITCH,
];

/// What the first rule says that recognises the reply.
pub(super) fn outcome(answer: &Answer<'_>, facts: &Facts<'_>) -> Option<&'static Outcome> {
    for rules in PROFILES {
        for rule in *rules {
            if rule.recognises(answer, facts) {
                return Some(rule.1);
            }
        }
    }
    None
}

impl Rule {
    fn recognises(&self, answer: &Answer<'_>, facts: &Facts<'_>) -> bool {
        let Self(signs, _) = self;
        let names_status = signs.iter().any(|sign| matches!(sign, Status(_)));
        let holds = names_status || !answer.status.is_some_and(says_not_now);
        holds && signs.iter().all(|sign| sign.is_in(answer, facts))
    }
}

impl Sign {
    fn is_in(&self, answer: &Answer<'_>, facts: &Facts<'_>) -> bool {
        let text = |name| answer.member(name).and_then(Value::as_str);
        match self {
            Status(status) => answer.status == Some(*status),
            Code(code) => answer.has_code(code),
            Member(name, value) => text(name).is_some_and(|found| found.eq_ignore_ascii_case(value)),
            MemberIn(name, values) => {
                text(name).is_some_and(|found| values.iter().any(|value| found.eq_ignore_ascii_case(value)))
            }
            Aadsts(numbers) => numbers.iter().any(|number| has_aadsts(answer, *number)),
            AnyAadsts => answer.member("error_codes").is_some_and(Value::is_array) || answer.says("AADSTS"),
            Phrase(phrase) => answer.says(phrase),
            Exactly(description) => answer.says_exactly(description),
            Word(word) => answer.mentions(word),
            CommasInScope => facts.scope.is_some_and(|scope| scope.contains(',')),
        }
    }
}

fn has_aadsts(answer: &Answer<'_>, number: u32) -> bool {
    if let Some(Value::Array(codes)) = answer.member("error_codes") {
        return codes.iter().any(|code| code.as_u64() == Some(number.into()));
    }
    answer.says(&["AADSTS", &number.to_string(), ":"].concat())
}
