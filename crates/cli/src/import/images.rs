//! The images of a device, by its schematics instead of their IDs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use talosmith_document::TalosVersion;
use talosmith_model::Schematic;

use super::draft::Draft;
use super::source::Source;
use super::value::json;

/// The factory and the platform of images whose keys are not set.
const FACTORY: &str = "factory.talos.dev";
const PLATFORM: &str = "metal";

/// Names the schematics of a device in its images.
pub(super) fn name_schematics(draft: &mut Draft, sources: &[Source], talos: &TalosVersion) {
    let images = schematic_images(draft, sources);
    let Some(install) = draft.facts.keys.get_mut("install").and_then(Value::as_object_mut) else { return };
    let talos = talos.to_string();
    let is_current =
        |image: &Value| image["reference"].as_str().is_some_and(|text| text.ends_with(&format!(":{talos}")));
    let image = install.get_mut("image").filter(|image| is_current(image));
    let factory = image.and_then(|image| by_schematic(image, &images));
    if let Some((factory, platform)) = factory {
        install.extend((factory != FACTORY).then(|| ("factory".to_owned(), factory.into())));
        install.extend((platform != PLATFORM).then(|| ("platform".to_owned(), platform.into())));
    }
    for image in install.get_mut("alternatives").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let version = image["reference"].as_str().and_then(|text| Some(text.rsplit_once(':')?.1.to_owned()));
        if let (Some(_), Some(version)) = (by_schematic(image, &images), version.filter(|version| *version != talos)) {
            image["talosVersion"] = version.into();
        }
    }
}

/// The names of a device's schematics by their IDs.
fn schematic_images(draft: &Draft, sources: &[Source]) -> BTreeMap<String, String> {
    let schematics = draft.taken.iter().filter_map(|taken| {
        let name = taken.artifacts.iter().find_map(|artifact| artifact.strip_prefix("schematics."))?;
        let document = sources[taken.source].documents.first().map(json)?;
        let schematic: Schematic = serde_json::from_value(document).ok()?;
        Some((schematic.id().ok()?, name.to_owned()))
    });
    schematics.collect()
}

/// Names the schematic of an image of an Image Factory instead of its reference; returns the factory and the platform.
fn by_schematic(image: &mut Value, schematics: &BTreeMap<String, String>) -> Option<(String, String)> {
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
