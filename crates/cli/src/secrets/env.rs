//! The source `env`: a variable of the environment.

use zeroize::Zeroizing;

use super::answer::Answer;
use super::{SourceContext, value};

/// Asks a variable. One that is set and empty is not there, as CI systems set an unknown secret.
pub fn ask(name: &str, context: &SourceContext<'_>) -> Answer {
    let Some(found) = context.environment.get(name) else {
        // `read` keeps the value out of the shell's history.
        let help = format!("set the variable: read -rs {name} && export {name}");
        return Answer::absent(format!("the variable `{name}` is not set"), help);
    };
    let bytes = Zeroizing::new(found.as_encoded_bytes().to_vec());
    value::accept(&bytes).map_or_else(
        |why| Answer::failed(why, format!("set the variable to the value alone: read -rs {name} && export {name}")),
        Answer::Value,
    )
}
