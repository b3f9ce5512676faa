//! Fetches the value of a secret from one of the sources in talosmith.yaml.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "the module that reads secrets, whose files can be outside the repository"
    )
)]

use std::io::{ErrorKind, Read as _};

use camino::Utf8Path;
use secrecy::{ExposeSecret as _, SecretString};
use talosmith_document::Code;
use talosmith_model::{SecretSource, SopsValue};
use talosmith_render::Secrets;
use zeroize::Zeroizing;

use super::program::{Program, run};
use super::redactor::Redactor;
use super::{Form, LARGEST_VALUE, SourceContext, value};
use crate::printable::shell_quote;

/// The variables with which SOPS finds its keys: age, GnuPG, and cloud services.
const SOPS_VARIABLES: &[&str] =
    &["SOPS_*", "AGE_*", "GNUPGHOME", "GPG_TTY", "AWS_*", "GOOGLE_*", "CLOUDSDK_CONFIG", "AZURE_*", "VAULT_*"];

/// Why a source has no usable value. Contains nothing secret.
pub(super) struct Failure {
    /// [`Code::SecretUnavailable`] if the source does not exist here: only then is the next one tried.
    pub code: Code,
    /// The last part of the finding's message.
    pub reason: String,
    /// Such as the error output of a program.
    pub notes: Vec<String>,
    pub help: String,
}

impl Failure {
    pub(super) fn new(code: Code, reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), notes: Vec::new(), help: help.into() }
    }
}

fn unavailable(reason: String, help: impl Into<String>) -> Failure {
    Failure::new(Code::SecretUnavailable, reason, help)
}

fn failed(reason: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure::new(Code::SecretFailed, reason, help)
}

/// Fetches a value. `known` are the values that were fetched before, for masking the output of programs.
pub(super) fn fetch(
    source: &SecretSource,
    form: Form,
    context: &SourceContext<'_>,
    known: &Secrets,
) -> Result<SecretString, Failure> {
    match source {
        SecretSource::Env(name) => env(name, form, context),
        SecretSource::File(path) => file(path, form, context),
        SecretSource::Sops(value) => sops(value, form, context, known),
        SecretSource::Op(reference) => op(reference, form, context, known),
        SecretSource::Command(words) => command(words, form, context, known),
    }
}

/// Reads a variable. An empty variable counts as unavailable: CI systems set unknown secrets to an empty string.
fn env(name: &str, form: Form, context: &SourceContext<'_>) -> Result<SecretString, Failure> {
    // `read` keeps the value out of the shell's history.
    let read = format!("read -rs {name} && export {name}");
    let Some(found) = context.variables.get(name) else {
        return Err(unavailable(format!("the variable `{name}` is not set"), format!("set the variable: {read}")));
    };
    value::parse(found.as_encoded_bytes(), form)
        .map_err(|reason| failed(reason, format!("set the variable to the value alone: {read}")))
}

fn file(file: &Utf8Path, form: Form, context: &SourceContext<'_>) -> Result<SecretString, Failure> {
    let path = context.root.join(file);
    let quoted = shell_quote(path.as_str());
    // With this umask the file has mode 0600 from the start, so that no other user can ever read it.
    let write = format!("write the value, and nothing else, to the file: (umask 077 && cat > {quoted})");
    let look = format!("look at the file: ls -lL {quoted}");
    let mut content = Zeroizing::new(Vec::new());
    // Links are followed, because systemd, Kubernetes and SOPS-Nix provide secrets as links.
    let read = fs_err::metadata(&path).and_then(|found| {
        // Reading a pipe without a writer would never return.
        let opened = if found.is_file() { Some(fs_err::File::open(&path)?) } else { None };
        opened.map(|opened| opened.take(LARGEST_VALUE as u64 + 1).read_to_end(&mut content)).transpose()
    });
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(unavailable(format!("the file `{file}` does not exist"), write))
        }
        Err(error) => Err(failed(format!("`{file}` cannot be read ({})", error.kind()), look)),
        Ok(None) => Err(failed(format!("`{file}` is not a file"), look)),
        Ok(Some(length)) if length > LARGEST_VALUE => Err(failed(format!("`{file}` has more than 64 KiB"), write)),
        Ok(Some(_)) => value::parse(&content, form).map_err(|reason| failed(reason, write)),
    }
}

