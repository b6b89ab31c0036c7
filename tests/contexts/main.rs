//! What one context does in a world that does what the test says: the steps and the corners of the protocol that the
//! searches, which ask for what must never happen, do not tell apart.

// The panic lints guard the code that ships; a test may fail by panicking.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod exchanges;
mod hints;
mod revocation;
mod sign_in;
mod sign_out;
mod successors;
mod world;
