//! A repository in a temporary folder, and the binary that is run in it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use crate::expected::{files, repository};

/// A repository in a temporary folder, which is removed with this value.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// The exit code and the output of a command, with times replaced by `[time]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// A run without errors that printed this.
    pub(crate) fn success(stdout: &str, stderr: &str) -> Self {
        Self { status: 0, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }
}

impl Sandbox {
    /// Copies this repository's own model, without the generated files.
    pub(crate) fn of_this_repository() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for path in ["talosmith.yaml", "devices/ryzen/device.yaml", ".gitignore"] {
            let text = fs::read_to_string(repository(path)).expect("a file of this repository");
            sandbox.write(path, &text);
        }
        sandbox
    }

    /// Copies this repository's own model, and generates its files without secrets.
    pub(crate) fn generated() -> Self {
        let sandbox = Self::of_this_repository();
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        sandbox
    }

    /// Copies this repository's own model, generates its files without secrets, and commits all.
    pub(crate) fn committed() -> Self {
        let sandbox = Self::generated();
        sandbox.commit_all();
        sandbox
    }

    /// Copies a fleet of `tests/fleets`, generates its files without secrets, and commits all.
    pub(crate) fn committed_fleet(name: &str) -> Self {
        let sandbox = Self::of_fleet(name);
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        sandbox.commit_all();
        sandbox
    }

    /// Copies a fleet of `tests/fleets`.
    pub(crate) fn of_fleet(name: &str) -> Self {
        Self::of_folder(&format!("tests/fleets/{name}"))
    }

    /// Copies a folder of this repository.
    pub(crate) fn of_folder(folder: &str) -> Self {
        let sandbox = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let folder = repository(folder);
        for path in files(&folder) {
            let below = path.strip_prefix(&folder).expect("a file of the folder").to_str().expect("UTF-8");
            sandbox.write(below, &fs::read_to_string(&path).expect("a text"));
        }
        sandbox
    }

    /// Writes a repository from paths and texts.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let sandbox = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for (path, text) in files {
            sandbox.write(path, text);
        }
        sandbox
    }

    /// Every file with its bytes and the time of its last modification.
    pub(crate) fn state(&self) -> Vec<(String, Vec<u8>, SystemTime)> {
        let files = files(&self.path(""));
        let state = files.into_iter().map(|path| {
            let changed = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
            (path.display().to_string(), fs::read(&path).expect("a file"), changed)
        });
        state.collect()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Replaces a string in a file, which must contain it.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no `{old}`");
        self.write(path, &text.replace(old, new));
    }

    /// Returns the binary with arguments and an environment without the variables of this process, PATH aside.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talosmith"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path().join("home")).env("LANG", "C.UTF-8").env("COLUMNS", "100");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        ran(command.output().expect("the binary starts"))
    }

    /// Runs a command that a help shows, and returns whether it succeeds.
    pub(crate) fn shell(&self, command: &str) -> bool {
        Command::new("sh")
            .args(["-euc", command])
            .current_dir(self.path(""))
            .status()
            .expect("sh is installed")
            .success()
    }

    /// Returns a shell in which `talosmith` is the binary, and git has a name to commit with.
    pub(crate) fn shell_command(&self, line: &str) -> Command {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_talosmith"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = binary.parent().map(PathBuf::from).into_iter().chain(std::env::split_paths(&path));
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::join_paths(folders).expect("folders"));
        command.env("HOME", self.folder.path().join(".git/home")).env("LANG", "C.UTF-8").env("COLUMNS", "100");
        let name = [("GIT_AUTHOR_NAME", "t"), ("GIT_COMMITTER_NAME", "t")];
        let mail = [("GIT_AUTHOR_EMAIL", "t@example.net"), ("GIT_COMMITTER_EMAIL", "t@example.net")];
        command.envs(name.into_iter().chain(mail));
        command
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.net", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Commits every file, in a new git repository if there is none.
    pub(crate) fn commit_all(&self) {
        if !self.path(".git").exists() {
            self.git(&["init", "--quiet"]);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "all"]);
    }
}

/// Whether a program is installed. If it is not, the test that needs it prints this and is skipped, or fails where `TALOSMITH_ALL_TOOLS` is set.
pub(crate) fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--help").output().is_ok();
    assert!(found || std::env::var_os("TALOSMITH_ALL_TOOLS").is_none(), "{program} is not on PATH");
    if !found {
        // The test harness captures what `eprintln!` prints.
        let _ = writeln!(std::io::stderr(), "skipped: {program} is not on PATH");
    }
    found
}

/// Converts the output of a process.
pub(crate) fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| untimed(&String::from_utf8(bytes).expect("text"));
    Ran { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Replaces the time of `checked in 12.3 ms`.
fn untimed(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match (line.find(" checked in "), line.find(" ms")) {
        (Some(start), Some(end)) => format!("{} checked in [time]{}", &line[..start], &line[end + 3..]),
        _ => line.to_owned(),
    });
    lines.collect()
}
