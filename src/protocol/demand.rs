//! What a caller asks for. Two calls with equal demands share one flight.

use super::ports::Params;
use super::tokens::{Grant, Secret};

/// The request parameters and how new the tokens must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    /// Request parameters (scope, resource, audience, …), sorted.
    pub params: Params,
    /// How new.
    pub need: Need,
}

/// How new the tokens must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Still valid: more life left than the mandatory window.
    Valid,
    /// Outside the advisory window: a refresh ahead of need, in the background.
    Ahead,
    /// Another access token than this one, which a resource server refused (RFC 6750 section 3.1).
    NotThis(Secret),
    /// Another access token than this one, which the caller carries: nothing is wrong with it, so it may go on serving others.
    Another(Secret),
    /// Newer than this mark; `None`: anything that is valid.
    Newer(Option<Mark>),
    /// Obtained by an exchange that starts after the call: changed claims. Never met by adopting.
    MintedAfterNow,
}

/// Marks a grant within one session, so that a newer one can be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The generation that minted it.
    pub minted: u64,
    /// Its access token.
    pub access_token: Option<Secret>,
}

impl Mark {
    /// The mark of a grant.
    pub fn of(grant: &Grant) -> Self {
        Self { minted: grant.minted, access_token: grant.access_token.clone() }
    }
}
