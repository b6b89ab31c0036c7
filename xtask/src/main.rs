//! The build of the npm package: one command, `cargo xtask build`, from the Rust crate and the TypeScript to `pkg/`.
//!
//! Every step is a module with one public function; the pipeline below is the whole order of things.

mod bindgen;
mod cargo;
mod glue;
mod inline;
mod node;
mod optimise;
mod output;

use std::process::ExitCode;

use anyhow::{Result, bail};
use output::Output;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build"] => build(),
        _ => usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> Result<()> {
    bail!("usage: cargo xtask build")
}

fn build() -> Result<()> {
    let output = Output::fresh()?;
    let compiled = cargo::compile()?;
    let bound = bindgen::bind(&compiled)?;
    let optimised = optimise::shrink(&bound.wasm)?;

    output.write("core.wasm", &optimised)?;
    output.write("glue.js", glue::factory(&bound)?.as_bytes())?;
    output.write("glue.d.ts", glue::DECLARATION.as_bytes())?;
    output.write("core.base64.js", inline::module(&optimised).as_bytes())?;
    output.write("core.base64.d.ts", inline::DECLARATION.as_bytes())?;

    node::run(&["xtask/package/main.mjs"])
}
