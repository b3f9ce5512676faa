use super::sandbox::{Sandbox, open};
use super::*;
use crate::process::Script;

const SECRET: &str = "devices/ryzen/manifests/tailscale-extension-service.yaml";

fn ignored(sandbox: &Sandbox) -> Ignore {
    let root = sandbox.root();
    open(sandbox, &root).ignored_by(SECRET.into()).unwrap()
}

#[test]
fn a_missing_git_and_a_missing_repository_are_told_apart() {
    let error = Git::open(&Script::default(), "/repo".into()).err().unwrap();
    assert_eq!(error.to_string(), "git is not installed");

    let sandbox = Sandbox::bare_folder();
    let root = sandbox.root();
    let error = Git::open_from(&sandbox, &root, &root).err().unwrap();
    assert_eq!(error.to_string(), format!("{root} is not in a git repository"));
}

#[test]
fn a_repository_that_git_distrusts_is_no_missing_repository() {
    let refusal = "fatal: detected dubious ownership in repository at '/repo'\n";
    let error = Git::open(&Script::default().answer(128, "", refusal), "/repo".into()).err().unwrap();
    assert_eq!(error.to_string(), "git rev-parse failed: detected dubious ownership in repository at '/repo'");
}

#[test]
fn a_git_that_waits_is_named_with_what_it_can_wait_for() {
    let timeout = ProcessError::Timeout { program: "git".into(), after: TIMEOUT };
    let script = Script::default().fail(timeout);
    let error = Git::open(&script, "/repo".into()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "git did not end within 4 s: it waits, as for a named pipe that is called .gitignore or is a file of .git, or the disk is slow"
    );
    assert_eq!(script.commands().iter().map(|command| command.timeout).collect::<Vec<_>>(), [TIMEOUT]);
}

#[test]
fn the_root_may_lie_below_the_top() {
    let sandbox = Sandbox::new();
    sandbox.write("infra/talosmith.yaml", "");
    let root = sandbox.root().join("infra");
    let git = open(&sandbox, &root);
    assert_eq!((&*git.top, &*git.prefix), (sandbox.root().as_path(), Utf8Path::new("infra")));
}

#[test]
fn in_a_hook_with_git_dir_the_work_tree_is_where_we_were_started() {
    let mut sandbox = Sandbox::new();
    sandbox.write("infra/talosmith.yaml", "");
    sandbox.git(&["add", "--all"]);
    sandbox.variables.push(("GIT_DIR".into(), ".git".into()));
    let top = sandbox.root();
    let git = Git::open_from(&sandbox, &top, &top.join("infra")).unwrap();
    assert_eq!((&*git.top, &*git.prefix), (top.as_path(), Utf8Path::new("infra")));
    assert!(git.is_tracked("talosmith.yaml".into()).unwrap());
}

#[test]
fn tracked_is_what_the_index_holds() {
    let sandbox = Sandbox::new();
    sandbox.write("infra/added.yaml", "");
    sandbox.git(&["add", "--all"]);
    sandbox.write("infra/left.yaml", "");
    // Were the path a pattern, this one would match the file that is added.
    sandbox.write("infra/*.yaml", "");
    let root = sandbox.root().join("infra");
    let git = open(&sandbox, &root);
    let tracked = ["added.yaml", "left.yaml", "*.yaml", "absent.yaml"].map(|path| git.is_tracked(path.into()).unwrap());
    assert_eq!(tracked, [true, false, false, false]);
}

#[test]
fn a_tracked_gitignore_counts() {
    let sandbox = Sandbox::new();
    sandbox.write("devices/ryzen/.gitignore", "# secrets\nmanifests/tailscale-extension-service.yaml\n");
    sandbox.git(&["add", "--all"]);
    assert_eq!(ignored(&sandbox), Ignore::Tracked);

    let below = sandbox.root().join("devices");
    let git = open(&sandbox, &below);
    assert_eq!(git.ignored_by("ryzen/manifests/tailscale-extension-service.yaml".into()).unwrap(), Ignore::Tracked);
}

