//! The IDs of the factory: `tests/data/schematic-vectors.json` was made with real builds of go-yaml.

use serde::Deserialize;
use talosmith_document::Pointer;

use super::stability::Reason;
use super::{Customization, Meta, Schematic, SystemExtensions, Unstable};

#[derive(Deserialize)]
struct Vectors {
    upstream_unit_tests: Vec<Upstream>,
    seen_in_real_installer_images: Vec<Seen>,
    schematics: Vec<Whole>,
    scalars: Vec<Scalar>,
}

/// A unit test of the Image Factory.
#[derive(Deserialize)]
struct Upstream {
    input: String,
    id: String,
}

#[derive(Deserialize)]
struct Seen {
    schematic: Schematic,
    id: String,
}

#[derive(Deserialize)]
struct Whole {
    name: String,
    marshal: String,
    id: String,
}

#[derive(Deserialize)]
struct Scalar {
    value: String,
    as_kernel_arg: String,
    as_meta_value: String,
    id_kernel_arg: String,
    id_meta_value: String,
    go_yaml_4_0_0_agrees: bool,
    stable: bool,
    round_trips: bool,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/data/schematic-vectors.json")).expect("vectors")
}

fn with_kernel_arg(text: &str) -> Schematic {
    let customization = Customization { extra_kernel_args: vec![text.to_owned()], ..Customization::default() };
    Schematic { customization, ..Schematic::default() }
}

fn with_meta(text: &str) -> Schematic {
    let customization =
        Customization { meta: vec![Meta { key: 10, value: text.to_owned() }], ..Customization::default() };
    Schematic { customization, ..Schematic::default() }
}

fn with_extensions(names: &[&str]) -> Schematic {
    let official_extensions = names.iter().map(|name| format!("siderolabs/{name}")).collect();
    let customization =
        Customization { system_extensions: SystemExtensions { official_extensions }, ..Customization::default() };
    Schematic { customization, ..Schematic::default() }
}

fn with_option(key: &str, value: serde_json::Value) -> Schematic {
    let mut schematic = Schematic::default();
    schematic.overlay.options.insert(key.to_owned(), value);
    schematic
}

/// Every text that a vector has and that we refuse, in the order of the file.
const REFUSED: &[&str] = &[
    "\u{85}x",
    "x\u{85}y",
    "x\u{2028}y",
    "x\u{2029}y",
    "\u{7f}",
    "\u{1}",
    "\0",
    "\u{1b}[0m",
    "\n",
    "\n\n",
    "\na",
    "\n a",
    " a\nb",
    "  a\nb\n",
    "a \nb",
    "a\n ",
    "a\n \nb",
    "a\nb ",
    "\ta\nb",
    "a\r\nb",
    "a\rb",
    "\r",
    "a\r",
    "a\u{2028}b\nc",
    "a\nb\u{85}",
    "a\u{1}\nb",
    " \n",
    "\n ",
    " \n ",
    "\t\n",
    "\u{a0}\n",
];

#[test]
fn every_text_is_written_as_the_factory_writes_it_or_refused() {
    let mut refused = Vec::new();
    for vector in vectors().scalars {
        match with_kernel_arg(&vector.value).canonical() {
            Ok(text) => {
                assert_eq!(text, vector.as_kernel_arg, "{:?}", vector.value);
                assert_eq!(
                    with_meta(&vector.value).canonical().as_ref(),
                    Ok(&vector.as_meta_value),
                    "{:?}",
                    vector.value
                );
                assert_eq!(
                    with_kernel_arg(&vector.value).id().as_ref(),
                    Ok(&vector.id_kernel_arg),
                    "{:?}",
                    vector.value
                );
                assert_eq!(with_meta(&vector.value).id().as_ref(), Ok(&vector.id_meta_value), "{:?}", vector.value);
                // One line in single quotes is what two release candidates wrote, for some days.
                assert!(vector.go_yaml_4_0_0_agrees && vector.round_trips, "{:?}", vector.value);
                assert!(vector.stable || !vector.value.contains('\n'), "{:?}", vector.value);
            }
            Err(unstable) => {
                assert_eq!(unstable.pointer, Pointer::from("/customization/extraKernelArgs/0"));
                let meta = with_meta(&vector.value).canonical().expect_err("as the kernel argument");
                assert_eq!(
                    meta,
                    Unstable { pointer: Pointer::from("/customization/meta/0/value"), reason: unstable.reason }
                );
                refused.push(vector.value);
            }
        }
    }
    refused.sort();
    let mut expected = REFUSED.to_vec();
    expected.sort_unstable();
    assert_eq!(refused, expected);
}

