//! The environment variables that talosmith reads. No other module reads the environment.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the module that reads environment variables"))]

use std::ffi::OsString;

#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    /// The effect, for the reference.
    pub meaning: &'static str,
}

pub(crate) const NO_COLOR: Variable =
    Variable { name: "NO_COLOR", meaning: "No colour, if it is not empty; `--color` overrides it." };
pub(crate) const CLICOLOR_FORCE: Variable = Variable {
    name: "CLICOLOR_FORCE",
    meaning: "Colour even where the output is not a terminal, if it is neither empty nor `0`; `NO_COLOR` overrides it.",
};
pub(crate) const FORCE_COLOR: Variable = Variable { name: "FORCE_COLOR", meaning: "The same as `CLICOLOR_FORCE`." };
pub(crate) const TERM: Variable = Variable { name: "TERM", meaning: "No colour on a terminal whose name is `dumb`." };
pub(crate) const COLUMNS: Variable =
    Variable { name: "COLUMNS", meaning: "The width of reports where the output is not a terminal; without it, 100." };
pub(crate) const LC_ALL: Variable = Variable {
    name: "LC_ALL",
    meaning: "The locale: unless it names UTF-8, reports are drawn in ASCII. The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not empty counts.",
};
pub(crate) const LC_CTYPE: Variable = Variable { name: "LC_CTYPE", meaning: "The locale, if `LC_ALL` is empty." };
pub(crate) const LANG: Variable =
    Variable { name: "LANG", meaning: "The locale, if `LC_ALL` and `LC_CTYPE` are empty." };
pub(crate) const GIT_DIR: Variable = Variable {
    name: "GIT_DIR",
    meaning: "Set by git for some hooks: the work tree is then the folder that talosmith was started in.",
};

/// Every variable that talosmith reads, besides those that `secrets` in talosmith.yaml names.
pub const VARIABLES: &[Variable] =
    &[NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG, GIT_DIR];

impl Variable {
    /// Returns the value in the environment of the process; none if it is empty or not set.
    pub(crate) fn value(&self) -> Option<String> {
        let value = std::env::var_os(self.name)?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some(value)
    }
}

/// Returns every variable of the process, for the programs that it starts and for secrets that are variables.
pub(crate) fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_has_one_row_and_a_sentence() {
        for (index, variable) in VARIABLES.iter().enumerate() {
            assert!(VARIABLES[..index].iter().all(|other| other.name != variable.name), "{} twice", variable.name);
            assert!(variable.meaning.ends_with('.'), "{}: {}", variable.name, variable.meaning);
        }
    }
}
