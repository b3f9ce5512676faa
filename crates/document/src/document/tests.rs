//! Parsed values and their bytes.

mod properties;
mod refusals;
mod syntax;

use std::fmt::Write as _;

use serde_json::json;

use super::{Document, Node, NodeValue, decode};
use crate::{Anchor, Diagnostic, Pointer, SourceId, Sources};

fn source() -> SourceId {
    Sources::default().add("devices/ryzen/device.yaml", "")
}

fn slice<'a>(text: &'a str, span: &std::ops::Range<u32>) -> &'a str {
    &text[span.start as usize..span.end as usize]
}

/// All parts of the findings, with the text at each location.
fn report(text: &str, findings: &[Diagnostic]) -> String {
    let mut out = String::new();
    for finding in findings {
        let mut label = |head: &str, label: &crate::Label| {
            let location = match &label.location.anchor {
                Anchor::File => "file".to_owned(),
                Anchor::Bytes(range) => {
                    let range = std::ops::Range::<usize>::from(*range);
                    let (line, column) = crate::line_column(text, range.start);
                    format!("{line}:{column} {:?}", &text[range])
                }
                Anchor::Key(pointer) => format!("key {pointer}"),
                Anchor::Value(pointer) => format!("value {pointer}"),
                Anchor::Part(pointer, _) => format!("part of {pointer}"),
            };
            let gap = if label.text.is_empty() { "" } else { " " };
            writeln!(out, "{head} at {location}{gap}{}", label.text).unwrap();
        };
        label(&format!("{}: {}", finding.code, finding.message), &finding.at);
        for also in &finding.also {
            label("  also", also);
        }
        for note in &finding.notes {
            writeln!(out, "  note: {note}").unwrap();
        }
        for help in &finding.helps {
            writeln!(out, "  help: {help}").unwrap();
        }
        assert_eq!((finding.level, &finding.figure), (finding.code.level(), &None));
    }
    out
}

/// The nodes, one per line, with pointer, style and source.
fn outline(text: &str) -> String {
    fn walk(node: &Node, text: &str, pointer: &Pointer, out: &mut String) {
        let kind = match &node.value {
            NodeValue::Scalar(_, style) => format!("{style:?}"),
            NodeValue::Sequence(_) => "Sequence".to_owned(),
            NodeValue::Mapping(_) => "Mapping".to_owned(),
        };
        writeln!(out, "{pointer} {kind} {:?}", slice(text, &node.span)).unwrap();
        for entry in node.entries() {
            walk(&entry.value, text, &pointer.child(&entry.key), out);
        }
        for (index, item) in node.items().iter().enumerate() {
            walk(item, text, &pointer.item(index), out);
        }
    }
    let document = Document::parse(source(), text).map_err(|findings| report(text, &findings)).unwrap();
    let mut out = String::new();
    walk(&document.root, text, &Pointer::root(), &mut out);
    out
}

