//! The members of a grant: of a token response (RFC 6749 section 5.1), or of a token set that the application gives.
//!
//! Reads as much as there is and reports the first member that is wrong. Whether that matters is the caller's business:
//! at sign-in it is a mistake of the application; in a reply it must not cost the tokens beside it.

use serde_json::{Map, Value};

use super::jwt::{Claims, claims};
use super::members::own;
use super::number::{LONGEST, milliseconds, seconds};
use crate::protocol::tokens::{Extra, Millis, Secret};
use crate::protocol::verdict::Granted;

/// Which names the members may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Those of the standard only: `access_token`.
    Wire,
    /// Also those of JavaScript: `accessToken`, which wins; and `extra`, whose members are taken over.
    Either,
}

/// How old the tokens are. All moments: wall clock, milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// They were minted just now. An end in the past is the fault of a clock and says nothing: if it were believed,
    /// every call would refresh.
    Received {
        /// When they came, by our clock.
        at: Millis,
        /// The same moment by the server's clock (RFC 9110 section 6.6.1), if the reply shows it.
        date: Option<Millis>,
    },
    /// Nobody knows: they were kept somewhere. Then a moment tells more than a lifetime.
    Unknown,
}

/// What could be read, and the first member that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The grant, as far as it could be read.
    pub granted: Granted,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
}

/// A member that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Its name, in the spelling that was found.
    pub member: &'static str,
    /// What it must be: the rest of a sentence that begins with the name.
    pub rule: &'static str,
    /// Is it a token itself? Then the set is worth nothing.
    pub of_token: bool,
}

/// Below this, a number of milliseconds since the epoch is one of seconds: 1973 as the one, 5138 as the other.
const SECONDS_BELOW: Millis = 100_000_000_000;

/// Reads a token set. `null` and the empty string count as absent.
///
/// The end of the access token is, in this order: `expires_in` (seconds), `expires_at` (seconds, or milliseconds if it
/// is large) or `expiresAt` (milliseconds), `exp` of the access token or of the id token, if they are JWTs. At
/// [`Age::Unknown`] the moments go before `expires_in`. A lifetime of zero means unknown, as negative ones do: servers
/// write 0 for "does not end", and a token that is stale on arrival would be refreshed for ever.
pub fn read(members: &Map<String, Value>, spelling: Spelling, age: Age) -> Reading {
    let mut reader = Reader { members, spelling, flaw: None };
    let access_token = reader.token("access_token", "accessToken");
    let refresh_token = reader.token("refresh_token", "refreshToken");
    let id_token = reader.text("id_token", "idToken").map(Secret::new);
    let token_type = reader.text("token_type", "tokenType");
    let scope = reader.scope();
    let expires_in = reader.expires_in();
    let expires_at = reader.expires_at();
    let identity = claims_of(id_token.as_ref());
    let (lifetime, expires_at) = match age {
        Age::Received { at, date } => {
            let by_moment = || expires_at.and_then(|end| until(end, at, date));
            let by_token = |claims: Claims| span(&claims, at, date);
            (expires_in.map(|lifetime| (Some(lifetime), None)))
                .or_else(by_moment)
                .or_else(|| by_token(claims_of(access_token.as_ref())))
                .or_else(|| by_token(identity.clone()))
                .unwrap_or_default()
        }
        Age::Unknown => {
            let by_token = || claims_of(access_token.as_ref()).expires_at.or(identity.expires_at);
            match expires_at.or_else(|| if expires_in.is_none() { by_token() } else { None }) {
                Some(end) => (None, Some(end)),
                None => (expires_in, None),
            }
        }
    };
    let extra = reader.extra();
    let granted = Granted {
        refresh_token,
        access_token,
        lifetime,
        expires_at,
        token_type,
        scope,
        id_token,
        subject: identity.subject,
        extra,
    };
    Reading { granted, flaw: reader.flaw }
}

/// A lifetime by the server's clock, else a moment by ours.
type End = (Option<Millis>, Option<Millis>);

fn until(end: Millis, at: Millis, date: Option<Millis>) -> Option<End> {
    match date {
        Some(date) if end > date => Some((Some(end - date), None)),
        None if end > at => Some((None, Some(end))),
        _ => None,
    }
}

/// The life of a JWT: what is left by the server's clock, else all of it, for our clock may be wrong.
fn span(claims: &Claims, at: Millis, date: Option<Millis>) -> Option<End> {
    let end = claims.expires_at?;
    match claims.issued_at.map(|issued| end - issued).filter(|span| *span > 0) {
        Some(span) if date.is_none() => Some((Some(span), None)),
        Some(span) => until(end, at, date).map(|(left, _)| (left.map(|left| left.min(span)), None)),
        None => until(end, at, date),
    }
}

