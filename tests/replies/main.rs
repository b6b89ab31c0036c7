//! The judgement of replies: every row of the conformance table by its id, what is not in the table, and any bytes.

// The panic lints guard the code that ships; a test may fail by panicking.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, clippy::unwrap_used)]

mod bad_input;
mod conformance;
mod grants;
mod properties;
mod retry_after;
mod rows;
mod support;
mod token_sets;
mod without_reply;
