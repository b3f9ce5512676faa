use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;
use crate::git::sandbox::{Sandbox, open};
use crate::process::{Command, Output, ProcessError, Processes};

fn read(tree: &GitTree<'_>, path: &str) -> Option<String> {
    tree.read(path.into()).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
}

fn names(tree: &GitTree<'_>, folder: &str) -> Vec<(String, EntryKind)> {
    tree.list(folder.into()).unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect()
}

#[test]
fn head_index_and_disk_may_all_differ() {
    let sandbox = Sandbox::new();
    sandbox.write("devices/ryzen/device.yaml", "committed\n");
    sandbox.write("devices/ryzen/gone.yaml", "");
    sandbox.commit();
    sandbox.write("devices/ryzen/device.yaml", "staged\n");
    sandbox.write("devices/ryzen/new.yaml", "new\n");
    fs_err::remove_file(sandbox.root().join("devices/ryzen/gone.yaml")).unwrap();
    sandbox.git(&["add", "--all"]);
    sandbox.write("devices/ryzen/device.yaml", "on disk\n");
    sandbox.write("devices/ryzen/untracked.yaml", "");

    let git = open(&sandbox, &sandbox.root());
    let index = GitTree::index(&git).unwrap();
    let head = GitTree::revision(&git, "HEAD", &[]).unwrap();
    let disk = super::super::WorkTree::new(sandbox.root());
    let device = "devices/ryzen/device.yaml";
    assert_eq!(read(&index, device).unwrap(), "staged\n");
    assert_eq!(read(&head, device).unwrap(), "committed\n");
    assert_eq!(disk.read(device.into()).unwrap().unwrap(), b"on disk\n");
    let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), EntryKind::File)).collect::<Vec<_>>();
    assert_eq!(names(&index, "devices/ryzen"), files(&["device.yaml", "new.yaml"]));
    assert_eq!(names(&head, "devices/ryzen"), files(&["device.yaml", "gone.yaml"]));
    assert_eq!(read(&head, "devices/ryzen/new.yaml"), None);
    assert_eq!(names(&head, "devices"), [("ryzen".to_owned(), EntryKind::Folder)]);
}

#[test]
fn the_root_may_be_a_subfolder_and_sees_only_itself() {
    let sandbox = Sandbox::new();
    sandbox.write("infra/talosmith.yaml", "inner\n");
    sandbox.write("infra-old/talosmith.yaml", "old\n");
    sandbox.write("talosmith.yaml", "outer\n");
    sandbox.commit();
    let git = open(&sandbox, &sandbox.root().join("infra"));
    for tree in [GitTree::index(&git).unwrap(), GitTree::revision(&git, "HEAD", &[]).unwrap()] {
        assert_eq!(names(&tree, ""), [("talosmith.yaml".to_owned(), EntryKind::File)]);
        assert_eq!(read(&tree, "talosmith.yaml").unwrap(), "inner\n");
        assert!(matches!(tree.read("../talosmith.yaml".into()), Err(ReadError::Outside(_))));
    }
}

#[test]
fn a_hook_of_a_partial_commit_sees_the_index_that_is_committed() {
    let mut sandbox = Sandbox::new();
    sandbox.write("infra/a.yaml", "one\n");
    sandbox.git(&["add", "--all"]);
    fs_err::copy(sandbox.root().join(".git/index"), sandbox.root().join(".git/next-index")).unwrap();
    sandbox.write("infra/a.yaml", "two\n");
    sandbox.git(&["add", "--all"]);
    // As git sets it for a hook: relative to the top, wherever the root of talosmith is.
    sandbox.variables.push(("GIT_INDEX_FILE".into(), ".git/next-index".into()));
    let git = open(&sandbox, &sandbox.root().join("infra"));
    assert_eq!(read(&GitTree::index(&git).unwrap(), "a.yaml").unwrap(), "one\n");
}

#[test]
fn any_bytes_come_through_in_any_order() {
    let sandbox = Sandbox::new();
    let files = [("empty", vec![]), ("lines", b"\n\n".to_vec()), ("binary", (0..=255).cycle().take(200_000).collect())];
    for (path, bytes) in &files {
        sandbox.write(path, bytes);
    }
    sandbox.commit();
    let git = open(&sandbox, &sandbox.root());
    let tree = GitTree::revision(&git, "HEAD", &[]).unwrap();
    for (path, bytes) in files.iter().chain(files.iter().rev()) {
        assert!(tree.read((*path).into()).unwrap().as_ref() == Some(bytes), "{path}");
    }
}

/// Counts the processes that are started.
struct Counted(Sandbox, Mutex<Vec<String>>);

impl Counted {
    fn note(&self, command: &Command) {
        // The settings come first.
        let name = command.arguments.iter().find(|word| !word.starts_with('-') && !word.contains('='));
        self.1.lock().unwrap().extend(name.cloned());
    }
}

impl Processes for Counted {
    fn run(&self, command: &Command) -> Result<Output, ProcessError> {
        self.note(command);
        self.0.run(command)
    }

    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError> {
        self.note(command);
        self.0.start_interactive(command)
    }
}

