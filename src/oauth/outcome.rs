//! What one row of a table says about a reply, and the refusal that is made of it.

use super::answer::Answer;
use super::code;
use super::redact::{leaks, redact};
use super::reply::Facts;
use super::{retry_after, standard};
use crate::protocol::tokens::Millis;
use crate::protocol::verdict::{Class, Details, Fault, Reason, Refusal, Spent};

/// What a reply means.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub class: Class,
    pub spent: Spent,
    pub code: &'static str,
    /// The sentence for the developer, without a full stop: what the server said follows it.
    pub what: &'static str,
    /// When to come back if the server does not say, in milliseconds.
    pub wait: Option<Millis>,
}

impl Outcome {
    /// The session is over, and the token is dead.
    pub const fn revoked(reason: Reason) -> Self {
        let what = match reason {
            Reason::Expired => "the refresh token has expired",
            Reason::Reuse => "the authorization server says that the refresh token was used before",
            Reason::UserAction => "the session was ended by the user or an administrator",
            Reason::Idle => "the refresh token was not used for too long",
            _ => "the authorization server does not accept the refresh token any more",
        };
        Self { class: Class::Revoked(reason), spent: Spent::Yes, code: code::REFUSED, what, wait: None }
    }

    /// The user must act; the token may be good afterwards.
    pub const fn interaction() -> Self {
        let what = "the authorization server wants the user to act before it grants anything";
        Self { class: Class::Interaction, spent: Spent::No, code: code::INTERACTION, what, wait: None }
    }

    /// The user's account is suspended.
    pub const fn user_blocked(spent: Spent) -> Self {
        let what = "the user's account is suspended";
        Self { class: Class::Interaction, spent, code: code::USER_BLOCKED, what, wait: None }
    }

    /// Something that only a developer can mend. The server refused before it looked at the token.
    pub const fn configuration(code: &'static str, what: &'static str) -> Self {
        Self { class: Class::Configuration, spent: Spent::No, code, what, wait: None }
    }

    /// Not now, and nobody knows what became of the token.
    pub const fn transient(code: &'static str, what: &'static str) -> Self {
        Self { class: Class::Transient, spent: Spent::Maybe, code, what, wait: None }
    }

    /// Too many requests: the server turned this one away unread.
    pub const fn throttled() -> Self {
        Self::transient(code::THROTTLED, "the authorization server turns requests away because there are too many")
            .unspent()
    }

    /// Another refresh of the same token is running.
    pub const fn raced() -> Self {
        Self::transient(code::RACED, "another refresh of the same token is running")
    }

    /// The server has trouble of its own.
    pub const fn server_error() -> Self {
        Self::transient(code::SERVER, "the authorization server has failed")
    }

    /// The same, with the token certainly not spent.
    pub const fn unspent(mut self) -> Self {
        self.spent = Spent::No;
        self
    }

    /// The same, with nobody knowing whether the token is spent.
    pub const fn maybe_spent(mut self) -> Self {
        self.spent = Spent::Maybe;
        self
    }

    /// The same, to be tried again after so many milliseconds.
    pub const fn after(mut self, wait: Millis) -> Self {
        self.wait = Some(wait);
        self
    }

    /// The refusal that a caller is told of, with what the server wrote, redacted.
    pub fn refusal(self, answer: &Answer<'_>, facts: &Facts<'_>) -> Refusal {
        let status = answer.status.filter(|status| *status != 0);
        let named = answer.codes().into_iter().find(|code| standard::knows(code)).or_else(|| answer.error());
        let secrets: Vec<&str> = facts.secrets.iter().copied().chain(answer.tokens()).collect();
        let oauth_error = named.filter(|code| presentable(code, &secrets)).map(str::to_owned);
        let mut aside = Vec::new();
        aside.extend(status.map(|status| ["HTTP ", &status.to_string()].concat()));
        aside.extend(oauth_error.clone());
        let said = answer.descriptions().first().map(|text| redact(text, &secrets));
        aside.extend(said.filter(|text| !text.is_empty() && Some(text) != oauth_error.as_ref()));
        let mut refusal = self.silent_refusal(facts);
        if !aside.is_empty() {
            refusal.details.message = [self.what, " (", &aside.join(": "), ")"].concat();
        }
        refusal.details.status = status;
        refusal.details.oauth_error = oauth_error;
        if self.class == Class::Transient {
            refusal.retry_after = retry_after::wish(answer, facts.received_at).or(self.wait);
        }
        refusal
    }

    /// The refusal where the server has not said anything.
    pub fn silent_refusal(self, facts: &Facts<'_>) -> Refusal {
        let fault = match self.class {
            Class::Configuration => Fault::Caller,
            _ => Fault::Server,
        };
        // Where no token of ours was sent, none can have been spent by accident.
        let spent = if self.spent == Spent::Maybe && !facts.token_sent { Spent::No } else { self.spent };
        Refusal { class: self.class, spent, details: Details::new(fault, self.code, self.what), retry_after: None }
    }
}

/// May this be shown as an error code? The characters of RFC 6749 section 5.2, not too long, nothing of a secret.
fn presentable(code: &str, secrets: &[&str]) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    code.len() <= 64 && code.bytes().all(allowed) && !leaks(code, secrets)
}
