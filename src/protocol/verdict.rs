//! What became of one presentation, on two axes: the class of the reply, and whether the server has spent the token.
//!
//! The types only. How a reply is judged is the business of `oauth`; what follows from a verdict, of `exchange`.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use super::tokens::{Extra, Millis, Secret};

/// How one presentation of a refresh token ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The server granted new tokens. The presented one is to be taken as spent.
    Granted(Box<Granted>),
    /// It did not, or nobody knows.
    Refused(Box<Refusal>),
}

/// The members of a successful token response (RFC 6749 section 5.1), or what a custom `refresh` returned.
#[derive(Clone, Default, PartialEq)]
pub struct Granted {
    /// The new refresh token. Absent means that the presented one stays (RFC 6749 section 6).
    pub refresh_token: Option<Secret>,
    /// The access token. Absent only in a cookie-only session.
    pub access_token: Option<Secret>,
    /// Life of the access token in milliseconds, counted from the moment the request was sent.
    pub lifetime: Option<Millis>,
    /// When the access token ends, wall clock, where the reply names a moment and no lifetime.
    pub expires_at: Option<Millis>,
    /// `token_type`.
    pub token_type: Option<String>,
    /// `scope`; absent means unchanged.
    pub scope: Option<String>,
    /// `id_token`.
    pub id_token: Option<Secret>,
    /// Whom the id token names (`sub`), if there is one.
    pub subject: Option<String>,
    /// All other members.
    pub extra: Extra,
}

/// Without [`Granted::extra`]: a server may put a token of its own there.
impl fmt::Debug for Granted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lifetime, expires_at, .. } = self;
        write!(formatter, "Granted {{ lifetime: {lifetime:?}, expires_at: {expires_at:?}, .. }}")
    }
}

/// A presentation that brought no tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What it means for the session.
    pub class: Class,
    /// Has the server consumed the refresh token?
    pub spent: Spent,
    /// What the caller is told about it.
    pub details: Box<Details>,
    /// The server's wish: not before this many milliseconds from now (RFC 9110 section 10.2.3), already clamped.
    pub retry_after: Option<Millis>,
}

/// The class of a reply that is not a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The server says that the refresh token is dead. Provisional until the record was read again.
    Revoked(Reason),
    /// The user must act (MFA, consent, conditional access); the token itself may be good afterwards.
    Interaction,
    /// Not now: network, timeout, 5xx, 429, and everything unknown.
    Transient,
    /// The client, its secret, the scope or the endpoint is wrong. The token is untouched.
    Configuration,
}

impl Class {
    /// The name used in options, errors and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked(_) => "revoked",
            Self::Interaction => "interaction",
            Self::Transient => "transient",
            Self::Configuration => "configuration",
        }
    }
}

/// Has the server consumed the presented refresh token?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spent {
    /// Certainly not: the request was not sent, or the server said so.
    No,
    /// Nobody knows: the reply was lost, or means nothing.
    Maybe,
    /// Yes.
    Yes,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The refresh token reached the end of its life.
    Expired,
    /// The server saw it used twice.
    Reuse,
    /// The user or an administrator ended it: password changed, consent withdrawn, user removed.
    UserAction,
    /// It was not used for too long.
    Idle,
    /// A newer token set replaced this one, and its successor is no longer remembered.
    Superseded,
    /// An earlier reply was lost after the server may have rotated, so nobody holds the successor.
    ResponseLost,
    /// The server did not say.
    Unknown,
}

impl Reason {
    /// The name used in errors, events and the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Reuse => "reuse",
            Self::UserAction => "user-action",
            Self::Idle => "idle",
            Self::Superseded => "superseded",
            Self::ResponseLost => "response-lost",
            Self::Unknown => "unknown",
        }
    }

    /// The reason with that name; an unheard-of name, from a newer version of this package, is `Unknown`.
    pub fn named(name: &str) -> Self {
        [Self::Expired, Self::Reuse, Self::UserAction, Self::Idle, Self::Superseded, Self::ResponseLost]
            .into_iter()
            .find(|reason| reason.name() == name)
            .unwrap_or(Self::Unknown)
    }
}

/// Who is to blame for a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The authorization server answered so.
    Server,
    /// It could not be reached, or not in time.
    Network,
    /// The store failed.
    Store,
    /// The host lacks something, or something of the host failed.
    Host,
    /// The calling code: a wrong option or argument.
    Caller,
}

impl Fault {
    /// The name used in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Network => "network",
            Self::Store => "store",
            Self::Host => "host",
            Self::Caller => "caller",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Server, Self::Network, Self::Store, Self::Host, Self::Caller]
            .into_iter()
            .find(|fault| fault.name() == name)
    }
}

/// What a caller is told about a failure besides its class. Holds no token: whoever fills it has redacted it.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// One sentence for the developer.
    pub message: String,
    /// Stable, machine-readable, kebab-case; empty means the default code of the class.
    pub code: Cow<'static, str>,
    /// Who is to blame.
    pub fault: Fault,
    /// HTTP status of the reply, if there was one.
    pub status: Option<u16>,
    /// `error` of the reply (RFC 6749 section 5.2), if there was one.
    pub oauth_error: Option<String>,
    /// The host's own error object behind it.
    pub cause: Option<Cause>,
}

impl Details {
    /// Details with a message and a culprit, nothing else.
    pub fn new(fault: Fault, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            message: message.into(),
            code: code.into(),
            fault,
            status: None,
            oauth_error: None,
            cause: None,
        })
    }
}

/// Whatever the host wants to find again in the error it raises, opaque to the protocol.
#[derive(Clone)]
pub struct Cause(pub Rc<dyn Any>);

impl fmt::Debug for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[cause]")
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_lead_back() {
        let reasons = [
            (Reason::Expired, "expired"),
            (Reason::Reuse, "reuse"),
            (Reason::UserAction, "user-action"),
            (Reason::Idle, "idle"),
            (Reason::Superseded, "superseded"),
            (Reason::ResponseLost, "response-lost"),
            (Reason::Unknown, "unknown"),
        ];
        assert!(reasons.iter().all(|(reason, name)| reason.name() == *name && Reason::named(name) == *reason));
        assert_eq!(Reason::named("of a newer version"), Reason::Unknown);
        let faults = [
            (Fault::Server, "server"),
            (Fault::Network, "network"),
            (Fault::Store, "store"),
            (Fault::Host, "host"),
            (Fault::Caller, "caller"),
        ];
        assert!(faults.iter().all(|(fault, name)| fault.name() == *name && Fault::named(name) == Some(*fault)));
        assert_eq!(Fault::named("nobody"), None);
    }

    #[test]
    fn what_was_granted_is_printed_without_tokens_and_a_cause_without_itself() {
        let granted = Granted { access_token: Some(Secret::new("hush")), lifetime: Some(7), ..Granted::default() };
        assert_eq!(format!("{granted:?}"), "Granted { lifetime: Some(7), expires_at: None, .. }");
        let cause = Cause(Rc::new("hush"));
        assert_eq!(format!("{cause:?}"), "[cause]");
        assert!(cause == cause.clone() && cause != Cause(Rc::new("hush")), "the same object, not one that looks alike");
    }
}
