//! What the fuzzers assert, asserted of every input that is kept in `fuzz/corpus/`, and of every row of the table of replies.

// The panic lints guard the code that ships; a test may fail by panicking.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

mod options;
mod record;
mod reply;

#[allow(dead_code)] // Shared with the tests of the judgement, which use all of it.
#[path = "../replies/rows.rs"]
mod rows;

#[test]
fn every_reply_that_is_kept_has_a_sound_verdict() {
    replay("reply", reply::check);
}

#[test]
fn every_row_of_the_table_has_a_sound_verdict() {
    for row in rows::ROWS {
        for facts in ["", " confidential", " nothing-sent", " commas", " truncated"] {
            let headers: String = row.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            reply::check(format!("{}{facts}\n{headers}\n{}", row.status, row.body).as_bytes());
        }
    }
}

#[test]
fn every_record_that_is_kept_is_read_and_decided_upon() {
    replay("record", record::check);
}

#[test]
fn all_options_that_are_kept_are_right_or_named() {
    replay("options", options::check);
}

/// Hands each input of a corpus to the assertions of its target, and names the one that fails.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("a corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 24, "the corpus of {target} is gone");
    for file in files {
        let input = fs::read(&file).expect("an input");
        // Shown only if the check fails.
        println!("{}", file.display());
        check(&input);
    }
}
