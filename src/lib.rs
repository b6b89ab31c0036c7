//! The core of `refresh-coordinator`: it makes sure that a single-use OAuth refresh token is presented **once**,
//! however many callers, tabs, workers, processes and servers notice at the same moment that an access token has
//! expired; that everyone gets the result; and that no race ever signs a user out.
//!
//! # Why sharing a promise is not enough
//!
//! A request that still carries the old token a moment *after* the refresh replays it, and a server with reuse
//! detection (RFC 9700 section 4.14.2) then ends the whole grant: the winner of a race dies with the loser. So the
//! second request must not be sent at all, by nobody, in no process. That takes a record that all of them share:
//!
//! ```text
//!  caller ─► mirror fresh? ──yes──► token
//!              │ no
//!              ▼
//!            flight      one shared promise per demand and context
//!              │
//!              ▼
//!  ┌──────► look ─── demand met? ──► adopt        another session? ──► NoSession      rejected? ──► Revoked
//!  │          │
//!  │        queue for the lock, where there is one; look again under it
//!  │          │
//!  │        claim: write the intent, conditional on the version read          (lease, fence and journal in one)
//!  │          │
//!  │        present the token of the claimed record, once, with a hard timeout
//!  │          │
//!  │          ├─ granted ──► commit: generation + 1 ──► announce ──► let the lock go
//!  ├──────────┼─ refused ──► read again: has anybody a newer token? ──► only then: rejected
//!  └──────────┴─ no verdict ──► withdraw the intent, leave a cool-down
//! ```
//!
//! # Map
//!
//! | module | what it is | may use |
//! | --- | --- | --- |
//! | [`protocol`] | the picture above: record, ports, decisions, the linear exchange, flights | nothing of this crate |
//! | [`oauth`] | the refresh request, and the judgement of a reply | the words of `protocol` |
//! | [`options`] | the rules of the options | `protocol`, `oauth` |
//! | `host` | the ports and options on a JavaScript host (wasm only) | `protocol`, `oauth`, `options` |
//! | `bindings` | the exported class `RefreshCoordinator` (wasm only) | `host` |
//!
//! Only `host` and `bindings` ever see a JavaScript value, and only the wasm build has the crates for it: the native
//! build is the proof. The architecture, the invariants and what is deliberately absent stand in `ARCHITECTURE.md`.

pub mod oauth;
pub mod options;
pub mod protocol;

#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(target_arch = "wasm32")]
mod host;
