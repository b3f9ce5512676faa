//! Runs the program behind a source, and says why it failed without saying more than it may.

use std::time::Duration;

use camino::Utf8PathBuf;
use talosmith_render::Secrets;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::redactor::Redactor;
use super::{LARGEST_VALUE, SourceContext, value};
use crate::process::{Command, Output, ProcessError};

/// Time enough to touch a key, too short to hang a pre-commit hook or a pipeline.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is shown of a program's complaint.
const LINES: usize = 8; // SOPS has its reason in the sixth.
const COLUMNS: usize = 200;

/// A shorter line of output, in bytes, is not masked in the complaint.
const SHORTEST_LINE: usize = 6;

/// What any program needs beside what all get, to speak the user's language, ask on the user's screen and reach its server.
pub const SURROUNDINGS: &[&str] = &[
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

/// A program that prints a value.
pub struct Program<'a> {
    /// The name that messages use.
    pub name: &'a str,
    /// A name that is looked up in PATH, or a path.
    pub path: Utf8PathBuf,
    pub arguments: &'a [&'a str],
    /// The variables that it gets; a name that ends in `*` stands for all that begin so.
    pub environment: &'a [&'a str],
    /// What to do where the program is not found.
    pub install: &'a str,
    /// What to do where it fails.
    pub help: &'a str,
}

/// Runs a program in the root of the repository, without input, and takes what it prints as the value.
pub fn run(program: &Program<'_>, context: &SourceContext<'_>, known: &Secrets) -> Answer {
    let name = program.name;
    let command = Command {
        folder: Some(context.root.to_owned()),
        environment: SURROUNDINGS.iter().chain(program.environment).map(|&name| name.to_owned()).collect(),
        timeout: PATIENCE,
        cap: LARGEST_VALUE,
        ..Command::new(program.path.as_str(), program.arguments.iter().copied())
    };
    let output = match context.processes.run(&command) {
        Ok(output) => output,
        Err(ProcessError::NotFound { .. }) => {
            return Answer::absent(format!("the program `{name}` is not found"), program.install);
        }
        Err(error) => return Answer::failed(error.to_string(), program.help),
    };
    let why = match output.status {
        Some(0) => match value::accept(&output.stdout) {
            Ok(value) => return Answer::Value(value),
            Err(why) => why.to_owned(),
        },
        Some(code) => format!("`{name}` ended with exit code {code}"),
        None => format!("`{name}` was ended by a signal"),
    };
    let mut answer = Answer::failed(why, program.help);
    let complaint = complaint(&output, context, known);
    if let (Answer::Failed(failure), false) = (&mut answer, complaint.is_empty()) {
        failure.notes.push(format!("`{name}` says: {complaint}"));
    }
    answer
}

/// What a failing program says, without anything secret.
fn complaint(output: &Output, context: &SourceContext<'_>, known: &Secrets) -> String {
    let mut redactor = Redactor::of(known);
    context.environment.credentials().for_each(|credential| redactor.learn(credential));
    // What a failing program printed may be the value all the same, and its complaint may quote it.
    let printed = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
    printed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).for_each(|line| redactor.learn(line));
    let text = Zeroizing::new(printable(&String::from_utf8_lossy(&output.stderr)));
    excerpt(&redactor.redact(&text))
}

/// The text without the control sequences of a terminal, which could hide a secret from the redactor, or more from the reader.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' && characters.peek() == Some(&'[') {
            // ECMA-48: parameters and intermediates up to a final byte.
            characters.by_ref().skip(1).find(|character| ('@'..='~').contains(character));
        } else if character == '\n' || !character.is_control() {
            clean.push(character);
        }
    }
    clean
}

/// The first lines that say something, each cut to a readable length.
fn excerpt(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    let cut = |line: &str| match line.char_indices().nth(COLUMNS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    lines.map(cut).collect::<Vec<_>>().join("\n")
}