fn claims_of(token: Option<&Secret>) -> Claims {
    token.map(|token| claims(token.expose())).unwrap_or_default()
}

struct Reader<'a> {
    members: &'a Map<String, Value>,
    spelling: Spelling,
    flaw: Option<Flaw>,
}

impl<'a> Reader<'a> {
    /// A member by either of its names.
    fn find(&self, wire: &'static str, script: &'static str) -> Option<(&'static str, &'a Value)> {
        let script = if self.spelling == Spelling::Either { script } else { wire };
        let present = |name| {
            let value = self.members.get(name)?;
            let absent = value.is_null() || value.as_str() == Some("");
            (!absent).then_some((name, value))
        };
        present(script).or_else(|| present(wire))
    }

    fn wrong(&mut self, member: &'static str, rule: &'static str, of_token: bool) {
        // The tokens are read first: a wrong one is never hidden by something less.
        self.flaw.get_or_insert(Flaw { member, rule, of_token });
    }

    fn token(&mut self, wire: &'static str, script: &'static str) -> Option<Secret> {
        let (name, value) = self.find(wire, script)?;
        let token = value.as_str();
        match token {
            None => self.wrong(name, "must be a string", true),
            // RFC 6749 appendix A.12 and A.17. A line break in a token would end the header it is sent in.
            Some(token) if !token.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) => {
                self.wrong(name, "must be of visible ASCII characters", true);
                return None;
            }
            Some(_) => {}
        }
        token.map(Secret::new)
    }

    fn text(&mut self, wire: &'static str, script: &'static str) -> Option<String> {
        let (name, value) = self.find(wire, script)?;
        let text = value.as_str();
        if text.is_none() {
            self.wrong(name, "must be a string", false);
        }
        text.map(str::to_owned)
    }

    /// RFC 6749 section 3.3: separated by spaces. Some send a list.
    fn scope(&mut self) -> Option<String> {
        match self.find("scope", "scope")? {
            (_, Value::Array(list)) if list.iter().all(Value::is_string) => {
                Some(list.iter().filter_map(Value::as_str).collect::<Vec<&str>>().join(" "))
            }
            _ => self.text("scope", "scope"),
        }
    }

    fn expires_in(&mut self) -> Option<Millis> {
        let (name, value) = self.find("expires_in", "expiresIn")?;
        let lifetime = seconds(value);
        if lifetime.is_none() {
            self.wrong(name, "must be a number of seconds, not negative", false);
        }
        lifetime.filter(|lifetime| *lifetime > 0).map(|lifetime| lifetime.min(LONGEST))
    }

    fn expires_at(&mut self) -> Option<Millis> {
        let (name, value) = self.find("expires_at", "expiresAt")?;
        let script = name == "expiresAt";
        let moment = if script { milliseconds(value) } else { seconds(value).map(|moment| moment / 1_000) };
        let moment = match moment {
            Some(moment) if moment < SECONDS_BELOW => {
                if script {
                    self.wrong(name, "must be in milliseconds since the epoch; this number looks like seconds", false);
                }
                // The fraction counts again.
                seconds(value)
            }
            Some(moment) => Some(moment),
            None => {
                let rule = if script {
                    "must be a number of milliseconds since the epoch"
                } else {
                    "must be a number of seconds since the epoch"
                };
                self.wrong(name, rule, false);
                None
            }
        };
        moment.filter(|moment| *moment > 0).map(|moment| moment.min(2 * LONGEST))
    }

    /// The members that have no name of their own here.
    fn extra(&self) -> Extra {
        const WIRE: [&str; 6] = ["access_token", "refresh_token", "expires_in", "token_type", "scope", "id_token"];
        const SCRIPT: [&str; 8] =
            ["accessToken", "refreshToken", "expiresIn", "expiresAt", "expires_at", "tokenType", "idToken", "extra"];
        let either = self.spelling == Spelling::Either;
        let named = |name: &str| WIRE.contains(&name) || either && SCRIPT.contains(&name);
        let nested = self.members.get("extra").and_then(Value::as_object).filter(|_| either);
        let mut rest = nested.cloned().unwrap_or_default();
        for (name, value) in self.members {
            if !named(name) {
                rest.insert(name.clone(), value.clone());
            }
        }
        own(rest)
    }
}
