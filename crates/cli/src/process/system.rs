//! Starts the programs of this machine.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the module that starts processes")
)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{Command, InteractiveProgram, Output, ProcessError, Processes};

/// Starts the programs of this machine.
#[derive(Debug, Default)]
pub(crate) struct System {
    /// The programs that are given up, since they did not end in time.
    hanging: Mutex<BTreeSet<String>>,
}

/// A child process that is killed and reaped when it is dropped.
pub(super) struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        // Neither has an effect on a child that was waited for. An error cannot be returned from here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl System {
    fn run_to_end(command: &Command) -> Result<Output, ProcessError> {
        let deadline = Instant::now() + command.timeout;
        let pipe = |source| ProcessError::Pipe { program: command.program.clone(), source };
        let stdin = if command.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = start(command, stdin, Stdio::piped())?;

        if let (Some(input), Some(mut stdin)) = (command.input.clone(), child.0.stdin.take()) {
            // A program may end without reading all its input: only its exit code counts.
            spawn(command, move || drop(stdin.write_all(&input)))?;
        }
        // In two threads: otherwise a program that fills one pipe while the other is read would block forever.
        let stdout = collect(child.0.stdout.take(), command)?;
        let stderr = collect(child.0.stderr.take(), command)?;
        let stdout = receive(&stdout, deadline, command)?.map_err(pipe)?;
        let stderr = receive(&stderr, deadline, command)?.map_err(pipe)?;
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(ProcessError::TooMuchOutput { program: command.program.clone(), cap: command.cap });
        };

        // A program that closes both outputs nearly always ends at once, hence the short first pause.
        let mut pause = Duration::from_micros(50);
        loop {
            if let Some(status) = child.0.try_wait().map_err(pipe)? {
                return Ok(Output { status: status.code(), stdout, stderr });
            }
            if Instant::now() >= deadline {
                return Err(timeout(command));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

impl Processes for System {
    fn run(&self, command: &Command) -> Result<Output, ProcessError> {
        if command.is_given_up && locked(&self.hanging).contains(&command.program) {
            return Err(timeout(command));
        }
        let result = Self::run_to_end(command);
        if command.is_given_up && matches!(result, Err(ProcessError::Timeout { .. })) {
            locked(&self.hanging).insert(command.program.clone());
        }
        result
    }

    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError> {
        let mut child = start(command, Stdio::piped(), Stdio::null())?;
        let (Some(input), Some(output)) = (child.0.stdin.take(), child.0.stdout.take()) else {
            let source = io::Error::other("the program has no pipes");
            return Err(ProcessError::Pipe { program: command.program.clone(), source });
        };
        let child = Arc::new(Mutex::new(child));
        let begun = Arc::default();
        let (is_open, closed) = mpsc::channel();
        let watch = Watch { begun: Arc::clone(&begun), closed, limit: command.timeout, child: Arc::clone(&child) };
        spawn(command, move || watch.kill_if_it_hangs())?;
        let output = BufReader::new(Watched { pipe: output, begun, _is_open: is_open });
        Ok(InteractiveProgram { input: Box::new(input), output: Box::new(output), _child: Some(child) })
    }
}

/// The output of a program that is killed when it does not answer.
struct Watched<Pipe> {
    pipe: Pipe,
    /// When the read began that has not ended.
    begun: Arc<Mutex<Option<Instant>>>,
    _is_open: mpsc::Sender<()>,
}

impl<Pipe: Read> Read for Watched<Pipe> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        *locked(&self.begun) = Some(Instant::now());
        let count = self.pipe.read(buffer);
        *locked(&self.begun) = None;
        count
    }
}

/// What the thread needs that kills a program which does not answer.
struct Watch {
    begun: Arc<Mutex<Option<Instant>>>,
    /// Has no sender any more when the output is closed.
    closed: mpsc::Receiver<()>,
    limit: Duration,
    child: Arc<Mutex<Child>>,
}

