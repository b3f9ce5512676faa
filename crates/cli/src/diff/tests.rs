use std::process::Command;

use super::{excerpt, excerpt_sign, unified};

const OLD: &str = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";

#[test]
fn a_change_has_gits_headers_and_three_lines_around() {
    let new = OLD.replace("b\n", "B\n").replace("l\n", "l\nm");
    let expected = "\
--- a/devices/x.yaml
+++ b/devices/x.yaml
@@ -1,5 +1,5 @@
 a
-b
+B
 c
 d
 e
@@ -10,3 +10,4 @@
 j
 k
 l
+m
\\ No newline at end of file
";
    assert_eq!(unified("devices/x.yaml", Some(OLD), Some(&new), false), expected);
}

#[test]
fn added_removed_and_equal_files() {
    assert_eq!(unified("x", None, Some("a\nb\n"), false), "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_eq!(unified("x", Some("a\n"), None, false), "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    assert_eq!(unified("x", None, Some(""), false), "--- /dev/null\n+++ b/x\n");
    assert_eq!(unified("x", Some("a\n"), Some("a\n"), true), "");
    assert_eq!(unified("x", None, None, false), "");
}

#[test]
fn colour_marks_whole_lines() {
    let expected = "\u{1b}[1m--- a/x\u{1b}[0m\n\u{1b}[1m+++ b/x\u{1b}[0m\n\u{1b}[36m@@ -1,2 +1,2 @@\u{1b}[0m\n a\n\
                    \u{1b}[31m-b\u{1b}[0m\n\u{1b}[32m+c\u{1b}[0m\n";
    assert_eq!(unified("x", Some("a\nb\n"), Some("a\nc\n"), true), expected);
}

#[test]
fn a_key_in_a_file_is_not_repeated() {
    let diff = unified("x", Some("k: tskey-auth-k1\n"), Some("k: tskey-auth-k2\n"), false);
    assert_eq!(diff, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-k: tskey-auth-**\n+k: tskey-auth-**\n");
    assert_eq!(excerpt("", "k: tskey-api-k1\n"), "1 │ +k: tskey-api-**\n");
}

#[test]
fn an_excerpt_numbers_the_changed_lines() {
    let new = OLD.replace("b\nc\n", "B\n").replace("k\n", "k\nk2\nk3\n");
    let expected = " 2 │ -b\n 3 │ -c\n   │ +B\n11 │ +k2\n12 │ +k3\n";
    assert_eq!(excerpt(OLD, &new), expected);
    let signs: Vec<_> = expected.lines().map(excerpt_sign).collect();
    assert_eq!(signs, [Some('-'), Some('-'), Some('+'), Some('+'), Some('+')]);
    for other in ["… 3 more lines", "- system", "x │ -1", "1 │ 2", ""] {
        assert_eq!(excerpt_sign(other), None, "{other}");
    }
}

#[test]
fn an_excerpt_counts_what_it_does_not_show() {
    let numbers = |count: usize| (1..=count).map(|number| format!("{number}\n")).collect::<String>();
    let shown = |count: usize| (1..=count).map(|number| format!("{number:>2} │ +{number}\n")).collect::<String>();
    assert_eq!(excerpt("", &numbers(13)), shown(13));
    assert_eq!(excerpt("", &numbers(14)), format!("{}… 2 more lines\n", shown(12)));
    assert_eq!(excerpt("a\n", "a\n"), "");
}

#[test]
fn an_excerpt_tells_versions_apart_that_differ_at_the_end_of_a_line() {
    assert_eq!(excerpt("a", "a\n"), "1 │ -a (no line break at the end)\n  │ +a\n");
    assert_eq!(excerpt("a\r\n", "a\n"), "1 │ -a (CRLF)\n  │ +a\n");
}

#[test]
fn git_applies_the_diffs() {
    if Command::new("git").arg("--version").output().is_err() {
        assert!(std::env::var_os("TALOSMITH_ALL_TOOLS").is_none(), "git is not installed");
        eprintln!("not tested, since git is not installed: that git applies the diffs");
        return;
    }
    let texts = ["", "a", "a\n", OLD, "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl", "a\r\nb\rc\nd\n", "ä\n\n\n\tß\n"];
    for old in texts.iter().copied().map(Some).chain([None]) {
        for new in texts.iter().copied().map(Some).chain([None]) {
            // Git names an empty file that comes or goes in a header of its own, which people have no use for.
            if old == new || old.unwrap_or("").is_empty() && new.unwrap_or("").is_empty() {
                continue;
            }
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("x.yaml");
            if let Some(old) = old {
                std::fs::write(&file, old).expect("the old version");
            }
            let patch = folder.path().join("patch");
            std::fs::write(&patch, unified("x.yaml", old, new, false)).expect("the patch");
            let arguments = ["apply", "--whitespace=nowarn", "patch"];
            let output = Command::new("git").args(arguments).current_dir(folder.path()).output().expect("git");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{old:?} to {new:?}");
            assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), new, "{old:?} to {new:?}");
        }
    }
}
