//! The terminal sessions of README.md and docs/adopting.md. Their commands are run in order in one repository, which every section of
//! README.md finds as committed.

use std::fs;

use crate::expected::{ExpectedFiles, repository};
use crate::sandbox::{Sandbox, is_installed, ran};

/// Replaces the time that a command took, which differs from run to run.
const TIME: &str = "2.1 ms";

#[test]
fn the_sessions_of_the_readme_are_what_the_program_prints() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.run(&["generate", "--tracked-only"]);
    sandbox.commit_all();
    assert_sessions("README.md", &sandbox);
}

#[test]
fn the_sessions_of_the_document_about_adopting_are_what_the_program_prints() {
    let sandbox = Sandbox::of_folder("tests/main/data/import/home");
    sandbox.commit_all();
    assert_sessions("docs/adopting.md", &sandbox);
}

fn assert_sessions(document: &str, sandbox: &Sandbox) {
    let path = repository(document);
    let readme = fs::read_to_string(&path).expect("the document");
    let mut actual = String::new();
    let mut rest = readme.as_str();
    let mut expected = ExpectedFiles::default();
    while let Some((before, block)) = rest.split_once("```console\n") {
        if document == "README.md" && before.contains("\n## ") {
            sandbox.git(&["checkout", "--quiet", "."]);
        }
        let (session, after) = block.split_once("```").expect("the end of the block");
        if session.contains("pre-commit") && !is_installed("pre-commit") {
            actual.push_str(&format!("{before}```console\n{session}```"));
            rest = after;
            continue;
        }
        let own = own_sandbox(session);
        let sandbox = own.as_ref().unwrap_or(sandbox);
        actual.push_str(before);
        actual.push_str("```console\n");
        for command in session.split_inclusive('\n').filter_map(|line| line.strip_prefix("$ ")) {
            actual.push_str(&format!("$ {command}"));
            let output = run(sandbox, command.trim_end());
            let shown = session.split_once(&format!("$ {command}")).expect("the command").1;
            let shown = shown.split("\n$ ").next().expect("the output");
            // `…` is output that is left out.
            let excerpt = shown.strip_prefix("…\n").and_then(|shown| shown.trim_end().strip_suffix('…'));
            if let Some(excerpt) = excerpt.filter(|excerpt| !output.contains(excerpt)) {
                expected.fail(format!("{document}: `{}` does not print\n{excerpt}", command.trim_end()));
            }
            actual.push_str(&excerpt.map_or(output, |excerpt| format!("…\n{excerpt}…\n")));
        }
        actual.push_str("```");
        rest = after;
    }
    actual.push_str(rest);
    expected.compare(&path, &actual);
    expected.finish();
}

/// The repository of a session that begins with another one than those before it.
fn own_sandbox(session: &str) -> Option<Sandbox> {
    if session.contains("talosmith init") {
        return Some(Sandbox::of(&[]));
    }
    let imported = [("import talconfig.yaml", "talhelper"), ("import cp-1.yaml", "whole")];
    let (_, name) = imported.into_iter().find(|(command, _)| session.contains(command))?;
    Some(Sandbox::of_folder(&format!("tests/main/data/import/{name}")))
}

/// Runs a command of a session in the folder of the sandbox, and returns standard output and standard error.
fn run(sandbox: &Sandbox, command: &str) -> String {
    if let Some(arguments) = command.strip_prefix("talosmith ") {
        let ran = sandbox.run(&arguments.split(' ').collect::<Vec<_>>());
        return format!("{}{}", ran.stdout, ran.stderr).replace("[time]", TIME);
    }
    let ran = ran(sandbox.shell_command(command).output().expect("sh starts"));
    assert!(ran.status == 0 || command.starts_with("git commit"), "{command}: {}", ran.stderr);
    format!("{}{}", ran.stdout, ran.stderr).replace("[time]", TIME)
}
