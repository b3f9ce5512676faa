use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, symlink};

use talosmith_render::Mark;

use super::super::sandbox::{Root, folders};
use super::*;

fn paths(paths: &[&str]) -> Vec<Utf8PathBuf> {
    paths.iter().map(Utf8PathBuf::from).collect()
}

#[test]
fn files_are_added_changed_and_removed_and_the_rest_is_left_alone() {
    let root = Root::with(&[
        ("devices/a/same", "1"),
        ("devices/a/edited", "1"),
        ("devices/a/k8s/orphan", "1"),
        ("devices/a/own", "1"),
    ]);
    let before = fs::metadata(root.path("devices/a/same")).unwrap();
    let wanted = [("devices/a/same", "1"), ("devices/a/edited", "2"), ("devices/b/deep/new", "3"), ("top", "4")];
    let applied = root.apply(&wanted, &["devices/a/k8s/orphan"]).unwrap();
    let expected = Applied {
        written: paths(&["devices/a/edited", "devices/b/deep/new", "top"]),
        removed: paths(&["devices/a/k8s/orphan"]),
        leftovers: vec![],
    };
    assert_eq!(applied, expected);
    let expected = [
        "devices/",
        "devices/a/",
        "devices/a/edited=2",
        "devices/a/own=1",
        "devices/a/same=1",
        "devices/b/",
        "devices/b/deep/",
        "devices/b/deep/new=3",
        "top=4",
    ];
    assert_eq!(root.everything(), expected);
    let after = fs::metadata(root.path("devices/a/same")).unwrap();
    assert_eq!((before.ino(), before.modified().unwrap()), (after.ino(), after.modified().unwrap()));
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let root = Root::new();
    let wanted = [("devices/a/one", "1"), ("devices/a/two", "2")];
    root.apply(&wanted, &[]).unwrap();
    assert_eq!(root.apply(&wanted, &[]).unwrap(), Applied::default());
}

#[test]
fn new_files_get_the_default_mode_and_changed_files_keep_theirs() {
    let root = Root::with(&[("script", "1"), ("private", "1"), ("sticky", "1")]);
    root.set_mode("script", 0o755);
    root.set_mode("private", 0o400);
    root.set_mode("sticky", 0o4644);
    // 0644 minus the umask of this process.
    fs::write(root.path("by-hand"), "").unwrap();
    let usual = root.mode("by-hand") & 0o644;
    root.apply(&[("script", "2"), ("private", "2"), ("sticky", "2"), ("new", "2")], &[]).unwrap();
    let modes = ["script", "private", "sticky", "new"].map(|path| root.mode(path));
    assert_eq!(modes, [0o755, 0o400, 0o644, usual]);
}

#[test]
fn folders_that_become_empty_are_removed_up_to_the_given_ones() {
    let root = Root::with(&[
        ("devices/a/manifests/k8s/one", ""),
        ("devices/a/manifests/two", ""),
        ("argocd/applications/local-path/three", ""),
        ("elsewhere/four", ""),
    ]);
    let unwanted = [
        "devices/a/manifests/k8s/one",
        "devices/a/manifests/two",
        "argocd/applications/local-path/three",
        "elsewhere/four",
    ];
    root.apply(&[], &unwanted).unwrap();
    let expected = ["argocd/", "argocd/applications/", "argocd/applications/local-path/", "devices/", "elsewhere/"];
    assert_eq!(root.everything(), expected);
}

#[test]
fn temporary_files_of_a_killed_run_are_removed_even_if_nothing_changes() {
    let root = Root::with(&[
        ("devices/a/one", "1"),
        ("devices/a/.one.talosmith-tmp", "half"),
        ("devices/a/.gone.talosmith-tmp", "half"),
        ("devices/a/.talosmith-tmp", "not ours"),
        ("devices/a/my.talosmith-tmp", "not ours"),
        ("devices/b/.one.talosmith-tmp", "of a device that this run does not cover"),
    ]);
    let leftovers = paths(&["devices/a/.gone.talosmith-tmp", "devices/a/.one.talosmith-tmp"]);
    let expected = Applied { leftovers, ..Applied::default() };
    assert_eq!(root.apply(&[("devices/a/one", "1")], &[]).unwrap(), expected);
    let expected = [
        "devices/",
        "devices/a/",
        "devices/a/.talosmith-tmp=not ours",
        "devices/a/my.talosmith-tmp=not ours",
        "devices/a/one=1",
        "devices/b/",
        "devices/b/.one.talosmith-tmp=of a device that this run does not cover",
    ];
    assert_eq!(root.everything(), expected);
}

#[test]
fn the_next_run_completes_a_killed_one() {
    // One file was renamed, one is complete under its temporary name, one is incomplete, one was not started.
    let root = Root::with(&[
        ("devices/a/1", "new"),
        ("devices/a/2", "old"),
        ("devices/a/.2.talosmith-tmp", "new"),
        ("devices/a/.3.talosmith-tmp", "ne"),
    ]);
    let wanted = [("devices/a/1", "new"), ("devices/a/2", "new"), ("devices/a/3", "new"), ("devices/a/4", "new")];
    root.apply(&wanted, &[]).unwrap();
    let expected =
        ["devices/", "devices/a/", "devices/a/1=new", "devices/a/2=new", "devices/a/3=new", "devices/a/4=new"];
    assert_eq!(root.everything(), expected);
}

