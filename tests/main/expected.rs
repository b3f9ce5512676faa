//! Committed files that the program produces: they are compared, or rewritten with `INSTA_UPDATE=always`, the variable by which
//! insta rewrites its snapshots.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns a path of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns every file below a folder.
pub(crate) fn files(folder: &Path) -> BTreeSet<PathBuf> {
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

/// Compares committed files and collects every difference, so that one run shows all of them.
#[derive(Default)]
pub(crate) struct ExpectedFiles {
    compared: BTreeSet<PathBuf>,
    differences: Vec<String>,
}

impl ExpectedFiles {
    /// Compares a file with what was produced for it now.
    pub(crate) fn compare(&mut self, path: &Path, actual: &str) {
        self.compared.insert(path.to_owned());
        let expected = fs::read_to_string(path).unwrap_or_default();
        if expected == actual {
            return;
        }
        if is_rewriting() {
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be created");
            fs::write(path, actual).expect("the file can be written");
        } else {
            self.fail(format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()));
        }
    }

    /// Adds a difference that no rewriting resolves.
    pub(crate) fn fail(&mut self, difference: String) {
        self.differences.push(difference);
    }

    /// Adds a snapshot that insta compares by itself, so that [`Self::reject_orphans`] knows it.
    pub(crate) fn add(&mut self, path: PathBuf) {
        self.compared.insert(path);
    }

    /// Reports or removes files below a folder that nothing was compared with.
    pub(crate) fn reject_orphans(&mut self, folder: &Path, extension: &str) {
        let is_orphan =
            |path: &PathBuf| path.extension().is_some_and(|it| it == extension) && !self.compared.contains(path);
        for orphan in files(folder).into_iter().filter(is_orphan).collect::<Vec<_>>() {
            if is_rewriting() {
                fs::remove_file(&orphan).expect("the file can be removed");
            } else {
                self.fail(format!("{}: no test produces this file", orphan.display()));
            }
        }
    }

    /// Fails with all differences at once.
    pub(crate) fn finish(self) {
        assert!(
            self.differences.is_empty(),
            "{} files differ; `INSTA_UPDATE=always cargo test --workspace` rewrites them:\n\n{}",
            self.differences.len(),
            self.differences.join("\n\n")
        );
    }
}

/// Whether differing files are rewritten instead of reported, by the values of `INSTA_UPDATE` that make insta do so.
fn is_rewriting() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|value| ["always", "1", "force"].contains(&value.as_str()))
}
