use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::sandbox::Root;
use super::*;

const SECRET: &str = "devices/a/manifests/secret.yaml";

#[test]
fn only_the_owner_can_read_a_secret() {
    let root = Root::new();
    let write = |text: &str| write_secret(&root.lock, SECRET.into(), text.as_bytes()).unwrap();
    assert!(write("one"));
    assert_eq!(root.mode(SECRET), 0o600);
    assert!(!write("one"));
    assert!(write("two"));
    assert!(write("longer"));
    assert_eq!(fs::read_to_string(root.path(SECRET)).unwrap(), "longer");

    // A file with the same content and another mode is replaced, not written to, because others may have it open.
    root.set_mode(SECRET, 0o644);
    let open = fs::metadata(root.path(SECRET)).unwrap().ino();
    assert!(write("longer"));
    assert_eq!(root.mode(SECRET), 0o600);
    assert_ne!(fs::metadata(root.path(SECRET)).unwrap().ino(), open);
}

#[test]
fn nobody_else_can_read_a_secret_at_any_moment() {
    let root = Root::with(&[(SECRET, "old")]);
    let temporary = root.path("devices/a/manifests/.secret.yaml.talosmith-tmp");
    let looks = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut modes = BTreeSet::new();
            while !done.load(Ordering::SeqCst) {
                if let Ok(found) = fs::symlink_metadata(&temporary) {
                    modes.insert(found.mode() & 0o777);
                    looks.fetch_add(1, Ordering::SeqCst);
                }
            }
            modes
        });
        // At least twenty times, and until the watcher has seen enough even on a busy machine.
        let mut round = 0u32;
        while round < 20 || looks.load(Ordering::SeqCst) < 1000 {
            round += 1;
            write_secret(&root.lock, SECRET.into(), round.to_string().repeat(1 << 18).as_bytes()).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        assert_eq!(watcher.join().unwrap(), BTreeSet::from([0o600]));
    });
}

#[test]
fn the_temporary_secret_file_of_a_killed_run_is_removed() {
    let root = Root::with(&[(SECRET, "old"), ("devices/a/manifests/.secret.yaml.talosmith-tmp", "half a sec")]);
    write_secret(&root.lock, SECRET.into(), b"new").unwrap();
    let expected = ["devices/", "devices/a/", "devices/a/manifests/", "devices/a/manifests/secret.yaml=new"];
    assert_eq!(root.everything(), expected);
}

#[test]
fn a_secret_is_not_written_where_everybody_can_replace_it() {
    let root = Root::with(&[("devices/a/manifests/x", "")]);
    for (mode, written) in [(0o777, false), (0o1777, true), (0o775, true)] {
        root.set_mode("devices/a/manifests", mode);
        let result = write_secret(&root.lock, SECRET.into(), format!("{mode}").as_bytes());
        let message = result.map_err(|error| error.to_string()).err();
        let expected = "everybody can write to the folder devices/a/manifests".to_owned();
        assert_eq!(message, (!written).then_some(expected), "{mode:o}");
        assert_eq!(root.path(SECRET).exists(), written, "{mode:o}");
    }
}

#[test]
fn a_secret_is_not_written_through_a_link() {
    let root = Root::with(&[("devices/a/manifests/x", ""), ("published", "old")]);
    symlink(root.path("published"), root.path(SECRET)).unwrap();
    let error = write_secret(&root.lock, SECRET.into(), b"new").unwrap_err();
    assert_eq!(error.to_string(), format!("{SECRET} is a symbolic link"));
    assert_eq!(fs::read_to_string(root.path("published")).unwrap(), "old");
}
