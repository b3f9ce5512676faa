//! Files that are rejected, with the whole report.

use serde_json::json;

use super::{report, source};
use crate::Document;

pub(super) fn rejected(text: &str) -> String {
    let findings = Document::parse(source(), text).expect_err("the file is rejected");
    report(text, &findings)
}

/// Each file and its report.
pub(super) fn reports(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{text:?}\n{}", rejected(text))).collect()
}

#[test]
fn aliases_anchors_merge_keys_and_tags() {
    let text = "a: &x 1\nb: *x\nc: [*y, !secret z]\n<<: *x\n\"<<\": 1\nd: !!map {}\n*x : 1\ne: ! f\n";
    let expected = r##"alias: `&x` is an anchor, which talosmith does not support at 1:4 "&x"
  help: remove it, and write the value again where it is used
alias: `*x` is an alias, which talosmith does not support at 2:4 "*x"
  help: write the value in its place
alias: `*y` is an alias, which talosmith does not support at 3:5 "*y"
  help: put a string that begins with `*` in quotes: `"*y"`
alias: `!secret` is a tag, which talosmith does not support at 3:9 "!secret"
  help: remove it, or quote a string that begins with `!`
alias: `<<` is a merge key, which talosmith does not support at 4:1 "<<"
  help: write the merged keys in its place
alias: `*x` is an alias, which talosmith does not support at 4:5 "*x"
  help: write the value in its place
alias: `!!map` is a tag, which talosmith does not support at 6:4 "!!map"
  help: remove it, or quote a string that begins with `!`
alias: `*x` is an alias, which talosmith does not support at 7:1 "*x"
  help: write the value in its place
alias: `!` is a tag, which talosmith does not support at 8:4 "!"
  help: remove it, or quote a string that begins with `!`
"##;
    assert_eq!(rejected(text), expected);
}

#[test]
fn keys_written_twice() {
    let text = "size: 1\ndisk:\n  b: 1\n  b: 2\n'size': 2\nsize: 3\n";
    let expected = r##"duplicate-key: the key `b` is written twice at 4:3 "b"
  also at 3:3 "b" first here
  note: which of the two is used would depend on the program that reads the file
  help: remove one of the two
duplicate-key: the key `size` is written twice at 5:1 "'size'"
  also at 1:1 "size" first here
  note: which of the two is used would depend on the program that reads the file
  help: remove one of the two
duplicate-key: the key `size` is written twice at 6:1 "size"
  also at 1:1 "size" first here
  note: which of the two is used would depend on the program that reads the file
  help: remove one of the two
"##;
    assert_eq!(rejected(text), expected);
}

#[test]
fn keys_that_are_not_strings() {
    let text = "[a]: 1\n{b: c}: 2\n~: 3\n'': 4\n: 5\nd: {{ e }}\n";
    let expected = r##"not-yaml: found a list instead of a key at 1:1 "[a]"
  help: quote a string that begins with `[`
not-yaml: found a mapping instead of a key at 2:1 "{b: c}"
  help: quote a string that begins with `{`
not-yaml: a key is empty at 3:1 "~"
  help: write a name before the `:`
not-yaml: a key is empty at 4:1 "''"
  help: write a name before the `:`
not-yaml: a key is empty at 5:2 ""
  help: write a name before the `:`
not-yaml: found a mapping instead of a key at 6:5 "{ e }"
  help: quote a string that begins with `{`
"##;
    assert_eq!(rejected(text), expected);
}

#[test]
fn roots_that_are_not_mappings() {
    let texts = ["", "# comment\n", "---\n", "- a\n- b\n", "text\nand text\n", "'a'\n", "a: 1\n---\nb: 2\n"];
    let expected = r##"""
not-yaml: the file is empty at file
  help: write lines such as `key: value`
"# comment\n"
not-yaml: the file is empty at file
  help: write lines such as `key: value`
"---\n"
not-yaml: the file is empty at file
  help: write lines such as `key: value`
"- a\n- b\n"
not-yaml: the file is a list, but a mapping is expected at 1:1 "- a"
  help: write lines such as `key: value`
"text\nand text\n"
not-yaml: the file is a scalar, but a mapping is expected at 1:1 "text"
  help: write lines such as `key: value`
"'a'\n"
not-yaml: the file is a scalar, but a mapping is expected at 1:1 "'a'"
  help: write lines such as `key: value`
"a: 1\n---\nb: 2\n"
not-yaml: a second document starts here at 2:1 "---"
  help: write one document per file
"##;
    assert_eq!(reports(&texts), expected);
}

