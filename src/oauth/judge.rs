//! The judgement of a reply: the steps listed in the documentation of this folder, in their order.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::code;
use super::members::{members, own};
use super::outcome::Outcome;
use super::reply::{Body, Facts, Reply};
use super::token_set::{Age, Flaw, Reading, Spelling, read};
use super::{profiles, standard};
use crate::protocol::verdict::{Class, Reason, Refusal, Verdict};

/// Judges the reply to a refresh request. Never panics, whatever the bytes; nothing of `facts.secrets` gets into the
/// details of a refusal.
pub fn judge(reply: &Reply<'_>, facts: &Facts<'_>) -> Verdict {
    let text = match reply.body {
        Body::Text(text) => text,
        Body::TooLarge | Body::Truncated => "",
    };
    let answer = Answer { status: Some(reply.status), headers: reply.headers, members: members(text), text };
    if reply.redirected || (300..400).contains(&reply.status) {
        return refused(REDIRECTED.refusal(&answer, facts));
    }
    let unread = match reply.body {
        Body::TooLarge => Some(TOO_LARGE),
        Body::Truncated => Some(TRUNCATED),
        Body::Text(_) => None,
    };
    if let Some(outcome) = unread {
        return refused(of_unread(reply.status, outcome).refusal(&answer, facts));
    }
    if (200..300).contains(&reply.status) {
        return of_success(&answer, facts);
    }
    refused(of_refusal(&answer, facts).unwrap_or(UNKNOWN).refusal(&answer, facts))
}

/// Judges what a custom `refresh` returned, if it is an object and no `Response`: a token set, or the members of a
/// reply. In either spelling; without an access token only if it says when the session ends (a cookie-only session).
///
/// With an `error` it is a refusal, whatever stands beside it: a common callback returns the old tokens with an error.
pub fn judge_returned(returned: &Map<String, Value>, facts: &Facts<'_>) -> Verdict {
    let answer = Answer { status: None, headers: &[], members: Some(own(returned.clone())), text: "" };
    let Reading { granted, flaw } =
        read(returned, Spelling::Either, Age::Received { at: facts.received_at, date: None });
    let enough = granted.access_token.is_some() || granted.lifetime.is_some() || granted.expires_at.is_some();
    if enough && !is_lost(flaw) && answer.error().is_none() {
        return Verdict::Granted(Box::new(granted));
    }
    let unknown = match () {
        () if answer.error().is_some() => UNKNOWN,
        () if is_lost(flaw) => MALFORMED,
        () => NO_ACCESS_TOKEN,
    };
    let outcome = of_refusal(&answer, facts).unwrap_or(unknown);
    refused(outcome.refusal(&answer, facts))
}

/// Judges what a custom `refresh` threw: its status, if it had one, and its members (`error`, `message`, …) with those
/// of the reply behind it, if it carries one. Never a grant.
pub fn judge_thrown(
    status: Option<u16>,
    headers: &[(String, String)],
    members: &Map<String, Value>,
    facts: &Facts<'_>,
) -> Refusal {
    let answer = Answer { status, headers, members: Some(own(members.clone())), text: "" };
    let success = status.is_some_and(|status| (200..300).contains(&status));
    let unknown = if status.is_none() || success { THREW } else { UNKNOWN };
    of_refusal(&answer, facts).unwrap_or(unknown).refusal(&answer, facts)
}

/// Judges the reply to a revocation request (RFC 7009 section 2.2).
///
/// A token that the server does not know is revoked: section 2.2 wants 200 for it, and some answer with an error.
pub fn judge_revocation(reply: &Reply<'_>, facts: &Facts<'_>) -> Result<(), Refusal> {
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    match judge(reply, facts) {
        Verdict::Granted(_) => Ok(()),
        Verdict::Refused(refusal) => match (refusal.class, &*refusal.details.code) {
            // A bare 401 says nothing about the token here: it was to be revoked, not accepted.
            (Class::Revoked(_), code::REFUSED) => Ok(()),
            _ => Err(*refusal),
        },
    }
}

