//! A git repository in a folder of its own, for tests with the real git.

use camino::{Utf8Path, Utf8PathBuf};

use super::Git;
use crate::process::{Command, InteractiveProgram, Output, ProcessError, Processes, System};

/// Opens the repository around `root`, whatever variables of git the tests themselves were started with.
pub(crate) fn open<'a>(processes: &'a dyn Processes, root: &Utf8Path) -> Git<'a> {
    Git::open_from(processes, root, root).unwrap()
}

/// A repository that is removed with its last use. It knows nothing of the user's own settings of git.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    /// Variables that every git gets.
    pub variables: Vec<(String, String)>,
}

impl Sandbox {
    /// A folder that is no repository yet.
    pub(crate) fn bare_folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        fs_err::create_dir(&home).unwrap();
        fs_err::create_dir(folder.path().join("work")).unwrap();
        let variables = [
            ("HOME", home.to_str().unwrap()),
            ("XDG_CONFIG_HOME", home.to_str().unwrap()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "A Smith"),
            ("GIT_AUTHOR_EMAIL", "smith@example.com"),
            ("GIT_COMMITTER_NAME", "A Smith"),
            ("GIT_COMMITTER_EMAIL", "smith@example.com"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { folder, variables }
    }

    /// A new repository without a commit.
    pub(crate) fn new() -> Self {
        let sandbox = Self::bare_folder();
        sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
        sandbox
    }

    /// The top of the work tree, with symbolic links resolved as git does.
    pub(crate) fn root(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().canonicalize_utf8().unwrap().join("work")
    }

    /// The user's home, where git looks for settings.
    pub(crate) fn home(&self) -> Utf8PathBuf {
        self.root().with_file_name("home")
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Runs git in the top folder; it must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) {
        let command = Command { folder: Some(self.root()), ..Command::new("git", arguments.iter().copied()) };
        let output = self.run(&command).unwrap();
        assert!(output.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Adds everything and commits it.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a commit"]);
    }

    /// The tests may themselves be run by a hook of git, whose variables are not ours.
    fn isolated(&self, command: &Command) -> Command {
        let variables = command.variables.iter().chain(&self.variables).cloned().collect();
        Command { environment: Vec::new(), variables, ..command.clone() }
    }
}

impl Processes for Sandbox {
    fn run(&self, command: &Command) -> Result<Output, ProcessError> {
        System::default().run(&self.isolated(command))
    }

    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError> {
        System::default().start_interactive(&self.isolated(command))
    }
}
