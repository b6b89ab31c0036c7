//! See `tests/corpora/record.rs`.
#![no_main]

#[path = "../../tests/corpora/record.rs"]
mod record;

libfuzzer_sys::fuzz_target!(|input: &[u8]| record::check(input));
