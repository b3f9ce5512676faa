//! The one module that writes files.
//!
//! Every file is first written under a temporary name next to its target, and all files of a run are flushed to disk before the first
//! one is renamed. Whatever happens, each file has its old or its new content, and a full disk changes nothing.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the module that writes files")
)]

mod lock;
mod existing_file;
mod staging;
mod sync;
mod folders;
mod apply;
mod secret;
#[cfg(test)]
mod sandbox;

use std::io;

use camino::Utf8PathBuf;

use crate::tree::ReadError;

pub(crate) use apply::apply;
pub(crate) use lock::Lock;
pub(crate) use secret::{read_secret, write_secret};

/// A file could not be written. Temporary files are removed; files that were renamed before the error keep their new content. Paths
/// are relative to the root.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The root.
    #[error("cannot lock {path}")]
    Lock { path: Utf8PathBuf, source: io::Error },
    /// The path of the link, which is the path to write or a folder above it.
    #[error("{0} is a symbolic link")]
    Symlink(Utf8PathBuf),
    #[error("{0} is outside the repository")]
    Outside(Utf8PathBuf),
    /// A folder, a socket or the like exists at the path of a file.
    #[error("{0} is not a file")]
    NotAFile(Utf8PathBuf),
    #[error("{0} is not a folder")]
    NotAFolder(Utf8PathBuf),
    /// Other users could replace a secret file in this folder.
    #[error("everybody can write to the folder {0}")]
    OpenFolder(Utf8PathBuf),
    #[error("cannot write {path}")]
    Io { path: Utf8PathBuf, source: io::Error },
    /// A folder could not be searched for temporary files of an earlier run. Nothing was written.
    #[error(transparent)]
    Leftovers(#[from] ReadError),
}

impl WriteError {
    fn io(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
