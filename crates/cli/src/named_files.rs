//! Files that talosmith.yaml names: templates, and neighbours of what is generated; and symbolic links at the paths of files.

use std::collections::BTreeMap;

use camino::Utf8Path;
use talosmith_document::{Code, Diagnostic, Location, MAX_BYTES, Pointer, SourceId};
use talosmith_model::plan::Cluster;
use talosmith_model::{FleetFile, SecretSource, secrets_in_text, tailscale_key};
use talosmith_render::{TemplateOrigin, built_in_templates, template_fault};

use crate::source_cache::SourceCache;
use crate::tree::{ReadError, Tree};

/// Templates that replace built-in ones, by name.
#[derive(Default)]
pub(crate) struct Overrides {
    pub sources: BTreeMap<String, SourceId>,
    pub texts: BTreeMap<String, String>,
}

impl Overrides {
    /// Reads those in the folder that the fleet names.
    pub(crate) fn read(
        sources: &SourceCache<'_>,
        fleet: &FleetFile,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<Self, ReadError> {
        let mut found = Self::default();
        let mut is_empty = true;
        let Some(folder) = &fleet.fleet.templates else { return Ok(found) };
        for name in built_in_templates().into_keys() {
            match sources.read(&Utf8Path::new(folder.as_str()).join(name))? {
                Some(Ok((source, text))) => {
                    findings.extend(tailscale_key(source, &text).into_iter().chain(secrets_in_text(source, &text)));
                    is_empty = false;
                    if let Some(fault) = template_fault(name, &text) {
                        findings.push(fault.diagnostic(source, TemplateOrigin::Override));
                        continue;
                    }
                    found.sources.insert(name.to_owned(), source);
                    found.texts.insert(name.to_owned(), text.to_string());
                }
                Some(Err(finding)) => {
                    is_empty = false;
                    findings.push(finding);
                }
                None => {}
            }
        }
        if is_empty && fleet.is_whole && fleet.fleet.artifacts.is_empty() {
            findings.push(
                Diagnostic::new(
                    Code::UnknownFile,
                    format!("no template in `{folder}` has the name of a built-in one"),
                    Location::value(fleet.source, "/templates".into()),
                )
                .note("names are those of the folder `templates` in talosmith's own repository"),
            );
        }
        Ok(found)
    }
}

/// The finding on a symbolic link at or above an artifact.
pub(crate) fn symlink(sources: &SourceCache<'_>, link: &Utf8Path) -> Diagnostic {
    Diagnostic::new(Code::Symlink, format!("`{link}` is a symbolic link"), Location::file(sources.add(link, "")))
        .note("talosmith writes only to files and folders of the repository itself")
        .help(format!("replace it by what it points to, or remove it: `rm {link}`"))
}

/// Returns an error for each file that a source of a secret names as encrypted by SOPS and that is not.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn unencrypted_files(tree: &dyn Tree, fleet: &FleetFile) -> Result<Vec<Diagnostic>, ReadError> {
    let mut findings = Vec::new();
    for (name, sources) in &fleet.fleet.secrets {
        for (index, source) in sources.iter().enumerate() {
            let SecretSource::Sops(value) = source else { continue };
            let Some(bytes) = (if value.file.is_absolute() { None } else { tree.read(&value.file)? }) else { continue };
            // The metadata is at the end, which is not read of a huge file.
            if bytes.len() > MAX_BYTES || is_encrypted(&String::from_utf8_lossy(&bytes)) {
                continue;
            }
            let at = Pointer::new("/secrets").child(name).item(index).child("sops").child("file");
            findings.push(
                Diagnostic::new(Code::LiteralSecret, format!("`{}` is not encrypted", value.file), fleet.at(at))
                    .note("SOPS adds a section `sops` to the files that it encrypts, and this file has none")
                    .help(format!(
                        "`sops encrypt --in-place {}`; if it was committed before, change the secrets in it",
                        value.file
                    )),
            );
        }
    }
    Ok(findings)
}

/// Whether a file has the metadata of SOPS, in one of its formats: YAML, JSON (also of binary files), dotenv, INI.
fn is_encrypted(text: &str) -> bool {
    let is_metadata =
        |line: &str| ["sops:", "\"sops\":", "sops_", "[sops]"].iter().any(|start| line.starts_with(start));
    text.lines().any(|line| is_metadata(line.trim_start().trim_start_matches('{').trim_start()))
}

/// A finding for each hand-written resource of an application that does not exist.
pub(crate) fn missing_resources(
    tree: &dyn Tree,
    fleet: &FleetFile,
    clusters: &[Cluster],
) -> Result<Vec<Diagnostic>, ReadError> {
    let mut findings = Vec::new();
    for cluster in clusters {
        for application in cluster.folders() {
            let at = Pointer::new("/clusters").child(&cluster.name).child("applications").child(application.name);
            for (index, resource) in application.resources.iter().enumerate() {
                let path = Utf8Path::new(application.folder).join(resource);
                if is_there(tree, &path)? {
                    continue;
                }
                let finding = Diagnostic::new(
                    Code::UnknownFile,
                    format!("there is no `{path}`"),
                    fleet.at(at.child("resources").item(index)),
                );
                findings.push(finding.note("kustomize builds nothing of an application whose resource is missing"));
            }
        }
    }
    Ok(findings)
}

fn is_there(tree: &dyn Tree, path: &Utf8Path) -> Result<bool, ReadError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(false) };
    match tree.list(folder) {
        Ok(entries) => Ok(entries.iter().any(|entry| entry.name == name)),
        // Kustomize checks what a link points to.
        Err(ReadError::Symlink(_)) => Ok(true),
        Err(error) => Err(error),
    }
}
