//! The files of a repository whose paths match a pattern. Symbolic links are not followed.

use std::collections::BTreeSet;

use ::glob::Pattern;
use camino::Utf8PathBuf;

use crate::tree::{EntryKind, ReadError, Tree};

/// The number of folders that are listed for one pattern.
const MAX_FOLDERS: usize = 10_000;
/// The number of files that a pattern may match.
const MAX_FILES: usize = 1_000;

/// What a pattern matches.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    pub files: BTreeSet<Utf8PathBuf>,
    pub links: Vec<String>,
    /// What was not searched, and why.
    pub refused: Vec<ReadError>,
    /// Why the search ended early.
    pub limit: Option<String>,
}

/// Finds the files that match a pattern: `*` and `?` match a part of a name, `**` any folders, and none of them a name that
/// begins with a dot.
pub(crate) fn matches(tree: &dyn Tree, pattern: &str) -> Matches {
    let parts: Vec<&str> = pattern.split('/').collect();
    let mut found = Matches::default();
    let mut folders = 0;
    let mut left: Vec<(Utf8PathBuf, usize)> = vec![(Utf8PathBuf::new(), 0)];
    while let Some((folder, at)) = left.pop() {
        let part = parts[at];
        let is_last = at + 1 == parts.len();
        if part == "**" && !is_last {
            left.push((folder.clone(), at + 1));
        } else if !part.contains(['*', '?']) && !is_last {
            left.push((folder.join(part), at + 1));
            continue;
        }
        folders += 1;
        if folders > MAX_FOLDERS {
            found.limit = Some(format!("`{pattern}` searches more than {MAX_FOLDERS} folders"));
            break;
        }
        let entries = match tree.list(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.refused.push(error);
                continue;
            }
        };
        for entry in entries.into_iter().filter(|entry| is_match(part, &entry.name)) {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if part == "**" => left.push((path, at)),
                EntryKind::Folder if !is_last => left.push((path, at + 1)),
                EntryKind::File if is_last => drop(found.files.insert(path)),
                EntryKind::Symlink if is_last || part != "**" => found.links.push(path.into_string()),
                _ => {}
            }
        }
        if found.files.len() > MAX_FILES {
            found.limit = Some(format!("`{pattern}` matches more than {MAX_FILES} files"));
            break;
        }
    }
    found
}

/// Whether a name matches a part of a pattern.
fn is_match(pattern: &str, name: &str) -> bool {
    let is_hidden = name.starts_with('.') && !pattern.starts_with('.');
    if is_hidden || name.eq_ignore_ascii_case(".git") {
        return false;
    }
    // Brackets have no meaning here.
    Pattern::new(&pattern.replace('[', "[[]")).is_ok_and(|pattern| pattern.matches(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn patterns_match_names_and_folders() {
        let paths = ["a.yaml", "b.yml", "k/a.yaml", "k/.h/a.yaml", "k/m/n/a.yaml", "k/m/ab.yaml", ".git/a.yaml"];
        let tree: MemoryTree = paths.into_iter().map(|path| (path, "x")).collect();
        let found = |pattern: &str| {
            let files = matches(&tree, pattern).files;
            files.into_iter().map(Utf8PathBuf::into_string).collect::<Vec<_>>()
        };
        assert_eq!(found("a.yaml"), ["a.yaml"]);
        assert_eq!(found("k/*.yaml"), ["k/a.yaml"]);
        assert_eq!(found("**/*.yaml"), ["a.yaml", "k/a.yaml", "k/m/ab.yaml", "k/m/n/a.yaml"]);
        assert_eq!(found("k/**/a.yaml"), ["k/a.yaml", "k/m/n/a.yaml"]);
        assert_eq!(found("k/m/**"), ["k/m/ab.yaml", "k/m/n/a.yaml"]);
        assert_eq!(found("*/m/?b.y*"), ["k/m/ab.yaml"]);
        assert_eq!(found("k/.h/*"), ["k/.h/a.yaml"]);
        assert_eq!(found(".g*/*"), [""; 0]);
        assert_eq!(found("k"), [""; 0]);
        assert!(is_match("a[b]?.*", "a[b]é.yaml") && !is_match("a[b]", "ab"));
    }

    #[test]
    fn the_search_is_bounded() {
        let tree: MemoryTree = (0..1_100).map(|number| (format!("k/{number}.yaml"), "x")).collect();
        assert_eq!(matches(&tree, "k/*").limit.as_deref(), Some("`k/*` matches more than 1000 files"));
        assert_eq!(matches(&tree, "k/1*").limit, None);
    }
}
