//! Makes the module small: `wasm-opt` from the npm package `binaryen`, pinned by the lock file.

use std::fs;

use anyhow::{Context, Result};

use crate::node;
use crate::output::root;

/// `--converge` would take twice the time for a thousandth of the size. The features are those of Rust's stable target,
/// said aloud because the section that lists them may be gone by now. Low memory is the end of the stack: no address
/// there is ever the base of a structure that wraps around.
const FLAGS: [&str; 10] = [
    "-Oz",
    "--low-memory-unused",
    "--strip-producers",
    "--strip-target-features",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The same module, smaller.
pub fn shrink(wasm: &[u8]) -> Result<Vec<u8>> {
    let folder = root().join("target/xtask");
    fs::create_dir_all(&folder).context("making target/xtask/")?;
    fs::write(folder.join("bound.wasm"), wasm).context("writing bound.wasm")?;
    let mut arguments = vec!["node_modules/binaryen/bin/wasm-opt"];
    arguments.extend(FLAGS);
    arguments.extend(["target/xtask/bound.wasm", "-o", "target/xtask/small.wasm"]);
    node::run(&arguments)?;
    fs::read(folder.join("small.wasm")).context("reading small.wasm")
}
