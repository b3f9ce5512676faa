//! The artifacts that the user's own templates render.

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::comments::{self, Comment};
use crate::FleetFile;
use crate::fleet::{self, ArtifactFormat, ArtifactScope};
use crate::layout::{self, FLEET_FILE};
use crate::scalar::ArtifactPath;

/// An artifact that a template of the user renders, for the fleet or for each cluster or device.
#[derive(Debug, Clone)]
pub struct UserArtifact {
    pub name: String,
    pub scope: ArtifactScope,
    /// The path of the template from the repository's root.
    pub template: Utf8PathBuf,
    pub format: ArtifactFormat,
    /// The path of a JSON Schema from the repository's root.
    pub schema: Option<Utf8PathBuf>,
    /// How a comment in its file begins and ends; none if the format has none.
    pub comment: Option<Comment>,
    /// Whether it is a marked region of a file that is otherwise the user's.
    pub is_region: bool,
    path: ArtifactPath,
    pub location: Location,
}

impl UserArtifact {
    /// Returns the path of its file for a device or a cluster; for the fleet, the name does not matter.
    pub fn path_of(&self, name: &str) -> Utf8PathBuf {
        self.path.of(name).into()
    }

    /// Whether it has a file of this path for some device or cluster.
    pub fn owns(&self, path: &Utf8Path) -> bool {
        self.path.matches(path.as_str())
    }
}

/// Returns the artifacts of a fleet file, in the order of their names, and what is wrong with them.
pub fn user_artifacts(fleet: &FleetFile) -> (Vec<UserArtifact>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let mut artifacts = Vec::new();
    for (name, written) in &fleet.fleet.artifacts {
        let at = Pointer::new("/artifacts").child(name);
        match plan(fleet, name.as_str(), written, &at) {
            Ok(artifact) => artifacts.push(artifact),
            Err(finding) => findings.push(*finding),
        }
    }
    (artifacts, findings)
}

fn plan(
    fleet: &FleetFile,
    name: &str,
    written: &fleet::UserArtifact,
    at: &Pointer,
) -> Result<UserArtifact, Box<Diagnostic>> {
    let finding = |code, message: String, key: &str| {
        let location = if key.is_empty() { fleet.at(at.clone()).as_key() } else { fleet.at(at.child(key)) };
        Diagnostic::new(code, message, location)
    };
    let Some(folder) = &fleet.fleet.templates else {
        let missing = finding(Code::MissingKey, "talosmith.yaml has no `templates`".to_owned(), "template");
        return Err(Box::new(
            missing
                .note("the template is in the folder that it names")
                .help("add a line such as\ntemplates: templates"),
        ));
    };
    let (key, path) = match (&written.path, &written.into) {
        (Some(path), None) => ("path", path),
        (None, Some(path)) => ("into", path),
        (Some(_), Some(_)) => {
            let both = finding(Code::ExclusiveKeys, "`path` and `into` are mutually exclusive".to_owned(), "into");
            return Err(Box::new(both.help("remove one of the two")));
        }
        (None, None) => {
            let missing = finding(Code::MissingKey, format!("`artifacts.{name}` has neither `path` nor `into`"), "");
            return Err(Box::new(missing.help(
                "write `path` for a whole file, or `into` for a file that has the lines `talosmith:begin` and `talosmith:end`",
            )));
        }
    };
    if key == "into" && written.format == ArtifactFormat::Json {
        let message = "JSON has no comments, so a JSON file has no regions".to_owned();
        return Err(Box::new(finding(Code::ExclusiveKeys, message, "into").help("write `path`, or `format: hujson`")));
    }
    if written.scope != ArtifactScope::Fleet && !path.has_name() {
        let scope = if written.scope == ArtifactScope::Device { "device" } else { "cluster" };
        let message = format!("the files of all {scope}s would be `{path}`");
        let finding = finding(Code::OutputCollision, message, key);
        return Err(Box::new(finding.help(format!("write `$<name>` where the {scope}'s name belongs"))));
    }
    if let Some(what) = reserved(Utf8Path::new(&path.of("name")), folder.as_str()) {
        let message = format!("`{path}` is {what}");
        return Err(Box::new(finding(Code::PathEscape, message, key).help("write another path")));
    }
    let below = |path: &str| Utf8Path::new(folder.as_str()).join(path);
    Ok(UserArtifact {
        name: name.to_owned(),
        scope: written.scope,
        template: below(written.template.as_str()),
        format: written.format,
        schema: written.schema.as_ref().map(|schema| schema.as_str().into()),
        comment: comment(fleet, name, written, at, &path.of("name"))?,
        is_region: key == "into",
        path: path.clone(),
        location: fleet.at(at.clone()).as_key(),
    })
}

/// Returns the comment of an artifact's file; or what is wrong with it.
fn comment(
    fleet: &FleetFile,
    name: &str,
    written: &fleet::UserArtifact,
    at: &Pointer,
    path: &str,
) -> Result<Option<Comment>, Box<Diagnostic>> {
    if let Some(signs) = &written.comment {
        if written.format != ArtifactFormat::Text {
            let message = "`comment` cannot be combined with a format that has comments of its own, or none".to_owned();
            let wrong = Diagnostic::new(Code::ExclusiveKeys, message, fleet.at(at.child("comment")));
            return Err(Box::new(wrong.help("remove `comment`, or write `format: text`")));
        }
        return Ok(comments::of_signs(signs));
    }
    let path = Utf8Path::new(path);
    match comments::of_file(written.format, path) {
        None if written.format == ArtifactFormat::Text => {
            let extension = path.extension().unwrap_or_default();
            let message = format!("the comments of files with the extension `.{extension}` are not known");
            let wrong = Diagnostic::new(Code::MissingKey, message, fleet.at(at.clone()).as_key());
            Err(Box::new(
                wrong
                    .note("a generated file begins with a comment, and so do the lines around a region")
                    .help(format!("add its sign to `artifacts.{name}`, such as\ncomment: \"#\"")),
            ))
        }
        comment => Ok(comment),
    }
}

/// Returns what owns a path that no artifact of the user may write; none for a path that is free.
fn reserved(path: &Utf8Path, templates: &str) -> Option<&'static str> {
    let device = layout::device_of(path);
    if path == FLEET_FILE || device.is_some_and(|name| path == layout::device_file(name)) {
        return Some("part of the model");
    }
    if path.starts_with(templates) {
        return Some("in the folder of the templates");
    }
    device.filter(|name| path.starts_with(layout::manifests(name))).map(|_| "in a folder of generated files")
}