#[test]
fn tabs() {
    let texts = [
        "a:\n\t- b\n",
        "a:\n  b: 1\n\tc: 2\n",
        "\ta: 1\n\tb: 2\n",
        "a: [\n  b,\n  \tc]\n",
        "a: |\n\tx\n",
        "- b:\n\t  c: 1\n",
        "a: \"x\n\ty\"\n",
        "-\t- a\n",
        "a:\n  b: |\n    x\n\n\ty\n",
        "\u{FEFF}\ta: 1\n",
        "a:\n  \tb: 1\n",
    ];
    let expected = r##""a:\n\t- b\n"
tab-indent: YAML does not allow tabs for indentation at 2:1 "\t" a tab
  help: use spaces; here 2
"a:\n  b: 1\n\tc: 2\n"
tab-indent: YAML does not allow tabs for indentation at 3:1 "\t" a tab
  help: use spaces; here 2
"\ta: 1\n\tb: 2\n"
tab-indent: YAML does not allow tabs for indentation at 1:1 "\t" a tab
  help: remove the tab, or use spaces
"a: [\n  b,\n  \tc]\n"
tab-indent: YAML does not allow tabs for indentation at 3:3 "\t" a tab
  help: use spaces; here 2
"a: |\n\tx\n"
tab-indent: YAML does not allow tabs for indentation at 2:1 "\t" a tab
  help: use spaces; here 2
"- b:\n\t  c: 1\n"
tab-indent: YAML does not allow tabs for indentation at 2:1 "\t" a tab
  help: use spaces; here 4
"a: \"x\n\ty\"\n"
tab-indent: YAML does not allow tabs for indentation at 2:1 "\t" a tab
  help: remove the tab, or use spaces
"-\t- a\n"
not-yaml: a list cannot start here at 1:3 "-"
  help: start it on a line of its own
"a:\n  b: |\n    x\n\n\ty\n"
tab-indent: YAML does not allow tabs for indentation at 5:1 "\t" a tab
  help: use spaces; here 4
"\u{feff}\ta: 1\n"
tab-indent: YAML does not allow tabs for indentation at 1:1 "\t" a tab
  help: remove the tab, or use spaces
"a:\n  \tb: 1\n"
tab-indent: YAML does not allow tabs for indentation at 2:3 "\t" a tab
  help: use spaces; here 2
"##;
    assert_eq!(reports(&texts), expected);
}

#[test]
fn tabs_outside_indentation_are_accepted() {
    let text = "a:\tb\t# c\nd: |\n  e\n  \tf\n\t\n\t# g\nh: 'i\tj'\n";
    let document = Document::parse(source(), text).map_err(|findings| report(text, &findings)).unwrap();
    assert_eq!(document.root.into_json(), json!({"a": "b", "d": "e\n\tf\n", "h": "i\tj"}));
}

#[test]
fn nesting() {
    let flow =
        |open: &str, close: &str, depth: usize| format!("a: {}{}\n", open.repeat(depth - 1), close.repeat(depth - 1));
    let block = |depth: usize| (0..depth).fold(String::new(), |text, level| format!("{text}{}a:\n", " ".repeat(level)));
    for text in [flow("[", "]", 64), flow("{b: ", "}", 64), block(64)] {
        assert!(Document::parse(source(), &text).is_ok());
    }
    let rejected_at = |text: &str| {
        let report = rejected(text);
        let location = report.strip_prefix("too-deep: more than 64 lists and mappings are inside each other at ");
        location.map(|location| location.trim_end().to_owned()).ok_or(report)
    };
    assert_eq!(rejected_at(&flow("[", "]", 65)), Ok("1:67 \"\"".to_owned()));
    assert_eq!(rejected_at(&flow("{b: ", "}", 65)), Ok("1:256 \"\"".to_owned()));
    assert_eq!(rejected_at(&block(65)), Ok("65:65 \"\"".to_owned()));
    for open in ["[", "{a: ", "- ", "? ", "-\t", "a: [{b: "] {
        assert!(Document::parse(source(), &open.repeat(100_000)).is_err(), "{open}");
    }
}

#[test]
fn size() {
    assert_eq!(rejected(&"a: 1\n".repeat((4 << 20) / 5 + 1)), "too-large: the file has more than 4 MiB at file\n");
    assert_eq!(
        rejected(&format!("a: [{}]\n", "1,".repeat(200_000))),
        "too-large: the file has more than 200,000 keys and values at 1:399999 \"\"\n"
    );
    let keys: String = (0..99_999).map(|key| format!("k{key}: 1\n")).collect();
    assert!(Document::parse(source(), &keys).is_ok());
}

#[test]
fn parsing_big_malicious_files_ends() {
    // A check with quadratic run time would take minutes here.
    let twice = "a: 1\n".repeat(90_000);
    assert_eq!(Document::parse(source(), &twice).map_err(|findings| findings.len()), Err(89_999));
    let tabs = format!("a: [\t{}]\n", "b,\t".repeat(190_000));
    assert!(Document::parse(source(), &tabs).is_ok());
    let tab_lines = format!("a: {{\n{}}}\n", "#\n\n\tb,\n".repeat(90_000));
    assert!(Document::parse(source(), &tab_lines).is_err());
}

#[test]
fn a_stream_has_the_same_rules() {
    let text = "a: &x 1\n---\nb: 1\nb: 2\n--- *x\n";
    let findings = Document::parse_stream(source(), text).expect_err("the file is rejected");
    let expected = r##"alias: `&x` is an anchor, which talosmith does not support at 1:4 "&x"
  help: remove it, and write the value again where it is used
duplicate-key: the key `b` is written twice at 4:1 "b"
  also at 3:1 "b" first here
  note: which of the two is used would depend on the program that reads the file
  help: remove one of the two
alias: `*x` is an alias, which talosmith does not support at 5:5 "*x"
  help: write the value in its place
"##;
    assert_eq!(report(text, &findings), expected);
}
