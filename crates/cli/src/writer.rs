//! The one module that writes files.
//!
//! Everything is written beside its target first, under a temporary name, and takes its name only when all of the run is safely on
//! disk: whatever happens, each file is old or new and never torn, and a full disk changes nothing.

mod lock;
mod standing;
mod staging;
mod folders;
mod apply;
mod secret;
#[cfg(test)]
mod sandbox;

use std::io;

use camino::Utf8PathBuf;

use crate::tree::ReadError;

pub use apply::{Applied, apply};
pub use lock::{Lock, LockError};
pub use secret::write_secret;
pub use standing::{Standing, inspect};

/// What lies at a path forbids to write there. Nothing was written. Paths are relative to the root.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// A symbolic link stands at the path or above it. The path is that of the link.
    #[error("{0} is a symbolic link")]
    Symlink(Utf8PathBuf),
    /// The path leads out of the root.
    #[error("{0} lies outside the repository")]
    Outside(Utf8PathBuf),
    /// A folder or something odder stands where a file should be.
    #[error("{0} is not a file")]
    NotAFile(Utf8PathBuf),
    /// A file stands where a folder should be.
    #[error("{0} is not a folder")]
    NotAFolder(Utf8PathBuf),
    /// Everybody may replace files in the folder, so that no secret is safe there.
    #[error("everybody can write to the folder {0}")]
    OpenFolder(Utf8PathBuf),
}

/// A file could not be written. No temporary file is left; files that had taken their names before stay new.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What lies there forbids it; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The system refuses.
    #[error("cannot write {path}")]
    Io {
        /// The file or folder, relative to the root.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder could not be searched for what an earlier run left; nothing was written.
    #[error(transparent)]
    Leftovers(#[from] ReadError),
}

impl WriteError {
    fn io(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
