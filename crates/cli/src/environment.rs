//! The environment variables that talosmith reads, and the only door to them.

use std::ffi::OsString;

/// A variable that talosmith reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the help and the documents.
    pub meaning: &'static str,
}

/// Turns colour off.
pub const NO_COLOR: Variable =
    Variable { name: "NO_COLOR", meaning: "No colour, if it is not empty; `--color` overrules it." };
/// Turns colour on.
pub const CLICOLOR_FORCE: Variable = Variable {
    name: "CLICOLOR_FORCE",
    meaning: "Colour even where the output is no terminal, if it is neither empty nor `0`; `NO_COLOR` overrules it.",
};
/// Turns colour on.
pub const FORCE_COLOR: Variable = Variable { name: "FORCE_COLOR", meaning: "The same as `CLICOLOR_FORCE`." };
/// Names the terminal.
pub const TERM: Variable = Variable { name: "TERM", meaning: "No colour on a terminal that is called `dumb`." };
/// The width where there is no terminal.
pub const COLUMNS: Variable =
    Variable { name: "COLUMNS", meaning: "The width of reports where the output is no terminal; without it, 100." };
/// The locale that overrules the others.
pub const LC_ALL: Variable = Variable {
    name: "LC_ALL",
    meaning: "The locale: unless it names UTF-8, reports are drawn in ASCII. The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not empty counts.",
};
/// The locale of characters.
pub const LC_CTYPE: Variable = Variable { name: "LC_CTYPE", meaning: "The locale, if `LC_ALL` is empty." };
/// The locale by default.
pub const LANG: Variable = Variable { name: "LANG", meaning: "The locale, if `LC_ALL` and `LC_CTYPE` are empty." };

/// Where git keeps the repository of a hook.
pub const GIT_DIR: Variable = Variable {
    name: "GIT_DIR",
    meaning: "Set by git for some hooks: the work tree is then the folder that talosmith was started in.",
};

/// Every variable that talosmith itself reads. Those that `secrets:` names come on top.
pub const VARIABLES: &[Variable] =
    &[NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG, GIT_DIR];

/// Where variables come from.
#[derive(Debug, Clone, Copy)]
pub enum Environment<'a> {
    /// From the process.
    Process,
    /// From a list, for tests.
    Fixed(&'a [(&'a str, &'a str)]),
}

impl Environment<'_> {
    /// The value of a variable of the table; empty is as good as absent.
    #[must_use]
    pub fn get(self, variable: &Variable) -> Option<String> {
        let value = match self {
            Self::Process => std::env::var_os(variable.name)?.to_string_lossy().into_owned(),
            Self::Fixed(list) => list.iter().find(|(known, _)| *known == variable.name)?.1.to_owned(),
        };
        (!value.is_empty()).then_some(value)
    }
}

/// Every variable of the process, for programs that it starts and for the secrets that come from one.
pub fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_list_and_takes_empty_for_absent() {
        let environment = Environment::Fixed(&[("TERM", "dumb"), ("LANG", "")]);
        assert_eq!(environment.get(&TERM), Some("dumb".to_owned()));
        assert_eq!(environment.get(&LANG), None);
        assert_eq!(environment.get(&COLUMNS), None);
    }

    #[test]
    fn every_variable_stands_once_and_has_a_sentence() {
        for (index, variable) in VARIABLES.iter().enumerate() {
            assert!(VARIABLES[..index].iter().all(|other| other.name != variable.name), "{} twice", variable.name);
            assert!(variable.meaning.ends_with('.'), "{}: {}", variable.name, variable.meaning);
        }
    }
}
