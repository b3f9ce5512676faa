//! Secrets that are known by their form, whatever they are for.

use std::ops::Range;

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
    Form { prefixes: &["jointoken="], is_part: is_token, length: 8, name: "a join token of SideroLink" },
];

/// What a PEM block with a private key begins with, and how its first line ends.
const PEM: (&str, &str) = ("-----BEGIN ", "PRIVATE KEY-----");

/// The start of `-----BEGIN ` in base64.
const PEM_IN_BASE64: &str = "LS0tLS1CRUdJTi";

/// The end of `PRIVATE KEY` in base64, as it comes out at each of the three offsets.
const KEY_IN_BASE64: [&str; 3] = ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"];

/// What the name of a variable that holds a secret ends in.
const SECRET_NAMES: [&str; 7] = ["TOKEN", "PASSWORD", "PASSPHRASE", "SECRET", "AUTHKEY", "API_KEY", "ACCESS_KEY"];

/// Returns what kind of secret a string contains, by its form.
#[must_use]
pub fn find(text: &str) -> Option<&'static str> {
    let is_pem = starts(text, PEM.0, PEM.1.len())
        .any(|at| text[at..].lines().next().is_some_and(|line| line.trim_end().ends_with(PEM.1)));
    let is_encoded_pem = starts(text, PEM_IN_BASE64, KEY_IN_BASE64[0].len()).any(|at| {
        let head: String = text[at..].chars().filter(|c| !c.is_whitespace()).take(80).collect();
        KEY_IN_BASE64.iter().any(|key| head.contains(key))
    });
    if is_pem || is_encoded_pem {
        return Some("a private key");
    }
    let form = FORMS.iter().find(|form| form.parts(text).next().is_some()).map(|form| form.name);
    form.or_else(|| text.lines().any(sets_secret).then_some("a variable with a secret"))
        .or_else(|| has_login(text).then_some("a login"))
}

/// Whether a line sets a variable whose name says that it holds a secret, as in `GITHUB_TOKEN=…`. A path or a placeholder is
/// none, and a Tailscale key has its own finding.
fn sets_secret(line: &str) -> bool {
    let Some((left, value)) = line.split_once('=') else { return false };
    let name = left.trim_start().trim_start_matches("export ");
    let value = value.trim_start_matches(['"', '\'']);
    let is_name =
        name.bytes().all(|byte| is_capital(byte) || byte == b'_') && SECRET_NAMES.iter().any(|end| name.ends_with(end));
    let is_other = ["/", ".", "file:", "tskey-"].iter().any(|start| value.starts_with(start));
    is_name && is_literal(value) && !is_other
}

/// Whether a string contains an address with a name and a password before its host, as in `https://user:password@host`.
fn has_login(text: &str) -> bool {
    const SCHEME_END: &str = "://";
    text.contains('@')
        && text.match_indices(SCHEME_END).any(|(at, _)| {
            let rest = &text[at + SCHEME_END.len()..];
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#')).unwrap_or(rest.len());
            let login = rest[..end].rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
            login.is_some_and(|(_, password)| is_literal(password))
        })
}

/// Whether a value is one, and not empty or a placeholder such as `${TOKEN}`, `<token>` or `{{ token }}`.
fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['$', '<']) && !value.starts_with("{{")
}

/// The byte ranges of the secrets in a string, by their form, each without its prefix.
pub fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    FORMS.iter().flat_map(|form| form.parts(text))
}

/// Returns where a prefix occurs in a string. A string that is too short for the prefix and the rest is not searched: every value of
/// a patch passes here, and few are as long as a secret.
fn starts<'a>(text: &'a str, prefix: &'static str, rest: usize) -> impl Iterator<Item = usize> + 'a {
    let searched = (text.len() >= prefix.len() + rest).then(|| text.match_indices(prefix));
    searched.into_iter().flatten().map(|(at, _)| at)
}

impl Form {
    /// Returns the byte ranges of the secrets of this form, without the prefix.
    fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let starts = self
            .prefixes
            .iter()
            .flat_map(|prefix| starts(text, prefix, self.length).map(move |at| (at, at + prefix.len())));
        starts.filter_map(move |(at, start)| {
            let is_start = text[..at].bytes().next_back().is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let length = text.as_bytes()[start..].iter().take_while(|byte| (self.is_part)(**byte)).count();
            (is_start && length >= self.length).then_some(start..start + length)
        })
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
    use super::{find, tokens};

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
            (pem.to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBFRDI1NTE5IFBSSVZBVEUgS0VZLS0tLS0K".to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=".to_owned(), "a private key"),
            ("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==".to_owned(), "a private key"),
            ("A=b\n  export AWS_SECRET_ACCESS_KEY=\"wJalr\"\n".to_owned(), "a variable with a secret"),
            ("MQTT_PASSWORD=hunter2".to_owned(), "a variable with a secret"),
            ("socks5://me:hunter2@proxy:1080".to_owned(), "a login"),
        ] {
            assert_eq!(find(&text), Some(name), "{text}");
        }
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
            "TOKENS=8",
            "TS_AUTHKEY=tskey-auth-abc",
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
    fn tokens_are_found_after_their_prefix() {
        let text = "a: ghp_0123456789abcdefghijABCDEFGHIJ012345, b: AKIA0123456789ABCDEF";
        let found: Vec<&str> = tokens(text).map(|range| &text[range]).collect();
        assert_eq!(found, ["0123456789abcdefghijABCDEFGHIJ012345", "0123456789ABCDEF"]);
        assert_eq!(tokens("ghp_ and AKIA are prefixes").count(), 0);
    }
}
