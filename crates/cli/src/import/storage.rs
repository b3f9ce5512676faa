//! Volumes, and the disk that Talos is installed on.

use serde_json::{Map, Value, json};
use talosmith_machinery::volume_bytes;

use super::facts::Mapper;
use super::value::{at, only, scalar_string};

/// The selector of the disk that Talos is installed on.
const SYSTEM_DISK: &str = "system_disk";

/// Maps a document that configures a volume; returns false if it has a field without a key in `volumes`.
pub(super) fn volume(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    map_volume(mapper, value).is_some()
}

fn map_volume(mapper: &mut Mapper<'_>, value: &Value) -> Option<()> {
    let known =
        ["apiVersion", "kind", "name", "volumeType", "provisioning", "discovery", "filesystem", "mount", "encryption"];
    let fields = only(value, &known)?;
    let name = scalar_string(fields.get("name")?)?;
    let mut volume = Map::new();
    let kind = match value["kind"].as_str()? {
        "RawVolumeConfig" => Some("raw"),
        "ExistingVolumeConfig" => Some("existing"),
        "SwapVolumeConfig" => Some("swap"),
        _ => None,
    };
    volume.extend(kind.map(|kind| ("kind".to_owned(), kind.into())));
    volume.extend(fields.get("volumeType").map(|kind| ("volumeType".to_owned(), kind.clone())));
    if let Some(discovery) = fields.get("discovery") {
        only(discovery, &["volumeSelector"]).and_then(|inner| only(&inner["volumeSelector"], &["match"]))?;
        volume.insert("selector".to_owned(), at(discovery, "volumeSelector.match")?.clone());
    }
    if let Some(provisioning) = fields.get("provisioning") {
        add_provisioning(mapper, provisioning, &mut volume)?;
    }
    for key in ["filesystem", "mount"] {
        volume.extend(fields.get(key).map(|inner| (key.to_owned(), inner.clone())));
    }
    if let Some(encryption) = fields.get("encryption") {
        volume.insert("encryption".to_owned(), self::encryption(mapper, encryption, &name)?);
    }
    mapper.set_at(&["volumes", &name], Value::Object(volume));
    mapper.add_artifact(format!("volumes.{name}"));
    Some(())
}

fn add_provisioning(mapper: &mut Mapper<'_>, value: &Value, volume: &mut Map<String, Value>) -> Option<()> {
    let fields = only(value, &["diskSelector", "minSize", "maxSize", "grow"])?;
    let disk = match fields.get("diskSelector") {
        Some(selector) => {
            only(selector, &["match"])?;
            let selector = selector["match"].as_str()?;
            // `install.disk` selects this disk in another way, and no disk can have two selectors.
            if selector == SYSTEM_DISK && mapper.facts.system_disk.is_some() {
                return None;
            }
            let disk = mapper.disk(selector);
            volume.insert("disk".to_owned(), disk.as_str().into());
            disk
        }
        None => String::new(),
    };
    let size = |key: &str| fields.get(key).and_then(scalar_string);
    let (min, max) = (size("minSize"), size("maxSize"));
    if min.is_some() && min == max && fields.get("grow") == Some(&Value::Bool(false)) {
        volume.insert("size".to_owned(), min.clone().into());
    } else {
        volume.extend(min.as_ref().map(|size| ("minSize".to_owned(), size.as_str().into())));
        volume.extend(max.as_ref().map(|size| ("maxSize".to_owned(), size.as_str().into())));
        volume.extend(fields.get("grow").map(|grow| ("grow".to_owned(), grow.clone())));
    }
    let bytes = [min, max].into_iter().flatten().filter_map(|size| volume_bytes(&size)).max().unwrap_or(0);
    *mapper.facts.volume_bytes.entry(disk).or_default() += bytes;
    Some(())
}

/// Returns the key `encryption` of a volume; none if it has something that the model cannot have.
fn encryption(mapper: &mut Mapper<'_>, value: &Value, volume: &str) -> Option<Value> {
    let mut encryption = value.as_object()?.clone();
    if encryption.shift_remove("provider")? != "luks2" {
        return None;
    }
    for key in encryption.get_mut("keys")?.as_array_mut()? {
        let key = key.as_object_mut()?;
        if let Some(static_key) = key.get_mut("static") {
            let name = format!("{}-passphrase", volume.to_ascii_lowercase());
            let secret = mapper.secret(static_key.get("passphrase")?.as_str()?, &name);
            *static_key = json!({ "passphrase": secret });
        }
        if let Some(tpm) = key.get_mut("tpm") {
            let pcrs = at(tpm, "options.pcrs").cloned();
            let tpm = tpm.as_object_mut()?;
            tpm.shift_remove("options");
            tpm.extend(pcrs.map(|pcrs| ("pcrs".to_owned(), pcrs)));
        }
    }
    Some(Value::Object(encryption))
}

/// Maps `machine.install.disk`.
pub(super) fn install_disk(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(path) = value.as_str().filter(|path| path.starts_with("/dev/")) else { return false };
    set_system_disk(mapper, path)
}

/// Maps `machine.install.diskSelector` if each of its fields has one exact value, such as a serial number.
pub(super) fn install_selector(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["serial", "model", "wwid", "uuid", "modalias", "busPath"];
    let Some(fields) = only(value, &known) else { return false };
    let terms = fields.iter().map(|(key, value)| {
        let value = value.as_str().filter(|text| !text.contains(['*', '?', '[', '\'', '\\']))?;
        let key = if key == "busPath" { "bus_path" } else { key };
        Some(format!("disk.{key} == '{value}'"))
    });
    let Some(terms) = terms.collect::<Option<Vec<_>>>() else { return false };
    set_system_disk(mapper, &terms.join(" && "))
}

/// Records the disk that Talos is installed on; returns false if a volume selects it as `system_disk` already.
fn set_system_disk(mapper: &mut Mapper<'_>, selector: &str) -> bool {
    if mapper.facts.disks.iter().any(|(known, _)| known == SYSTEM_DISK) {
        return false;
    }
    let disk = mapper.disk(selector);
    mapper.facts.system_disk = Some(disk);
    mapper.set("install/disk", true);
    mapper.add_artifact("install.disk");
    true
}

/// Maps a document UnattendedInstallConfig.
pub(super) fn unattended_install(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "installer", "provisioning"]).is_some();
    let Some(selector) = at(value, "provisioning.diskSelector.match").and_then(Value::as_str) else { return false };
    if !is_known {
        return false;
    }
    let disk = mapper.disk(selector);
    mapper.facts.system_disk = Some(disk);
    if value["provisioning"]["wipe"] == true {
        mapper.set("install/wipe", true);
    }
    match at(value, "installer.image").and_then(Value::as_str) {
        Some(image) => {
            mapper.set("install/image", json!({ "reference": image }));
            mapper.add_artifact("install.image");
        }
        None => {
            mapper.set("install/disk", true);
            mapper.add_artifact("install.disk");
        }
    }
    true
}
