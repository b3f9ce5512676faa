//! The validators, generated from the schemas when talosmith is compiled.
//!
//! Compiling a schema at run time costs more than everything else that `check` does for one device.

use crate::scalar::with_scalars;

macro_rules! validators {
    ($($format:literal $code:ident $type:ident $pattern:literal;)*) => {
        /// Validates `devices/<name>/device.yaml`.
        #[jsonschema::validator(
            path = "../../schemas/model/device.schema.json",
            validate_formats = true,
            ignore_unknown_formats = false,
            formats = { $($format => crate::scalar::is_valid::<crate::scalar::$type>,)* }
        )]
        pub(super) struct Device;

        /// Validates talosmith.yaml.
        #[jsonschema::validator(
            path = "../../schemas/model/fleet.schema.json",
            resources = {
                "https://talosmith.dev/schemas/device.schema.json" => { path = "../../schemas/model/device.schema.json" },
            },
            validate_formats = true,
            ignore_unknown_formats = false,
            formats = { $($format => crate::scalar::is_valid::<crate::scalar::$type>,)* }
        )]
        pub(super) struct Fleet;
    };
}

with_scalars!(validators);
