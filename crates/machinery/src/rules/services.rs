//! The configuration of extension services.

use talosmith_document::{Code, Level};

use super::section::{Section, is_repeated};

/// Checks an ExtensionServiceConfig. Talos passes its environment to the container as it is, and the container's runtime refuses an entry
/// without a name.
///
/// Source: `populateProcessEnvironment` in libcontainer of github.com/opencontainers/runc; internal/app/machined/pkg/system/services of
/// Talos, extension.go.
pub(crate) fn check_extension_service(document: Section<'_>) {
    document.require_either("environment", "configFiles");
    for entry in document.items("environment").filter(|entry| entry.value.origin.is_some()) {
        let text = entry.scalar();
        if text.split_once('=').is_some_and(|(name, _)| !name.is_empty()) {
            continue;
        }
        let lacks = if text.contains('=') { "has no name before `=`" } else { "has no `=`" };
        let message = format!("`{}` is not a variable: it {lacks}", text.escape_debug());
        entry.report(Code::RefusedArgument, "", message, |finding| {
            finding.note("Talos accepts it, and the container of the service does not start").help("write `NAME=value`")
        });
    }
    let mut paths = Vec::new();
    for file in document.items("configFiles").filter(|file| file.value.origin.is_some()) {
        let path = file.text("mountPath");
        if is_repeated(&mut paths, path) && !path.is_empty() {
            file.report(
                Code::DuplicateItem,
                "mountPath",
                format!("two files are mounted at `{path}`"),
                |mut finding| {
                    finding.level = Level::Warning;
                    finding.note("Talos accepts it, and the service sees only one of them").help("keep one of the two")
                },
            );
        }
    }
}
