//! The source `op`: 1Password, through its command line.

use talosmith_render::Secrets;

use super::answer::Answer;
use super::program::{Program, run};
use super::{SourceContext, shell_word};

/// Where `op` finds its account: tokens and hosts are variables of its own.
const ENVIRONMENT: &[&str] = &["OP_*"];

/// Asks 1Password with one `op read`. Each costs one of the few reads that small accounts have in a day, and so does an error:
/// nothing is ever tried twice.
pub fn ask(reference: &str, context: &SourceContext<'_>, known: &Secrets) -> Answer {
    if !reference.starts_with("op://") {
        return Answer::failed("the reference does not begin with `op://`", "write it as op://VAULT/ITEM/FIELD");
    }
    let help = format!("sign in with `op signin`, or try it: op read {} > /dev/null", shell_word(reference));
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
