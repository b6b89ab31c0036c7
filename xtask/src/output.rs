//! Where things are: the root of the project, and `pkg/`, the one folder the build writes for others to read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the project, wherever the command was started.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder `pkg/`, empty when the build begins: nothing in it can be left over from another one.
pub struct Output {
    folder: PathBuf,
}

impl Output {
    /// Empties `pkg/`.
    pub fn fresh() -> Result<Self> {
        let folder = root().join("pkg");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("emptying pkg/")?;
        }
        fs::create_dir_all(&folder).context("making pkg/")?;
        Ok(Self { folder })
    }

    /// Writes one file of the package.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        fs::write(self.folder.join(name), content).with_context(|| format!("writing pkg/{name}"))
    }
}
