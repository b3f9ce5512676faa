//! The machine config of a node in what talosctl printed.

use talosmith_document::{Document, Node, Sources};
use talosmith_render::yaml_document;

/// The type of the resource with the config of a node, as `talosctl get` prints it.
const MACHINE_CONFIG: &str = "MachineConfigs.config.talos.dev";

/// The ID of the config that the node runs with; another one has the config that it boots with.
const ACTIVE: &str = "v1alpha1";

/// Returns the machine config in what `talosctl get machineconfig -o yaml` printed; none if a text is something else.
///
/// # Errors
/// Why there is not the config of one node in it.
pub(crate) fn saved_config(text: &str) -> Result<Option<String>, String> {
    let Ok(documents) = Document::parse_stream(Sources::default().add("", ""), text) else { return Ok(None) };
    let of_resource = |node: &Node, key: &str| {
        let value = node.get("metadata")?.get(key)?;
        value.scalar().map(|(text, _)| text.to_owned())
    };
    let configs = documents.into_iter().filter(|node| of_resource(node, "type").as_deref() == Some(MACHINE_CONFIG));
    let configs: Vec<Node> = configs.collect();
    if configs.is_empty() {
        return Ok(None);
    }
    let mut active = configs.iter().filter(|node| of_resource(node, "id").as_deref() == Some(ACTIVE));
    let first = active.next().ok_or_else(|| format!("it has no {MACHINE_CONFIG} `{ACTIVE}`"))?;
    if active.next().is_some() {
        return Err("it has the configs of several nodes: save that of one, with `talosctl -n ADDRESS`".to_owned());
    }
    let spec = first.get("spec").ok_or_else(|| "the resource has no `spec`".to_owned())?;
    // Older versions of talosctl print a mapping.
    Ok(Some(match spec.scalar() {
        Some((text, _)) => text.to_owned(),
        None => yaml_document(&spec.clone().into_json()),
    }))
}
