//! The source `sops`: a value inside a file that SOPS encrypted, through the program of that name.

use secrecy::ExposeSecret;
use talosmith_document::Code;
use talosmith_model::SopsValue;
use talosmith_render::Secrets;

use super::answer::{Answer, Failure};
use super::program::{Program, run};
use super::redactor::Redactor;
use super::{SourceContext, shell_word};

/// Where SOPS finds its keys: age, GnuPG, and the cloud services that it asks.
const ENVIRONMENT: &[&str] =
    &["SOPS_*", "AGE_*", "GNUPGHOME", "GPG_TTY", "AWS_*", "GOOGLE_*", "CLOUDSDK_CONFIG", "AZURE_*", "VAULT_*"];

/// Asks SOPS for one value. Without the program the file is as good as not there: what it holds is no value.
pub fn ask(source: &SopsValue, context: &SourceContext<'_>, known: &Secrets) -> Answer {
    let SopsValue { file, key } = source;
    let path = context.root.join(file);
    let word = shell_word(path.as_str());
    if !path.exists() {
        return Answer::absent(format!("the file `{file}` is not there"), format!("make the file: sops edit {word}"));
    }
    // SOPS splits the path at every `[`, quoted or not, and knows no escapes (`parseTreePath` in cmd/sops/main.go, v3.13).
    if key.is_empty() || key.iter().any(|part| part.contains('[')) {
        let why = "SOPS cannot extract a key that is empty or has a `[` in it";
        return Answer::failed(why, "rename the key in the encrypted file");
    }
    let extract: String = key.iter().map(|part| format!("[\"{part}\"]")).collect();
    let help = format!("try it: sops decrypt --extract {} {word} > /dev/null", shell_word(&extract));
    let answer = run(
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
    // With a wrong `encrypted_regex` SOPS leaves a value as it is and says nothing.
    if let Answer::Value(value) = &answer {
        let mut redactor = Redactor::default();
        redactor.learn(value.expose_secret());
        if fs_err::read(&path).is_ok_and(|bytes| redactor.finds_in(&String::from_utf8_lossy(&bytes))) {
            return Answer::Failed(Failure {
                code: Code::LiteralSecret,
                why: format!("`{file}` holds it unencrypted"),
                notes: vec!["a rule such as `encrypted_regex` in .sops.yaml leaves the key out".to_owned()],
                help: format!("mend the rule, then encrypt the file again: sops encrypt --in-place {word}"),
            });
        }
    }
    answer
}
