//! Secrets that are known by their form, whatever they are for.

use std::ops::Range;

use crate::placeholder::is_reference;

/// A secret that its issuer marks: what it begins with, the characters and the least length of the rest, and whose it is.
struct Form {
    prefixes: &'static [&'static str],
    is_part: fn(u8) -> bool,
    length: usize,
    name: &'static str,
}

/// Forms of secrets. Sources: docs.github.com (about authentication), docs.gitlab.com (token overview), docs.aws.amazon.com (IAM
/// identifiers), api.slack.com (token types), github.com/C2SP/C2SP (age). A Tailscale key is looked for in whole files.
const FORMS: &[Form] = &[
    Form { prefixes: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], is_part: is_word, length: 36, name: "a GitHub token" },
    Form { prefixes: &["github_pat_"], is_part: is_word, length: 40, name: "a GitHub token" },
    Form { prefixes: &["glpat-"], is_part: is_token, length: 20, name: "a GitLab token" },
    Form { prefixes: &["AKIA"], is_part: is_capital, length: 16, name: "an AWS access key" },
    Form {
        prefixes: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        is_part: is_token,
        length: 20,
        name: "a Slack token",
    },
    Form { prefixes: &["AGE-SECRET-KEY-1"], is_part: is_capital, length: 40, name: "an age key" },
    // The start of a header `{"alg":`, `{"typ":` or `{"kid":` in base64.
    Form {
        prefixes: &["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi"],
        is_part: is_token,
        length: 60,
        name: "a JSON Web Token",
    },
    Form { prefixes: &["jointoken="], is_part: is_token, length: 8, name: "a join token of SideroLink" },
];

/// What a PEM block with a private key begins with, and how its first line ends.
const PEM: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// The most bytes of that line, and the most characters of it in base64 that are read.
const FIRST_LINE: usize = 80;

/// The start of `-----BEGIN ` in base64.
const PEM_IN_BASE64: &str = "LS0tLS1CRUdJTi";

/// The end of `PRIVATE KEY` in base64, as it comes out at each of the three offsets.
const KEY_IN_BASE64: [&str; 3] = ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"];

/// The length of the shortest secret that is known by a form alone, without a `=` or `@` in it: that of an AWS access key.
const SHORTEST: usize = "AKIA".len() + 16;

/// The ends of the names of variables that hold a secret.
const SECRET_NAMES: [&str; 19] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "_PASS",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIALS",
    "AUTHKEY",
    "AUTH_KEY",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "SETUP_KEY",
    "SETUP_KEYS",
    "PRIVATE_KEY",
    "SECRET_KEY",
    "ENCRYPTION_KEY",
    "LICENSE_KEY",
    "_PSK",
];

/// A secret in a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSecret {
    /// What it is, such as "a GitHub token".
    pub name: &'static str,
    /// The bytes in which it is: the secret itself, or the start of a private key.
    pub range: Range<usize>,
}

/// Returns the first secret in a string, by its form.
#[must_use]
pub fn find(text: &str) -> Option<FoundSecret> {
    // Most values of a model and of a patch.
    if text.len() < SHORTEST && !text.bytes().any(|byte| matches!(byte, b'=' | b'@')) {
        return None;
    }
    let found = find_private_key(text).or_else(|| find_marked(text).next());
    found.or_else(|| find_variable(text)).or_else(|| find_argument(text)).or_else(|| find_login(text))
}

/// Returns the start of the first private key, in PEM or in base64 of it.
fn find_private_key(text: &str) -> Option<FoundSecret> {
    let is_pem = |rest: &str| {
        rest.starts_with(PEM.0) && {
            let start = &rest.as_bytes()[..rest.len().min(FIRST_LINE)];
            let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
            line.trim_ascii_end().ends_with(PEM.1.as_bytes())
        }
    };
    let is_encoded = |rest: &str| {
        rest.starts_with(PEM_IN_BASE64) && {
            let head: String = rest.chars().filter(|c| !c.is_whitespace()).take(FIRST_LINE).collect();
            KEY_IN_BASE64.iter().any(|key| head.contains(key))
        }
    };
    let (at, _) = text.bytes().enumerate().find(|(at, byte)| match byte {
        b'-' => is_pem(&text[*at..]),
        b'L' => is_encoded(&text[*at..]),
        _ => false,
    })?;
    Some(FoundSecret { name: "a private key", range: at..at + PEM.0.len() })
}

/// Returns the secrets that their issuers mark, in their order. Every value of a model and of a patch passes here, so the text is read once
/// for all forms.
fn find_marked(text: &str) -> impl Iterator<Item = FoundSecret> + '_ {
    let bytes = text.as_bytes();
    let is_start =
        |at: &usize| bytes[*at].is_ascii_alphabetic() && (*at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
    (0..bytes.len()).filter(is_start).filter_map(|at| {
        FORMS.iter().find_map(|form| Some(FoundSecret { name: form.name, range: form.part_of(bytes, at)? }))
    })
}

