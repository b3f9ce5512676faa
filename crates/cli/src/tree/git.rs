//! The files that git holds: those of the index, or of a revision.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::str;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::MAX_BYTES;

use super::{Entry, EntryKind, ReadError, Tree, children, is_folder, key};
use crate::git::{Git, GitError};
use crate::process::InteractiveProgram;

struct Listed {
    kind: EntryKind,
    /// The ID of the object; none if the path is in conflict.
    id: Option<String>,
}

/// The files of git's index or of a revision. One process lists them, and one more reads the bytes of all files.
pub(crate) struct GitTree<'a> {
    git: &'a Git<'a>,
    files: BTreeMap<String, Listed>,
    /// Folders that contain a name that is not UTF-8, and that name.
    strange: BTreeMap<String, String>,
    /// `git cat-file`, which is started for the first file that is read.
    reader: Mutex<Option<InteractiveProgram>>,
}

impl<'a> GitTree<'a> {
    /// Lists the index: the files that the next commit will contain.
    pub(crate) fn index(git: &'a Git<'a>) -> Result<Self, GitError> {
        // mode, ID and stage; then a tab and the path
        let output = git.list_index()?;
        Self::from_listing(git, &output.stdout, |fields| match fields {
            [mode, id, stage] => Some(Listed { kind: kind_of(mode), id: (*stage == "0").then(|| (*id).to_owned()) }),
            _ => None,
        })
        .ok_or(GitError::Answer { command: "ls-files" })
    }

    /// Lists a revision such as `HEAD`. Before the first commit, the error is [`GitError::NoSuchRevision`].
    pub(crate) fn revision(git: &'a Git<'a>, revision: &str, paths: &[Utf8PathBuf]) -> Result<Self, GitError> {
        // mode, type and ID; then a tab and the path
        let output = git.list_revision(revision, paths)?;
        Self::from_listing(git, &output.stdout, |fields| match fields {
            [mode, _, id] => Some(Listed { kind: kind_of(mode), id: Some((*id).to_owned()) }),
            _ => None,
        })
        .ok_or(GitError::Answer { command: "ls-tree" })
    }

    /// Whether a file is at the path, and no link or folder.
    pub(crate) fn has_file(&self, path: &Utf8Path) -> bool {
        self.files.get(path.as_str()).is_some_and(|listed| listed.kind == EntryKind::File)
    }

    /// Parses a listing; none if it has an unknown format.
    fn from_listing(git: &'a Git<'a>, listing: &[u8], parse: impl Fn(&[&str]) -> Option<Listed>) -> Option<Self> {
        let mut files = BTreeMap::new();
        let mut strange = BTreeMap::new();
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let fields: Vec<&str> = str::from_utf8(&line[..tab]).ok()?.split(' ').collect();
            let listed = parse(&fields)?;
            let path = &line[tab + 1..];
            let Ok(path) = str::from_utf8(path) else {
                let path = Utf8PathBuf::from(String::from_utf8_lossy(path).into_owned());
                let path = path.strip_prefix(&git.prefix).ok()?;
                note_strange(&mut strange, path);
                continue;
            };
            let path = Utf8Path::new(path).strip_prefix(&git.prefix).ok()?;
            files.insert(path.as_str().to_owned(), listed);
        }
        Some(Self { git, files, strange, reader: Mutex::default() })
    }

    /// Fails if a symbolic link is at `path` or above it.
    fn refuse_links(&self, path: &str) -> Result<(), ReadError> {
        for ancestor in Utf8Path::new(path).ancestors() {
            if self.files.get(ancestor.as_str()).is_some_and(|listed| listed.kind == EntryKind::Symlink) {
                return Err(ReadError::Symlink(ancestor.to_owned()));
            }
        }
        Ok(())
    }

    fn blob(&self, id: &str) -> Result<Vec<u8>, GitError> {
        const FAILED: GitError = GitError::Answer { command: "cat-file" };
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out and put back, so that a process that failed in the middle of an answer is not used again.
        let mut program = match reader.take() {
            Some(program) => program,
            None => self.git.cat_files()?,
        };
        let bytes = request(&mut program, id).map_err(|_| FAILED)?;
        // The rest of a huge file is not read, but the process ends with its pipe.
        if bytes.as_ref().is_none_or(|bytes| bytes.len() <= MAX_BYTES) {
            *reader = Some(program);
        }
        bytes.ok_or_else(|| GitError::Failed { command: "cat-file", message: format!("no blob {id}") })
    }
}

impl Tree for GitTree<'_> {
    fn list(&self, folder: &Utf8Path) -> Result<Vec<Entry>, ReadError> {
        let folder = key(folder)?;
        self.refuse_links(&folder)?;
        if let Some(name) = self.strange.get(&folder) {
            return Err(ReadError::NotUtf8 { folder: folder.into(), name: name.clone() });
        }
        // Nothing is below a file, as on disk.
        Ok(children(&self.files, &folder, |listed| listed.kind))
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, ReadError> {
        let path = key(path)?;
        match self.files.get(&path) {
            Some(Listed { id: None, .. }) => Err(ReadError::Unmerged(path.into())),
            Some(Listed { kind: EntryKind::File, id: Some(id) }) => {
                self.blob(id).map(Some).map_err(|source| ReadError::Git { path: path.into(), source })
            }
            Some(Listed { kind: EntryKind::Symlink, .. }) => Err(ReadError::Symlink(path.into())),
            Some(_) => Err(ReadError::NotAFile(path.into())),
            None if path.is_empty() || is_folder(&self.files, &path) => Err(ReadError::NotAFile(path.into())),
            None => self.refuse_links(&path).map(|()| None),
        }
    }
}

/// Git's file modes: 120000 is a symbolic link, 160000 a submodule, 100644 and 100755 are files.
fn kind_of(mode: &str) -> EntryKind {
    match mode {
        "120000" => EntryKind::Symlink,
        _ if mode.starts_with("100") => EntryKind::File,
        _ => EntryKind::Other,
    }
}

/// Records the topmost name that is not UTF-8: its folder is the one that cannot be listed.
fn note_strange(strange: &mut BTreeMap<String, String>, path: &Utf8Path) {
    let mut folder = Utf8PathBuf::new();
    for name in path.iter() {
        if name.contains('\u{fffd}') {
            strange.insert(folder.into_string(), name.to_owned());
            return;
        }
        folder.push(name);
    }
}

/// Sends one request to `git cat-file --batch`, which answers `<id> <type> <size>`, a line feed, the bytes and another line feed, or `<id> missing`.
fn request(program: &mut InteractiveProgram, id: &str) -> io::Result<Option<Vec<u8>>> {
    writeln!(program.input, "{id}")?;
    program.input.flush()?;
    let answer = &mut program.output;
    let mut head = String::new();
    answer.read_line(&mut head)?;
    let size = match head.trim_end().split(' ').collect::<Vec<_>>()[..] {
        [found, "blob", size] if found == id => size.parse::<usize>().map_err(io::Error::other)?,
        [_, "missing"] => return Ok(None),
        _ => return Err(io::Error::other("an answer in another format")),
    };
    let mut bytes = vec![0; size.min(MAX_BYTES + 1)];
    answer.read_exact(&mut bytes)?;
    if size > MAX_BYTES {
        return Ok(Some(bytes));
    }
    answer.read_exact(&mut [0])?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