#[test]
fn a_path_that_was_tracked_by_mistake_is_still_ignored() {
    let sandbox = Sandbox::new();
    sandbox.write(SECRET, "");
    sandbox.write(".gitignore", "tailscale-extension-service.yaml\n");
    sandbox.git(&["add", "--all", "--force"]);
    assert_eq!(ignored(&sandbox), Ignore::Tracked);
}

#[test]
fn an_untracked_gitignore_does_not_count() {
    let sandbox = Sandbox::new();
    sandbox.write("devices/.gitignore", "tailscale-extension-service.yaml\n");
    assert_eq!(ignored(&sandbox), Ignore::Untracked("devices/.gitignore".into()));
}

#[test]
fn what_only_this_machine_ignores_does_not_count() {
    let sandbox = Sandbox::new();
    assert_eq!(ignored(&sandbox), Ignore::No);
    sandbox.write(".git/info/exclude", "*.yaml\n");
    assert_eq!(ignored(&sandbox), Ignore::Elsewhere(".git/info/exclude".into()));

    let sandbox = Sandbox::new();
    let excludes = sandbox.home().join(".gitignore");
    fs_err::write(&excludes, "*.yaml\n").unwrap();
    sandbox.git(&["config", "core.excludesFile", excludes.as_str()]);
    assert_eq!(ignored(&sandbox), Ignore::Elsewhere(excludes));
}

#[test]
fn a_later_pattern_takes_the_path_out_again() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.yaml\n!tailscale-extension-service.yaml\n");
    sandbox.git(&["add", "--all"]);
    assert_eq!(ignored(&sandbox), Ignore::No);
}

#[test]
fn a_name_is_never_taken_for_a_pattern() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "a.yaml\n");
    sandbox.git(&["add", "--all"]);
    let git = open(&sandbox, &sandbox.root());
    let ignored = ["a.yaml", "?.yaml", ":(glob)a.yaml"].map(|path| git.ignored_by(path.into()).unwrap() != Ignore::No);
    assert_eq!(ignored, [true, false, false]);
}

#[test]
fn no_program_of_a_repository_is_started() {
    let sandbox = Sandbox::new();
    sandbox.write("evil.sh", "#!/bin/sh\ntouch \"$0.ran\"\n");
    std::process::Command::new("chmod").arg("+x").arg(sandbox.root().join("evil.sh")).status().unwrap();
    let evil = sandbox.root().join("evil.sh");
    sandbox.write("a", "1");
    sandbox.git(&["add", "a"]);
    sandbox.commit();
    sandbox.write(".gitattributes", "* filter=evil diff=evil\n");
    sandbox.write("a", "2");
    for key in ["core.fsmonitor", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "diff.evil.command"]
    {
        sandbox.git(&["config", key, evil.as_str()]);
    }
    sandbox.git(&["config", "filter.evil.required", "true"]);
    let git = open(&sandbox, &sandbox.root());
    git.list_index().unwrap();
    assert!(git.is_tracked("a".into()).unwrap());
    git.changed_since_head(&[], &[], Compared::WorkTree).unwrap();
    let changed = git.changed_since("HEAD").unwrap();
    assert!(changed.contains(Utf8Path::new("a")), "{changed:?}");
    assert!(!sandbox.root().join("evil.sh.ran").exists());
}

#[test]
fn a_bare_repository_inside_another_one_is_none() {
    let sandbox = Sandbox::new();
    for (path, text) in [("HEAD", "ref: refs/heads/main\n"), ("config", "[core]\n\tbare = false\n\tworktree = .\n")] {
        sandbox.write(&format!("sub/{path}"), text);
    }
    sandbox.write("sub/objects/x", "");
    sandbox.write("sub/refs/x", "");
    let error = Git::open(&sandbox, &sandbox.root().join("sub")).err().unwrap();
    assert!(matches!(error, GitError::Failed { .. }), "{error:?}");
}
