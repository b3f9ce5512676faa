//! The root of a repository on disk.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the module that reads the work tree"))]

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::layout::FLEET_FILE;

pub(crate) struct Root {
    /// The folder with talosmith.yaml, without symbolic links.
    pub path: Utf8PathBuf,
    /// The current folder, relative to the root.
    pub below: Utf8PathBuf,
}

impl Root {
    /// Finds the repository that contains a folder; none if neither it nor a folder above has a talosmith.yaml. As for git, the top of a
    /// repository is the limit: a repository in another one has nothing to do with the files around it.
    pub(crate) fn find(start: &Utf8Path) -> io::Result<Option<Self>> {
        let start = resolve_links(start)?;
        let top = start.ancestors().find(|folder| exists(&folder.join(".git")));
        let root = fleet_folder(&start).filter(|folder| top.is_none_or(|top| folder.starts_with(top)));
        Ok(root.map(|folder| {
            let below = start.strip_prefix(folder).unwrap_or(Utf8Path::new("")).to_owned();
            Self { path: folder.to_owned(), below }
        }))
    }

    /// Returns an absolute path inside the repository as it is from the current folder, and any other path unchanged.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        let resolved = if path.is_absolute() { resolve_links(path).ok() } else { None };
        let up: Utf8PathBuf = self.below.components().map(|_| "..").collect();
        let inside = resolved.as_ref().and_then(|resolved| resolved.strip_prefix(&self.path).ok());
        inside.map_or_else(|| path.to_owned(), |inside| up.join(inside))
    }
}

/// Returns the innermost folder with a talosmith.yaml among a folder and those above it.
fn fleet_folder(start: &Utf8Path) -> Option<&Utf8Path> {
    start.ancestors().find(|folder| folder.join(FLEET_FILE).is_file())
}

/// Returns the folder above a folder that has a talosmith.yaml, also outside of the repository of git.
pub(crate) fn fleet_folder_above(start: &Utf8Path) -> Option<Utf8PathBuf> {
    fleet_folder(&resolve_links(start).ok()?).map(Utf8Path::to_owned)
}

/// Returns the file in a folder that looks like a misnamed talosmith.yaml.
pub(crate) fn misnamed_fleet_file(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().ok()?.flatten();
    let folder = if folder == "." { Utf8Path::new("") } else { folder };
    let mut names = entries.map(|entry| folder.join(entry.file_name()));
    let is_like = |path: &Utf8PathBuf| {
        let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "talosmith.yaml" | "talosmith.yml") && !path.ends_with(FLEET_FILE)
    };
    names.find(is_like)
}

/// Returns the absolute path of a file or folder without symbolic links.
pub(crate) fn resolve_links(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    path.canonicalize_utf8()
}

/// Whether anything is at a path, even a symbolic link to nothing.
pub(crate) fn exists(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok()
}
