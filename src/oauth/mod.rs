//! OAuth as a client speaks it: the refresh request, and what a reply to it means.
//!
//! Pure functions from texts to texts and verdicts. Must not know a host, a clock, a store, or how the protocol uses a
//! verdict: of `protocol` it knows the words only (verdicts, tokens, parameters).
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`request`] | the form bodies and headers of a refresh and of a revocation |
//! | [`reply`] | what a host hands in: status, headers, body, and the facts of the request |
//! | [`judge`] | the judgement of a reply, step by step |
//! | [`transport`] | the outcomes without a reply: not sent, lost, timed out, aborted |
//! | [`token_set`] | the members of a grant, from a reply or from the application |
//! | [`redact`] | takes secrets out of what a server wrote |
//! | [`jwt`] | reads a few claims of a JWT |
//! | [`code`] | the stable codes of all refusals |
//! | `members` | the members of a body, JSON or form |
//! | `answer` | a reply taken apart: error codes, descriptions, headers |
//! | `outcome` | what a row of a table says, and the refusal made of it |
//! | `standard` | table: error codes and what they mean |
//! | `profiles` | table: replies of vendors that mean something else than they seem to |
//! | `retry_after`, `http_date`, `number` | when to come back, in all the forms that servers use |
//!
//! # The judgement
//!
//! The first step that knows an answer gives it:
//!
//! 1. A redirect is a wrong endpoint: a refresh token is not sent on to wherever a reply says.
//! 2. A 2xx with an access token is a grant.
//! 3. A vendor profile recognises the reply by stable members, or as a last resort by an exact phrase.
//! 4. A status that says "not now" (408, 425, 429, 5xx) is believed, whatever the body says: a gateway in
//!    trouble must not sign a user out.
//! 5. A known error code is believed with any other status, 200 included, wherever in the reply it stands.
//! 6. The status, where it has a meaning of its own (401, 403, 404, 405, 415).
//! 7. Everything else is unknown: transient, spent maybe. *Unknown never ends a session.*
//!
//! # Codes
//!
//! `Details.code` is one of the constants of [`code`]; the sentence in `Details.message` may change, a code may not.

mod answer;
pub mod code;
mod http_date;
pub mod judge;
pub mod jwt;
mod members;
mod number;
mod outcome;
mod profiles;
pub mod redact;
pub mod reply;
pub mod request;
mod retry_after;
mod standard;
pub mod token_set;
pub mod transport;
