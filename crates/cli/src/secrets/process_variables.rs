//! The environment variables of this process: the source `env` reads them, and no message may contain their credentials.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Substrings of the names of variables that contain credentials.
const CREDENTIAL_NAMES: &[&str] = &["TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "KEY", "OP_SESSION"];

/// Suffixes of the names of variables that contain the path of a credential. Masking a path would only make a message useless.
const PATH_SUFFIXES: &[&str] = &["_FILE", "_PATH", "_DIR", "_CMD"];

/// The environment variables of this process. Without `Debug`, so that no message can show their values.
pub(crate) struct ProcessVariables(pub(super) BTreeMap<OsString, OsString>);

impl ProcessVariables {
    pub(crate) fn load() -> Self {
        Self(crate::environment::all().collect())
    }

    /// The value of a variable; `None` if it is not set or empty.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The values of variables that are credentials by their names: a program may print them when it fails.
    pub(super) fn credentials(&self) -> impl Iterator<Item = &str> {
        let is_credential = |name: &OsStr| {
            let name = name.to_string_lossy().to_uppercase();
            CREDENTIAL_NAMES.iter().any(|part| name.contains(part))
                && !PATH_SUFFIXES.iter().any(|end| name.ends_with(end))
        };
        // A flag such as `USE_KEYRING=1` is not a credential, and masking it would garble every message.
        let values = self.0.iter().filter(move |(name, _)| is_credential(name)).filter_map(|(_, value)| value.to_str());
        values.filter(|value| value.len() >= 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> ProcessVariables {
        let variables = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("OP_SERVICE_ACCOUNT_TOKEN", "ops_canary"),
            ("OPERA", "x"),
            ("EMPTY", ""),
            ("AWS_SECRET_ACCESS_KEY", "aws-canary"),
            ("USE_KEYRING", "1"),
            ("GITHUB_TOKEN", "ghp_canary"),
            ("SOPS_AGE_KEY_FILE", "/home/me/keys.txt"),
        ];
        ProcessVariables(variables.map(|(name, value)| (name.into(), value.into())).into())
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        assert_eq!(variables().get("EMPTY"), None);
        assert_eq!(variables().get("PATH"), Some(OsStr::new("/bin")));
    }

    #[test]
    fn credentials_are_recognised_by_name() {
        let variables = variables();
        assert_eq!(variables.credentials().collect::<Vec<_>>(), ["aws-canary", "ghp_canary", "ops_canary"]);
    }
}
