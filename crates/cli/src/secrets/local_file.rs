//! Reads files for secret sources. No other file of this module reads from disk.

use std::io::{self, ErrorKind, Read};

use camino::Utf8Path;
use zeroize::Zeroizing;

/// What exists at a path.
pub(super) enum LocalFile {
    Absent,
    /// A folder, a pipe or a device.
    NotAFile,
    /// A file that is larger than the limit.
    TooLarge,
    /// The content, which is cleared from memory when it is dropped.
    Content(Zeroizing<Vec<u8>>),
}

/// Reads a file of at most `limit` bytes. Links are followed, because systemd, Kubernetes and SOPS-Nix provide secrets as links.
pub(super) fn read(path: &Utf8Path, limit: usize) -> io::Result<LocalFile> {
    match fs_err::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(LocalFile::Absent);
        }
        Err(error) => return Err(error),
        // Reading a pipe without a writer would never return.
        Ok(metadata) if !metadata.is_file() => return Ok(LocalFile::NotAFile),
        Ok(_) => {}
    }
    let mut content = Zeroizing::new(Vec::new());
    fs_err::File::open(path)?.take((limit as u64).saturating_add(1)).read_to_end(&mut content)?;
    Ok(if content.len() > limit { LocalFile::TooLarge } else { LocalFile::Content(content) })
}

/// Whether anything exists at a path.
pub(super) fn exists(path: &Utf8Path) -> bool {
    fs_err::metadata(path).is_ok()
}
