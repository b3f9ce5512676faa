//! The GitHub Action: its commands, as `action.yml` has them, with programs in place of `gh` and `cargo`.

use std::fs;

use crate::expected::repository;
use crate::sandbox::{Ran, Sandbox, ran};

const DEVICE: &str = "devices/ryzen/device.yaml";

/// Records its arguments and the comment. The file `existing` has the IDs of comments, and `forbidden` makes it refuse to write.
const GH: &str = r#"#!/bin/sh
for last; do :; done
echo "gh $*" | sed "s|@.*/|@|" >>"$RUNNER_TEMP/calls"
case "$*" in
*--paginate*) cat "$RUNNER_TEMP/existing" 2>/dev/null || true ;;
*)
    if [ -e "$RUNNER_TEMP/forbidden" ]; then
        echo "gh: Resource not accessible by integration (HTTP 403)" >&2
        exit 1
    fi
    cp "${last#body=@}" "$RUNNER_TEMP/comment"
    ;;
esac
"#;

/// The values of the inputs, and the variables of a run for a pull request.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("DIRECTORY", "."),
    ("BASE", ""),
    ("FAIL_ON", ""),
    ("COMMENT", "true"),
    ("NUMBER", "7"),
    ("GITHUB_REPOSITORY", "me/nodes"),
    ("GITHUB_BASE_REF", "main"),
];

/// This repository's model on a branch that left `origin/main`, without a change yet.
fn pull_request() -> Sandbox {
    let sandbox = Sandbox::committed();
    sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    sandbox.write(".git/temp/bin/gh", GH);
    assert!(sandbox.shell("chmod +x .git/temp/bin/gh"));
    sandbox
}

fn change(sandbox: &Sandbox) {
    sandbox.replace(DEVICE, "size: 1405GB", "size: 1305GB");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
}

/// The commands of `action.yml`, in order.
fn commands() -> Vec<String> {
    let action = fs::read_to_string(repository("action.yml")).expect("action.yml");
    action.lines().filter_map(|line| line.trim_start().strip_prefix("run: ")).map(str::to_owned).collect()
}

fn run(sandbox: &Sandbox, command: &str, variables: &[(&str, &str)]) -> Ran {
    let mut bash = sandbox.shell_command(&format!("PATH=\"$RUNNER_TEMP/bin:$PATH\"; {command}"));
    bash.env("GITHUB_ACTION_PATH", repository("")).env("RUNNER_TEMP", sandbox.path(".git/temp"));
    for (variable, file) in [("GITHUB_STEP_SUMMARY", "summary"), ("GITHUB_PATH", "path"), ("GITHUB_OUTPUT", "output")] {
        bash.env(variable, sandbox.path(".git/temp").join(file));
    }
    bash.envs(ENVIRONMENT).envs(variables.iter().copied());
    ran(bash.output().expect("sh starts"))
}

/// Runs the last command, and returns its status with the comment or the summary that it wrote, and its calls of `gh`.
fn review(sandbox: &Sandbox, variables: &[(&str, &str)]) -> (Ran, String, String) {
    let ran = run(sandbox, commands().last().expect("a command"), variables);
    let take = |name: &str| {
        let text = fs::read_to_string(sandbox.path(name)).unwrap_or_default();
        let _ = fs::remove_file(sandbox.path(name));
        text
    };
    let written = take(".git/temp/comment") + &take(".git/temp/summary");
    (ran, written, take(".git/temp/calls"))
}

#[test]
fn the_action_checks_and_reviews_with_the_commands_of_its_file() {
    let sandbox = pull_request();
    change(&sandbox);
    let [key, install, check, review] = &commands()[..] else { panic!("other commands") };
    for command in [key, install, check, review] {
        let ran = run(&sandbox, command, &[]);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{command}: {}", ran.stderr);
    }
    let comment = sandbox.read(".git/temp/comment");
    assert!(comment.starts_with("<!-- talosmith review -->\n"), "{comment}");
    sandbox.replace("devices/ryzen/manifests/hostname.patch.yaml", "ryzen", "rizen");
    let ran = run(&sandbox, check, &[]);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.starts_with("::error file=devices/ryzen/manifests/hostname.patch.yaml,"), "{}", ran.stdout);
}

