//! The validators, made from the schemas when talosmith is compiled.
//!
//! Compiling a schema at run time costs more than everything else that `check` does for one device.

use jsonschema::ValidationError;
use serde_json::Value;

use crate::scalar;

/// Accepts what `devices/<name>/device.yaml` may hold.
#[jsonschema::validator(path = "../../schemas/device.schema.json", validate_formats = true, ignore_unknown_formats = false, formats = {
    "absolute-path" => crate::schema::validators::absolute_path,
    "argument" => crate::schema::validators::argument,
    "argument-name" => crate::schema::validators::argument_name,
    "cel" => crate::schema::validators::cel,
    "cidr" => crate::schema::validators::cidr,
    "code" => crate::schema::validators::code,
    "device-path" => crate::schema::validators::device_path,
    "dns-label" => crate::schema::validators::dns_label,
    "duration" => crate::schema::validators::duration,
    "endpoint" => crate::schema::validators::endpoint,
    "environment-variable" => crate::schema::validators::environment_variable,
    "extension" => crate::schema::validators::extension,
    "file-mode" => crate::schema::validators::file_mode,
    "host" => crate::schema::validators::host,
    "hostname" => crate::schema::validators::hostname,
    "image" => crate::schema::validators::image,
    "ip-address" => crate::schema::validators::ip_address,
    "kernel-argument" => crate::schema::validators::kernel_argument,
    "label-key" => crate::schema::validators::label_key,
    "label-value" => crate::schema::validators::label_value,
    "model-key" => crate::schema::validators::model_key,
    "name" => crate::schema::validators::name,
    "node-endpoint" => crate::schema::validators::node_endpoint,
    "op-reference" => crate::schema::validators::op_reference,
    "registry" => crate::schema::validators::registry,
    "relative-path" => crate::schema::validators::relative_path,
    "route" => crate::schema::validators::route,
    "secret-name" => crate::schema::validators::secret_name,
    "size" => crate::schema::validators::size,
    "subject-alt-name" => crate::schema::validators::subject_alt_name,
    "subnet-filter" => crate::schema::validators::subnet_filter,
    "sysctl" => crate::schema::validators::sysctl,
    "tag" => crate::schema::validators::tag,
    "taint" => crate::schema::validators::taint,
    "talos-version" => crate::schema::validators::talos_version,
    "upper-bound" => crate::schema::validators::upper_bound,
    "url" => crate::schema::validators::url,
    "volume-name" => crate::schema::validators::volume_name,
    "volume-size" => crate::schema::validators::volume_size,
})]
pub struct Device;

/// Accepts what talosmith.yaml may hold.
#[jsonschema::validator(path = "../../schemas/fleet.schema.json", resources = {
    "https://talosmith.dev/schemas/device.schema.json" => { path = "../../schemas/device.schema.json" },
}, validate_formats = true, ignore_unknown_formats = false, formats = {
    "absolute-path" => crate::schema::validators::absolute_path,
    "argument" => crate::schema::validators::argument,
    "argument-name" => crate::schema::validators::argument_name,
    "cel" => crate::schema::validators::cel,
    "cidr" => crate::schema::validators::cidr,
    "code" => crate::schema::validators::code,
    "device-path" => crate::schema::validators::device_path,
    "dns-label" => crate::schema::validators::dns_label,
    "duration" => crate::schema::validators::duration,
    "endpoint" => crate::schema::validators::endpoint,
    "environment-variable" => crate::schema::validators::environment_variable,
    "extension" => crate::schema::validators::extension,
    "file-mode" => crate::schema::validators::file_mode,
    "host" => crate::schema::validators::host,
    "hostname" => crate::schema::validators::hostname,
    "image" => crate::schema::validators::image,
    "ip-address" => crate::schema::validators::ip_address,
    "kernel-argument" => crate::schema::validators::kernel_argument,
    "label-key" => crate::schema::validators::label_key,
    "label-value" => crate::schema::validators::label_value,
    "model-key" => crate::schema::validators::model_key,
    "name" => crate::schema::validators::name,
    "node-endpoint" => crate::schema::validators::node_endpoint,
    "op-reference" => crate::schema::validators::op_reference,
    "registry" => crate::schema::validators::registry,
    "relative-path" => crate::schema::validators::relative_path,
    "route" => crate::schema::validators::route,
    "secret-name" => crate::schema::validators::secret_name,
    "size" => crate::schema::validators::size,
    "subject-alt-name" => crate::schema::validators::subject_alt_name,
    "subnet-filter" => crate::schema::validators::subnet_filter,
    "sysctl" => crate::schema::validators::sysctl,
    "tag" => crate::schema::validators::tag,
    "taint" => crate::schema::validators::taint,
    "talos-version" => crate::schema::validators::talos_version,
    "upper-bound" => crate::schema::validators::upper_bound,
    "url" => crate::schema::validators::url,
    "volume-name" => crate::schema::validators::volume_name,
    "volume-size" => crate::schema::validators::volume_size,
})]
pub struct Fleet;

