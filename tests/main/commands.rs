//! The arguments of commands, and the commands that only print.

use std::fs;
use std::process::Stdio;

use crate::sandbox::{Ran, Sandbox};

const DEVICE: &str = "devices/ryzen/device.yaml";

#[test]
fn invalid_arguments_exit_with_two() {
    let sandbox = Sandbox::generated();
    let ran = sandbox.run(&["check", "rizen"]);
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "error: `rizen` is neither a device, nor a folder of one, nor a cluster; did you mean `ryzen`?\n"
    );
    let ran = sandbox.run(&["-C", "/", "check"]);
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "error: there is no talosmith.yaml here or in a folder above; name its folder with `-C`, or begin a new one with `talosmith init`\n"
    );
    assert_eq!(sandbox.run(&["explain", "no-such-code"]).status, 2);
    assert_eq!(sandbox.run(&["check", "--no-such-option"]).status, 2);
}

#[test]
fn json_reports_are_valid_against_their_schema() {
    let sandbox = Sandbox::generated();
    sandbox.replace(DEVICE, "1405GB", "1390GB");
    let schema = sandbox.run(&["schema", "report"]).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for arguments in [
        &["check", "--format", "json"][..],
        &["validate", "--format", "json"],
        &["generate", "--format", "json", "--dry-run", "--diff"],
        &["diff", "--format", "json"],
        &["schematic-id", "--format", "json", "devices/ryzen/manifests/ryzen-tailscale-schematic.yaml", DEVICE],
    ] {
        let ran = sandbox.run(arguments);
        let report: serde_json::Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.stdout));
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{arguments:?}");
    }
}

#[test]
fn schematic_ids_are_printed_alone() {
    let sandbox = Sandbox::generated();
    let ran = sandbox.run(&["schematic-id", "devices/ryzen/manifests/ryzen-tailscale-schematic.yaml"]);
    assert_eq!(ran, Ran::success("317c1c8cf1562c7ce77b79d6f0af8315c336151b6f752f44f84e52deeccf1c16\n", ""));
    sandbox.write("empty.yaml", "customization: {}\n");
    // The ID that the Image Factory publishes for a schematic without customization.
    let empty = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
    assert_eq!(sandbox.run(&["schematic-id", "empty.yaml"]).stdout, format!("{empty}\n"));
    sandbox.write("bad.yaml", "customization:\n  meta:\n    - key: 10\n      value: \"a \\nb\"\n");
    let ran = sandbox.run(&["schematic-id", "bad.yaml"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("schematic-id", ran.stderr);
}

#[test]
fn a_schematic_is_read_from_standard_input() {
    let sandbox = Sandbox::of(&[("empty.yaml", "customization: {}\n")]);
    for name in ["-", "/dev/stdin"] {
        let input = fs::File::open(sandbox.path("empty.yaml")).expect("a file");
        let output = sandbox.command(&["schematic-id", name]).stdin(input).output().expect("the binary starts");
        let empty = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba\n";
        assert_eq!((output.status.code(), output.stdout), (Some(0), empty.into()), "{name}");
    }
}

#[test]
fn the_pages_that_the_manual_page_names_are_printed() {
    let sandbox = Sandbox::of(&[]);
    let page = sandbox.run(&["man"]).stdout.replace('\\', "");
    let names: Vec<&str> = page.lines().filter_map(|line| line.strip_suffix("(1)")).collect();
    assert_eq!(names.len(), 17);
    for name in names {
        let command = name.strip_prefix("talosmith-").expect("a command");
        let ran = sandbox.run(&["man", command]);
        assert!(ran.stdout.contains(&format!(".TH {name} 1")), "{name}: {}", ran.stdout);
        assert_eq!(sandbox.run(&["man", name]), ran);
    }
    let refused = ["man", "completions"].map(|name| sandbox.run(&[name, "bash", "--format", "json"]).stderr);
    let expected = ["man", "completions"]
        .map(|name| format!("error: `talosmith {name}` has no JSON form: leave `--format json` out\n"));
    assert_eq!(refused, expected);
    let unknown = "error: there is no command `fleat`; did you mean `fleet`?\n";
    assert_eq!(sandbox.run(&["man", "fleat"]).stderr, unknown);
}

#[test]
fn a_code_is_explained() {
    let sandbox = Sandbox::generated();
    let ran = sandbox.run(&["explain", "volume-overcommit"]);
    assert_eq!(ran.status, 0);
    insta::assert_snapshot!("explain", ran.stdout);
    assert_eq!(sandbox.run(&["explain", "--list"]).stdout.lines().count(), talosmith_document::Code::ALL.len());
}

#[test]
fn a_closed_pipe_is_success() {
    let sandbox = Sandbox::generated();
    let mut child =
        sandbox.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn without_threads_one_does_all_the_work() {
    let sandbox = Sandbox::of(&[("talosmith.yaml", "clusters: { home: { talosVersion: v1.13.8 } }\n")]);
    for number in 1..=60 {
        let text = format!("name: node-{number}\ncluster: home\nrole: worker\naddress: 192.0.2.{number}\n");
        sandbox.write(&format!("devices/node-{number}/device.yaml"), &text);
    }
    // As where the system refuses more threads: none has room for such a stack.
    let without_threads = |arguments: &[&str]| sandbox.run_with(arguments, &[("RUST_MIN_STACK", "1125899906842624")]);
    assert_eq!(without_threads(&["validate"]), sandbox.run(&["validate"]));
    assert_eq!(without_threads(&["generate", "--tracked-only"]).status, 0);
    assert_eq!(without_threads(&["check"]).status, 0);
    let staged = without_threads(&["check", "--staged"]);
    assert_eq!((staged.status, staged.stdout.as_str()), (2, ""));
    assert!(staged.stderr.starts_with("error: cannot start `git`: "), "{staged:?}");
}