impl Watch {
    fn kill_if_it_hangs(&self) {
        while self.closed.recv_timeout(self.limit / 8) == Err(mpsc::RecvTimeoutError::Timeout) {
            if locked(&self.begun).is_some_and(|begun| begun.elapsed() > self.limit) {
                // An error means that it has ended.
                let _ = locked(&self.child).0.kill();
                return;
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(command: &Command, stdin: Stdio, stderr: Stdio) -> Result<Child, ProcessError> {
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.arguments).stdin(stdin).stdout(Stdio::piped()).stderr(stderr);
    process.env_clear();
    process
        .envs(crate::environment::all().filter(|(name, _)| name.to_str().is_some_and(|name| command.inherits(name))));
    process.envs(command.variables.iter().map(|(name, value)| (name, value)));
    keep_absolute_folders(&mut process);
    if let Some(folder) = &command.folder {
        process.current_dir(folder);
    }
    let child = process.spawn().map(Child).map_err(|source| {
        let program = command.program.clone();
        // The error of the system is the same for a missing program and a missing folder.
        let folder_is_there = command.folder.as_ref().is_none_or(|folder| folder.is_dir());
        if source.kind() == io::ErrorKind::NotFound && folder_is_there {
            ProcessError::NotFound { program }
        } else {
            ProcessError::Start { program, source }
        }
    })?;
    limit_memory(&child, command.memory);
    Ok(child)
}

/// Limits the memory of a process. The limit is one on what it can read of a huge file; without it, only the time has a limit.
#[cfg(target_os = "linux")]
fn limit_memory(child: &Child, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let pid = i32::try_from(child.0.id()).ok().and_then(Pid::from_raw);
    // An error means that it has ended.
    let _ = bytes.map(|_| prlimit(pid, Resource::Data, Rlimit { current: bytes, maximum: bytes }));
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_: &Child, _: Option<u64>) {}

/// Leaves only the absolute folders in the PATH of a process. The system would look for an empty or relative one below the folder in which
/// the process runs, which can be a repository by anyone.
fn keep_absolute_folders(process: &mut std::process::Command) {
    let is_path = |(name, value): (&OsStr, Option<&OsStr>)| value.filter(|_| name == "PATH").map(ToOwned::to_owned);
    let Some(path) = process.get_envs().find_map(is_path) else { return };
    let absolute = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    match std::env::join_paths(absolute) {
        Ok(path) if !path.is_empty() => process.env("PATH", path),
        // An empty one would be the folder itself.
        _ => process.env_remove("PATH"),
    };
}

type Captured = io::Result<Option<Zeroizing<Vec<u8>>>>;

/// Reads a pipe in a thread, which is not joined: a grandchild that survives the killed child can keep the pipe open.
fn collect(
    source: Option<impl Read + Send + 'static>,
    command: &Command,
) -> Result<mpsc::Receiver<Captured>, ProcessError> {
    let (sender, receiver) = mpsc::channel();
    let cap = command.cap;
    spawn(command, move || {
        let captured = source.map_or_else(|| Ok(Some(Zeroizing::default())), |source| capture(source, cap));
        // After a timeout the receiver is gone.
        let _ = sender.send(captured);
    })?;
    Ok(receiver)
}

/// Starts a thread, which fails if the user has too many processes.
fn spawn(command: &Command, work: impl FnOnce() + Send + 'static) -> Result<(), ProcessError> {
    let started = thread::Builder::new().spawn(work).map(drop);
    started.map_err(|source| ProcessError::Start { program: command.program.clone(), source })
}

/// Reads to the end; none if there are more than `cap` bytes.
///
/// `read_to_end` would move its vector to grow it, and a secret would stay in the memory that it frees. Here every buffer is cleared.
pub(super) fn capture(mut source: impl Read, cap: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Enough for a secret or a short listing.
    let mut buffer = Zeroizing::new(vec![0; 4096]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            let mut larger = Zeroizing::new(vec![0; length * 2]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        match source.read(&mut buffer[length..]) {
            Ok(0) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length > cap {
            return Ok(None);
        }
    }
}

fn receive(from: &mpsc::Receiver<Captured>, deadline: Instant, command: &Command) -> Result<Captured, ProcessError> {
    from.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|_| timeout(command))
}

fn timeout(command: &Command) -> ProcessError {
    ProcessError::Timeout { program: command.program.clone(), after: command.timeout }
}
