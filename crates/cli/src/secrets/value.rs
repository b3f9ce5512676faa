//! The rules for a secret's value.

use secrecy::SecretString;

use super::Form;

/// What values contain that SOPS or Ansible encrypted.
const ENCRYPTED: [&str; 2] = ["ENC[AES256_GCM,", "$ANSIBLE_VAULT;"];

/// Parses the output of a source as a secret's value: UTF-8, and one line without its line end unless it is a file. The error contains
/// nothing of the value.
pub(super) fn parse(bytes: &[u8], form: Form) -> Result<SecretString, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its value is not UTF-8")?;
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.trim().is_empty() {
        return Err("its value is empty");
    }
    if form == Form::File {
        let is_encrypted = ENCRYPTED.iter().any(|start| text.contains(start));
        return if is_encrypted { Err("it is still encrypted") } else { Ok(SecretString::from(text)) };
    }
    // The last three are line breaks in YAML 1.1.
    if value.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err("its value contains a line break");
    }
    if value.contains(char::is_control) {
        return Err("its value contains a control character");
    }
    if value.trim() != value {
        return Err("its value begins or ends with white space");
    }
    // Encrypted text would be written to the node as if it were the value.
    if value.contains(ENCRYPTED[0]) || value.starts_with(ENCRYPTED[1]) {
        return Err("its value is still encrypted");
    }
    Ok(SecretString::from(value))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn parsed(bytes: &[u8]) -> Result<String, &'static str> {
        parse(bytes, Form::Line).map(|value| value.expose_secret().to_owned())
    }

    #[test]
    fn one_line_end_is_removed_and_nothing_else() {
        for bytes in ["tskey-auth-k", "tskey-auth-k\n", "tskey-auth-k\r\n"] {
            assert_eq!(parsed(bytes.as_bytes()), Ok("tskey-auth-k".to_owned()), "{bytes:?}");
        }
        assert_eq!(parsed("a b: #ü".as_bytes()), Ok("a b: #ü".to_owned()));
    }

    #[test]
    fn invalid_values_are_rejected() {
        let cases: [(&[u8], &str); 11] = [
            (b"", "its value is empty"),
            (b"\n", "its value is empty"),
            (b" \t\n", "its value is empty"),
            (b"key\xff", "its value is not UTF-8"),
            (b"key\n\n", "its value contains a line break"),
            (b"tailscale:\n  authkey: key\n", "its value contains a line break"),
            ("key\u{2028}TS_ROUTES=".as_bytes(), "its value contains a line break"),
            (b"key\0", "its value contains a control character"),
            (b"key \n", "its value begins or ends with white space"),
            (b"ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "its value is still encrypted"),
            (b"$ANSIBLE_VAULT;1.1;AES256", "its value is still encrypted"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parsed(bytes), Err(expected), "{bytes:?}");
        }
    }
}