#[test]
fn an_error_before_the_first_rename_changes_nothing() {
    let root = Root::with(&[("devices/a/1", "old"), ("devices/a/orphan", "old")]);
    // The temporary name of the last file is taken by a folder, which is not removed.
    fs::create_dir(root.path("devices/.z.talosmith-tmp")).unwrap();
    let before = root.everything();
    let wanted = [("devices/a/1", "new"), ("devices/b/deep/2", "new"), ("devices/z", "new")];
    let error = root.apply(&wanted, &["devices/a/orphan"]).unwrap_err();
    assert_eq!(error.to_string(), "devices/.z.talosmith-tmp is not a file");
    assert_eq!(root.everything(), before);
}

#[test]
fn an_error_between_renames_leaves_no_incomplete_and_no_temporary_file() {
    let root = Root::with(&[("devices/a/1", "old"), ("devices/a/3", "old")]);
    let changes = root.changes(&[("devices/a/1", "new"), ("devices/a/2/x", "new"), ("devices/a/3", "new")], &[]);
    // Two contradicting changes simulate a disk that changes during the run: `2` becomes a folder, then a file.
    let mut changes = changes;
    changes.insert(
        2,
        Change {
            path: "devices/a/2".into(),
            kind: ChangeKind::Added,
            old: None,
            new: Some(b"new".to_vec()),
            mark: Mark::Header,
        },
    );
    let error = apply(&root.lock, &changes, &folders(&changes), &["devices".into()]).unwrap_err();
    assert_eq!(error.to_string(), "cannot write devices/a/2");
    let expected =
        ["devices/", "devices/a/", "devices/a/1=new", "devices/a/2/", "devices/a/2/x=new", "devices/a/3=old"];
    assert_eq!(root.everything(), expected);
}

#[test]
fn nothing_is_written_if_one_path_is_refused() {
    type Case<'a> = (&'a str, &'a dyn Fn(&Root), &'a str);
    let cases: [Case<'_>; 4] = [
        ("devices/z/x", &|root| symlink("a", root.path("devices/z")).unwrap(), "devices/z is a symbolic link"),
        ("devices/z", &|root| symlink("nowhere", root.path("devices/z")).unwrap(), "devices/z is a symbolic link"),
        ("devices/z", &|root| fs::create_dir(root.path("devices/z")).unwrap(), "devices/z is not a file"),
        ("../z", &|_| {}, "../z is outside the repository"),
    ];
    for (path, prepare, message) in cases {
        for kind in [ChangeKind::Added, ChangeKind::Removed] {
            let root = Root::with(&[("devices/a/x", "old"), ("devices/a/.x.talosmith-tmp", "half")]);
            prepare(&root);
            let before = root.everything();
            let mut changes = root.changes(&[("devices/a/x", "new"), ("devices/a/y", "new")], &[]);
            changes.push(Change { path: path.into(), kind, old: None, new: Some(b"new".to_vec()), mark: Mark::Header });
            let error = apply(&root.lock, &changes, &folders(&changes), &["devices".into()]).unwrap_err();
            let refused = matches!(error, WriteError::Symlink(_) | WriteError::NotAFile(_) | WriteError::Outside(_));
            assert!(refused, "{error:?}");
            assert_eq!(error.to_string(), message);
            assert_eq!(root.everything(), before);
        }
    }
}

/// A file system of 64 KiB, unmounted when it is dropped.
struct TinyDisk(Root);

impl TinyDisk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs"];
        let mounted = std::process::Command::new("mount").args(mount).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(Root::in_folder(folder)))
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.folder.path()).status();
    }
}

#[test]
fn a_full_disk_changes_nothing() {
    let Some(disk) = TinyDisk::new() else {
        drop(writeln!(io::stderr(), "skipped: only root can mount the small disk for this test"));
        return;
    };
    let root = &disk.0;
    root.apply(&[("devices/a/1", "old"), ("devices/a/2", "old")], &[]).unwrap();
    let before = root.everything();
    let large = "x".repeat(40 << 10);
    let error =
        root.apply(&[("devices/a/1", &large), ("devices/a/2", &large), ("devices/b/new", "")], &[]).unwrap_err();
    let WriteError::Io { path, source } = &error else { panic!("{error:?}") };
    assert_eq!((path.as_str(), source.kind()), ("devices/a/2", io::ErrorKind::StorageFull));
    assert_eq!(root.everything(), before);
    // With enough space, the next run makes all changes.
    root.apply(&[("devices/a/1", "new"), ("devices/a/2", "new")], &[]).unwrap();
    assert_eq!(root.everything(), ["devices/", "devices/a/", "devices/a/1=new", "devices/a/2=new"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let root = Root::with(&[("devices/a/1", "old")]);
    root.set_mode("devices/a", 0o555);
    let result = root.apply(&[("devices/a/1", "new")], &[]);
    root.set_mode("devices/a", 0o755);
    match result {
        Ok(_) => drop(writeln!(io::stderr(), "skipped: root writes into read-only folders")),
        Err(error) => {
            assert_eq!(error.to_string(), "cannot write devices/a/1");
            assert_eq!(root.everything(), ["devices/", "devices/a/", "devices/a/1=old"]);
        }
    }
}

#[test]
fn whatever_has_a_temporary_name_is_removed_and_not_followed() {
    let root = Root::with(&[("devices/a/1", "old"), ("target", "kept")]);
    symlink("../../target", root.path("devices/a/.1.talosmith-tmp")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path("devices/a/.2.talosmith-tmp")).unwrap();
    root.apply(&[("devices/a/1", "new")], &[]).unwrap();
    assert_eq!(root.everything(), ["devices/", "devices/a/", "devices/a/1=new", "target=kept"]);
}
