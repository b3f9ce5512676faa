//! The help of each command: its examples run, and options of every command are apart from its own.

use std::process::Command;

use clap::CommandFactory as _;
use talosmith_cli::CommandLine;

use crate::sandbox::Sandbox;

/// The programs other than talosmith that examples run, each with a script that replaces it here.
const PROGRAMS: [(&str, &str); 3] = [
    ("talosctl", "case \"$*\" in *machineconfig*) cat saved.yaml ;; *) cat disks.yaml ;; esac"),
    ("curl", "echo 'customization: {}'"),
    ("man", "cat > /dev/null"),
];

/// What an example imports.
const PATCHES: [&str; 6] =
    ["devices/node-1", "argocd/applications", "patches/common", "patches/cp", "patches/node-1", "patches/node-2"];

/// A repository with the devices and files that the examples name; without any for a command that begins one.
fn repository(is_new: bool) -> Sandbox {
    let sandbox = Sandbox::of(&[("disks.yaml", include_str!("data/disks.yaml"))]);
    for (name, command) in PROGRAMS {
        sandbox.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{command}\n"));
    }
    sandbox.git(&["init", "--quiet"]);
    assert!(sandbox.shell("chmod +x bin/* && mkdir -p .git/home/.config/fish/completions"));
    assert!(sandbox.shell("mkdir -p .git/home/.local/share/bash-completion/completions"));
    if is_new {
        for folder in PATCHES {
            sandbox.write(&format!("{folder}/sysctls.yaml"), "machine:\n  sysctls:\n    vm.swappiness: \"10\"\n");
        }
        return sandbox;
    }
    for (name, address) in [("node-1", "192.168.1.10"), ("node-2", "192.168.1.11")] {
        assert_eq!(sandbox.run(&["init", name, "--address", address, "--disks", "disks.yaml"]).status, 0, "{name}");
    }
    sandbox.write("schematic.yaml", "customization: {}\n");
    assert!(sandbox.shell("cp disks.yaml node-1.yaml && mkdir infrastructure"));
    assert!(sandbox.shell("cp -r talosmith.yaml devices infrastructure"));
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    let config = sandbox.run(&["config", "node-1", "--redact"]).stdout;
    sandbox.write("saved.yaml", &config);
    sandbox.write("base.yaml", &config);
    assert!(sandbox.shell("sed -i 's/\\${[a-z0-9_]*}/c2VjcmV0/; s/\\${endpoint}/192.168.1.10/' base.yaml"));
    sandbox.commit_all();
    sandbox.replace("devices/node-1/device.yaml", "address: 192.168.1.10", "address: 192.168.1.12");
    sandbox
}

/// Runs an example, and returns its exit code and what it printed on standard error.
fn run(sandbox: &Sandbox, example: &str) -> (Option<i32>, String) {
    let shell = sandbox.shell_command("");
    let path = shell.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path).expect("a path");
    let paths = std::iter::once(sandbox.path("bin")).chain(std::env::split_paths(path));
    let paths = std::env::join_paths(paths).expect("folders");
    let mut command = Command::new("bash");
    command.args(["-o", "pipefail", "-c", example]).current_dir(sandbox.path("")).env_clear();
    command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", paths);
    let output = command.output().expect("bash starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The lines below `Examples:` of a help, whose continued lines are joined.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = help.strip_prefix("Examples:\n").unwrap_or_default();
    let lines = examples.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_has_examples_and_each_runs() {
    let existing = repository(false);
    let program = CommandLine::command();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands.chain([&program]) {
        let name = command.get_name();
        let examples = examples(command);
        assert!(examples.len() >= 2, "`talosmith {name}` has {} examples", examples.len());
        for example in examples {
            assert!(example.contains("talosmith") && (name == "talosmith" || example.contains(name)), "{example}");
            let new = ["talosmith init", "talosmith import"]
                .iter()
                .any(|begins| example.contains(begins))
                .then(|| repository(true));
            let (status, errors) = run(new.as_ref().unwrap_or(&existing), &example);
            assert!(matches!(status, Some(0 | 1)), "`{example}` exits with {status:?}:\n{errors}");
        }
    }
}

#[test]
fn options_of_every_command_have_a_heading_of_their_own() {
    let sandbox = Sandbox::of(&[]);
    for arguments in [&["check", "--help"][..], &["check", "-h"], &["help", "check"], &["--help"]] {
        let help = sandbox.run(arguments).stdout;
        let (own, global) = help.split_once("\nGlobal options:\n").expect("a heading");
        for option in ["--directory", "--quiet", "--color", "--format", "--help", "--version"] {
            assert!(global.contains(option) && !own.contains(option), "{arguments:?}: {option}\n{help}");
        }
    }
    insta::assert_snapshot!("help", sandbox.run(&["--help"]).stdout);
}
