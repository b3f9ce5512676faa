//! The user's own templates, and the schemas that what they render must be valid against.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Pointer, SourceId};
use talosmith_model::plan::{self, UserArtifact};
use talosmith_model::{FleetFile, secrets_in_text, tailscale_key};
use talosmith_render::{TemplateOrigin, UserSchema, template_fault, template_name};

use crate::named_files::Overrides;
use crate::source_cache::SourceCache;
use crate::tree::ReadError;

/// The user's artifacts whose templates and schemas could be read.
#[derive(Debug, Default)]
pub(crate) struct UserTemplates {
    pub artifacts: Vec<UserArtifact>,
    /// By their paths.
    schemas: BTreeMap<Utf8PathBuf, UserSchema>,
}

impl UserTemplates {
    /// Reads the templates, which are added to `texts`, and the schemas.
    pub(crate) fn read(
        sources: &SourceCache<'_>,
        fleet: &FleetFile,
        texts: &mut Overrides,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<Self, ReadError> {
        let (artifacts, wrong) = plan::user_artifacts(fleet);
        findings.extend(wrong);
        let mut templates = Self::default();
        for artifact in artifacts {
            let at = Pointer::new("/artifacts").child(&artifact.name);
            let before = findings.len();
            let text = read_named(sources, fleet, &artifact.template, &at.child("template"), findings)?;
            if let Some((source, text)) = text {
                let name = template_name(&artifact);
                findings.extend(tailscale_key(source, &text).into_iter().chain(secrets_in_text(source, &text)));
                findings.extend(
                    template_fault(&name, &text).map(|fault| fault.diagnostic(source, TemplateOrigin::Override)),
                );
                texts.sources.insert(name.clone(), source);
                texts.texts.insert(name, text.to_string());
            }
            if let Some(path) = &artifact.schema {
                let schema = read_named(sources, fleet, path, &at.child("schema"), findings)?;
                match schema.map(|(_, text)| UserSchema::parse(&text)) {
                    Some(Ok(schema)) => drop(templates.schemas.insert(path.clone(), schema)),
                    Some(Err(message)) => findings.push(Diagnostic::new(
                        Code::OutputSchema,
                        format!("`{path}` is not a JSON Schema: {message}"),
                        fleet.at(at.child("schema")),
                    )),
                    None => {}
                }
            }
            if findings.len() == before {
                templates.artifacts.push(artifact);
            }
        }
        Ok(templates)
    }

    pub(crate) fn schema(&self, path: &Utf8Path) -> Option<&UserSchema> {
        self.schemas.get(path)
    }
}

/// Reads a file that talosmith.yaml names.
fn read_named(
    sources: &SourceCache<'_>,
    fleet: &FleetFile,
    path: &Utf8Path,
    at: &Pointer,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<(SourceId, Arc<str>)>, ReadError> {
    match sources.read(path) {
        Ok(Some(Ok(text))) => return Ok(Some(text)),
        Ok(Some(Err(finding))) => findings.push(finding),
        Ok(None) => {
            findings.push(Diagnostic::new(Code::UnknownFile, format!("there is no `{path}`"), fleet.at(at.clone())))
        }
        Err(error @ (ReadError::Symlink(_) | ReadError::NotAFile(_))) => {
            findings.push(Diagnostic::new(Code::UnknownFile, error.to_string(), fleet.at(at.clone())));
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}
