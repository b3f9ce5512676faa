//! Files with syntax errors, with the whole report.

use super::refusals::{rejected, reports};

#[test]
fn each_mistake_is_reported_at_its_location() {
    let texts = [
        "a: 'x\nb: 1\n",
        "a: \"x",
        "a: [1, 2\nb: 3\n",
        "a: b: c\n",
        "a: {x: 1\n",
        "a: ]\n",
        "a: [1}\n",
        "a b\nc: d\n",
        "a: @x\n",
        "a: %x\n",
        "%YAML 1.2\n---\na: 1\n",
        "a: \"\\q\"\n",
        "a: \"\\xZZ\"\n",
        "- a\nb: c\n",
        "a: \u{1}\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: - b\n",
        "a: *\n",
        "a: \"x\" y\n",
        "a: 'it's'\n",
        "a: |x\n y\n",
        "a: |\n   x\n  y\nb: 1\n",
        "a: [b]#c\n",
        "a: [- b]\n",
        "a: [a b: c, d\n  e: f]\n",
        "a: 1\n... b\n",
        "a: 1\n\u{FEFF}b: 2\n",
        "a: !<x\n",
        "a: x\nb\nc: 1\n",
        "a: {b: 1 c: 2}\n",
        "a: x\n# c\n  y\n",
        "a: {\"b\":c, d: e\n",
        "- - a\n - b\n",
    ];
    let expected = r##""a: 'x\nb: 1\n"
not-yaml: a quoted string continues here without indentation at 2:1 "b"
  help: close the quotes on the line above, or indent this line
"a: \"x"
not-yaml: a quote is never closed at 1:4 "\""
"a: [1, 2\nb: 3\n"
not-yaml: this line is not indented far enough at 2:1 "b"
  help: indent it deeper than the key that it belongs to, or close the bracket above
"a: b: c\n"
not-yaml: a `:` starts a value here, where no key is possible at 1:5 ":"
  help: quote a string with `: ` in it; start a key on a line of its own, indented like its neighbours
"a: {x: 1\n"
not-yaml: this `{` is never closed at 1:4 "{"
"a: ]\n"
not-yaml: this bracket closes nothing at 1:4 "]"
  help: quote a string that begins with a bracket
"a: [1}\n"
not-yaml: a `[` is closed with a `}` at 1:4 "["
"a b\nc: d\n"
not-yaml: a `:` starts a value here, where no key is possible at 2:2 ":"
  help: quote a string with `: ` in it; start a key on a line of its own, indented like its neighbours
"a: @x\n"
not-yaml: a string without quotes cannot begin with `@` at 1:4 "@"
  help: quote the string
"a: %x\n"
not-yaml: a string without quotes cannot begin with `%` at 1:4 "%"
  help: quote the string
"%YAML 1.2\n---\na: 1\n"
not-yaml: a line that begins with `%` is a directive, which talosmith does not support at 1:1 "%"
  help: remove the line
"a: \"\\q\"\n"
not-yaml: unknown escape in a double-quoted string at 1:4 "\""
  help: use single quotes, in which `\` is not an escape
"a: \"\\xZZ\"\n"
not-yaml: an escape in a double-quoted string is not a character at 1:4 "\""
"- a\nb: c\n"
not-yaml: expected a `- ` at 2:1 "b"
  help: indent this line like the list that it belongs to, or like the key above the list
"a: \u{1}\n"
not-yaml: the character U+0001 is not allowed in YAML at 1:4 "\u{1}"
  help: remove it, or write it as an escape in double quotes
"a:\n    b: 1\n  c: 2\n"
not-yaml: expected a key at 3:3 "c"
  help: indent this line like the keys that belong with it
"a: - b\n"
not-yaml: a list cannot start here at 1:4 "-"
  help: start it on a line of its own
"a: *\n"
not-yaml: a string without quotes cannot begin with `*` or `&` at 1:4 "*"
  help: quote the string
"a: \"x\" y\n"
not-yaml: unexpected characters after a quoted string at 1:8 "y"
  help: put a string that contains double quotes between single quotes: 'a == "b"'
"a: 'it's'\n"
not-yaml: unexpected characters after a quoted string at 1:8 "s"
  help: write a quote inside single quotes twice: 'it''s'
"a: |x\n y\n"
not-yaml: only an indent of 1 to 9, `-` or `+` can follow `|` and `>` at 1:4 "|"
  help: start the string on the next line
"a: |\n   x\n  y\nb: 1\n"
not-yaml: expected a key at 3:3 "y"
  help: indent this line like the keys that belong with it
"a: [b]#c\n"
not-yaml: a comment needs a space before its `#` at 1:7 "#"
"a: [- b]\n"
not-yaml: a `-` is not allowed here between brackets at 1:5 "-"
  help: quote a string that begins with `-`
"a: [a b: c, d\n  e: f]\n"
not-yaml: a `:` starts a value here, where no key is possible at 2:4 ":"
  help: quote a string with `: ` in it; start a key on a line of its own, indented like its neighbours
"a: 1\n... b\n"
not-yaml: the document has ended before this line at 2:5 "b"
  help: indent the line like the keys that belong with it
"a: 1\n\u{feff}b: 2\n"
not-yaml: a byte order mark is only allowed at the start of a file at 2:1 "\u{feff}"
  help: remove it
"a: !<x\n"
not-yaml: this tag is not well formed at 1:4 "!"
  help: quote a string that begins with `!`
"a: x\nb\nc: 1\n"
not-yaml: expected `key: value` at 2:1 "b"
  help: write a `:` and a space after the key
"a: {b: 1 c: 2}\n"
not-yaml: expected a `,` or a `}` at 1:11 ":"
  help: quote a string with braces
"a: x\n# c\n  y\n"
not-yaml: expected a key at 3:3 "y"
  help: indent this line like the keys that belong with it
"a: {\"b\":c, d: e\n"
not-yaml: this `{` is never closed at 1:4 "{"
"- - a\n - b\n"
not-yaml: expected a `- ` at 2:2 "-"
  help: indent this line like the list that it belongs to, or like the key above the list
"##;
    assert_eq!(reports(&texts), expected);
}

#[test]
fn findings_before_a_syntax_error_are_reported_too() {
    let text = "a: *x\nb: 1\nb: 2\nc: ]\n";
    let expected = r##"alias: `*x` is an alias, which talosmith does not support at 1:4 "*x"
  help: put a string that begins with `*` in quotes: `"*x"`
not-yaml: this bracket closes nothing at 4:4 "]"
  help: quote a string that begins with a bracket
"##;
    assert_eq!(rejected(text), expected);
}
