//! The ports of the protocol and the options of the user on a JavaScript host. With `bindings`, the only place that
//! sees a JavaScript value; only the wasm build has it.
//!
//! Nothing here decides anything about a session. What it must get right instead: whatever a store, a lock, a `fetch`
//! or a callback does, every call ends, and no token leaves in an error, an event or a message.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`coordinator`], [`refreshing`], [`sessions`] | the members: flights and their promises |
//! | [`world`] | all ports together |
//! | [`store`], [`seal`], [`locks`], [`channel`], [`waiting`], [`clock`], [`randomness`], [`journal`] | port by port |
//! | [`endpoint`], [`http`], [`body`], [`custom`], [`classify`] | the exchange with the authorization server |
//! | [`options`], [`tokens`], [`errors`] | what comes from the user, and what goes back |
//! | [`settle`] | the one way to call foreign code |
//! | [`embedder`], [`mod@panic`] | the JavaScript half of the package |
//! | [`abort`], [`bell`], [`object`], [`race`], [`shared`] | small parts |

pub mod coordinator;

mod abort;
mod bell;
mod body;
mod channel;
mod classify;
mod clock;
mod custom;
mod embedder;
mod endpoint;
mod errors;
mod http;
mod journal;
mod locks;
mod object;
mod options;
mod panic;
mod race;
mod randomness;
mod refreshing;
mod seal;
mod sessions;
mod settle;
mod shared;
mod store;
mod tokens;
mod waiting;
mod world;
