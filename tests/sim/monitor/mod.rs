//! The invariants of the protocol, checked at every step of the simulated world.

mod outcomes;
mod requests;
mod watch;
mod writes;

pub use outcomes::{end, settled};
pub use requests::{granted, reply, sending};
pub use watch::{Ledger, Program, Watch, begins, signed_in};
pub use writes::{early, is_tombstone, revocation, write};
