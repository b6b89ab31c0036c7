//! Compiles the crate to WebAssembly, so that the same sources give the same bytes on every machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::output::root;

const TARGET: &str = "wasm32-unknown-unknown";

/// LLVM copies a small structure field by field, because a call would be slower. Here a copy is one instruction of a
/// few bytes, whatever its length; futures are full of them.
const SHORT_COPIES: [&str; 2] = ["-Cllvm-args=-max-store-memcpy=1", "-Cllvm-args=-max-store-memmove=1"];

/// The module as the Rust compiler leaves it, with names and target features: both are needed by the next steps.
pub fn compile() -> Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--release", "--lib", "--package", "refresh-coordinator"])
        .args(["--target", TARGET, "--message-format", "json-render-diagnostics"])
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags()?.join("\x1f"))
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("the crate does not compile for {TARGET}");
    }
    messages(&output.stdout)?
        .iter()
        .filter(|message| message["target"]["name"] == "refresh_coordinator")
        .filter_map(|message| message["filenames"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".wasm"))
        .map(PathBuf::from)
        .context("cargo named no .wasm file: is `cdylib` among the crate types?")
}

fn rustflags() -> Result<Vec<String>> {
    let mut flags = remapped_paths()?;
    flags.extend(SHORT_COPIES.map(str::to_owned));
    Ok(flags)
}

/// Panic messages name source files. Without this the package would carry the paths of the machine that built it.
fn remapped_paths() -> Result<Vec<String>> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--filter-platform", TARGET])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed");
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let registries: BTreeSet<&Path> = packages
        .iter()
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| package["manifest_path"].as_str())
        .filter_map(|manifest| Path::new(manifest).parent()?.parent())
        .collect();
    Ok(registries.iter().map(|folder| format!("--remap-path-prefix={}=crates", folder.display())).collect())
}

fn messages(stdout: &[u8]) -> Result<Vec<Value>> {
    let lines = stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).context("reading a message of cargo")).collect()
}

/// The cargo that runs this build: a toolchain chosen on the command line stays chosen.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}
