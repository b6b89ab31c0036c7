//! A simulated world for the real core: the ports are replayed, and every interleaving of contexts, server, faults and
//! time is searched.
//!
//! | file | what it is |
//! | --- | --- |
//! | `script` | what a context does: its actions, and how they end |
//! | `ports`, `replay` | the ports, and a context as a function of its replies |
//! | `histories` | every list of replies met, replayed once |
//! | `server` | the authorization server |
//! | `world` | state, steps and faults |
//! | `monitor` | the invariants |
//! | `symmetry`, `text`, `shared` | states that differ in names only, taken for one; and hashed fast |
//! | `explore` | the search |
//! | `trace` | a violation in words |
//! | `scenarios`, `mutants` | what is searched, and what must be found |

pub mod explore;
pub mod histories;
pub mod monitor;
pub mod mutants;
pub mod ports;
pub mod replay;
pub mod scenarios;
pub mod script;
pub mod server;
pub mod shared;
pub mod symmetry;
pub mod text;
pub mod trace;
pub mod world;
