//! Expected texts that are committed: compared, or overwritten with `TALOSMITH_BLESS=1`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether expected texts are to be overwritten.
pub fn blessing() -> bool {
    std::env::var_os("TALOSMITH_BLESS").is_some()
}

/// A path of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a text with the file that holds the expected one, and notes a difference.
pub fn compare(path: &Path, actual: &str, differences: &mut Vec<String>) {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    if blessing() {
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, actual).expect("the file can be written");
    } else {
        differences.push(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()));
    }
}

/// Fails with all differences at once.
pub fn settle(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{} expected texts differ; TALOSMITH_BLESS=1 overwrites them:\n\n{}",
        differences.len(),
        differences.join("\n\n")
    );
}

/// Every file below a folder, sorted.
pub fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path);
        }
    }
    found
}
