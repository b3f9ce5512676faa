//! The installer images of a device, which refer to its schematics by name instead of by ID.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use talosmith_document::TalosVersion;
use talosmith_model::Schematic;

use super::draft::Draft;
use super::source_file::SourceFile;
use super::value::json;

/// The values of `install.factory` and `install.platform` in a device that sets neither.
const FACTORY: &str = "factory.talos.dev";
const PLATFORM: &str = "metal";

/// Replaces the references of a device's images by the names of its schematics.
pub(super) fn name_schematics(draft: &mut Draft, sources: &[SourceFile], talos: &TalosVersion) {
    let names = schematic_names(draft, sources);
    let Some(install) = draft.facts.keys.get_mut("install").and_then(Value::as_object_mut) else { return };
    let talos = talos.to_string();
    let is_current =
        |image: &Value| image["reference"].as_str().is_some_and(|text| text.ends_with(&format!(":{talos}")));
    let image = install.get_mut("image").filter(|image| is_current(image));
    let factory = image.and_then(|image| set_schematic(image, &names));
    if let Some((factory, platform)) = factory {
        install.extend((factory != FACTORY).then(|| ("factory".to_owned(), factory.into())));
        install.extend((platform != PLATFORM).then(|| ("platform".to_owned(), platform.into())));
    }
    for image in install.get_mut("alternatives").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let version = image["reference"].as_str().and_then(|text| Some(text.rsplit_once(':')?.1.to_owned()));
        if let (Some(_), Some(version)) = (set_schematic(image, &names), version.filter(|version| *version != talos)) {
            image["talosVersion"] = version.into();
        }
    }
}

/// Returns the names of a device's schematics by their IDs.
fn schematic_names(draft: &Draft, sources: &[SourceFile]) -> BTreeMap<String, String> {
    let schematics = draft.mapped.iter().filter_map(|value| {
        let name = value.artifacts.iter().find_map(|artifact| artifact.strip_prefix("schematics."))?;
        let document = sources[value.source].documents.first().map(json)?;
        let schematic: Schematic = serde_json::from_value(document).ok()?;
        Some((schematic.id().ok()?, name.to_owned()))
    });
    schematics.collect()
}

/// Replaces the reference of an image from an Image Factory by the name of its schematic; returns the factory and the platform.
fn set_schematic(image: &mut Value, schematics: &BTreeMap<String, String>) -> Option<(String, String)> {
    let [factory, installer, rest] = image["reference"].as_str()?.split('/').collect::<Vec<_>>().try_into().ok()?;
    let name = schematics.get(rest.split(':').next()?)?;
    let secure = installer.strip_suffix("-secureboot");
    let platform = secure.unwrap_or(installer).strip_suffix("-installer")?;
    let found = (factory.to_owned(), platform.to_owned());
    *image = match secure {
        Some(_) => json!({ "schematic": name, "secureboot": true }),
        None => json!({ "schematic": name }),
    };
    Some(found)
}
