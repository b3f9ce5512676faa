//! The validators, made from the schemas when talosmith is compiled.
//!
//! Compiling a schema at run time costs more than everything else that `check` does for one device.

use jsonschema::ValidationError;
use serde_json::Value;

use crate::scalar;
use crate::scalar::Format;

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
    "object-name" => crate::schema::validators::object_name,
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
    "object-name" => crate::schema::validators::object_name,
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

/// The functions that the validators know the formats by.
macro_rules! formats {
    ($($function:ident = $name:literal,)*) => {$(
        fn $function(text: &str) -> bool {
            const FORMAT: &Format = scalar::known($name);
            (FORMAT.check)(text).is_ok()
        }
    )*};
}

formats! {
    absolute_path = "absolute-path",
    argument = "argument",
    argument_name = "argument-name",
    cel = "cel",
    cidr = "cidr",
    code = "code",
    device_path = "device-path",
    dns_label = "dns-label",
    duration = "duration",
    endpoint = "endpoint",
    environment_variable = "environment-variable",
    extension = "extension",
    file_mode = "file-mode",
    host = "host",
    hostname = "hostname",
    image = "image",
    ip_address = "ip-address",
    kernel_argument = "kernel-argument",
    label_key = "label-key",
    label_value = "label-value",
    model_key = "model-key",
    name = "name",
    node_endpoint = "node-endpoint",
    object_name = "object-name",
    op_reference = "op-reference",
    registry = "registry",
    relative_path = "relative-path",
    route = "route",
    secret_name = "secret-name",
    size = "size",
    subject_alt_name = "subject-alt-name",
    subnet_filter = "subnet-filter",
    sysctl = "sysctl",
    tag = "tag",
    taint = "taint",
    talos_version = "talos-version",
    upper_bound = "upper-bound",
    url = "url",
    volume_name = "volume-name",
    volume_size = "volume-size",
}
