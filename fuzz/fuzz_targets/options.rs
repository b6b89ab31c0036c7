//! See `tests/corpora/options.rs`.
#![no_main]

#[path = "../../tests/corpora/options.rs"]
mod options;

libfuzzer_sys::fuzz_target!(|input: &[u8]| options::check(input));
