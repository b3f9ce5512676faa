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
    "cel" => crate::schema::validators::cel,
    "cidr" => crate::schema::validators::cidr,
    "code" => crate::schema::validators::code,
    "device-path" => crate::schema::validators::device_path,
    "dns-label" => crate::schema::validators::dns_label,
    "endpoint" => crate::schema::validators::endpoint,
    "environment-variable" => crate::schema::validators::environment_variable,
    "extension" => crate::schema::validators::extension,
    "hostname" => crate::schema::validators::hostname,
    "image" => crate::schema::validators::image,
    "ip-address" => crate::schema::validators::ip_address,
    "kernel-argument" => crate::schema::validators::kernel_argument,
    "label-key" => crate::schema::validators::label_key,
    "label-value" => crate::schema::validators::label_value,
    "model-key" => crate::schema::validators::model_key,
    "name" => crate::schema::validators::name,
    "object-name" => crate::schema::validators::object_name,
    "op-reference" => crate::schema::validators::op_reference,
    "relative-path" => crate::schema::validators::relative_path,
    "route" => crate::schema::validators::route,
    "secret-name" => crate::schema::validators::secret_name,
    "size" => crate::schema::validators::size,
    "tag" => crate::schema::validators::tag,
    "talos-version" => crate::schema::validators::talos_version,
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
    "cel" => crate::schema::validators::cel,
    "cidr" => crate::schema::validators::cidr,
    "code" => crate::schema::validators::code,
    "device-path" => crate::schema::validators::device_path,
    "dns-label" => crate::schema::validators::dns_label,
    "endpoint" => crate::schema::validators::endpoint,
    "environment-variable" => crate::schema::validators::environment_variable,
    "extension" => crate::schema::validators::extension,
    "hostname" => crate::schema::validators::hostname,
    "image" => crate::schema::validators::image,
    "ip-address" => crate::schema::validators::ip_address,
    "kernel-argument" => crate::schema::validators::kernel_argument,
    "label-key" => crate::schema::validators::label_key,
    "label-value" => crate::schema::validators::label_value,
    "model-key" => crate::schema::validators::model_key,
    "name" => crate::schema::validators::name,
    "object-name" => crate::schema::validators::object_name,
    "op-reference" => crate::schema::validators::op_reference,
    "relative-path" => crate::schema::validators::relative_path,
    "route" => crate::schema::validators::route,
    "secret-name" => crate::schema::validators::secret_name,
    "size" => crate::schema::validators::size,
    "tag" => crate::schema::validators::tag,
    "talos-version" => crate::schema::validators::talos_version,
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

fn endpoint(text: &str) -> bool {
    scalar::is("endpoint", text)
}

fn environment_variable(text: &str) -> bool {
    scalar::is("environment-variable", text)
}

fn extension(text: &str) -> bool {
    scalar::is("extension", text)
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

fn object_name(text: &str) -> bool {
    scalar::is("object-name", text)
}

fn op_reference(text: &str) -> bool {
    scalar::is("op-reference", text)
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

fn tag(text: &str) -> bool {
    scalar::is("tag", text)
}

fn talos_version(text: &str) -> bool {
    scalar::is("talos-version", text)
}

fn volume_name(text: &str) -> bool {
    scalar::is("volume-name", text)
}

fn volume_size(text: &str) -> bool {
    scalar::is("volume-size", text)
}
