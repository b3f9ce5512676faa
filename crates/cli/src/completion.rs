//! What can complete a word of the command line.

use camino::Utf8PathBuf;
use clap::builder::StyledStr;
use clap::{Arg, Command};

/// A word that can be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub word: String,
    /// What it is, on one line; may be empty.
    pub about: String,
}

impl Candidate {
    pub(crate) fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self { word: word.into(), about: about.into() }
    }
}

/// Where a command line ends.
pub(crate) struct Position<'a> {
    /// The innermost command.
    command: &'a Command,
    /// The option whose value is next.
    option: Option<&'a Arg>,
    /// How many positional arguments there are already.
    positionals: usize,
    /// Whether `--` ended the options.
    is_past_options: bool,
    /// The folder that `-C` names.
    pub directory: Option<Utf8PathBuf>,
}

impl<'a> Position<'a> {
    /// Reads the words before the cursor, without the program's name.
    pub(crate) fn new(program: &'a Command, words: &[String]) -> Self {
        let mut position =
            Self { command: program, option: None, positionals: 0, is_past_options: false, directory: None };
        // bash separates `--format=json` at its `=`.
        for word in words.iter().filter(|word| *word != "=") {
            position.read(word);
        }
        position
    }

    fn read(&mut self, word: &str) {
        if let Some(option) = self.option.take() {
            self.set(option, word);
        } else if self.is_past_options || !word.starts_with('-') || word == "-" {
            match self.command.find_subcommand(word) {
                Some(command) if self.command.has_subcommands() => self.command = command,
                _ => self.positionals += 1,
            }
        } else if word == "--" {
            self.is_past_options = true;
        } else if let Some(name) = word.strip_prefix("--") {
            let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
            match (self.long(name), value) {
                (Some(option), Some(value)) => self.set(option, value),
                (Some(option), None) => self.option = Some(option).filter(|option| option.get_action().takes_values()),
                (None, _) => {}
            }
        } else {
            self.read_short(&word[1..]);
        }
    }