#[test]
fn many_files_need_few_processes() {
    let counted = Counted(Sandbox::new(), Mutex::default());
    for number in 0..20 {
        counted.0.write(&format!("{number}.yaml"), number.to_string());
    }
    counted.0.commit();
    let git = open(&counted, &counted.0.root());
    let tree = GitTree::revision(&git, "HEAD", &[]).unwrap();
    std::thread::scope(|scope| {
        for part in [0..10, 10..20] {
            let tree = &tree;
            scope.spawn(move || {
                for number in part {
                    assert_eq!(read(tree, &format!("{number}.yaml")).unwrap(), number.to_string());
                }
            });
        }
    });
    assert_eq!(*counted.1.lock().unwrap(), ["rev-parse", "ls-tree", "cat-file"]);
}

#[test]
fn links_and_submodules_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("devices/ryzen/device.yaml", "");
    symlink("ryzen", sandbox.root().join("devices/linked")).unwrap();
    sandbox.git(&["add", "--all"]);
    let commit = "160000,1234567890123456789012345678901234567890,devices/module";
    sandbox.git(&["update-index", "--add", "--cacheinfo", commit]);
    let git = open(&sandbox, &sandbox.root());
    let tree = GitTree::index(&git).unwrap();
    let expected = [("linked", EntryKind::Symlink), ("module", EntryKind::Other), ("ryzen", EntryKind::Folder)];
    assert_eq!(names(&tree, "devices"), expected.map(|(name, kind)| (name.to_owned(), kind)));
    let error = |path: &str| tree.read(path.into()).unwrap_err().to_string();
    assert_eq!(error("devices/linked"), "devices/linked is a symbolic link");
    assert_eq!(error("devices/linked/device.yaml"), "devices/linked is a symbolic link");
    assert_eq!(tree.list("devices/linked".into()).unwrap_err().to_string(), "devices/linked is a symbolic link");
    assert_eq!(error("devices/module"), "devices/module is not a file");
    assert_eq!(error("devices"), "devices is not a file");
}

#[test]
fn a_conflict_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", "base\n");
    sandbox.commit();
    sandbox.git(&["checkout", "--quiet", "-b", "other"]);
    sandbox.write("a.yaml", "theirs\n");
    sandbox.commit();
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("a.yaml", "ours\n");
    sandbox.commit();
    let merge = Command { folder: Some(sandbox.root()), ..Command::new("git", ["merge", "other"]) };
    assert_eq!(sandbox.run(&merge).unwrap().status, Some(1));
    let git = open(&sandbox, &sandbox.root());
    let tree = GitTree::index(&git).unwrap();
    assert_eq!(tree.read("a.yaml".into()).unwrap_err().to_string(), "a.yaml is in conflict");
    assert_eq!(names(&tree, ""), [("a.yaml".to_owned(), EntryKind::File)]);
}

#[test]
fn a_revision_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    let git = open(&sandbox, &sandbox.root());
    let error = |revision: &str| GitTree::revision(&git, revision, &[]).err().unwrap().to_string();
    assert_eq!(error("HEAD"), "git knows no revision `HEAD`");
    assert_eq!(error("--help"), "git knows no revision `--help`");
    sandbox.write("a.yaml", "");
    sandbox.commit();
    assert_eq!(error("nowhere"), "git knows no revision `nowhere`");
    assert!(GitTree::revision(&git, "main", &[]).is_ok());
}

#[test]
fn an_object_that_is_lost_is_an_error_and_no_empty_file() {
    let sandbox = Sandbox::new();
    let id = "1234567890123456789012345678901234567890";
    sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},lost.yaml")]);
    sandbox.write("there.yaml", "there\n");
    sandbox.git(&["add", "there.yaml"]);
    let git = open(&sandbox, &sandbox.root());
    let tree = GitTree::index(&git).unwrap();
    let error = tree.read("lost.yaml".into()).unwrap_err();
    let is_expected = matches!(&error, ReadError::Git { path, source: GitError::Failed { .. } } if path == "lost.yaml");
    assert!(is_expected, "{error:?}");
    assert_eq!(read(&tree, "there.yaml").unwrap(), "there\n");
}

#[test]
fn a_name_that_is_not_utf8_fails_only_its_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("devices/ryzen/device.yaml", "");
    let odd = sandbox.root().join("assets").into_std_path_buf().join(OsStr::from_bytes(b"b\xff"));
    fs_err::create_dir(sandbox.root().join("assets")).unwrap();
    if fs_err::create_dir(&odd).is_err() {
        drop(writeln!(io::stderr(), "skipped: this file system takes UTF-8 names only"));
        return;
    }
    fs_err::write(odd.join("file"), "").unwrap();
    sandbox.git(&["add", "--all"]);
    let git = open(&sandbox, &sandbox.root());
    let tree = GitTree::index(&git).unwrap();
    let error = tree.list("assets".into()).unwrap_err();
    assert_eq!(error.to_string(), "a name in assets is not UTF-8: b\u{fffd}");
    assert_eq!(names(&tree, "devices/ryzen"), [("device.yaml".to_owned(), EntryKind::File)]);
}