/// Returns the first value that a line assigns to a variable whose name is that of a secret, as in `GITHUB_TOKEN=…`.
fn find_variable(text: &str) -> Option<FoundSecret> {
    if !text.contains('=') {
        return None;
    }
    let mut start = 0;
    text.split_inclusive('\n').find_map(|line| {
        let at = start;
        start += line.len();
        let (left, value) = line.trim_end().split_once('=')?;
        let name = left.trim_start().trim_start_matches("export ");
        let value = value.trim_start_matches(['"', '\'']);
        let end = at + line.trim_end().len();
        is_secret_variable(name, value)
            .then(|| FoundSecret { name: "a variable with a secret", range: end - value.len()..end })
    })
}

/// Whether a variable holds a secret, by its name. A path, a reference, a placeholder and a Tailscale key, which has a finding of its
/// own, are none.
#[must_use]
pub fn is_secret_variable(name: &str, value: &str) -> bool {
    is_secret_name(name) && is_written_out(value)
}

fn is_secret_name(name: &str) -> bool {
    name.bytes().all(|byte| is_capital(byte) || byte == b'_') && SECRET_NAMES.iter().any(|end| name.ends_with(end))
}

/// The ends of the names of arguments that hold a secret. Credentials, keys and certificates are arguments with the paths of files, and an
/// argument such as `pull-secret` has the name of a Kubernetes object.
const SECRET_ARGUMENTS: [&str; 8] =
    ["token", "password", "passwd", "passphrase", "client-secret", "api-key", "auth-key", "access-key"];

/// Whether an argument holds a secret, by its name, which has dashes between its words.
#[must_use]
pub fn is_secret_argument(name: &str, value: &str) -> bool {
    is_secret_argument_name(name) && is_written_out(value) && !is_switch(value)
}

fn is_secret_argument_name(name: &str) -> bool {
    let is_end = |end: &&str| name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'));
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    SECRET_ARGUMENTS.iter().any(is_end) && name.bytes().all(is_part)
}

fn is_switch(value: &str) -> bool {
    matches!(value, "true" | "false") || value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the value of the first argument with a secret, as in `--client-secret=…`.
fn find_argument(text: &str) -> Option<FoundSecret> {
    if !text.contains('=') {
        return None;
    }
    let is_start = |at: usize| text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '-');
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | ']');
    text.match_indices("--").filter(|(at, _)| is_start(*at)).find_map(|(at, dashes)| {
        let rest = &text[at + dashes.len()..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
        let (name, rest) = rest.split_at(length);
        let value = rest.strip_prefix('=')?.trim_start_matches(['"', '\'']);
        // The end of the value is searched for only where there is a secret, so that the text is read once.
        if !is_secret_argument_name(name) || !is_written_out(value) {
            return None;
        }
        let start = text.len() - value.len();
        let value = value.split(is_end).next()?;
        (!is_switch(value))
            .then(|| FoundSecret { name: "an argument with a secret", range: start..start + value.len() })
    })
}

/// Returns the name of the variable of a secret whose value, in `NAME=value`, is a reference to it.
#[must_use]
pub fn reference_variable(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    is_reference_variable(name, value).then_some(name)
}

/// Whether a variable that holds a secret by its name has a reference instead.
#[must_use]
pub fn is_reference_variable(name: &str, value: &str) -> bool {
    is_secret_name(name) && is_reference(value)
}

/// Returns the password of the first address with a name and a password before its host, as in `https://user:password@host`.
fn find_login(text: &str) -> Option<FoundSecret> {
    const SCHEME_END: &str = "://";
    if !text.contains('@') {
        return None;
    }
    text.match_indices(SCHEME_END).find_map(|(at, _)| {
        let start = at + SCHEME_END.len();
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#')).unwrap_or(rest.len());
        let (login, _) = rest[..end].rsplit_once('@')?;
        let (name, password) = login.split_once(':')?;
        let start = start + name.len() + 1;
        is_literal(password).then(|| FoundSecret { name: "a login", range: start..start + password.len() })
    })
}

/// Whether a value is the secret itself, and not a path, a reference or a Tailscale key.
fn is_written_out(value: &str) -> bool {
    is_literal(value) && !["/", ".", "file:", "tskey-"].iter().any(|start| value.starts_with(start))
}

/// Whether a value is written as it is: not empty, and not a placeholder or a reference.
fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['$', '<']) && !is_reference(value)
}

/// The byte ranges of the secrets in a string, by their form, each without its prefix.
pub fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    find_marked(text).map(|found| found.range)
}

impl Form {
    /// Returns the bytes of the secret of this form that begins at a place, without its prefix.
    fn part_of(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        let rest = &bytes[at..];
        let is_prefix =
            |prefix: &&&str| rest.first() == prefix.as_bytes().first() && rest.starts_with(prefix.as_bytes());
        let start = at + self.prefixes.iter().find(is_prefix)?.len();
        let length = bytes[start..].iter().take_while(|byte| (self.is_part)(**byte)).count();
        (length >= self.length).then_some(start..start + length)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_token(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'-' | b'.')
}

fn is_capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::{FORMS, KEY_IN_BASE64, PEM, PEM_IN_BASE64, SHORTEST, find, tokens};

