//! Completions in the shells.

use std::process::Command;

use crate::sandbox::{Sandbox, is_installed};

/// What `talosmith complete` prints, without the descriptions.
fn complete(sandbox: &Sandbox, word: &str, before: &[&str]) -> Vec<String> {
    let word = format!("--word={word}");
    let ran = sandbox.run(&[&["complete", &word, "--"], before].concat());
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    ran.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn devices_clusters_and_codes_are_known() {
    let sandbox = Sandbox::of_fleet("company");
    assert_eq!(complete(&sandbox, "produ", &["check"]), ["production"]);
    let devices = complete(&sandbox, "", &["show"]);
    assert!(!devices.is_empty() && !devices.contains(&"production".to_owned()), "{devices:?}");
    let both = complete(&sandbox, "", &["generate", &devices[0]]);
    assert!(both.starts_with(&devices) && both.contains(&"production".to_owned()), "{both:?}");
    assert_eq!(complete(&sandbox, "volume-over", &["explain"]), ["volume-overcommit"]);
    assert_eq!(complete(&sandbox, "reb", &["review", "--fail-on"]), ["reboot"]);
    assert_eq!(complete(&sandbox, "schematic", &["man"]), ["schematic-id"]);
}

#[test]
fn the_repository_is_the_one_that_the_line_names() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.write("elsewhere/notes.txt", "");
    assert_eq!(complete(&sandbox, "ry", &["-C", "devices", "check"]), ["ryzen"]);
    let outside = Sandbox::of(&[("notes.txt", "")]);
    assert_eq!(complete(&outside, "", &["check"]), Vec::<String>::new());
    // A model with errors has devices too.
    sandbox.write("talosmith.yaml", "clusters: [\n");
    assert_eq!(complete(&sandbox, "", &["check"]), ["ryzen"]);
}

/// Returns the completions of a line in bash with the script that `talosmith completions bash` prints.
fn bash(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let script = "source <(talosmith completions bash); COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _talosmith talosmith; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let shell = sandbox.shell_command("");
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash", "talosmith"]).args(words).current_dir(sandbox.path("")).env_clear();
    command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_by_its_script() {
    if !is_installed("bash") {
        return;
    }
    let sandbox = Sandbox::of_this_repository();
    assert_eq!(bash(&sandbox, &["show", "ry"]), ["ryzen"]);
    assert_eq!(bash(&sandbox, &["explain", "volume-over"]), ["volume-overcommit"]);
    assert_eq!(bash(&sandbox, &["check", "--format", "=", "js"]), ["json"]);
    assert_eq!(bash(&sandbox, &["che"]), ["check"]);
    // Nothing: bash completes the names of files.
    assert_eq!(bash(&sandbox, &["schematic-id", "dev"]), [""]);
}
