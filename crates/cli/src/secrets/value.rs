//! What a source's output must be to be taken as a value.

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Takes the bytes of a source as a secret's value, without the one line end that files and programs put behind it.
///
/// The refusal says what is wrong, and nothing of the value.
pub fn accept(bytes: &Zeroizing<Vec<u8>>) -> Result<SecretString, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its value is not UTF-8")?;
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.trim().is_empty() {
        return Err("its value is empty");
    }
    // YAML 1.1 also ends a line at the last three.
    if value.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err("its value has a line break in it");
    }
    if value.contains(char::is_control) {
        return Err("its value has a control character in it");
    }
    if value.trim() != value {
        return Err("its value begins or ends with a blank");
    }
    // Ciphertext that is taken for the value would reach the node as it is.
    if value.contains("ENC[AES256_GCM,") || value.starts_with("$ANSIBLE_VAULT;") {
        return Err("its value is still encrypted");
    }
    Ok(SecretString::from(value))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn judge(bytes: &[u8]) -> Result<String, &'static str> {
        accept(&Zeroizing::new(bytes.to_vec())).map(|value| value.expose_secret().to_owned())
    }

    #[test]
    fn one_line_end_goes_and_all_else_stays() {
        for bytes in ["tskey-auth-k", "tskey-auth-k\n", "tskey-auth-k\r\n"] {
            assert_eq!(judge(bytes.as_bytes()), Ok("tskey-auth-k".to_owned()), "{bytes:?}");
        }
        assert_eq!(judge("a b: #ü".as_bytes()), Ok("a b: #ü".to_owned()));
    }

    #[test]
    fn what_cannot_be_a_value_is_refused() {
        let cases: [(&[u8], &str); 11] = [
            (b"", "its value is empty"),
            (b"\n", "its value is empty"),
            (b" \t\n", "its value is empty"),
            (b"key\xff", "its value is not UTF-8"),
            (b"key\n\n", "its value has a line break in it"),
            (b"tailscale:\n  authkey: key\n", "its value has a line break in it"),
            ("key\u{2028}TS_ROUTES=".as_bytes(), "its value has a line break in it"),
            (b"key\0", "its value has a control character in it"),
            (b"key \n", "its value begins or ends with a blank"),
            (b"ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "its value is still encrypted"),
            (b"$ANSIBLE_VAULT;1.1;AES256", "its value is still encrypted"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(judge(bytes), Err(expected), "{bytes:?}");
        }
    }
}
