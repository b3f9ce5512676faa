//! Extension services, log receivers, registries, and `machine.files`.

use serde_json::{Map, Value, json};
use talosmith_machinery::talos_data::secrets;
use talosmith_render::{Format, parse};

use super::facts::{KataSettings, Mapper, placeholder, placeholder_of, placeholders_in, secret_of};
use super::names::free_name;
use super::value::only;

/// The config files of containerd that the application kata-containers generates.
const CONTAINERD: &str = "/etc/cri/containerd.toml";
const CUSTOMIZATION: &str = "/etc/cri/conf.d/20-customization.part";

/// Maps a document ExtensionServiceConfig.
pub(super) fn extension_service(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["apiVersion", "kind", "name", "environment", "configFiles"];
    let Some(name) = only(value, &known).and_then(|fields| fields.get("name")?.as_str()) else { return false };
    let Some(variables) = variables(value) else { return false };
    if name == "tailscale" && value.get("configFiles").is_none() && tailscale(mapper, &variables).is_some() {
        return true;
    }
    let mut service = Map::new();
    let mut used = Vec::new();
    let mut environment = Map::new();
    for (variable, value) in variables {
        let value = match secrets::is_secret_variable(&variable, &value) && placeholder(&value).is_none() {
            true => {
                let secret = mapper.secret(&value, &format!("{name}-{}", secret_of(&variable)));
                used.push(secret.clone());
                format!("${{{}}}", placeholder_of(&secret))
            }
            false => value,
        };
        environment.insert(variable, value.into());
    }
    if !environment.is_empty() {
        service.insert("environment".to_owned(), environment.into());
    }
    let mut files = Map::new();
    for file in value["configFiles"].as_array().into_iter().flatten() {
        let (Some(path), Some(content)) = (file["mountPath"].as_str(), file["content"].as_str()) else { return false };
        files.insert(path.to_owned(), json!({ "content": content }));
    }
    if !files.is_empty() {
        service.insert("configFiles".to_owned(), files.into());
    }
    for placeholder in placeholders_in(&Value::Object(service.clone()).to_string()) {
        used.push(secret_of(&placeholder));
        mapper.facts.placeholders.insert(placeholder);
    }
    used.sort();
    used.dedup();
    if !used.is_empty() {
        service.insert("secrets".to_owned(), used.into());
    }
    mapper.set_at(&["extensionServices", name], Value::Object(service));
    mapper.add_artifact(format!("extensionServices.{name}"));
    true
}

/// Returns the environment variables of an extension service; none if an item is not `NAME=value`.
fn variables(value: &Value) -> Option<Vec<(String, String)>> {
    let items = value["environment"].as_array().map(Vec::as_slice).unwrap_or_default();
    let split = |item: &Value| item.as_str()?.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    items.iter().map(split).collect()
}

/// Maps the extension service of Tailscale; returns none if it has a variable without a key in `tailscale`.
fn tailscale(mapper: &mut Mapper<'_>, variables: &[(String, String)]) -> Option<()> {
    let mut keys = Map::new();
    for (name, value) in variables {
        let flag = || value.parse::<bool>().ok().map(Value::from);
        let (key, value) = match name.as_str() {
            "TS_AUTHKEY" => ("authKey", mapper.secret(value, "tailscale-authkey").into()),
            "TS_HOSTNAME" => ("hostname", value.as_str().into()),
            "TS_ROUTES" => ("routes", value.split(',').filter(|route| !route.is_empty()).collect::<Vec<_>>().into()),
            "TS_ACCEPT_DNS" => ("acceptDNS", flag()?),
            "TS_AUTH_ONCE" => ("authOnce", flag()?),
            "TS_EXTRA_ARGS" if !value.contains(['"', '\'', '\\']) => {
                ("extraArgs", value.split_whitespace().collect::<Vec<_>>().into())
            }
            _ => return None,
        };
        keys.insert(key.to_owned(), value);
    }
    keys.get("authKey")?;
    mapper.keys.push("/tailscale".to_owned());
    mapper.facts.keys.insert("tailscale".to_owned(), keys.into());
    mapper.add_artifact("tailscale");
    Some(())
}