    #[test]
    fn secrets_are_known_by_their_form() {
        let long = "0123456789abcdefghijABCDEFGHIJ0123456789abcd";
        let capitals = "0123456789ABCDEFGHIJ0123456789ABCDEFGHIJ0123456789";
        let pem = "-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\n";
        for (text, name) in [
            (format!("token: ghp_{long}"), "a GitHub token"),
            (format!("github_pat_{long}"), "a GitHub token"),
            (format!("https://oauth2:glpat-{long}@gitlab.com"), "a GitLab token"),
            (format!("AKIA{}", &capitals[..16]), "an AWS access key"),
            (format!("xoxb-{long}"), "a Slack token"),
            (format!("AGE-SECRET-KEY-1{capitals}"), "an age key"),
            (format!("https://omni/?jointoken={long}"), "a join token of SideroLink"),
            (format!("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.{long}"), "a JSON Web Token"),
            (pem.to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBFRDI1NTE5IFBSSVZBVEUgS0VZLS0tLS0K".to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=".to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==".to_owned(), "a private key"),
            ("A=b\n  export AWS_SECRET_ACCESS_KEY=\"wJalr\"\n".to_owned(), "a variable with a secret"),
            ("MQTT_PASSWORD=hunter2".to_owned(), "a variable with a secret"),
            ("NB_SETUP_KEY=00000000-1111-2222".to_owned(), "a variable with a secret"),
            ("NB_SETUP_KEYS=00000000-1111-2222".to_owned(), "a variable with a secret"),
            ("socks5://me:hunter2@proxy:1080".to_owned(), "a login"),
            ("--oidc-client-secret=hunter2".to_owned(), "an argument with a secret"),
            ("exec agent --url=https://a --token=\"hunter2\"".to_owned(), "an argument with a secret"),
            ("args: [--redis-password=hunter2, --v=2]".to_owned(), "an argument with a secret"),
        ] {
            assert_eq!(find(&text).map(|found| found.name), Some(name), "{text}");
        }
    }

    #[test]
    fn no_form_is_shorter_than_the_shortest() {
        for form in FORMS {
            for prefix in form.prefixes.iter().filter(|prefix| !prefix.contains(['=', '@'])) {
                assert!(prefix.len() + form.length >= SHORTEST, "{prefix}");
            }
        }
        assert!(PEM_IN_BASE64.len() + KEY_IN_BASE64[0].len() >= SHORTEST);
        assert!(PEM.0.len() + PEM.1.len() >= SHORTEST);
    }

    #[test]
    fn other_strings_contain_none() {
        for text in [
            "ghp_short",
            "AKIA",
            "xoxb-",
            "notAKIA0123456789ABCDEF",
            "jointoken=${TOKEN}",
            "MQTT_PASSWORD=",
            "MQTT_PASSWORD=${MQTT_PASSWORD}",
            "TOKEN=/run/token",
            "TOKEN=file:/run/token",
            "TOKEN=op://vault/item/token",
            "TOKEN=ref+sops://secrets.yaml#/token",
            "TOKENS=8",
            "TS_AUTHKEY=tskey-auth-abc",
            "--token=${TOKEN} --password=$(PASSWORD) --api-key=<key> --client-secret={{ secret }}",
            "--token=/run/token --client-secret-file=/run/secret --token-ttl=8h --extend-token=true",
            "a--token=b",
            "exec agent --image-pull-secret=registry --token= --v=2",
            "ssh://git@example.com:22/repository",
            "https://me:${PASSWORD}@example.com",
            "https://example.com:443/a:b@c",
            "-----BEGIN CERTIFICATE-----\nMHc=\n",
            "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
            "",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn the_range_is_that_of_the_secret() {
        for (text, secret) in [
            ("a\n  export GH_TOKEN='hunter2\nb", "hunter2"),
            ("https://me:hunter2@example.com", "hunter2"),
            ("a --token='hunter2' --v=2", "hunter2"),
            ("x AKIA0123456789ABCDEF", "0123456789ABCDEF"),
            ("k: |\n  -----BEGIN EC PRIVATE KEY-----\n", "-----BEGIN "),
        ] {
            assert_eq!(find(text).map(|found| &text[found.range]), Some(secret), "{text}");
        }
    }

    #[test]
    fn tokens_are_found_after_their_prefix() {
        let text = "a: ghp_0123456789abcdefghijABCDEFGHIJ012345, b: AKIA0123456789ABCDEF";
        let found: Vec<&str> = tokens(text).map(|range| &text[range]).collect();
        assert_eq!(found, ["0123456789abcdefghijABCDEFGHIJ012345", "0123456789ABCDEF"]);
        assert_eq!(tokens("ghp_ and AKIA are prefixes").count(), 0);
    }
}