/// Decrypts one value of a file with the program `sops`, or the whole file if no key is given.
fn sops(source: &SopsValue, form: Form, context: &SourceContext<'_>, known: &Secrets) -> Result<SecretString, Failure> {
    let SopsValue { file, key } = source;
    let path = context.root.join(file);
    let quoted = shell_quote(path.as_str());
    if !path.exists() {
        let help = format!("create the file: sops edit {quoted}");
        return Err(unavailable(format!("the file `{file}` does not exist"), help));
    }
    // SOPS splits the path at every `[`, quoted or not, and has no escapes (`parseTreePath` in cmd/sops/main.go, v3.13).
    if key.is_empty() != (form == Form::File) || key.iter().any(|part| part.contains('[')) {
        let reason = "SOPS cannot extract a key that is empty or contains a `[`";
        return Err(failed(reason, "rename the key in the encrypted file"));
    }
    let extract: String = key.iter().map(|part| format!("[\"{part}\"]")).collect();
    let (whole, part) = (["decrypt", path.as_str()], ["decrypt", "--extract", &extract, path.as_str()]);
    let arguments: &[&str] = if key.is_empty() { &whole } else { &part };
    let words: Vec<String> = arguments.iter().map(|argument| shell_quote(argument)).collect();
    let program = Program {
        name: "sops",
        path: "sops".into(),
        arguments,
        environment: SOPS_VARIABLES,
        install: "install `sops`",
        help: &format!("try it: sops {} > /dev/null", words.join(" ")),
    };
    let value = run(&program, form, context, known)?;
    if form == Form::File {
        return Ok(value);
    }
    // With a wrong `encrypted_regex` SOPS silently leaves a value unencrypted.
    let mut redactor = Redactor::default();
    redactor.add(value.expose_secret());
    if path.is_file()
        && let Ok(content) = fs_err::read(&path).map(Zeroizing::new)
        && redactor.contains_secret(&String::from_utf8_lossy(&content))
    {
        let help = format!("fix the rule, then encrypt the file again: sops encrypt --in-place {quoted}");
        let mut failure = Failure::new(Code::LiteralSecret, format!("`{file}` contains it unencrypted"), help);
        failure.notes.push("a rule such as `encrypted_regex` in .sops.yaml excludes the key".to_owned());
        return Err(failure);
    }
    Ok(value)
}

/// Reads the value from 1Password with one `op read`, and never retries: small accounts have few reads per day, and a failed read
/// counts.
fn op(reference: &str, form: Form, context: &SourceContext<'_>, known: &Secrets) -> Result<SecretString, Failure> {
    if !reference.starts_with("op://") {
        return Err(failed("the reference does not begin with `op://`", "write it as op://VAULT/ITEM/FIELD"));
    }
    let program = Program {
        name: "op",
        path: "op".into(),
        arguments: &["read", "--no-newline", reference],
        environment: &["OP_*"],
        install: "install the 1Password command line `op`, and sign in: op signin",
        help: &format!("sign in with `op signin`, or try it: op read {} > /dev/null", shell_quote(reference)),
    };
    run(&program, form, context, known)
}

/// Runs any program that prints the value, without a shell. It gets the whole environment, because only the user knows which variables
/// it needs, and would run it by hand from the same shell.
fn command(
    command: &[String],
    form: Form,
    context: &SourceContext<'_>,
    known: &Secrets,
) -> Result<SecretString, Failure> {
    let Some((name, arguments)) = command.split_first() else {
        return Err(failed("the command is empty", "write it as [program, argument, argument]"));
    };
    let quoted: Vec<String> = command.iter().map(|argument| shell_quote(argument)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = Program {
        name,
        // A relative path starts at the root of the repository, in whichever folder talosmith was started.
        path: if name.contains('/') { context.root.join(name) } else { name.into() },
        arguments: &arguments,
        environment: &["*"],
        install: &format!("install `{name}`, or write its path"),
        help: &format!("try it: {} > /dev/null", quoted.join(" ")),
    };
    run(&program, form, context, known)
}