    /// Reads options of one letter, of which the last may have a value.
    fn read_short(&mut self, letters: &str) {
        for (index, letter) in letters.char_indices() {
            let known = self.command.get_arguments().find(|option| option.get_short() == Some(letter));
            let Some(option) = known.filter(|option| option.get_action().takes_values()) else { continue };
            match &letters[index + letter.len_utf8()..] {
                "" => self.option = Some(option),
                value => self.set(option, value),
            }
            return;
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.command.get_arguments().find(|option| option.get_long() == Some(name))
    }

    fn set(&mut self, option: &Arg, value: &str) {
        if option.get_id() == "directory" {
            self.directory = Some(value.into());
        }
    }

    /// Returns what can replace `word` at the cursor; `values` returns the values for the name of a value, such as `DEVICE`.
    pub(crate) fn candidates(&self, word: &str, values: impl Fn(&str) -> Vec<Candidate>) -> Vec<Candidate> {
        let word = if word == "=" { "" } else { word };
        if let Some(option) = self.option {
            return values_of(option, "", word, values);
        }
        if word.starts_with('-') && !self.is_past_options {
            if let Some((name, value)) = word.split_once('=') {
                let option = self.long(name.trim_start_matches('-'));
                return option.map(|option| values_of(option, &word[..=name.len()], value, values)).unwrap_or_default();
            }
            return options_of(self.command, word);
        }
        if self.command.has_subcommands() && self.positionals == 0 {
            let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            let commands = commands.map(|command| Candidate::new(command.get_name(), line(command.get_about())));
            return commands.filter(|command| command.word.starts_with(word)).collect();
        }
        let many = |argument: &&Arg| argument.get_num_args().is_some_and(|count| count.max_values() > 1);
        let mut positionals = self.command.get_positionals().skip(self.positionals);
        let argument = positionals.next().or_else(|| self.command.get_positionals().last().filter(many));
        argument.map(|argument| values_of(argument, "", word, values)).unwrap_or_default()
    }
}

/// Returns the values of an argument that begin with `word`, after what is there already.
fn values_of(argument: &Arg, before: &str, word: &str, values: impl Fn(&str) -> Vec<Candidate>) -> Vec<Candidate> {
    let last = match argument.get_value_delimiter() {
        Some(delimiter) => word.rfind(delimiter).map_or(0, |index| index + delimiter.len_utf8()),
        None => 0,
    };
    let (listed, word) = word.split_at(last);
    let name = argument.get_value_names().and_then(|names| names.first());
    let mut candidates = name.map(|name| values(name)).unwrap_or_default();
    let possible = argument.get_possible_values();
    let possible = possible.iter().filter(|value| !value.is_hide_set());
    candidates.extend(possible.map(|value| Candidate::new(value.get_name(), line(value.get_help()))));
    candidates.retain(|candidate| candidate.word.starts_with(word));
    for candidate in &mut candidates {
        candidate.word = [before, listed, &candidate.word].concat();
    }
    candidates
}

fn options_of(command: &Command, word: &str) -> Vec<Candidate> {
    let options = command.get_arguments().filter(|option| !option.is_hide_set());
    let candidates = options.filter_map(|option| {
        let name = format!("--{}", option.get_long()?);
        name.starts_with(word).then(|| Candidate::new(name, line(option.get_help())))
    });
    candidates.collect()
}

/// Returns a description without line breaks.
fn line(text: Option<&StyledStr>) -> String {
    text.map(StyledStr::to_string).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::command::CommandLine;

    /// Returns what completes the last word, in a repository with two devices and a cluster.
    fn complete(line: &str) -> Vec<String> {
        let mut program = CommandLine::command();
        program.build();
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let word = words.pop().expect("a word");
        let values = |name: &str| match name {
            "DEVICE" | "PATH" => ["node-1", "node-2"].map(|name| Candidate::new(name, "a device")).to_vec(),
            "CLASS" => ["reboot", "restart"].map(|name| Candidate::new(name, "")).to_vec(),
            _ => Vec::new(),
        };
        let candidates = Position::new(&program, &words).candidates(&word, values);
        candidates.into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn words_are_completed_where_they_stand() {
        for (line, expected) in [
            ("va", &["validate"][..]),
            ("-q va", &["validate"]),
            ("-C fleet va", &["validate"]),
            ("-qC fleet va", &["validate"]),
            ("-Cfleet va", &["validate"]),
            ("--directory=fleet va", &["validate"]),
            ("check ", &["node-1", "node-2"]),
            ("check node-1 ", &["node-1", "node-2"]),
            ("check --staged node-2", &["node-2"]),
            ("check -- node-2", &["node-2"]),
            ("check -- --st", &[]),
            ("check --st", &["--staged"]),
            ("check --col", &["--color"]),
            ("check --format j", &["json"]),
            ("check --format = j", &["json"]),
            ("check --color =", &["auto", "always", "never"]),
            ("check --format=j", &["--format=json"]),
            ("show node-1 ", &[]),
            ("review --fail-on re", &["reboot", "restart"]),
            ("review --fail-on reboot,rest", &["reboot,restart"]),
            ("review --fail-on=reboot,rest", &["--fail-on=reboot,restart"]),
            ("schema fleet", &["fleet", "fleet-report"]),
            ("no-such-command ", &[]),
            ("check --no-such-option node-1", &["node-1"]),
        ] {
            assert_eq!(complete(line), expected, "{line:?}");
        }
    }

    #[test]
    fn commands_and_options_have_descriptions() {
        let mut program = CommandLine::command();
        program.build();
        let candidates = |words: &[&str], word| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Position::new(&program, &words).candidates(word, |_| Vec::new())
        };
        let commands = candidates(&[], "");
        assert!(commands.len() > 10 && commands.iter().all(|command| command.word != "complete"), "{commands:?}");
        for candidate in commands.iter().chain(&candidates(&["generate"], "-")) {
            assert!(!candidate.about.is_empty() && !candidate.about.contains('\n'), "{candidate:?}");
        }
    }
}
