//! Runs a Node script of ours or of a development dependency, in the root of the project.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::output::root;

/// Runs `node <arguments>` and fails if it does.
pub fn run(arguments: &[&str]) -> Result<()> {
    let status = Command::new("node").args(arguments).current_dir(root()).status().context("starting node")?;
    if !status.success() {
        bail!("node {} failed: {status}", arguments.join(" "));
    }
    Ok(())
}