/// Is this a status that says "not now"?
pub(super) fn says_not_now(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

const REDIRECTED: Outcome = Outcome::configuration(
    code::REDIRECTED,
    "the token endpoint answered with a redirect, which is never followed with a token: use the address it leads to",
);
const ENDPOINT: Outcome = Outcome::configuration(code::ENDPOINT, "there is no token endpoint at this address");
const UNAUTHENTICATED: Outcome =
    Outcome::configuration(code::UNAUTHENTICATED, "the client's authentication was not accepted");
const HTTP_WALL: Outcome = Outcome::configuration(
    code::UNAUTHENTICATED,
    "something in front of the token endpoint asks for HTTP authentication",
);
const BLOCKED: Outcome =
    Outcome::transient(code::BLOCKED, "something in front of the token endpoint answered with a page of its own");
const UNKNOWN: Outcome = Outcome::transient(code::UNKNOWN, "the token endpoint answered something unknown");
const MALFORMED: Outcome =
    Outcome::transient(code::MALFORMED, "the token endpoint answered with success but no token response");
const NO_ACCESS_TOKEN: Outcome =
    Outcome::transient(code::NO_ACCESS_TOKEN, "the token endpoint answered with success but without an access token");
const TOO_LARGE: Outcome = Outcome::transient(code::TOO_LARGE, "the reply of the token endpoint is longer than 1 MiB");
const TRUNCATED: Outcome = Outcome::transient(code::TRUNCATED, "the reply of the token endpoint ended too early");
const THREW: Outcome = Outcome::transient(code::THREW, "the custom `refresh` failed");

fn of_success(answer: &Answer<'_>, facts: &Facts<'_>) -> Verdict {
    let Some(members) = &answer.members else {
        return refused(MALFORMED.refusal(answer, facts));
    };
    let age = Age::Received { at: facts.received_at, date: answer.date(facts.received_at) };
    let Reading { granted, flaw } = read(members, Spelling::Wire, age);
    // Slack says so in a member of its own.
    let failed = members.get("ok") == Some(&Value::Bool(false));
    // An `error` beside an access token is a curiosity; throwing the tokens away would be a loss.
    if granted.access_token.is_some() && !is_lost(flaw) && !failed {
        return Verdict::Granted(Box::new(granted));
    }
    let unknown = match () {
        () if is_lost(flaw) => MALFORMED,
        // An error that nobody knows.
        () if failed || answer.error().is_some() => UNKNOWN,
        () => NO_ACCESS_TOKEN,
    };
    refused(of_refusal(answer, facts).unwrap_or(unknown).refusal(answer, facts))
}

/// Is a token itself of the wrong type? Such a reply is no grant: storing half of it would present the old refresh
/// token again, as if nothing had happened. As an ambiguous reply it is sent again with care, and the reason is kept.
fn is_lost(flaw: Option<Flaw>) -> bool {
    flaw.is_some_and(|flaw| flaw.of_token)
}

/// Steps 3 to 6. `None`: the reply is unknown.
fn of_refusal(answer: &Answer<'_>, facts: &Facts<'_>) -> Option<Outcome> {
    if let Some(outcome) = profiles::outcome(answer, facts) {
        return Some(*outcome);
    }
    if let Some(outcome) = answer.status.and_then(not_now) {
        return Some(outcome);
    }
    standard::outcome(answer).copied().or_else(|| of_status(answer, facts))
}

fn not_now(status: u16) -> Option<Outcome> {
    match status {
        429 => Some(Outcome::throttled()),
        status if says_not_now(status) => Some(Outcome::server_error()),
        _ => None,
    }
}

/// A body that could not be read leaves the status, as far as that has a meaning without a body.
fn of_unread(status: u16, unread: Outcome) -> Outcome {
    match status {
        404 | 405 | 415 => ENDPOINT,
        status => not_now(status).unwrap_or(unread),
    }
}

fn of_status(answer: &Answer<'_>, facts: &Facts<'_>) -> Option<Outcome> {
    match answer.status? {
        300..400 => Some(REDIRECTED),
        // Some wrap the standard's reply into one of their own.
        400 | 401 if !answer.is_markup() && answer.mentions("invalid_grant") => Some(Outcome::revoked(Reason::Unknown)),
        401 => Some(of_bare_401(answer, facts)),
        403 if answer.header("retry-after").is_some() => Some(Outcome::throttled()),
        403 if answer.is_markup() => Some(BLOCKED),
        404 | 405 | 415 => Some(ENDPOINT),
        _ => None,
    }
}

/// A 401 refuses the credentials of the request. If the refresh token was the only one, it is meant; but not if the
/// reply is a page, or asks for a password: then it comes from something in front of the server.
fn of_bare_401(answer: &Answer<'_>, facts: &Facts<'_>) -> Outcome {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let asks_for_password = ["basic", "digest", "negotiate", "ntlm"]
        .iter()
        .any(|scheme| challenge.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    match () {
        () if facts.client_authenticated => UNAUTHENTICATED,
        () if asks_for_password => HTTP_WALL,
        () if answer.is_markup() => BLOCKED,
        // Without a word it may come from anything on the way.
        () if answer.is_empty() => {
            Outcome { code: code::UNAUTHORIZED, ..Outcome::revoked(Reason::Unknown) }.maybe_spent()
        }
        () => Outcome { code: code::UNAUTHORIZED, ..Outcome::revoked(Reason::Unknown) },
    }
}

fn refused(refusal: Refusal) -> Verdict {
    Verdict::Refused(Box::new(refusal))
}