#[test]
fn whole_schematics_have_the_ids_of_the_factory() {
    let inputs: Vec<(&str, Schematic)> = WHOLE
        .iter()
        .map(|(name, json)| (*name, serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}"))))
        .collect();
    let vectors = vectors().schematics;
    let names: Vec<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    assert_eq!(inputs.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    for (vector, (name, schematic)) in vectors.iter().zip(&inputs) {
        assert_eq!(schematic.canonical().as_ref(), Ok(&vector.marshal), "{name}");
        assert_eq!(schematic.id().as_ref(), Ok(&vector.id), "{name}");
    }
}

/// The inputs of the vectors' `schematics`, which are YAML there, as JSON.
const WHOLE: &[(&str, &str)] = &[
    ("empty", r#"{"customization": {}}"#),
    ("kernelargs", r#"{"customization": {"extraKernelArgs": ["noapic", "nolapic"]}}"#),
    ("meta", r#"{"customization": {"meta": [{"key": 10, "value": "foo"}]}}"#),
    ("secureboot", r#"{"customization": {"secureboot": {"includeWellKnownCertificates": true}}}"#),
    ("overlay", r#"{"overlay": {"image": "siderolabs/sbc-raspberrypi", "name": "rpi_generic"}}"#),
    (
        "extensions",
        r#"{"customization": {"systemExtensions": {"officialExtensions": ["siderolabs/kata-containers", "siderolabs/glibc"]}}}"#,
    ),
    ("sector4k", r#"{"customization": {"diskImage": {"sectorSize": 4096}}}"#),
    ("bootloader-grub", r#"{"customization": {"bootloader": "grub"}}"#),
    ("bootloader-none", r#"{"customization": {"bootloader": "none"}}"#),
    ("enroll-off", r#"{"customization": {"secureboot": {"enrollKeys": "off"}}}"#),
    ("enroll-force", r#"{"customization": {"secureboot": {"enrollKeys": "force"}}}"#),
    (
        "all",
        r#"{
            "overlay": {
                "image": "siderolabs/sbc-raspberrypi",
                "name": "rpi_generic",
                "options": {
                    "configTxt": "a=b\nc=d\n",
                    "number": 5,
                    "b": true,
                    "f": 1.5,
                    "list": ["a", {"k": "v", "a": "no"}],
                    "nested": {"z": 1, "a10": 2, "a9": 3, "a1": "1"},
                    "n": null
                }
            },
            "customization": {
                "embeddedMachineConfiguration": "version: v1alpha1\nmachine:\n  type: worker\n",
                "extraKernelArgs": [
                    "console=ttyS0", "net.ifnames=0", "-selinux", "talos.config=https://x.test/?h=${hostname}&m=${mac}"
                ],
                "meta": [
                    {"key": 10, "value": "addresses:\n    - address: 10.0.0.1/24\n      linkName: eth0\n"},
                    {"key": 12, "value": "machineLabels:\n    a: b"}
                ],
                "systemExtensions": {"officialExtensions": ["siderolabs/intel-ucode", "siderolabs/iscsi-tools"]},
                "bootloader": "dual-boot",
                "secureboot": {"enrollKeys": "if-safe", "includeWellKnownCertificates": true},
                "diskImage": {"sectorSize": 4096}
            }
        }"#,
    ),
    ("overlay-options-only", r#"{"overlay": {"options": {"a": "b"}}}"#),
    ("overlay-empty-image", r#"{"overlay": {"name": "rpi_generic"}}"#),
    ("meta-literal", r#"{"customization": {"meta": [{"key": 10, "value": "a\nb\n"}, {"key": 255, "value": ""}]}}"#),
];

#[test]
fn the_factorys_own_unit_tests_hold() {
    for test in vectors().upstream_unit_tests {
        // Most of the inputs are JSON; the others are once their first key is.
        let input = match test.input.strip_prefix("customization: ") {
            Some(rest) => format!(r#"{{"customization": {rest}}}"#),
            None => test.input,
        };
        let schematic: Schematic = serde_json::from_str(&input).expect(&input);
        assert_eq!(schematic.id(), Ok(test.id), "{input}");
    }
}

#[test]
fn ids_match_those_of_real_images() {
    for seen in vectors().seen_in_real_installer_images {
        assert_eq!(seen.schematic.id(), Ok(seen.id));
    }
}

#[test]
fn the_order_of_extensions_counts() {
    let id = |names: &[&str]| with_extensions(names).id().expect("plain texts");
    assert_eq!(id(&["kata-containers", "glibc"]), "34373fc18f4c01525d9421119e41b72fc83885c640f798c0ee723a38decd6e9b");
    assert_eq!(id(&["glibc", "kata-containers"])[..8], *"960a04c5");
    assert_eq!(id(&["tailscale"]), "4a0d65c669d46663f377e7161e50cfd570c401f26fd9e7bda34a0216b6f1922b");
}

#[test]
fn keys_are_ordered_as_people_count() {
    let options = ["a10", "a9", "a1", "b", "B", "a", "a1b", "a01", "a-b", "_x", "9", "10", "x1y2", "x1y10", "a1-"];
    let mut schematic = Schematic::default();
    for key in options {
        schematic.overlay.options.insert(key.to_owned(), serde_json::Value::Null);
    }
    let text = schematic.canonical().expect("plain keys");
    let keys: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_suffix(": null")).collect();
    assert_eq!(
        keys,
        ["_x", "\"9\"", "\"10\"", "B", "a", "a-b", "a1", "a1b", "a1-", "a01", "a9", "a10", "b", "x1y2", "x1y10"]
    );
}

#[test]
fn lists_and_maps_nest() {
    let options = serde_json::json!([[1, [2, {}]], {"k": [[], {"deep": "a\nb"}], "m": {"x": [0.5]}}, "a\nb\n"]);
    let text = with_option("list", options).canonical();
    let expected = "overlay:
    image: \"\"
    name: \"\"
    options:
        list:
            - - 1
              - - 2
                - {}
            - k:
                - []
                - deep: |-
                    a
                    b
              m:
                x:
                    - 0.5
            - |
              a
              b
customization: {}
";
    assert_eq!(text.as_deref(), Ok(expected));
}

#[test]
fn numbers_are_gos() {
    let written = |value: serde_json::Value| {
        let text = with_option("k", value).canonical().expect("a number");
        text.lines().find_map(|line| line.trim().strip_prefix("k: ")).expect("an option").to_owned()
    };
    let floats = [
        2.0,
        100_000.0,
        1_000_000.0,
        1_234_567.5,
        123_456.7,
        1e30,
        0.0001,
        0.00001,
        -1.5e-7,
        -0.0,
        1e-9,
        93_861_388_878.896_84,
    ];
    let expected = [
        "2",
        "100000",
        "1e+06",
        "1.2345675e+06",
        "123456.7",
        "1e+30",
        "0.0001",
        "1e-05",
        "-1.5e-07",
        "-0",
        "1e-09",
        "9.386138887889684e+10",
    ];
    // Ties, which Go rounds to the even digit.
    assert_eq!(written((1_410_963_173_828_125.0 / 8.0).into()), "1.7637039672851562e+14");
    assert_eq!(written((131_072.0 + 1.0 / 4096.0).into()), "131072.00024414062");
    assert_eq!(floats.map(|float| written(float.into())), expected);
    assert_eq!(written(u64::MAX.into()), "18446744073709551615");
    assert_eq!(written(i64::MIN.into()), "-9223372036854775808");
}

#[test]
fn keys_that_the_factory_may_write_otherwise_are_refused() {
    let long = "k".repeat(129);
    let refusal = |key: &str| with_option(key, serde_json::Value::Null).id().expect_err("refused");
    assert_eq!(
        refusal("a\nb"),
        Unstable { pointer: Pointer::root().child("overlay").child("options").child("a\nb"), reason: Reason::KeyLines }
    );
    assert_eq!(refusal(&long).reason, Reason::KeyLength);
    assert_eq!(refusal("é").reason, Reason::KeyOrder);
    assert_eq!(refusal("a123456789012345678").reason, Reason::KeyOrder);
    assert_eq!(refusal("a/\u{7f}").pointer, Pointer::from("/overlay/options/a~1\u{7f}"));
    assert!(with_option(&long[1..], serde_json::Value::Null).id().is_ok());
}

#[test]
fn refusals_say_why() {
    let refusal = |text: &str| with_kernel_arg(text).id().expect_err("refused").to_string();
    assert_eq!(refusal(" a\nb"), "a string of several lines starts with white space");
    assert_eq!(refusal("a \nb"), "a line of a string of several lines ends with white space");
    assert_eq!(refusal("a\rb"), "a string contains the control character U+000D");
    assert_eq!(refusal("a\u{2028}b"), "a string contains the line separator U+2028");
}

#[test]
fn keys_that_the_factory_does_not_know_are_refused() {
    let error = serde_json::from_str::<Schematic>(r#"{"customization": {"extensions": []}}"#).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "unknown field `extensions`, expected one of `embeddedMachineConfiguration`, `extraKernelArgs`, `meta`, \
         `systemExtensions`, `bootloader`, `secureboot`, `diskImage` at line 1 column 31"
    );
}
