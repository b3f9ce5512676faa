//! Paths in the repository and on nodes.

use super::{ScalarError, string_scalars};
use crate::layout::{MAX_NAME, is_temporary};

string_scalars! {
    /// A path below a folder of the repository: no `..`, no root, no drive.
    pub RelativePath: check_relative_path;
    /// A path below the root of the repository, in which `$<name>` is the name of a device or a cluster.
    pub ArtifactPath: check_artifact_path;
    /// A path on a node, from its root, which is not the root itself.
    pub AbsolutePath: check_absolute_path;
    /// The path of a disk below /dev.
    pub DevicePath: check_device_path;
}

/// The variable for the name of a device or a cluster in an [`ArtifactPath`].
const NAME: &str = "$<name>";

fn check_artifact_path(text: &str) -> Result<(), ScalarError> {
    let example = text.replace(NAME, "name");
    check_relative_path(&example).map_err(|fault| {
        let fault = ScalarError { message: fault.message.replace(&example, text), ..fault };
        if example.contains("$<") {
            fault.help(format!("`{NAME}` is the only value that a path can have"))
        } else {
            fault
        }
    })
}

impl ArtifactPath {
    /// Whether each device or cluster has a path of its own.
    pub fn has_name(&self) -> bool {
        self.0.contains(NAME)
    }

    /// Returns the path for a device or a cluster.
    pub fn of(&self, name: &str) -> String {
        self.0.replace(NAME, name)
    }

    /// Whether a path is this one for some name.
    pub fn matches(&self, path: &str) -> bool {
        let Some((before, _)) = self.0.split_once(NAME) else { return self.0 == path };
        let rest = path.strip_prefix(before).unwrap_or_default();
        (1..=rest.len()).any(|end| rest.get(..end).is_some_and(|name| self.of(name) == path))
    }
}

pub(super) fn check_relative_path(text: &str) -> Result<(), ScalarError> {
    let fault = |why: &str| {
        ScalarError::new(format!("`{}` is not a path below its folder", text.escape_debug())).label(why.to_owned())
    };
    if text.is_empty() {
        return Err(fault("empty"));
    }
    if text.starts_with('/') {
        return Err(fault("begins at the root"));
    }
    if text.split('/').any(|part| part == "..") {
        return Err(fault("leaves the folder"));
    }
    if text.split('/').any(|part| part.is_empty() || part == ".") {
        return Err(fault("has an empty part"));
    }
    if let Some(bad) = text.chars().find(|c| is_refused(*c)) {
        return Err(fault(&format!("`{}` is not allowed", bad.escape_debug())));
    }
    if text.len() > 255 {
        return Err(fault("over 255 bytes"));
    }
    text.split('/').find_map(name_fault).map_or(Ok(()), |why| Err(fault(&why)))
}

/// Whether a character is one that Windows does not allow in a name, one that is not visible or changes the direction of a text, or a
/// combining mark, which macOS writes in another way than other systems.
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{300}'..='\u{36f}')
}

/// Why git or a system refuses a name or knows it under another one.
fn name_fault(name: &str) -> Option<String> {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    // Windows reads superscript digits as digits here:
    // https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file#naming-conventions
    let is_digit =
        |text: &str| matches!(text, "\u{b9}" | "\u{b2}" | "\u{b3}") || matches!(text.as_bytes(), [b'1'..=b'9']);
    let is_port = |port: &str| stem.strip_prefix(port).is_some_and(is_digit);
    // Windows drops dots and spaces at the end, and its short name of `.git` is `git~1`. Git refuses all of these:
    // https://github.com/git/git/blob/v2.51.0/path.c#L1340
    let plain = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    if matches!(plain.as_str(), ".git" | "git~1") {
        return Some("is in git's own folder".to_owned());
    }
    if name.ends_with(['.', ' ']) {
        return Some(format!("`{name}` ends with a dot or a space, which Windows drops"));
    }
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$");
    if is_device || is_port("COM") || is_port("LPT") {
        return Some(format!("`{name}` is a device on Windows"));
    }
    if is_temporary(name) {
        return Some(format!("`{name}` is a name of talosmith's own temporary files"));
    }
    (name.len() > MAX_NAME).then(|| format!("a name has {} bytes, more than {MAX_NAME}", name.len()))
}