/// Everything that the device's schema refuses.
pub fn device_faults(value: &Value) -> Vec<ValidationError<'_>> {
    Device::iter_errors(value).collect()
}

/// Everything that the fleet's schema refuses.
pub fn fleet_faults(value: &Value) -> Vec<ValidationError<'_>> {
    Fleet::iter_errors(value).collect()
}

fn absolute_path(text: &str) -> bool {
    scalar::is("absolute-path", text)
}

fn argument(text: &str) -> bool {
    scalar::is("argument", text)
}

fn argument_name(text: &str) -> bool {
    scalar::is("argument-name", text)
}

fn cel(text: &str) -> bool {
    scalar::is("cel", text)
}

fn cidr(text: &str) -> bool {
    scalar::is("cidr", text)
}

fn code(text: &str) -> bool {
    scalar::is("code", text)
}

fn device_path(text: &str) -> bool {
    scalar::is("device-path", text)
}

fn dns_label(text: &str) -> bool {
    scalar::is("dns-label", text)
}

fn duration(text: &str) -> bool {
    scalar::is("duration", text)
}

fn endpoint(text: &str) -> bool {
    scalar::is("endpoint", text)
}

fn environment_variable(text: &str) -> bool {
    scalar::is("environment-variable", text)
}

fn extension(text: &str) -> bool {
    scalar::is("extension", text)
}

fn file_mode(text: &str) -> bool {
    scalar::is("file-mode", text)
}

fn host(text: &str) -> bool {
    scalar::is("host", text)
}

fn hostname(text: &str) -> bool {
    scalar::is("hostname", text)
}

fn image(text: &str) -> bool {
    scalar::is("image", text)
}

fn ip_address(text: &str) -> bool {
    scalar::is("ip-address", text)
}

fn kernel_argument(text: &str) -> bool {
    scalar::is("kernel-argument", text)
}

fn label_key(text: &str) -> bool {
    scalar::is("label-key", text)
}

fn label_value(text: &str) -> bool {
    scalar::is("label-value", text)
}

fn model_key(text: &str) -> bool {
    scalar::is("model-key", text)
}

fn name(text: &str) -> bool {
    scalar::is("name", text)
}

fn node_endpoint(text: &str) -> bool {
    scalar::is("node-endpoint", text)
}

fn op_reference(text: &str) -> bool {
    scalar::is("op-reference", text)
}

fn registry(text: &str) -> bool {
    scalar::is("registry", text)
}

fn relative_path(text: &str) -> bool {
    scalar::is("relative-path", text)
}

fn route(text: &str) -> bool {
    scalar::is("route", text)
}

fn secret_name(text: &str) -> bool {
    scalar::is("secret-name", text)
}

fn size(text: &str) -> bool {
    scalar::is("size", text)
}

fn subject_alt_name(text: &str) -> bool {
    scalar::is("subject-alt-name", text)
}

fn subnet_filter(text: &str) -> bool {
    scalar::is("subnet-filter", text)
}

fn sysctl(text: &str) -> bool {
    scalar::is("sysctl", text)
}

fn tag(text: &str) -> bool {
    scalar::is("tag", text)
}

fn taint(text: &str) -> bool {
    scalar::is("taint", text)
}

fn talos_version(text: &str) -> bool {
    scalar::is("talos-version", text)
}

fn upper_bound(text: &str) -> bool {
    scalar::is("upper-bound", text)
}

fn url(text: &str) -> bool {
    scalar::is("url", text)
}

fn volume_name(text: &str) -> bool {
    scalar::is("volume-name", text)
}

fn volume_size(text: &str) -> bool {
    scalar::is("volume-size", text)
}
