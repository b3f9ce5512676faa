//! The source `file`: a file with nothing but the value.

use std::io::{ErrorKind, Read};

use camino::Utf8Path;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::{LARGEST_VALUE, SourceContext, shell_word, value};

/// Asks a file. A link is followed, since systemd, Kubernetes and SOPS-Nix hand out secrets as links.
pub fn ask(file: &Utf8Path, context: &SourceContext<'_>) -> Answer {
    let path = context.root.join(file);
    let word = shell_word(path.as_str());
    // Where the value is a file of mode 0600 from the start, nobody else can read it even for an instant.
    let help = format!("put the value, and nothing else, into the file: (umask 077 && cat > {word})");
    let look = format!("look at the file: ls -lL {word}");
    match fs_err::metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Answer::absent(format!("the file `{file}` is not there"), help);
        }
        Err(error) => return Answer::failed(reason(file, &error), look),
        // A pipe without a writer would make the run wait for ever.
        Ok(metadata) if !metadata.is_file() => return Answer::failed(format!("`{file}` is not a file"), look),
        Ok(_) => {}
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = LARGEST_VALUE as u64 + 1;
    let read = fs_err::File::open(&path).and_then(|opened| opened.take(limit).read_to_end(&mut bytes));
    match read {
        Err(error) => Answer::failed(reason(file, &error), look),
        Ok(_) if bytes.len() > LARGEST_VALUE => Answer::failed(format!("`{file}` has more than 64 KiB"), help),
        Ok(_) => value::accept(&bytes).map_or_else(|why| Answer::failed(why, help), Answer::Value),
    }
}

fn reason(file: &Utf8Path, error: &std::io::Error) -> String {
    format!("`{file}` cannot be read ({})", error.kind())
}