fn check_absolute_path(text: &str) -> Result<(), ScalarError> {
    let fault = |why: &str| {
        ScalarError::new(format!("`{}` is not an absolute path", text.escape_debug())).label(why.to_owned())
    };
    let Some(rest) = text.strip_prefix('/') else { return Err(fault("does not begin with `/`")) };
    if rest.is_empty() {
        return Err(fault("the root itself"));
    }
    if rest.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(fault("has an empty part, `.` or `..`"));
    }
    if text.chars().any(char::is_control) {
        return Err(fault("has a control character in it"));
    }
    Ok(())
}

impl DevicePath {
    /// A CEL expression that is true for the disk at this path.
    ///
    /// Talos lists the links of /dev/disk under `disk.symlinks` and the kernel's name as `disk.dev_path`.
    pub fn selector(&self) -> String {
        if self.0.starts_with("/dev/disk/") {
            format!("'{}' in disk.symlinks", self.0)
        } else {
            format!("disk.dev_path == '{}'", self.0)
        }
    }
}

fn check_device_path(text: &str) -> Result<(), ScalarError> {
    let good = text.strip_prefix("/dev/").is_some_and(|rest| {
        rest.split('/').all(|part| {
            !part.is_empty()
                && part != ".."
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'+'))
        })
    });
    if good {
        return Ok(());
    }
    Err(ScalarError::new(format!("`{text}` is not the path of a disk"))
        .help("write one such as `/dev/disk/by-id/nvme-…`; `talosctl get disks` lists them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_stay_below_their_folder() {
        for good in ["a.yaml", "k8s/a.yaml", "..a", "a b"] {
            assert!(good.parse::<RelativePath>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "../a", "a/../b", "a//b", "./a", "a/", "C:a", "a\\b", ".git/config", "a\nb"] {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_those_that_git_and_every_system_keep() {
        for good in [
            ".github/a",
            ".gitignore",
            "git",
            "console.yaml",
            "com10",
            "clock",
            "a.b.c",
            "é.yaml",
            "日本.yaml",
            ".a-tmp",
        ] {
            assert!(good.parse::<RelativePath>().is_ok(), "{good}");
        }
        let bad = [".GIT/config", "a/.Git", "git~1/x", "GIT~1", ".git /x", ".git./x", ".g\u{200c}it/x", "a./b", "a "];
        let devices = ["CON", "nul.yaml", "aux.tar.gz", "com1", "lpt9.yaml", "a*b", "a?", "\"a\"", "e\u{301}.yaml"];
        let names = ["\u{202e}a", ".x.talosmith-tmp", "k8s/.x.talosmith-tmp"];
        let more = ["com¹.yaml", "COM²", "a/lpt³.patch.yaml", "CLOCK$", "clock$.yaml", "CONIN$", "conout$.yaml"];
        for bad in bad.iter().chain(&devices).chain(&more).chain(&names) {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad}");
        }
        let longest = "a".repeat(MAX_NAME);
        assert!(longest.parse::<RelativePath>().is_ok());
        assert!(format!("{longest}a").parse::<RelativePath>().is_err());
    }

    #[test]
    fn a_path_is_a_selector() {
        let selector = |text: &str| text.parse::<DevicePath>().expect(text).selector();
        assert_eq!(selector("/dev/disk/by-id/nvme-X_1"), "'/dev/disk/by-id/nvme-X_1' in disk.symlinks");
        assert_eq!(selector("/dev/sda"), "disk.dev_path == '/dev/sda'");
        for bad in ["sda", "/dev/", "/dev/a b", "/dev/../etc", "/dev/a'"] {
            assert!(bad.parse::<DevicePath>().is_err(), "{bad}");
        }
    }
}