#[test]
fn every_value_knows_its_bytes() {
    let text = "\
name: ryzen  # the folder's name
disks:
  nvme0n1: { size: 2TB, paths: ['/dev/a', \"/dev/b\" ] }  # both

labels:
- a
-   b: 1
    c: two words
      on two lines
none:
last: {}
";
    let expected = r#"
 Mapping "name: ryzen  # the folder's name\ndisks:\n  nvme0n1: { size: 2TB, paths: ['/dev/a', \"/dev/b\" ] }  # both\n\nlabels:\n- a\n-   b: 1\n    c: two words\n      on two lines\nnone:\nlast: {}"
/name Plain "ryzen"
/disks Mapping "nvme0n1: { size: 2TB, paths: ['/dev/a', \"/dev/b\" ] }"
/disks/nvme0n1 Mapping "{ size: 2TB, paths: ['/dev/a', \"/dev/b\" ] }"
/disks/nvme0n1/size Plain "2TB"
/disks/nvme0n1/paths Sequence "['/dev/a', \"/dev/b\" ]"
/disks/nvme0n1/paths/0 Quoted "'/dev/a'"
/disks/nvme0n1/paths/1 Quoted "\"/dev/b\""
/labels Sequence "- a\n-   b: 1\n    c: two words\n      on two lines"
/labels/0 Plain "a"
/labels/1 Mapping "b: 1\n    c: two words\n      on two lines"
/labels/1/b Plain "1"
/labels/1/c Plain "two words\n      on two lines"
/none Plain ""
/last Mapping "{}"
"#;
    assert_eq!(outline(text), expected.trim_start_matches('\n'));
}

#[test]
fn a_block_ends_before_the_blank_lines_after_it() {
    let text = "a: |\n  one\n\n  two\n\n# comment\nb: >-\n\n    folded\n    text\nc: |\nd: |\n  end";
    let expected = r#"/a Block "one\n\n  two"
/b Block "folded\n    text"
/c Block ""
/d Block "end"
"#;
    assert_eq!(outline(text).split_once('\n').unwrap().1, expected);
    assert_eq!(
        Document::parse(source(), text).unwrap().root.into_json(),
        json!({"a": "one\n\ntwo\n", "b": "\nfolded text", "c": "", "d": "end"})
    );
}

#[test]
fn keys_and_values_are_found() {
    let text = "a/b: &\n".replace('&', "1") + "list:\n  - x\n  - key : [é, ü]\n";
    let document = Document::parse(source(), &text).unwrap();
    let find = |pointer: &str| {
        let (key, value) = document.find(&pointer.into())?;
        Some((key.map(|key| slice(&text, &key)), slice(&text, &value)))
    };
    assert_eq!(find(""), Some((None, "a/b: 1\nlist:\n  - x\n  - key : [é, ü]")));
    assert_eq!(find("/a~1b"), Some((Some("a/b"), "1")));
    assert_eq!(find("/list/0"), Some((None, "x")));
    assert_eq!(find("/list/1/key"), Some((Some("key"), "[é, ü]")));
    assert_eq!(find("/list/1/key/1"), Some((None, "ü")));
    assert_eq!(find("/list/2"), None);
    assert_eq!(find("/list/x"), None);
    assert_eq!(find("/a~1b/c"), None);
}

#[test]
fn a_missing_value_is_the_empty_range_after_the_colon() {
    let text = "a:\nb : # comment\nc: {d: , e}\nf:\n  -\n  - ~\n? g\n";
    let document = Document::parse(source(), text).unwrap();
    let at = |pointer: &str| document.find(&pointer.into()).unwrap().1;
    for (pointer, before) in [("/a", "a:"), ("/b", "b :"), ("/c/d", "d:"), ("/c/e", "e"), ("/f/0", "-"), ("/g", "g\n")]
    {
        let span = at(pointer);
        assert_eq!(span.start, span.end, "{pointer}");
        assert_eq!(text[..span.start as usize].rsplit_once(before).map(|(_, rest)| rest), Some(""), "{pointer}");
    }
    let root = &document.root;
    assert_eq!(root.get("a").map(|node| (node.is_empty_scalar(), node.is_null())), Some((true, false)));
    let tilde = &root.get("f").unwrap().items()[1];
    assert_eq!((tilde.is_empty_scalar(), tilde.is_null()), (false, true));
    assert_eq!(
        report(text, &document.empty_values(source())),
        "\
empty-value: the key `a` has no value at key /a
  help: write a value, indent the lines below that belong to it, or remove the line
empty-value: the key `b` has no value at key /b
  help: write a value, indent the lines below that belong to it, or remove the line
empty-value: the key `d` has no value at key /c/d
  help: write a value, indent the lines below that belong to it, or remove the line
empty-value: the key `e` has no value at key /c/e
  help: write a value, or remove the line
empty-value: an item of a list has no value at value /f/0
  help: write a value, or remove the `-`
empty-value: the key `g` has no value at key /g
  help: write a value, or remove the line
"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_no_value() {
    let text = "\u{FEFF}a: é\r\nb: |\r\n  x\r\n  y\r\nc:\r\n  - d\r\n";
    let document = Document::parse(source(), text).unwrap();
    assert_eq!(document.root.into_json(), json!({"a": "é", "b": "x\ny\n", "c": ["d"]}));
    assert_eq!(
        outline(text),
        "\u{20}Mapping \"a: é\\r\\nb: |\\r\\n  x\\r\\n  y\\r\\nc:\\r\\n  - d\"\n/a Plain \"é\"\n/b Block \"x\\r\\n  y\"\n\
         /c Sequence \"- d\"\n/c/0 Plain \"d\"\n"
    );
}

#[test]
fn plain_scalars_have_the_types_of_yaml_1_2() {
    let text = "\
- [null, Null, NULL, ~, nULL, 'null']
- [true, True, TRUE, false, False, FALSE, tRUE, yes, no, on, off, y, n, \"true\"]
- [0, -1, +2, 0644, 0x1F, 0o17, 9223372036854775807, 18446744073709551615, 18446744073709551616]
- [1.5, -.5, 1., 1e3, +1E-2, .inf, -.INF, .nan, 1e999, 0x1FFFFFFFFFFFFFFFF]
- [1_000, 0x, 0o9, 0x+1, -0x1, 1e, ., e3, +, 1.2.3, 12:30, 2001-01-01, 1.12.1, infinity, nan]
- [!!str 1, !!str true, !!str , '1', \"1\", off]
- |
  12
";
    let nodes = Document::parse_stream(source(), text).unwrap();
    let expected = json!([
        [null, null, null, null, "nULL", "null"],
        [true, true, true, false, false, false, "tRUE", "yes", "no", "on", "off", "y", "n", "true"],
        [0, -1, 2, 644, 31, 15, i64::MAX, u64::MAX, 18_446_744_073_709_551_616.0],
        [1.5, -0.5, 1.0, 1000.0, 0.01, ".inf", "-.INF", ".nan", "1e999", "0x1FFFFFFFFFFFFFFFF"],
        [
            "1_000",
            "0x",
            "0o9",
            "0x+1",
            "-0x1",
            "1e",
            ".",
            "e3",
            "+",
            "1.2.3",
            "12:30",
            "2001-01-01",
            "1.12.1",
            "infinity",
            "nan"
        ],
        ["1", "true", "", "1", "1", "off"],
        "12\n"
    ]);
    assert_eq!(nodes.into_iter().map(Node::into_json).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_stream_has_any_documents() {
    let text = "a: 1\n---\n- b\n---\n---\ntext\n...\n";
    let nodes = Document::parse_stream(source(), text).unwrap();
    let spans: Vec<_> = nodes.iter().map(|node| slice(text, &node.span)).collect();
    assert_eq!(spans, ["a: 1", "- b", "", "text"]);
    assert_eq!(Document::parse_stream(source(), "# nothing\n"), Ok(vec![]));
}

#[test]
fn bytes_that_are_not_utf8_are_rejected() {
    assert_eq!(decode(source(), "é".as_bytes()), Ok("é"));
    let refused = |bytes: &[u8]| report("", &[decode(source(), bytes).unwrap_err()]);
    assert_eq!(
        refused(b"a: 1\nb: \xE9\n"),
        "not-utf8: byte 8 of the file, on line 2, is not UTF-8 at file\n  help: save the file as UTF-8\n"
    );
    assert_eq!(
        refused(b"\xFF\xFEa\0"),
        "not-utf8: byte 0 of the file, on line 1, is not UTF-8; it looks like UTF-16 at file\n  help: save the file as UTF-8\n"
    );
}
