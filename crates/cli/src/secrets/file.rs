//! The source `file`: a file that contains only the value.

use camino::Utf8Path;

use super::fetched::Fetched;
use super::local_file::{self, LocalFile};
use super::{LARGEST_VALUE, SourceContext, shell_quote, value};

/// Reads the value from a file.
pub(super) fn fetch(file: &Utf8Path, context: &SourceContext<'_>) -> Fetched {
    let path = context.root.join(file);
    let quoted = shell_quote(path.as_str());
    // With this umask the file has mode 0600 from the start, so that nobody else can ever read it.
    let write = format!("write the value, and nothing else, to the file: (umask 077 && cat > {quoted})");
    let look = format!("look at the file: ls -lL {quoted}");
    match local_file::read(&path, LARGEST_VALUE) {
        Err(error) => Fetched::failed(format!("`{file}` cannot be read ({})", error.kind()), look),
        Ok(LocalFile::Absent) => Fetched::unavailable(format!("the file `{file}` does not exist"), write),
        Ok(LocalFile::NotAFile) => Fetched::failed(format!("`{file}` is not a file"), look),
        Ok(LocalFile::TooLarge) => Fetched::failed(format!("`{file}` has more than 64 KiB"), write),
        Ok(LocalFile::Content(content)) => {
            value::parse(&content).map_or_else(|reason| Fetched::failed(reason, write), Fetched::Value)
        }
    }
}