/// Maps `machine.files`. The key `kata` generates the files of containerd with the settings of Kata Containers.
pub(super) fn machine_files(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(files) = value.as_array() else { return false };
    let kata = mapper.has_kata.then(|| kata_settings(files)).flatten();
    if let Some(kata) = kata.clone() {
        mapper.facts.kata = Some(kata);
        mapper.set("kata", true);
        mapper.add_artifact("kata");
    }
    files.iter().all(|file| {
        let is_own = matches!(file["path"].as_str(), Some(CONTAINERD | CUSTOMIZATION));
        kata.is_some() && is_own || machine_file(mapper, file).is_some()
    })
}

fn machine_file(mapper: &mut Mapper<'_>, file: &Value) -> Option<()> {
    let fields = only(file, &["path", "content", "op", "permissions"])?;
    let path = fields.get("path")?.as_str()?;
    if mapper.has_secret(fields.get("content")?.as_str()?) {
        return None;
    }
    let mut keys = json!({ "content": fields.get("content")? });
    if let Some(op) = fields.get("op").filter(|op| *op != "create") {
        keys["op"] = op.clone();
    }
    let mode = octal(fields.get("permissions")?)?;
    if mode != "0644" {
        keys["permissions"] = mode.into();
    }
    mapper.set_at(&["machineFiles", path], keys);
    mapper.add_artifact("machineFiles");
    Some(())
}

/// Maps a document EtcFileConfig.
pub(super) fn etc_file(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "mode", "contents"]).is_some();
    let (Some(path), Some(mode)) = (value["name"].as_str(), octal(&value["mode"])) else { return false };
    if !is_known || mapper.has_secret(value["contents"].as_str().unwrap_or_default()) {
        return false;
    }
    let mut keys = json!({ "content": value["contents"] });
    if mode != "0644" {
        keys["permissions"] = mode.into();
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/etc/{path}") };
    mapper.set_at(&["machineFiles", &path], keys);
    mapper.add_artifact("machineFiles");
    true
}

/// Returns a file mode in the form of the model: `0600`.
fn octal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let digits = text.strip_prefix("0o").unwrap_or(text).trim_start_matches('0');
            digits.chars().all(|c| ('0'..='7').contains(&c)).then(|| format!("0{digits}"))
        }
        Value::Number(number) => number.as_u64().map(|mode| format!("0{mode:o}")),
        _ => None,
    }
}

/// Returns the settings of Kata Containers with the blockfile snapshotter in the config files of containerd.
fn kata_settings(files: &[Value]) -> Option<KataSettings> {
    let content = |path: &str| files.iter().find(|file| file["path"] == path)?["content"].as_str();
    content(CONTAINERD)?;
    let settings = parse(Format::Toml, content(CUSTOMIZATION)?).ok()?.pop()?;
    let plugins = &settings["plugins"];
    let snapshotter = &plugins["io.containerd.snapshotter.v1.blockfile"];
    let runtimes = plugins["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"].as_object()?;
    runtimes.values().find(|runtime| runtime["snapshotter"] == "blockfile")?;
    let sandbox = &plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"];
    Some(KataSettings {
        scratch_file: snapshotter["scratch_file"].as_str()?.to_owned(),
        sandbox_image: sandbox.as_str()?.to_owned(),
    })
}

/// Maps `machine.logging.destinations`.
pub(super) fn log_destinations(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(items) = value.as_array() else { return false };
    items.iter().all(|item| {
        let fields = only(item, &["endpoint", "format", "extraTags"]);
        let Some(url) = fields.and_then(|fields| fields.get("endpoint")?.as_str()) else { return false };
        if item["format"] != "json_lines" {
            return false;
        }
        let mut log = json!({ "url": url.trim_end_matches('/') });
        if let Some(tags) = item.get("extraTags") {
            log["extraTags"] = tags.clone();
        }
        let name = log_name(mapper, url);
        mapper.set_at(&["logs", &name], log);
        mapper.add_artifact("logs");
        true
    })
}

