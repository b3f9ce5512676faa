//! Values in shell scripts: their quotes, and the positions where quotes protect them.

use std::borrow::Cow;

/// Words with a meaning at the start of a command (POSIX XCU 2.4, and those that it leaves unspecified).
const RESERVED: [&str; 17] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in", "function",
    "select", "time", "coproc",
];

/// Returns a string as one word of a POSIX shell; none if it contains a NUL, which no argument can.
pub(crate) fn word(text: &str) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&byte);
    if text.contains('\0') {
        None
    } else if !text.is_empty() && text.bytes().all(is_plain) && !RESERVED.contains(&text) {
        Some(Cow::Borrowed(text))
    } else {
        Some(Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))))
    }
}

/// Returns the byte of the first value that its quotes would not protect: one in quotes, a comment, a here-document or backticks.
/// `value_length` returns the length of the value at the start of a text.
///
/// Parses no more of the shell than that needs; a value after syntax that is not parsed counts as unprotected.
pub(crate) fn unprotected_value(script: &str, value_length: impl Fn(&str) -> Option<usize>) -> Option<usize> {
    let mut state = Vec::new();
    let mut before = '\n';
    let mut at = 0;
    while let Some(c) = script[at..].chars().next() {
        let rest = &script[at..];
        let here = state.last().copied().unwrap_or(State::Code);
        if let Some(length) = value_length(rest) {
            if here != State::Code {
                return Some(at);
            }
            before = 'v';
            at += length;
            continue;
        }
        let mut length = c.len_utf8();
        match (here, c) {
            (State::Comment, '\n') | (State::Single, '\'') | (State::Double, '"') => {
                state.pop();
            }
            (State::Comment | State::Single, _) => {}
            (_, '\\') => length += rest[length..].chars().next().map_or(0, char::len_utf8),
            (_, '$') if rest.starts_with("$(") => {
                state.push(State::Code);
                length = 2;
            }
            (State::Double, '`') => return next_value(script, at, value_length),
            (State::Double, _) => {}
            (State::Code, '"') => state.push(State::Double),
            (State::Code, '\'') => state.push(State::Single),
            (State::Code, '(') => state.push(State::Code),
            (State::Code, ')') => {
                state.pop();
            }
            (State::Code, '#') if before.is_whitespace() || "();|&".contains(before) => state.push(State::Comment),
            (State::Code, '`') => return next_value(script, at, value_length),
            (State::Code, '<') if rest.starts_with("<<") => return next_value(script, at, value_length),
            (State::Code, _) => {}
        }
        before = c;
        at += length;
    }
    None
}

/// Returns the byte of the first value after `from`.
fn next_value(script: &str, from: usize, value_length: impl Fn(&str) -> Option<usize>) -> Option<usize> {
    script[from..].char_indices().map(|(at, _)| from + at).find(|at| value_length(&script[*at..]).is_some())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Comment,
    Single,
    Double,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_the_shell_would_read() {
        let words = ["abc", "/var/a-b_1.0:x@y%+,", "", "a b", "A=1", "-n", "it's", "$HOME", "a\nb", "~", "if", "*"];
        assert_eq!(
            words.map(|text| word(text).expect("no NUL").into_owned()),
            [
                "abc",
                "/var/a-b_1.0:x@y%+,",
                "''",
                "'a b'",
                "'A=1'",
                "-n",
                r"'it'\''s'",
                "'$HOME'",
                "'a\nb'",
                "'~'",
                "'if'",
                "'*'"
            ]
        );
        assert_eq!(word("a\0b"), None);
    }

    #[test]
    fn finds_values_that_quotes_would_not_protect() {
        let found = |script: &str| unprotected_value(script, |rest| rest.starts_with("@@").then_some(2));
        for script in [
            "echo @@\n",
            "x=@@ # it's\necho \"a\" @@",
            "a=pre-@@",
            "echo \"$(cat @@)\" @@",
            "echo \\' @@ \\\" @@",
            "echo ${a#b} $# @@",
            "cat <<EOF\nEOF\n",
            "case $x in a) echo @@ ;; esac",
            "if (true); then @@; fi",
        ] {
            assert_eq!(found(script), None, "{script}");
        }
        for script in [
            "echo '@@'",
            "echo \"@@\"",
            "# @@",
            "true;# @@",
            "cat <<EOF\n@@\nEOF\n",
            "echo `cat @@`",
            "echo \"$(echo a) @@\"",
            "echo \"$(echo '@@')\"",
        ] {
            assert_eq!(found(script), script.find("@@"), "{script}");
        }
    }
}
