//! Contents that are written in the model, or in a file that it names.

use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Pointer, SourceId};

use super::values::ValueUser;
use super::{Check, NoText, values};
use crate::scalar::RelativePath;
use crate::tracked_secrets::{secrets_in_text, tailscale_key};

/// The most bytes of the files that a device names. One file can be named many times.
const MAX_LOADED: usize = 16 << 20;

/// Returns the content of the mapping at `at`, which has either `content` or `file`.
pub(super) fn text(
    check: &mut Check<'_>,
    at: &Pointer,
    content: Option<&String>,
    file: Option<&RelativePath>,
) -> Option<String> {
    match (content, file) {
        (Some(content), None) => Some(content.clone()),
        (None, Some(path)) => content_of(check, &at.child("file"), path),
        (Some(_), Some(_)) => {
            check.exclusive(at, "content", "file");
            None
        }
        (None, None) => {
            check.missing(at, "content", "content: the content");
            None
        }
    }
}

/// Returns the content of the mapping at `at`, with the values that it lists.
pub(super) fn text_with_values(
    check: &mut Check<'_>,
    user: &ValueUser<'_>,
    content: Option<&String>,
    file: Option<&RelativePath>,
) -> Option<String> {
    let text = text(check, user.at, content, file)?;
    let location = check.at(user.at.child(content_key(content)));
    let values = user.resolve(check, &values::mentions(&text, |_| location.clone()));
    Some(if values.is_empty() { text } else { values::replace(&text, &values).0 })
}

/// Returns the key that has the content of a mapping.
pub(super) const fn content_key(content: Option<&String>) -> &'static str {
    if content.is_some() { "content" } else { "file" }
}

/// Returns the content of the file that the key at `at` names.
pub(super) fn content_of(check: &mut Check<'_>, at: &Pointer, path: &RelativePath) -> Option<String> {
    let (source, text) = named_file(check, at, path)?;
    check.findings.extend(secrets_in_text(source, &text));
    Some(text.to_string())
}

/// Returns the file that the key `file` of the mapping at `at` names.
pub(super) fn file(check: &mut Check<'_>, at: &Pointer, path: &RelativePath) -> Option<(SourceId, Arc<str>)> {
    named_file(check, &at.child("file"), path)
}

/// Returns the file that the key at `at` names.
fn named_file(check: &mut Check<'_>, at: &Pointer, path: &RelativePath) -> Option<(SourceId, Arc<str>)> {
    let location = check.at(at.clone());
    let from_root = check.fleet.folder_of(check.file, &location).join(path.as_str());
    let (source, text) = match check.files.get(&from_root).unwrap_or(&Err(NoText::Absent)) {
        Ok(text) => text,
        Err(why) => {
            let unknown = |message| Diagnostic::new(Code::UnknownFile, message, location);
            check.push(match why {
                NoText::Absent => unknown(format!("there is no file `{from_root}`"))
                    .note("the path is relative to the folder of the file that names it"),
                NoText::Symlink => unknown(format!("`{from_root}` is a symbolic link, or the path contains one"))
                    .note("talosmith does not follow links, which can lead out of the repository")
                    .help("name the file that it leads to"),
                NoText::NotAFile => unknown(format!("`{from_root}` is not a file")),
                NoText::Refused(finding) => Diagnostic::clone(finding),
            });
            return None;
        }
    };
    let before = check.loaded;
    check.loaded += text.len();
    if check.loaded > MAX_LOADED {
        // The first file that is too much has the finding.
        if before <= MAX_LOADED {
            let message = format!("the files that the device names have more than {} MiB", MAX_LOADED >> 20);
            let finding = Diagnostic::new(Code::TooLarge, message, location);
            check.push(finding.note("a file counts as often as it is named").help("name fewer files, or smaller ones"));
        }
        return None;
    }
    check.findings.extend(tailscale_key(*source, text));
    // After our header, a byte order mark would become part of the first key.
    let text = text.strip_prefix('\u{feff}').map_or_else(|| Arc::clone(text), Arc::from);
    Some((*source, text))
}

#[cfg(test)]
mod tests {
    use talosmith_document::Sources;

    use crate::plan::{Caches, ControlPlanes, Files, PlannedDevice};
    use crate::{DeviceFile, FleetFile};

    #[test]
    fn a_device_names_files_up_to_a_size() {
        let mut sources = Sources::default();
        let fleet_text = "clusters: { c: { talosVersion: v1.13.2 } }\n";
        let fleet = FleetFile::read(sources.add("talosmith.yaml", fleet_text), fleet_text).0.expect("a fleet");
        let large: String =
            ["# a comment\n".repeat(300_000).as_str(), "machine: { sysctls: { vm.swappiness: '1' } }\n"].concat();
        let path = "devices/n/a.yaml";
        let source = sources.add(path, large.as_str());
        let files = Files::from([(path.into(), Ok((source, large.as_str().into())))]);
        let mut messages = |count: usize| {
            let patches: String = (0..count).map(|at| format!("  p{at}: {{ file: a.yaml }}\n")).collect();
            let text = format!("name: n\ncluster: c\nrole: worker\naddress: 192.0.2.9\npatches:\n{patches}");
            let own = sources.add("devices/n/device.yaml", text.as_str());
            let file = DeviceFile::read(&fleet, own, "n", &text.as_str().into()).0.expect("a device");
            let planned = PlannedDevice::new(&fleet, &file, &files, &ControlPlanes::default(), &Caches::default());
            planned.findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert_eq!(messages(4), [""; 0]);
        assert_eq!(messages(7), ["the files that the device names have more than 16 MiB"]);
    }
}
