//! What templates see of a device: a field becomes a value when a template asks for it, since each template asks for a few.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use talosmith_model::plan::Device;

use crate::engine;

/// A device as templates see it.
#[must_use]
pub fn of(device: &Arc<Device>) -> Value {
    Value::from_object(View(Arc::clone(device)))
}

struct View(Arc<Device>);

macro_rules! fields {
    ($($field:ident),* $(,)?) => {
        const FIELDS: &[&str] = &[$(stringify!($field)),*];

        fn field(device: &Device, name: &str) -> Option<Value> {
            $(if name == stringify!($field) {
                return Some(engine::context(&device.$field));
            })*
            None
        }
    };
}

// All that the plan does not keep to itself; a test holds the list to the type.
fields!(
    name,
    cluster,
    role,
    address,
    arch,
    hostname,
    endpoint,
    cert_sans,
    talos_version,
    base_config,
    flavour,
    ships_cri_customization,
    schematics,
    install,
    disks,
    volumes,
    local_paths,
    storage_classes,
    kata,
    gpu,
    labels,
    annotations,
    taints,
    nameservers,
    search_domains,
    time,
    kernel_modules,
    sysctls,
    machine_files,
    mirrors,
    tailscale,
    extension_services,
    kubelet,
    etcd,
    api_server,
    allow_scheduling_on_control_planes,
);

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        field(&self.0, key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        field(&self.0, key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(FIELDS)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("View").field(&self.0.name).finish()
    }
}
