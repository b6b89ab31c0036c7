//! What a host hands in to be judged: the reply as it came, and what the judgement must know of the request.
//!
//! Must not know how a reply was fetched.

use crate::protocol::tokens::Millis;

/// The longest body that is read, in bytes. A host stops reading there.
pub const LONGEST_BODY: usize = 1 << 20;

/// A reply of the token endpoint, or of whatever stands in front of it.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    /// HTTP status. 0 with an opaque redirect.
    pub status: u16,
    /// Was it a redirect that the host did not follow (`Response.type` is `opaqueredirect`)? A 3xx status says the same.
    pub redirected: bool,
    /// Header names, in any case of letters, and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: Body<'a>,
}

/// The body of a reply.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// All of it, decoded as UTF-8 (a byte order mark may be left in front, broken sequences replaced).
    Text(&'a str),
    /// It is longer than [`LONGEST_BODY`]; nothing of it is looked at.
    TooLarge,
    /// The connection ended before the body did.
    Truncated,
}

/// What the judgement must know besides the reply.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Did the request prove who the client is (RFC 6749 section 2.3)? Decides what a bare 401 refers to. With a custom
    /// `refresh` nobody knows: say no.
    pub client_authenticated: bool,
    /// Did the request present a refresh token that we hold? If not, nothing of ours can have been spent.
    pub token_sent: bool,
    /// The `scope` that was asked for, if any.
    pub scope: Option<&'a str>,
    /// The refresh token, the client's secret and whatever else must not appear in an error: see
    /// [`FormRequest::secrets`](super::request::FormRequest::secrets).
    pub secrets: &'a [&'a str],
    /// When the reply came: wall clock, milliseconds since the epoch.
    pub received_at: Millis,
}
