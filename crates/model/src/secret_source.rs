//! The source of a secret's value, as the fleet file specifies it. A source is a reference and never contains a value.

use camino::Utf8PathBuf;
use serde::Deserialize;

/// One source of a secret: a mapping with exactly one key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// A file with nothing but the value; relative to the repository's root unless absolute.
    File(Utf8PathBuf),
    /// A value inside a file that SOPS encrypted.
    Sops(SopsValue),
    /// A 1Password secret reference, `op://vault/item/field`.
    Op(String),
    /// A program and its arguments, run without a shell; it prints the value.
    Command(Vec<String>),
}

/// A value inside a file that SOPS encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SopsValue {
    /// Relative to the repository's root unless absolute.
    pub file: Utf8PathBuf,
    /// The keys that lead to the value, from the top of the document; none for the whole file.
    #[serde(default)]
    pub key: Vec<String>,
}

impl SecretSource {
    /// The key that the fleet file has for this kind of source.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Env(_) => "env",
            Self::File(_) => "file",
            Self::Sops(_) => "sops",
            Self::Op(_) => "op",
            Self::Command(_) => "command",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<SecretSource, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_source_is_a_mapping_with_one_key() {
        let cases = [
            (r#"{"env": "TAILSCALE_AUTHKEY"}"#, "env", SecretSource::Env("TAILSCALE_AUTHKEY".into())),
            (r#"{"file": "/run/secrets/tailscale"}"#, "file", SecretSource::File("/run/secrets/tailscale".into())),
            (
                r#"{"sops": {"file": "secrets.sops.yaml", "key": ["tailscale", "authkey"]}}"#,
                "sops",
                SecretSource::Sops(SopsValue {
                    file: "secrets.sops.yaml".into(),
                    key: vec!["tailscale".into(), "authkey".into()],
                }),
            ),
            (r#"{"op": "op://infra/a b/c"}"#, "op", SecretSource::Op("op://infra/a b/c".into())),
            (r#"{"command": ["bws", "get"]}"#, "command", SecretSource::Command(vec!["bws".into(), "get".into()])),
        ];
        for (json, kind, expected) in cases {
            let source = parse(json).expect(json);
            assert_eq!((source.kind(), &source), (kind, &expected));
        }
    }

    #[test]
    fn another_key_and_a_second_key_are_refused() {
        for json in [
            r#"{"vault": "x"}"#,
            r#"{"env": "A", "op": "op://a/b/c"}"#,
            r#"{}"#,
            r#"{"sops": {"file": "a", "key": [], "format": "yaml"}}"#,
        ] {
            assert!(parse(json).is_err(), "{json} was taken");
        }
    }
}
