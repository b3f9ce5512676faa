//! Runs the program of a source, and reports why it failed without any secret in the report.

use std::time::Duration;

use anstream::adapter::strip_str;
use camino::Utf8PathBuf;
use secrecy::SecretString;
use talosmith_document::Code;
use talosmith_render::Secrets;
use zeroize::Zeroizing;

use super::redactor::Redactor;
use super::sources::Failure;
use super::{Form, LARGEST_VALUE, SourceContext, value};
use crate::process::{Command, Output, ProcessError};

/// How much of a program's error output is shown. SOPS prints the reason in the sixth line.
const LINES: usize = 8;
const COLUMNS: usize = 200;

/// Shorter lines of standard output, in bytes, are not masked in the error output.
const SHORTEST_LINE: usize = 6;

/// The variables that every program gets in addition to those that every process gets: for the user's language, for asking on the
/// user's screen, and for reaching a server.
pub(super) const COMMON_VARIABLES: &[&str] = &[
    "XDG_*",
    "LANG",
    "LC_*",
    "TERM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

pub(super) struct Program<'a> {
    /// In messages.
    pub name: &'a str,
    /// A name that is looked up in PATH, or a path.
    pub path: Utf8PathBuf,
    pub arguments: &'a [&'a str],
    /// The variables that it gets. A name that ends in `*` is a prefix.
    pub environment: &'a [&'a str],
    /// The help if the program is not found.
    pub install: &'a str,
    /// The help if it fails.
    pub help: &'a str,
}

/// Runs a program in the root of the repository, without input. What it prints is the value.
pub(super) fn run(
    program: &Program<'_>,
    form: Form,
    context: &SourceContext<'_>,
    known: &Secrets,
) -> Result<SecretString, Failure> {
    let name = program.name;
    let command = Command {
        folder: Some(context.root.to_owned()),
        environment: COMMON_VARIABLES.iter().chain(program.environment).map(|&name| name.to_owned()).collect(),
        // Long enough to touch a hardware key, short enough for a pre-commit hook or a pipeline.
        timeout: Duration::from_secs(60),
        cap: LARGEST_VALUE,
        ..Command::new(program.path.as_str(), program.arguments.iter().copied())
    };
    let output = match context.processes.run(&command) {
        Ok(output) => output,
        Err(ProcessError::NotFound { .. }) => {
            let reason = format!("the program `{name}` was not found");
            return Err(Failure::new(Code::SecretUnavailable, reason, program.install));
        }
        Err(error) => return Err(Failure::new(Code::SecretFailed, error.to_string(), program.help)),
    };
    let reason = match output.status {
        Some(0) => match value::parse(&output.stdout, form) {
            Ok(value) => return Ok(value),
            Err(reason) => reason.to_owned(),
        },
        Some(code) => format!("`{name}` exited with code {code}"),
        None => format!("`{name}` was killed by a signal"),
    };
    let mut failure = Failure::new(Code::SecretFailed, reason, program.help);
    let printed = error_output(&output, context, known);
    if !printed.is_empty() {
        failure.notes.push(format!("`{name}` printed: {printed}"));
    }
    Err(failure)
}

/// The error output of a failing program, with secrets masked.
fn error_output(output: &Output, context: &SourceContext<'_>, known: &Secrets) -> String {
    let mut redactor = Redactor::new(known);
    context.variables.credentials().for_each(|credential| redactor.add(credential));
    // Even a failing program may have printed the value, and may repeat it in its error output.
    let printed = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
    printed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).for_each(|line| redactor.add(line));
    // Control characters and escape sequences could hide a secret from the redactor, or text from the reader.
    let errors = Zeroizing::new(String::from_utf8_lossy(&output.stderr).into_owned());
    let characters = strip_str(&errors).flat_map(str::chars);
    let text: Zeroizing<String> = Zeroizing::new(characters.filter(|c| *c == '\n' || !c.is_control()).collect());
    redactor.redact_parts(&excerpt(&redactor.redact(&text)))
}

/// The first lines that are not empty, each cut to a readable length.
fn excerpt(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    let cut = |line: &str| match line.char_indices().nth(COLUMNS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    lines.map(cut).collect::<Vec<_>>().join("\n")
}
