//! The source `sops`: a value in a file that SOPS encrypted, read with the program `sops`.

use secrecy::ExposeSecret;
use talosmith_document::Code;
use talosmith_model::SopsValue;
use talosmith_render::Secrets;

use super::fetched::{Failure, Fetched};
use super::local_file::{self, LocalFile};
use super::program::{Program, run};
use super::redactor::Redactor;
use super::{SourceContext, shell_quote};

/// The variables with which SOPS finds its keys: age, GnuPG, and cloud services.
const ENVIRONMENT: &[&str] =
    &["SOPS_*", "AGE_*", "GNUPGHOME", "GPG_TTY", "AWS_*", "GOOGLE_*", "CLOUDSDK_CONFIG", "AZURE_*", "VAULT_*"];

/// Decrypts one value with SOPS.
pub(super) fn fetch(source: &SopsValue, context: &SourceContext<'_>, known: &Secrets) -> Fetched {
    let SopsValue { file, key } = source;
    let path = context.root.join(file);
    let quoted = shell_quote(path.as_str());
    if !local_file::exists(&path) {
        let help = format!("create the file: sops edit {quoted}");
        return Fetched::unavailable(format!("the file `{file}` does not exist"), help);
    }
    // SOPS splits the path at every `[`, quoted or not, and has no escapes (`parseTreePath` in cmd/sops/main.go, v3.13).
    if key.is_empty() || key.iter().any(|part| part.contains('[')) {
        let reason = "SOPS cannot extract a key that is empty or contains a `[`";
        return Fetched::failed(reason, "rename the key in the encrypted file");
    }
    let extract: String = key.iter().map(|part| format!("[\"{part}\"]")).collect();
    let help = format!("try it: sops decrypt --extract {} {quoted} > /dev/null", shell_quote(&extract));
    let fetched = run(
        &Program {
            name: "sops",
            path: "sops".into(),
            arguments: &["decrypt", "--extract", &extract, path.as_str()],
            environment: ENVIRONMENT,
            install: "install `sops`",
            help: &help,
        },
        context,
        known,
    );
    // With a wrong `encrypted_regex` SOPS silently leaves a value unencrypted.
    if let Fetched::Value(value) = &fetched {
        let mut redactor = Redactor::default();
        redactor.add(value.expose_secret());
        if let Ok(LocalFile::Content(content)) = local_file::read(&path, usize::MAX)
            && redactor.contains_secret(&String::from_utf8_lossy(&content))
        {
            return Fetched::Failed(Failure {
                code: Code::LiteralSecret,
                reason: format!("`{file}` contains it unencrypted"),
                notes: vec!["a rule such as `encrypted_regex` in .sops.yaml excludes the key".to_owned()],
                help: format!("fix the rule, then encrypt the file again: sops encrypt --in-place {quoted}"),
            });
        }
    }
    fetched
}
