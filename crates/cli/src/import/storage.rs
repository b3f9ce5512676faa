//! Volumes, and the disk that Talos is installed on.

use serde_json::{Map, Value, json};
use talosmith_machinery::volume_bytes;

use super::facts::Taking;
use super::value::{at, only, text};

/// The selector of the disk that Talos is installed on.
const SYSTEM_DISK: &str = "system_disk";

/// A document of a volume; false if it has something that `volumes` has no key for.
pub(super) fn volume(taking: &mut Taking<'_>, value: &Value) -> bool {
    volume_of(taking, value).is_some()
}

fn volume_of(taking: &mut Taking<'_>, value: &Value) -> Option<()> {
    let known =
        ["apiVersion", "kind", "name", "volumeType", "provisioning", "discovery", "filesystem", "mount", "encryption"];
    let fields = only(value, &known)?;
    let name = text(fields.get("name")?)?;
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
        provision(taking, provisioning, &mut volume)?;
    }
    for key in ["filesystem", "mount"] {
        volume.extend(fields.get(key).map(|inner| (key.to_owned(), inner.clone())));
    }
    if let Some(encryption) = fields.get("encryption") {
        volume.insert("encryption".to_owned(), encrypted(taking, encryption, &name)?);
    }
    taking.set_at(&["volumes", &name], Value::Object(volume));
    taking.artifact(format!("volumes.{name}"));
    Some(())
}

fn provision(taking: &mut Taking<'_>, value: &Value, volume: &mut Map<String, Value>) -> Option<()> {
    let fields = only(value, &["diskSelector", "minSize", "maxSize", "grow"])?;
    let disk = match fields.get("diskSelector") {
        Some(selector) => {
            only(selector, &["match"])?;
            let selector = selector["match"].as_str()?;
            // It is the disk that another key finds by something else.
            if selector == SYSTEM_DISK && taking.facts.system_disk.is_some() {
                return None;
            }
            let disk = taking.disk(selector);
            volume.insert("disk".to_owned(), disk.as_str().into());
            disk
        }
        None => String::new(),
    };
    let size = |key: &str| fields.get(key).and_then(text);
    let (least, most) = (size("minSize"), size("maxSize"));
    if least.is_some() && least == most && fields.get("grow") == Some(&Value::Bool(false)) {
        volume.insert("size".to_owned(), least.clone().into());
    } else {
        volume.extend(least.as_ref().map(|size| ("minSize".to_owned(), size.as_str().into())));
        volume.extend(most.as_ref().map(|size| ("maxSize".to_owned(), size.as_str().into())));
        volume.extend(fields.get("grow").map(|grow| ("grow".to_owned(), grow.clone())));
    }
    let bytes = [least, most].into_iter().flatten().filter_map(|size| volume_bytes(&size)).max().unwrap_or(0);
    *taking.facts.taken_bytes.entry(disk).or_default() += bytes;
    Some(())
}

fn encrypted(taking: &mut Taking<'_>, value: &Value, volume: &str) -> Option<Value> {
    let mut encryption = value.as_object()?.clone();
    if encryption.shift_remove("provider")? != "luks2" {
        return None;
    }
    for key in encryption.get_mut("keys")?.as_array_mut()? {
        let key = key.as_object_mut()?;
        if let Some(static_key) = key.get_mut("static") {
            let name = format!("{}-passphrase", volume.to_ascii_lowercase());
            let secret = taking.secret(static_key.get("passphrase")?.as_str()?, &name);
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

/// `machine.install.disk`
pub(super) fn install_disk(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(path) = value.as_str().filter(|path| path.starts_with("/dev/")) else { return false };
    system_disk(taking, path)
}

/// `machine.install.diskSelector` with nothing but what identifies a disk.
pub(super) fn install_selector(taking: &mut Taking<'_>, value: &Value) -> bool {
    let known = ["serial", "model", "wwid", "uuid", "modalias", "busPath"];
    let Some(fields) = only(value, &known) else { return false };
    let terms = fields.iter().map(|(key, value)| {
        let value = value.as_str().filter(|text| !text.contains(['*', '?', '[', '\'', '\\']))?;
        let key = if key == "busPath" { "bus_path" } else { key };
        Some(format!("disk.{key} == '{value}'"))
    });
    let Some(terms) = terms.collect::<Option<Vec<_>>>() else { return false };
    system_disk(taking, &terms.join(" && "))
}

/// Notes the disk that Talos is installed on; false if it is known by another selector already.
fn system_disk(taking: &mut Taking<'_>, selector: &str) -> bool {
    if taking.facts.disks.iter().any(|(known, _)| known == SYSTEM_DISK) {
        return false;
    }
    let disk = taking.disk(selector);
    taking.facts.system_disk = Some(disk);
    taking.set("install/disk", true);
    taking.artifact("install.disk");
    true
}

/// A document UnattendedInstallConfig.
pub(super) fn unattended_install(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "installer", "provisioning"]).is_some();
    let Some(selector) = at(value, "provisioning.diskSelector.match").and_then(Value::as_str) else { return false };
    if !is_known {
        return false;
    }
    let disk = taking.disk(selector);
    taking.facts.system_disk = Some(disk);
    if value["provisioning"]["wipe"] == true {
        taking.set("install/wipe", true);
    }
    match at(value, "installer.image").and_then(Value::as_str) {
        Some(image) => {
            taking.set("install/image", json!({ "reference": image }));
            taking.artifact("install.image");
        }
        None => {
            taking.set("install/disk", true);
            taking.artifact("install.disk");
        }
    }
    true
}
