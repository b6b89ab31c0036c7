//! How a call fails: one variant for each thing an application can do about it.

use thiserror::Error;

use super::ports::StoreFailure;
use super::tokens::Millis;
use super::verdict::{Class, Details, Fault, Reason, Refusal, Spent};

/// The failure a caller gets. The host turns each variant into one JavaScript error class.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Failure {
    /// The session is over, and the record read after the refusal agrees.
    #[error("the session is over ({}): {}", .reason.name(), .details.message)]
    Revoked {
        /// Why.
        reason: Reason,
        /// What else is known.
        details: Box<Details>,
    },
    /// The user must act before the server grants anything.
    #[error("the user must act: {}", .details.message)]
    Interaction {
        /// Has the server consumed the token?
        spent: Spent,
        /// What else is known.
        details: Box<Details>,
    },
    /// Not now. The session is kept.
    #[error("not now: {}", .details.message)]
    Transient {
        /// Has the server consumed the token?
        spent: Spent,
        /// Not before this moment: wall clock, milliseconds since the epoch.
        retry_at: Option<Millis>,
        /// What else is known.
        details: Box<Details>,
    },
    /// The client, its secret, the scope, the endpoint or an option is wrong. The session is kept.
    #[error("wrong configuration: {}", .details.message)]
    Configuration {
        /// Has the server consumed the token?
        spent: Spent,
        /// What else is known.
        details: Box<Details>,
    },
    /// There is nothing to refresh, or the user signed out.
    #[error("no session: {}", .details.message)]
    NoSession {
        /// What else is known.
        details: Box<Details>,
    },
    /// The store failed, and there was nothing else to answer with.
    #[error("the store failed: {}", .details.message)]
    Store {
        /// What else is known.
        details: Box<Details>,
    },
}

impl Failure {
    /// There is nothing to refresh, or the user signed out.
    pub fn no_session(message: &str) -> Self {
        Self::NoSession { details: Details::new(Fault::Caller, "", message) }
    }

    /// The session lives, but only as long as its access token.
    pub fn no_refresh_token() -> Self {
        let message = "the session has no refresh token to get another access token with";
        Self::NoSession { details: Details::new(Fault::Caller, "no-refresh-token", message) }
    }

    /// Is the session over?
    pub fn ends_session(&self) -> bool {
        match self {
            Self::NoSession { details } => details.code.is_empty(),
            other => matches!(other, Self::Revoked { .. }),
        }
    }

    /// The session is over.
    pub fn revoked(reason: Reason) -> Self {
        let message = "the authorization server does not accept the refresh token any more";
        Self::Revoked { reason, details: Details::new(Fault::Server, "", message) }
    }

    /// Somebody else is at it, or a cool-down runs, and there is no valid token to serve meanwhile.
    pub fn busy(code: &'static str, message: &str, retry_at: Option<Millis>) -> Self {
        Self::Transient { spent: Spent::No, retry_at, details: Details::new(Fault::Host, code, message) }
    }

    /// The store failed.
    pub fn store(failure: StoreFailure) -> Self {
        let StoreFailure { code, message, cause } = failure;
        let mut details = Details::new(Fault::Store, code, message);
        details.cause = cause;
        Self::Store { details }
    }

    /// What a refusal means to the caller once nothing more can be done about it.
    pub fn refused(refusal: &Refusal, retry_at: Option<Millis>) -> Self {
        let (spent, details) = (refusal.spent, refusal.details.clone());
        match refusal.class {
            Class::Revoked(reason) => Self::Revoked { reason, details },
            Class::Interaction => Self::Interaction { spent, details },
            Class::Transient => Self::Transient { spent, retry_at, details },
            Class::Configuration => Self::Configuration { spent, details },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_when_it_was_revoked_or_is_not_there() {
        assert!(Failure::revoked(Reason::Idle).ends_session());
        assert!(Failure::no_session("").ends_session());
        assert!(!Failure::no_refresh_token().ends_session(), "its access token lives");
        assert!(!Failure::busy("busy", "", None).ends_session());
    }
}