/// Maps a document KmsgLogConfig.
pub(super) fn kernel_log(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "url"]).is_some();
    let (Some(name), Some(url)) = (value["name"].as_str(), value["url"].as_str()) else { return false };
    if is_known {
        mapper.set_at(&["logs", name], json!({ "url": url.trim_end_matches('/'), "source": "kernel" }));
        mapper.add_artifact("logs");
    }
    is_known
}

/// Returns a name for a log receiver, made from its host.
fn log_name(mapper: &Mapper<'_>, url: &str) -> String {
    let host = url.split("://").nth(1).unwrap_or(url).split([':', '/']).next().unwrap_or_default();
    let name = if host.starts_with(|c: char| c.is_ascii_alphabetic()) {
        host.split('.').next().unwrap_or(host).to_owned()
    } else {
        "collector".to_owned()
    };
    let known = mapper.facts.keys.get("logs").and_then(Value::as_object);
    let is_free = |name: &str| known.is_none_or(|known| !known.contains_key(name));
    free_name(&name, '-', is_free)
}

/// Maps `machine.registries.mirrors`.
pub(super) fn mirrors(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(mirrors) = value.as_object() else { return false };
    mirrors.iter().all(|(registry, mirror)| {
        let is_known = only(mirror, &["endpoints", "overridePath", "skipFallback"]).is_some();
        if is_known {
            mapper.set_at(&["registries", "mirrors", registry], mirror.clone());
            mapper.add_artifact("registries");
        }
        is_known
    })
}

/// Maps a document RegistryMirrorConfig.
pub(super) fn mirror(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "endpoints", "skipFallback"]).is_some();
    let (Some(name), Some(endpoints)) = (value["name"].as_str(), value["endpoints"].as_array()) else { return false };
    let urls: Vec<Value> = endpoints.iter().map(|endpoint| endpoint["url"].clone()).collect();
    let overrides: Vec<&Value> = endpoints.iter().map(|endpoint| &endpoint["overridePath"]).collect();
    if !is_known || overrides.windows(2).any(|pair| pair[0] != pair[1]) {
        return false;
    }
    let mut mirror = json!({ "endpoints": urls });
    if let Some(path) = overrides.first().filter(|path| path.is_boolean()) {
        mirror["overridePath"] = (*path).clone();
    }
    if let Some(skips) = value.get("skipFallback") {
        mirror["skipFallback"] = skips.clone();
    }
    mapper.set_at(&["registries", "mirrors", name], mirror);
    mapper.add_artifact("registries");
    true
}

/// Maps a document RegistryAuthConfig. Credentials in plain text become secrets.
pub(super) fn registry_auth(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["apiVersion", "kind", "name", "username", "password", "auth", "identityToken"];
    let Some(registry) = only(value, &known).and_then(|fields| fields.get("name")?.as_str()) else { return false };
    let mut auth = Map::new();
    auth.extend(value["username"].as_str().map(|user| ("username".to_owned(), user.into())));
    for (key, what) in [("password", "password"), ("auth", "auth"), ("identityToken", "token")] {
        if let Some(secret) = value[key].as_str() {
            let name = format!("{}-{what}", registry.replace(['.', ':', '/'], "-"));
            auth.insert(key.to_owned(), mapper.secret(secret, &name).into());
        }
    }
    mapper.set_at(&["registries", "auth", registry], Value::Object(auth));
    mapper.add_artifact("registries.auth");
    true
}

/// Maps a document RegistryTLSConfig. Its certificate is written to a file.
pub(super) fn registry_tls(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["apiVersion", "kind", "name", "ca", "insecureSkipVerify"];
    let Some(registry) = only(value, &known).and_then(|fields| fields.get("name")?.as_str()) else { return false };
    let mut tls = Map::new();
    if let Some(ca) = value["ca"].as_str() {
        let file = format!("{}-ca.pem", registry.replace([':', '/'], "-"));
        mapper.facts.referenced_files.insert(file.clone(), ca.to_owned());
        tls.insert("ca".to_owned(), file.into());
    }
    tls.extend(value.get("insecureSkipVerify").map(|skips| ("insecureSkipVerify".to_owned(), skips.clone())));
    mapper.set_at(&["registries", "tls", registry], Value::Object(tls));
    mapper.add_artifact("registries.tls");
    true
}
