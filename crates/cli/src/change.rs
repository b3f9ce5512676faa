//! What we would write against what lies there.

mod orphans;

use camino::Utf8PathBuf;

use crate::tree::{ReadError, Tree};

pub use orphans::{HEADER_START, find_orphans, is_ours};
pub(crate) use orphans::{is_temporary, temporary_name};

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is not there yet.
    Added,
    /// It is there with other bytes.
    Changed,
    /// It is there and should not be.
    Removed,
    /// It is there with these bytes.
    Same,
}

/// A file as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root.
    pub path: Utf8PathBuf,
    /// What becomes of the file.
    pub kind: ChangeKind,
    /// The bytes that lie there. `None` if none do, and where nothing changes: big fleets need not keep what is the same.
    pub old: Option<Vec<u8>>,
    /// The bytes that should lie there. `None` if none should, and where nothing changes.
    pub new: Option<Vec<u8>>,
}

impl Change {
    /// Compares what lies at `path` with what should; `None` if nothing does and nothing should.
    ///
    /// # Errors
    /// The file cannot be read; [`ReadError::Symlink`] if it is, or lies behind, a symbolic link.
    pub fn find(tree: &dyn Tree, path: Utf8PathBuf, new: Option<Vec<u8>>) -> Result<Option<Self>, ReadError> {
        if let Some(new) = &new
            && tree.holds(&path, new)?
        {
            return Ok(Some(Self { path, kind: ChangeKind::Same, old: None, new: None }));
        }
        let old = tree.read(&path)?;
        let kind = match (&old, &new) {
            (None, None) => return Ok(None),
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
            (Some(_), Some(_)) => ChangeKind::Changed,
        };
        Ok(Some(Self { path, kind, old, new }))
    }

    /// Whether a file lies there that talosmith did not make.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.old.as_ref().is_some_and(|old| !is_ours(old))
    }
}

/// What a comparison finds.
#[derive(Debug, Default)]
pub struct Comparison {
    /// One for each artifact and each leftover, sorted by path; also those that are the same.
    pub changes: Vec<Change>,
    /// The paths that could not be compared.
    pub errors: Vec<ReadError>,
}

/// Compares artifacts with what lies in `tree`, and marks as removed the `leftovers` (from [`find_orphans`]) that are there.
pub fn compare(
    tree: &dyn Tree,
    artifacts: impl IntoIterator<Item = (Utf8PathBuf, Vec<u8>)>,
    leftovers: impl IntoIterator<Item = Utf8PathBuf>,
) -> Comparison {
    let wanted = artifacts.into_iter().map(|(path, bytes)| (path, Some(bytes)));
    let unwanted = leftovers.into_iter().map(|path| (path, None));
    let mut comparison = Comparison::default();
    for (path, new) in wanted.chain(unwanted) {
        match Change::find(tree, path, new) {
            Ok(change) => comparison.changes.extend(change),
            Err(error) => comparison.errors.push(error),
        }
    }
    comparison.changes.sort_by(|one, other| one.path.as_str().cmp(other.path.as_str()));
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn every_kind_of_change_is_found_in_the_order_of_the_paths() {
        let lies = [("d/same", "1"), ("d/edited", "1"), ("d/orphan", "1")];
        let tree: MemoryTree = lies.into_iter().collect();
        let wanted = [("d/same", "1"), ("d/new", "2"), ("d/edited", "2")];
        let wanted = wanted.map(|(path, text)| (path.into(), text.as_bytes().to_vec()));
        let found = compare(&tree, wanted, ["d/orphan".into(), "d/orphan-that-is-gone".into()]);
        let bytes = |text: &str| Some(text.as_bytes().to_vec());
        let expected = [
            Change { path: "d/edited".into(), kind: ChangeKind::Changed, old: bytes("1"), new: bytes("2") },
            Change { path: "d/new".into(), kind: ChangeKind::Added, old: None, new: bytes("2") },
            Change { path: "d/orphan".into(), kind: ChangeKind::Removed, old: bytes("1"), new: None },
            Change { path: "d/same".into(), kind: ChangeKind::Same, old: None, new: None },
        ];
        assert_eq!(found.changes, expected);
        assert!(found.errors.is_empty());
    }

    #[test]
    fn one_path_that_cannot_be_read_does_not_hide_the_others() {
        let tree: MemoryTree = [("d/file/below", "")].into_iter().collect();
        let found = compare(&tree, [("d/file".into(), vec![]), ("d/new".into(), vec![])], []);
        assert_eq!(found.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["d/file is not a file"]);
        assert_eq!(found.changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["d/new"]);
    }

    #[test]
    fn a_file_without_our_header_is_foreign() {
        let ours = format!("{HEADER_START}devices/a/device.yaml.\na: 1\n");
        let lies = [("ours", ours.as_str()), ("foreign", "a: 1\n")];
        let tree: MemoryTree = lies.into_iter().collect();
        let foreign = ["ours", "foreign", "absent"]
            .map(|path| Change::find(&tree, path.into(), Some(vec![])).unwrap().unwrap().is_foreign());
        assert_eq!(foreign, [false, true, false]);
    }
}
