//! The check that commands in documents have subcommands and flags which exist, against `tests/command_flags.txt`.

use std::collections::BTreeMap;
use std::fs;

use crate::expected::repository;

/// Flags with a value that may precede a subcommand.
const GLOBAL: [&str; 9] =
    ["-n", "-e", "--nodes", "--endpoints", "--context", "--cluster", "--talosconfig", "--namespace", "--kubeconfig"];

/// Words of the shell that may precede a command.
const KEYWORDS: [&str; 7] = ["until", "while", "if", "then", "do", "else", "!"];

/// A flag of a command: its letter, and whether it takes a value.
struct Flag {
    letter: String,
    has_value: bool,
}

/// The subcommands and flags of the programs, for one minor of Talos.
pub(crate) struct CommandFlags(BTreeMap<String, BTreeMap<String, Flag>>);

impl CommandFlags {
    /// Reads the table for a minor such as `1.13`.
    pub(crate) fn of(minor: &str) -> Self {
        let text = fs::read_to_string(repository("tests/command_flags.txt")).expect("the table");
        let mut commands: BTreeMap<String, BTreeMap<String, Flag>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split("; ").collect();
            let [command, flag, letter, value, minors] = fields[..] else { panic!("{line}") };
            if minors == "-" || minors.split(' ').any(|it| it == minor) {
                let flag = (flag.to_owned(), Flag { letter: letter.to_owned(), has_value: value == "=" });
                commands.entry(command.to_owned()).or_default().extend([flag]);
            }
        }
        Self(commands)
    }

    /// Returns what is wrong with the commands of talosctl and kubectl in a script.
    pub(crate) fn check_script(&self, script: &str) -> Vec<String> {
        commands(script).iter().filter_map(|command| self.check(command).err()).collect()
    }

    /// Returns what is wrong with the commands in the code of a Markdown document, and how many there are.
    pub(crate) fn check_markdown(&self, text: &str) -> (usize, Vec<String>) {
        let scripts: Vec<String> = code_of(text);
        let count = scripts.iter().map(|script| commands(script).len()).sum();
        (count, scripts.iter().flat_map(|script| self.check_script(script)).collect())
    }

    fn check(&self, words: &[String]) -> Result<(), String> {
        let shown = words.join(" ");
        let mut start = 1;
        while let Some(word) = words.get(start).filter(|word| word.starts_with('-')) {
            let is_known = GLOBAL.contains(&word.split('=').next().unwrap_or_default());
            if !is_known {
                return Err(format!("{shown}: `{word}` before the subcommand"));
            }
            start += if word.contains('=') { 1 } else { 2 };
        }
        let named = |length: usize| [&words[..1], &words[start..start + length]].concat().join(" ");
        let length = (1..=words.len() - start).rev().find(|length| self.0.contains_key(&named(*length)));
        let has_subcommands = |command: &String| self.0.keys().any(|known| known.starts_with(&format!("{command} ")));
        let is_name = |word: &String| !word.starts_with('-');
        let length = length
            .filter(|length| !(has_subcommands(&named(*length)) && words.get(start + length).is_some_and(is_name)));
        let Some(length) = length else { return Err(format!("{shown}: there is no such subcommand")) };
        let flags = [self.0.get(&named(length)), self.0.get(&format!("{} *", words[0]))];
        let find = |name: &str| {
            let mut all = flags.iter().flatten().flat_map(|flags| flags.iter());
            all.find(|(long, flag)| *long == name || flag.letter == name).map(|(_, flag)| flag)
        };
        let leading = words[1..start].iter().filter(|word| word.starts_with('-'));
        let mut rest = words[start + length..].iter();
        let mut given: Vec<&String> = leading.collect();
        while let Some(word) = rest.next() {
            if word == "--" {
                break;
            }
            if word.starts_with('-') && word != "-" {
                given.push(word);
                if find(word).is_some_and(|flag| flag.has_value) && rest.next().is_none() {
                    return Err(format!("{shown}: `{word}` has no value"));
                }
            }
        }
        let unknown = given.into_iter().find(|word| find(word.split('=').next().unwrap_or_default()).is_none());
        unknown.map_or(Ok(()), |word| Err(format!("{shown}: there is no `{word}`")))
    }
}

/// Returns the commands of talosctl and kubectl in a script, or in the code of a Markdown document, each in one line.
pub(crate) fn lines_of(text: &str, is_markdown: bool) -> Vec<String> {
    let scripts = if is_markdown { code_of(text) } else { vec![text.to_owned()] };
    scripts.iter().flat_map(|script| commands(script)).map(|words| words.join(" ")).collect()
}

/// Returns the code in a Markdown document: the blocks of shell commands, and the spans that are commands.
fn code_of(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.trim_start()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => code.extend(block.take()),
            (Some(block), _) => block.extend([line, "\n"]),
            (None, _) => {
                let spans = line.split('`').skip(1).step_by(2);
                code.extend(spans.filter(|span| span.contains(' ')).map(str::to_owned));
            }
        }
    }
    code
}

