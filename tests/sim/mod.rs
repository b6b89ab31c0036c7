//! A simulated world for the real core: the ports are replayed, and every interleaving of contexts, server, faults and
//! time is searched.
//!
//! | file | what it is |
//! | --- | --- |
//! | `replay` | the ports, and a context as a function of its replies |
//! | `histories` | every list of replies met, replayed once |
//! | `server` | the authorization server |
//! | `world` | state, steps and faults |
//! | `monitor` | the invariants |
//! | `explore` | the search |
//! | `trace` | a violation in words |

use refresh_coordinator::protocol::ports::LockScope;

pub mod explore;
pub mod histories;
pub mod monitor;
pub mod mutants;
pub mod replay;
pub mod scenarios;
pub mod server;
pub mod trace;
pub mod world;

/// The kind of lock that makes a free lock evidence.
pub fn covering() -> LockScope {
    LockScope::Covering
}
