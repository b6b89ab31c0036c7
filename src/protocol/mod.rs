//! The protocol: pure Rust without a JavaScript type, a clock or I/O. It reaches the world through [`ports`] only, so
//! the same code runs in wasm on a JavaScript host and natively in the searches.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`exchange`] | one run: look, queue, claim, present, and what follows from the reply. Start reading here |
//! | [`decide`] | the decisions it takes, as pure functions |
//! | [`record`], [`grants`] | the one value a store holds for a key |
//! | `codec` | its text form |
//! | [`ports`] | what is needed from the world, as traits |
//! | [`context`] | one coordinator and its memory: the entry points |
//! | [`sign_in`], [`sign_out`], [`revocation`] | the other writers of the record |
//! | [`successor`] | successor mode: from a presented token along the chain to the live one |
//! | [`flight`] | one shared promise for equal demands |
//! | [`memory`] | what a context remembers between calls |
//! | `watching` | of that: for how long the intents of others have been seen unchanged |
//! | [`names`] | hashes that name records, locks and messages |
//! | [`demand`], [`tokens`], [`verdict`], [`failure`], [`notice`], [`settings`] | the words |
//! | [`safeguard`] | the names of the safeguards, for the searches that drop them |

mod codec;

pub mod context;
pub mod decide;
pub mod demand;
pub mod exchange;
pub mod failure;
pub mod flight;
pub mod grants;
pub mod memory;
pub mod names;
pub mod notice;
pub mod ports;
pub mod record;
pub mod revocation;
pub mod safeguard;
pub mod settings;
pub mod sign_in;
pub mod sign_out;
pub mod successor;
pub mod tokens;
pub mod verdict;
mod watching;
