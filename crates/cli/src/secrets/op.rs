//! The source `op`: 1Password, through its command line.

use talosmith_render::Secrets;

use super::fetched::Fetched;
use super::program::{Program, run};
use super::{SourceContext, shell_quote};

/// The variables with which `op` is configured, such as tokens and hosts.
const ENVIRONMENT: &[&str] = &["OP_*"];

/// Reads the value from 1Password with one `op read`, and never retries: small accounts have few reads per day, and a failed read
/// counts.
pub(super) fn fetch(reference: &str, context: &SourceContext<'_>, known: &Secrets) -> Fetched {
    if !reference.starts_with("op://") {
        return Fetched::failed("the reference does not begin with `op://`", "write it as op://VAULT/ITEM/FIELD");
    }
    let help = format!("sign in with `op signin`, or try it: op read {} > /dev/null", shell_quote(reference));
    run(
        &Program {
            name: "op",
            path: "op".into(),
            arguments: &["read", "--no-newline", reference],
            environment: ENVIRONMENT,
            install: "install the 1Password command line `op`, and sign in: op signin",
            help: &help,
        },
        context,
        known,
    )
}
