//! The variables of the environment: what the source `env` reads, and what no message may repeat.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// Parts of the names of variables that hold credentials.
const CREDENTIAL: &[&str] = &["TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "KEY", "OP_SESSION"];

/// Ends of names of variables that say where a credential is; to mask a path would only make a message useless.
const WHEREABOUTS: &[&str] = &["_FILE", "_PATH", "_DIR", "_CMD"];

/// The environment as it was when the run began.
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Reads the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        crate::environment::all().collect()
    }

    /// The value of a variable, and none if it is not set or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Sets a variable, for tests.
    #[cfg(test)]
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.into(), value.into());
    }

    /// The values of the variables whose names say that they are credentials: a child may print them when it fails.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        let says_so = |name: &OsStr| {
            let name = name.to_string_lossy().to_uppercase();
            CREDENTIAL.iter().any(|part| name.contains(part)) && !WHEREABOUTS.iter().any(|end| name.ends_with(end))
        };
        // A flag such as `USE_KEYRING=1` is no credential, and masking it would garble every message.
        let values = self.0.iter().filter(move |(name, _)| says_so(name)).filter_map(|(_, value)| value.to_str());
        values.filter(|value| value.len() >= 8)
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
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
        variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn an_empty_variable_is_not_there() {
        assert_eq!(environment().get("EMPTY"), None);
        assert_eq!(environment().get("PATH"), Some(OsStr::new("/bin")));
    }

    #[test]
    fn credentials_are_known_by_their_names_and_never_printed() {
        let environment = environment();
        assert_eq!(environment.credentials().collect::<Vec<_>>(), ["aws-canary", "ghp_canary", "ops_canary"]);
        let names = r#"{"AWS_SECRET_ACCESS_KEY", "EMPTY", "GITHUB_TOKEN", "LC_ALL", "OPERA", "OP_SERVICE_ACCOUNT_TOKEN", "PATH", "SOPS_AGE_KEY_FILE", "USE_KEYRING"}"#;
        assert_eq!(format!("{environment:?}"), names);
    }
}
