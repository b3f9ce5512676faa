//! A file as it is and as it should be.

mod orphans;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::layout;
use talosmith_render::Mark;

use crate::diff;
use crate::tree::{ReadError, Tree};

pub(crate) use orphans::{find_documents, find_elsewhere, find_orphans, is_generated, is_of_fleet_file};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// A file as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Relative to the root.
    pub path: Utf8PathBuf,
    pub kind: ChangeKind,
    pub old: Option<Vec<u8>>,
    /// The bytes that the file should have; none if it should not exist.
    pub new: Option<Vec<u8>>,
    /// How what talosmith generated in it is known.
    pub mark: Mark,
}

impl Change {
    /// Creates the change between two versions that differ.
    pub(crate) fn new(path: Utf8PathBuf, old: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Self {
        let kind = match (&old, &new) {
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        Self { path, kind, old, new, mark: Mark::Header }
    }

    /// Sets how what talosmith generated in the file is known.
    pub(crate) fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// Whether the file exists and talosmith did not generate it.
    pub(crate) fn is_foreign(&self) -> bool {
        self.mark == Mark::Header && self.old.as_ref().is_some_and(|old| !is_generated(old))
    }

    /// Formats the change as a unified diff.
    pub(crate) fn unified_diff(&self, color: bool) -> String {
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        diff::unified(self.path.as_str(), text(&self.old).as_deref(), text(&self.new).as_deref(), color)
    }

    pub(crate) fn command(&self) -> String {
        // An orphan may belong to a device that is gone.
        let device = layout::device_of(&self.path).filter(|_| self.kind != ChangeKind::Removed);
        match device {
            Some(name) => format!("talosmith generate {}", layout::device_folder(name)),
            None => "talosmith generate".to_owned(),
        }
    }
}

/// The bytes of a file that are not the wanted ones; none if there is no file.
pub(crate) struct OtherBytes(pub Option<Vec<u8>>);

/// Compares a file with the bytes that it should have; none if it has them.
pub(crate) fn compare(tree: &dyn Tree, path: &Utf8Path, wanted: &[u8]) -> Result<Option<OtherBytes>, ReadError> {
    if tree.holds(path, wanted)? { Ok(None) } else { Ok(Some(OtherBytes(tree.read(path)?))) }
}

#[cfg(test)]
mod tests {
    use super::orphans::HEADER_START;
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn a_file_is_compared_with_its_wanted_bytes() {
        let tree: MemoryTree = [("d/same", "1"), ("d/edited", "1")].into_iter().collect();
        let other = |path: &str| compare(&tree, path.into(), b"1").unwrap().map(|other| other.0);
        assert_eq!(other("d/same"), None);
        assert_eq!(other("d/absent"), Some(None));
        let edited = compare(&tree, "d/edited".into(), b"2").unwrap().map(|other| other.0);
        assert_eq!(edited, Some(Some(b"1".to_vec())));
        assert_eq!(compare(&tree, "d".into(), b"1").err().unwrap().to_string(), "d is not a file");
    }

    #[test]
    fn the_kind_of_a_change_follows_from_its_bytes() {
        let kind = |old: Option<&str>, new: Option<&str>| {
            let bytes = |text: &str| text.as_bytes().to_vec();
            Change::new("a".into(), old.map(bytes), new.map(bytes)).kind
        };
        assert_eq!(kind(None, Some("1")), ChangeKind::Added);
        assert_eq!(kind(Some("1"), Some("2")), ChangeKind::Changed);
        assert_eq!(kind(Some("1"), None), ChangeKind::Removed);
    }

    #[test]
    fn a_file_without_the_header_is_foreign() {
        let ours = format!("{HEADER_START}devices/a/device.yaml.\na: 1\n").into_bytes();
        let is_foreign = |old: Option<Vec<u8>>| Change::new("a".into(), old, Some(vec![])).is_foreign();
        assert_eq!([Some(ours), Some(b"a: 1\n".to_vec()), None].map(is_foreign), [false, true, false]);
    }
}