/// Returns the commands of talosctl and kubectl in a shell script, each as its words without quotes.
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut parser = Parser { rest: script.chars().collect(), at: 0 };
    parser.list(&mut found, None);
    found
}

/// Splits the subset of the shell that documents use: words, quotes, lists, pipes, redirections, substitutions.
struct Parser {
    rest: Vec<char>,
    at: usize,
}

impl Parser {
    /// Parses commands up to `end`, or to the end of the script.
    fn list(&mut self, found: &mut Vec<Vec<String>>, end: Option<char>) {
        let (mut words, mut word): (Vec<String>, Option<String>) = (Vec::new(), None);
        while let Some(c) = self.next() {
            match c {
                _ if Some(c) == end => break,
                '\\' if self.peek() == Some('\n') => {
                    self.at += 1;
                    words.extend(word.take());
                }
                ' ' | '\t' => words.extend(word.take()),
                '#' if word.is_none() => while self.next().is_some_and(|c| c != '\n') {},
                '\n' | ';' | '|' | '&' | '(' | ')' | '{' | '}' if word.is_none() || !matches!(c, '{' | '}') => {
                    words.extend(word.take());
                    add(&mut words, found);
                }
                // The target of a redirection is no argument.
                '>' | '<' => {
                    words.extend(word.take());
                    word = Some("\0".to_owned());
                    while self.peek() == Some(' ') {
                        self.at += 1;
                    }
                }
                _ => self.part(c, word.get_or_insert_default(), found),
            }
        }
        words.extend(word);
        add(&mut words, found);
    }

    /// Adds a character, a quoted string or a substitution to a word.
    fn part(&mut self, c: char, word: &mut String, found: &mut Vec<Vec<String>>) {
        match c {
            '\'' => {
                while let Some(c) = self.next().filter(|c| *c != '\'') {
                    word.push(c);
                }
            }
            '"' => {
                while let Some(c) = self.next().filter(|c| *c != '"') {
                    if c == '$' { self.part(c, word, found) } else { word.push(c) }
                }
            }
            '$' if self.peek() == Some('(') => {
                self.at += 1;
                word.push('$');
                self.list(found, Some(')'));
            }
            '$' if self.peek() == Some('{') => {
                word.push('$');
                while self.next().is_some_and(|c| c != '}') {}
            }
            c => word.push(c),
        }
    }

    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.get(self.at - 1).copied()
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }
}

/// Adds a command if it is one of talosctl or kubectl.
fn add(words: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let is_before = |word: &String| {
        let name = word.split('=').next().unwrap_or_default();
        KEYWORDS.contains(&word.as_str()) || (name.len() < word.len() && !name.starts_with('-'))
    };
    let words = std::mem::take(words).into_iter().filter(|word| !word.starts_with('\0'));
    let command: Vec<String> = words.skip_while(is_before).collect();
    if command.first().is_some_and(|program| program == "talosctl" || program == "kubectl") {
        found.push(command);
    }
}

#[test]
fn commands_are_found_in_scripts() {
    let script = "X=$(talosctl -n 1 get a -o jsonpath='{.b}') # talosctl c\nuntil kubectl wait --for=c d; do sleep 1; done\n\
                  (cd ~/x && talosctl reset \\\n  --reboot > /dev/null) | talosctl read \"$(kubectl get 'e f')\" g\n";
    let found: Vec<String> = commands(script).iter().map(|words| words.join(",")).collect();
    assert_eq!(
        found,
        [
            "talosctl,-n,1,get,a,-o,jsonpath={.b}",
            "kubectl,wait,--for=c,d",
            "talosctl,reset,--reboot",
            "kubectl,get,e f",
            "talosctl,read,$,g"
        ]
    );
}

#[test]
fn flags_depend_on_the_version() {
    let wrong = |minor: &str, script: &str| CommandFlags::of(minor).check_script(script);
    for (minor, script) in [
        ("1.13", "talosctl -n 10.0.0.1 reboot --drain"),
        ("1.12", "talosctl upgrade -n 10.0.0.1 --image=a --stage"),
        ("1.14", "talosctl wipe disk sda1 --drop-partition"),
        ("1.14", "kubectl -n a rollout status daemonset/b && kubectl drain c --ignore-daemonsets"),
    ] {
        assert_eq!(wrong(minor, script), Vec::<String>::new(), "{script}");
    }
    for (minor, script) in [
        ("1.12", "talosctl -n 10.0.0.1 reboot --drain"),
        ("1.14", "talosctl upgrade -n 10.0.0.1 --image a --stage"),
        ("1.14", "talosctl wipe disc sda1"),
        ("1.14", "kubectl drains c"),
        ("1.14", "kubectl drain c --no-such-flag"),
        ("1.14", "talosctl --no-such-flag reboot"),
        ("1.14", "talosctl upgrade --image"),
    ] {
        assert_eq!(wrong(minor, script).len(), 1, "{script}");
    }
}
