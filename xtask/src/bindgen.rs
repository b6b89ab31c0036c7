//! Runs wasm-bindgen as a library: the crate's bindings become JavaScript, its descriptors leave the module.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::output::root;

/// The one module the wasm imports from.
pub const MODULE: &str = "glue";

/// What wasm-bindgen made of the compiled crate.
pub struct Bound {
    /// The module, without names, importing every function from [`MODULE`].
    pub wasm: Vec<u8>,
    /// The JavaScript half, an ES module that holds one instance in its top-level variables.
    pub script: String,
    /// What the module imports.
    pub imports: Vec<Import>,
}

/// A function the module imports.
pub struct Import {
    /// As the JavaScript half calls it.
    pub function: String,
    /// As the module asks for it. wasm-bindgen's names are long and end in hashes: a tenth of a small module.
    pub field: String,
}

/// Binds the module that cargo left at `compiled`.
pub fn bind(compiled: &Path) -> Result<Bound> {
    // The bundler output: its JavaScript half loads nothing by itself, so it works on every host.
    let mut output = Bindgen::new()
        .input_path(compiled)
        .out_name("core")
        .bundler(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen")?;
    let inlined = output.snippets().values().any(|scripts| !scripts.is_empty());
    if inlined || !output.local_modules().is_empty() || !output.npm_dependencies().is_empty() {
        bail!("the crate imports JavaScript files: the package takes what it needs from its host object only");
    }

    let mut imports = Vec::new();
    for import in output.wasm_mut().imports.iter_mut() {
        if import.module != "./core_bg.js" {
            bail!("the module imports `{}` from `{}`, which no host provides", import.name, import.module);
        }
        let field = short_name(imports.len());
        let function = std::mem::replace(&mut import.name, field.clone());
        import.module = MODULE.into();
        imports.push(Import { function, field });
    }

    let folder = root().join("target/xtask/bindgen");
    output.emit(&folder).context("writing the output of wasm-bindgen")?;
    let read = |name: &str| fs::read(folder.join(name)).with_context(|| format!("wasm-bindgen wrote no {name}"));
    Ok(Bound { wasm: read("core_bg.wasm")?, script: String::from_utf8(read("core_bg.js")?)?, imports })
}

/// a, b, … z, ba, bb, …
fn short_name(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        more => short_name(more) + &letter.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn short_names_differ() {
        let names: HashSet<String> = (0..2_000).map(short_name).collect();
        assert_eq!(names.len(), 2_000);
        assert!(names.contains("a") && names.contains("z") && names.contains("ba"));
    }
}
