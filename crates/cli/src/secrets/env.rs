//! The source `env`: an environment variable.

use zeroize::Zeroizing;

use super::fetched::Fetched;
use super::{SourceContext, value};

/// Reads the value from a variable. An empty variable counts as unavailable: CI systems set unknown secrets to an empty string.
pub(super) fn fetch(name: &str, context: &SourceContext<'_>) -> Fetched {
    let Some(found) = context.variables.get(name) else {
        // `read` keeps the value out of the shell's history.
        let help = format!("set the variable: read -rs {name} && export {name}");
        return Fetched::unavailable(format!("the variable `{name}` is not set"), help);
    };
    let bytes = Zeroizing::new(found.as_encoded_bytes().to_vec());
    let help = || format!("set the variable to the value alone: read -rs {name} && export {name}");
    value::parse(&bytes).map_or_else(|reason| Fetched::failed(reason, help()), Fetched::Value)
}
