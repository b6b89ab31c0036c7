//! When the server wants to be asked again (RFC 9110 section 10.2.3, RFC 6585 section 4, and two vendors' own ways).

use super::answer::Answer;
use super::http_date;
use super::number::{decimal_seconds, seconds};
use crate::protocol::tokens::Millis;

/// Longer wishes are cut to this: five minutes.
const LONGEST_WAIT: Millis = 300_000;

/// The server's wish, in milliseconds from the reception of the reply, 0 to five minutes. Negative seconds and moments
/// in the past say nothing.
pub(super) fn wish(answer: &Answer<'_>, received_at: Millis) -> Option<Millis> {
    let header = answer.header("retry-after").and_then(|text| of_header(text, answer, received_at));
    // Discord writes it into the body, as a fraction of seconds.
    let body = || answer.member("retry_after").and_then(seconds);
    header.or_else(body).or_else(|| reset(answer, received_at)).map(|wait| wait.min(LONGEST_WAIT))
}

fn of_header(text: &str, answer: &Answer<'_>, received_at: Millis) -> Option<Millis> {
    decimal_seconds(text).or_else(|| ahead(http_date::parse(text, received_at)?, answer, received_at))
}

/// Okta says with a 429 when its window ends, in seconds since the epoch, and sends no `Retry-After`.
fn reset(answer: &Answer<'_>, received_at: Millis) -> Option<Millis> {
    if answer.status != Some(429) {
        return None;
    }
    ahead(decimal_seconds(answer.header("x-rate-limit-reset")?)?, answer, received_at)
}

/// How far a moment of the server's lies ahead: by the server's own clock, where the reply shows it.
fn ahead(moment: Millis, answer: &Answer<'_>, received_at: Millis) -> Option<Millis> {
    let now = answer.date(received_at).unwrap_or(received_at);
    Some(moment - now).filter(|wait| *wait > 0)
}
