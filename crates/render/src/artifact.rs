//! A generated file: its path and its content.

use std::borrow::Cow;

use camino::Utf8PathBuf;

use crate::catalogue::Reader;

/// How what talosmith generated in a file is told from what others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// By its first line.
    Header,
    /// By the lines around the regions that are generated; the rest of the file is the user's.
    Region,
    /// By its path: JSON has no comments.
    Path,
}

/// A generated file that git tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Relative to the root of the repository.
    pub path: Utf8PathBuf,
    /// The model key that requests it, as in the catalogue and in `files`: `volumes.data`. Empty for an artifact of a cluster.
    pub key: Cow<'static, str>,
    pub text: String,
    /// The name of the template that it was rendered from; none for a raw patch.
    pub template: Option<Cow<'static, str>>,
    pub reader: Reader,
    pub applied: bool,
    /// How talosmith's own content is told from the user's.
    pub mark: Mark,
    /// Whether a user wrote its content, so that formatters and linters may find something in it.
    pub raw: bool,
    /// The artifacts that are merged in it, if several model keys share the file; empty otherwise.
    pub merged: Vec<Self>,
}

impl Artifact {
    /// Returns what was rendered for each model key: this artifact, or those that are merged in it.
    pub fn parts(&self) -> &[Self] {
        if self.merged.is_empty() { std::slice::from_ref(self) } else { &self.merged }
    }

    /// Returns the text without its header line, which names the device: artifacts of different devices may be equal otherwise.
    pub fn body(&self) -> &str {
        self.text.split_once('\n').map_or("", |(_, body)| body)
    }
}
