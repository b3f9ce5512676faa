//! One run at a time.

use std::fs::TryLockError;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;

/// How long we wait for another run without a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// The fleet file cannot be locked.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock {path}")]
pub struct LockError {
    /// The file, with the root.
    pub path: Utf8PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// The right to write below a root, held by one run at a time and given up when it is dropped, or when the process dies.
///
/// It is an advisory lock of the operating system on talosmith.yaml itself, so nothing is created that could be left behind.
/// Take it before the files are compared.
#[derive(Debug)]
pub struct Lock {
    root: Utf8PathBuf,
    // Closing the file gives up the lock.
    _file: File,
}

impl Lock {
    /// Waits until no other run holds the lock. `waiting` is called once if that takes over a second.
    ///
    /// # Errors
    /// talosmith.yaml cannot be opened, or its file system knows no locks.
    pub fn acquire(root: &Utf8Path, waiting: impl FnOnce()) -> Result<Self, LockError> {
        let path = root.join("talosmith.yaml");
        let error = |source| LockError { path: path.clone(), source };
        // Opened for reading alone: a program that watches the file would take it for changed after a writer has closed it.
        let file = File::open(&path).map_err(error)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
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

    /// The root that may be written below.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
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
    fn two_runs_never_write_at_once() {
        let (_folder, root) = root();
        let inside = AtomicUsize::new(0);
        let rounds = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let lock = Lock::acquire(&root, || {}).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two runs hold the lock");
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
    fn a_long_wait_is_told_once_and_a_short_one_is_not() {
        let (_folder, root) = root();
        for (held, told) in [(Duration::from_millis(1300), true), (Duration::from_millis(200), false)] {
            let lock = Lock::acquire(&root, || panic!("nobody else is there")).unwrap();
            let said = AtomicBool::new(false);
            thread::scope(|scope| {
                let waiter = scope.spawn(|| Lock::acquire(&root, || said.store(true, Ordering::SeqCst)).map(drop));
                thread::sleep(held);
                drop(lock);
                waiter.join().unwrap().unwrap();
            });
            assert_eq!(said.into_inner(), told, "{held:?}");
        }
    }

    #[test]
    fn without_the_fleet_file_there_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let error = Lock::acquire(root, || {}).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot lock {root}/talosmith.yaml"));
    }
}