#[test]
fn a_comment_is_written_once_and_then_updated() {
    let sandbox = pull_request();
    let mut calls = String::new();
    let mut log = |title: &str, (ran, written, made): (Ran, String, String)| {
        let lines = written.lines().take(4).collect::<Vec<_>>().join("\n");
        calls.push_str(&format!("# {title}: {}\n{}{made}{lines}\n\n", ran.status, ran.stdout));
    };
    log("nothing changes", review(&sandbox, &[]));
    change(&sandbox);
    log("the first comment", review(&sandbox, &[]));
    log("a class that fails", review(&sandbox, &[("FAIL_ON", "wipe,kept")]));
    sandbox.write(".git/temp/existing", "41\n42\n");
    log("an update", review(&sandbox, &[]));
    log("a commit to compare with", review(&sandbox, &[("BASE", "HEAD"), ("GITHUB_BASE_REF", "")]));
    log("no comment is wanted", review(&sandbox, &[("COMMENT", "false")]));
    log("no pull request", review(&sandbox, &[("NUMBER", "")]));
    sandbox.write(".git/temp/forbidden", "");
    log("from a fork", review(&sandbox, &[]));
    log("no history", review(&sandbox, &[("GITHUB_BASE_REF", "other")]));
    let commits = sandbox.git(&["log", "--format=%H"]);
    let commits = commits.lines().map(|id| &id[..12]);
    let calls = commits.fold(calls.clone(), |calls, id| calls.replace(id, "[commit]"));
    insta::assert_snapshot!("action", calls);
}

#[test]
fn the_program_is_built_once() {
    let sandbox = pull_request();
    let cargo = "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nmkdir -p \"$1/bin\"\necho built >>\"$RUNNER_TEMP/built\"\ncp /bin/true \"$1/bin/talosmith\"\n";
    sandbox.write(".git/temp/bin/cargo", cargo);
    assert!(sandbox.shell("chmod +x .git/temp/bin/cargo"));
    let [key, install, ..] = &commands()[..] else { panic!("other commands") };
    for command in [key, install, install] {
        let ran = run(&sandbox, &format!("PATH=\"$RUNNER_TEMP/bin:/usr/bin:/bin\"; {command}"), &[]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }
    assert_eq!(sandbox.read(".git/temp/built"), "built\n");
    let folder = sandbox.path(".git/temp/talosmith/bin");
    assert_eq!(sandbox.read(".git/temp/path"), format!("{0}\n{0}\n", folder.display()));
    let output = sandbox.read(".git/temp/output");
    let key = output.trim_end().strip_prefix("key=").expect("a key");
    assert!(key.len() == 40 && key.chars().all(|c| c.is_ascii_hexdigit()), "{output}");
}

/// Copies a file of the release to the place in `--output`.
const CURL: &str = "#!/bin/sh\nwhile [ $# -gt 1 ]; do\n    [ \"$1\" != --output ] || out=$2\n    shift\ndone\ncp \"$RUNNER_TEMP/release/${1##*/}\" \"$out\"\n";

#[test]
fn the_archive_of_a_release_is_installed_if_its_checksum_is_right() {
    let version = env!("CARGO_PKG_VERSION");
    let sandbox = pull_request();
    sandbox.write(".git/temp/bin/curl", CURL);
    sandbox.write(".git/temp/bin/cargo", "#!/bin/sh\nexit 1\n");
    let archives = format!(
        "cd .git/temp && chmod +x bin/* && mkdir release && cd release && for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl \
         x86_64-apple-darwin aarch64-apple-darwin; do name=talosmith-{version}-$target; mkdir $name; cp /bin/true $name/talosmith; \
         tar -czf $name.tar.gz $name; sha256sum $name.tar.gz >$name.tar.gz.sha256; done"
    );
    assert!(sandbox.shell(&archives));
    let install = |reference: &str| {
        let command = format!("PATH=\"$RUNNER_TEMP/bin:/usr/bin:/bin\"; {}", commands()[1]);
        let variables =
            [("ACTION_REF", reference), ("ACTION_REPOSITORY", "a/b"), ("GITHUB_SERVER_URL", "https://git.example")];
        run(&sandbox, &command, &variables).status
    };
    let release = format!("v{version}");
    assert_eq!(install("main"), 1, "the sources are compiled for any other reference");
    assert!(sandbox.shell("cd .git/temp/release && for file in *.sha256; do sed -i 's/^./x/' $file; done"));
    assert_eq!(install(&release), 1);
    assert!(!sandbox.path(".git/temp/talosmith/bin/talosmith").exists());
    assert!(sandbox.shell("cd .git/temp/release && for file in *.tar.gz; do sha256sum $file >$file.sha256; done"));
    assert_eq!(install(&release), 0);
    assert!(sandbox.path(".git/temp/talosmith/bin/talosmith").exists());
}
