//! Ensures that only one run writes at a time.

use std::fs::TryLockError;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;

use super::WriteError;

/// How long to wait for another run before telling the user.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// Permission to write below a root. Only one run has it at a time, until it is dropped or the process ends.
///
/// It is an advisory lock of the operating system on the root folder itself, so a killed run leaves no lock file. Editors and
/// `git checkout` replace files, so a lock on talosmith.yaml could be one on a file that is not there any more. Acquire it before
/// comparing files.
#[derive(Debug)]
pub(crate) struct Lock {
    root: Utf8PathBuf,
    // Closing the file releases the lock.
    _file: File,
}

impl Lock {
    /// Waits until no other run has the lock. Calls `waiting` once if that takes more than a second.
    pub(crate) fn acquire(root: &Utf8Path, waiting: impl FnOnce()) -> Result<Self, WriteError> {
        let error = |source| WriteError::Lock { path: root.to_owned(), source };
        let file = File::open(root).map_err(error)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < SILENT_WAIT => {
                    thread::sleep(Duration::from_millis(20))
                }
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    file.lock().map_err(error)?;
                    break;
                }
                Err(TryLockError::Error(source)) => return Err(error(source)),
            }
        }
        Ok(Self { root: root.to_owned(), _file: file })
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    fn root() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        fs_err::write(root.join("talosmith.yaml"), "clusters: {}\n").unwrap();
        (folder, root)
    }

    #[test]
    fn only_one_run_has_the_lock_at_a_time() {
        let (_folder, root) = root();
        let inside = AtomicUsize::new(0);
        let rounds = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let lock = Lock::acquire(&root, || {}).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two runs have the lock");
                        thread::sleep(Duration::from_millis(5));
                        inside.fetch_sub(1, Ordering::SeqCst);
                        rounds.fetch_add(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(rounds.into_inner(), 10);
    }

    #[test]
    fn a_long_wait_is_reported_once_and_a_short_one_is_not() {
        let (_folder, root) = root();
        for (held, reported) in [(Duration::from_millis(1300), true), (Duration::from_millis(200), false)] {
            let lock = Lock::acquire(&root, || panic!("there is no other run")).unwrap();
            let waited = AtomicBool::new(false);
            thread::scope(|scope| {
                let waiter = scope.spawn(|| Lock::acquire(&root, || waited.store(true, Ordering::SeqCst)).map(drop));
                thread::sleep(held);
                drop(lock);
                waiter.join().unwrap().unwrap();
            });
            assert_eq!(waited.into_inner(), reported, "{held:?}");
        }
    }

    #[test]
    fn the_lock_holds_when_a_file_is_replaced() {
        let (_folder, root) = root();
        let lock = Lock::acquire(&root, || {}).unwrap();
        fs_err::write(root.join("new"), "clusters: {}\n").unwrap();
        fs_err::rename(root.join("new"), root.join("talosmith.yaml")).unwrap();
        let is_free = AtomicBool::new(false);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let lock = Lock::acquire(&root, || {}).unwrap();
                assert!(is_free.load(Ordering::SeqCst), "two runs have the lock");
                drop(lock);
            });
            thread::sleep(Duration::from_millis(100));
            is_free.store(true, Ordering::SeqCst);
            drop(lock);
            waiter.join().unwrap();
        });
    }

    #[test]
    fn without_a_folder_there_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("absent");
        let error = Lock::acquire(&root, || {}).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot lock {root}"));
    }
}
