//! Paths in the repository and on nodes.

use super::{ScalarError, string_scalars};

string_scalars! {
    /// A path below a folder of the repository: no `..`, no root, no drive.
    pub RelativePath: check_relative_path;
    /// A path on a node, from its root, which is not the root itself.
    pub AbsolutePath: check_absolute_path;
    /// The path of a disk below /dev.
    pub DevicePath: check_device_path;
}

fn check_relative_path(text: &str) -> Result<(), ScalarError> {
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
    if text.split('/').any(|part| part == ".git") {
        return Err(fault("is in git's own folder"));
    }
    if let Some(bad) = text.chars().find(|c| c.is_control() || matches!(c, '\\' | ':')) {
        return Err(fault(&format!("`{}` is not allowed", bad.escape_debug())));
    }
    if text.len() > 255 {
        return Err(fault("over 255 bytes"));
    }
    Ok(())
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
    fn a_path_is_a_selector() {
        let selector = |text: &str| text.parse::<DevicePath>().expect(text).selector();
        assert_eq!(selector("/dev/disk/by-id/nvme-X_1"), "'/dev/disk/by-id/nvme-X_1' in disk.symlinks");
        assert_eq!(selector("/dev/sda"), "disk.dev_path == '/dev/sda'");
        for bad in ["sda", "/dev/", "/dev/a b", "/dev/../etc", "/dev/a'"] {
            assert!(bad.parse::<DevicePath>().is_err(), "{bad}");
        }
    }
}
