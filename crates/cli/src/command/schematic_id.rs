//! `talosmith schematic-id`

use camino::Utf8PathBuf;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use talosmith_document::{Code, Diagnostic, Document, Location, SourceId, decode};
use talosmith_model::Schematic;

use super::{Context, Exit, exit_of, read_input};
use crate::console::Channel;
use crate::source_cache::SourceCache;
use crate::tree::MemoryTree;

/// Compute the ID that the Image Factory assigns to a schematic
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith schematic-id schematic.yaml\n  \
    curl --silent https://example.com/schematic.yaml | talosmith schematic-id -")]
pub(crate) struct Arguments {
    /// Files with one schematic each, as in a POST request to the factory; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Utf8PathBuf>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let start = context.global.directory.clone().unwrap_or_default();
    let tree = MemoryTree::default();
    let mut sources = SourceCache::new(&tree);
    let mut ids = Vec::new();
    let mut findings = Vec::new();
    for file in &arguments.files {
        let (path, bytes) = read_input(&start, file)?;
        let source = sources.add(path, String::from_utf8_lossy(&bytes).into_owned());
        match id(source, &bytes) {
            Ok(id) => ids.push((file, id)),
            Err(found) => findings.extend(found),
        }
    }
    if context.is_text() {
        for (file, id) in &ids {
            let name = if arguments.files.len() == 1 { String::new() } else { format!("  {file}") };
            context.console.result(&format!("{id}{name}\n"))?;
        }
    }
    let exit = exit_of(&findings);
    let schematics: Vec<Value> = ids.iter().map(|(file, id)| json!({ "path": file, "id": id })).collect();
    context.report(Channel::Status, &mut findings, &mut sources, json!({ "schematics": schematics }))?;
    Ok(exit)
}

fn id(source: SourceId, bytes: &[u8]) -> Result<String, Vec<Diagnostic>> {
    let text = decode(source, bytes).map_err(|finding| vec![finding])?;
    let document = Document::parse(source, text)?;
    let schematic = Schematic::deserialize(document.root.into_json()).map_err(|error| {
        vec![
            Diagnostic::new(
                Code::WrongType,
                format!("the Image Factory would reject this: {error}"),
                Location::file(source),
            )
            .note("the keys are `owner`, `overlay` and `customization`"),
        ]
    })?;
    schematic.id().map_err(|unstable| {
        vec![
            Diagnostic::new(
                Code::SchematicIdUnstable,
                unstable.reason.to_string(),
                Location::value(source, unstable.pointer),
            )
            .note("versions of the Image Factory write such a string differently, so the image's ID cannot be known")
            .help("write the string on one line, without white space at its ends"),
        ]
    })
}
