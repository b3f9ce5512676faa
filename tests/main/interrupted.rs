//! `generate`, killed at random moments and run twice at once: each file has its old or its new content, never a part.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::expected::files;
use crate::sandbox::Sandbox;

const DEVICE: &str = "devices/ryzen/device.yaml";

/// The most runs that are killed.
const RUNS: u64 = 300;
/// The runs that are killed where `TALOSMITH_FULL` is not set: more of them only if none was killed midway.
const SAMPLE: u64 = 40;

/// Returns the generated files by path.
fn generated(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let root = sandbox.path("");
    let all = files(&root).into_iter().filter(|path| !path.ends_with(DEVICE) && !path.ends_with("talosmith.yaml"));
    let named = all.map(|path| {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        (name, fs::read_to_string(&path).expect("text"))
    });
    named.filter(|(name, _)| name.starts_with("devices/") || name.starts_with("argocd/")).collect()
}

#[test]
fn a_killed_run_leaves_whole_files_and_the_next_one_completes_them() {
    let sandbox = Sandbox::of_this_repository();
    // The two models differ in the hostname, the sizes and the image, so that several artifacts change between them.
    let models = ["500GB", "400GB"].map(|size| {
        let version = if size == "500GB" { "v1.12.1" } else { "v1.12.4" };
        let device = sandbox.read(DEVICE).replace("500GB", size);
        format!("{device}hostname: node-{size}\ntalosVersion: {version}\n")
            .replace("-500GB", "-five")
            .replace("-400GB", "-four")
    });
    let started = Instant::now();
    let whole = models.clone().map(|model| {
        sandbox.write(DEVICE, &model);
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        generated(&sandbox)
    });
    let mut delays = Delays { state: 0x2545_f491_4f6c_dd1d, longest: started.elapsed() };
    let mut midway = 0;
    let is_full = std::env::var_os("TALOSMITH_FULL").is_some();
    let mut runs = 0;
    for run in 0..RUNS {
        if !is_full && run >= SAMPLE && midway > 0 {
            break;
        }
        runs += 1;
        let model = &models[usize::try_from(run % 2).expect("0 or 1")];
        sandbox.write(DEVICE, model);
        let mut command = sandbox.command(&["generate", "--tracked-only"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        std::thread::sleep(delays.next());
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let left = generated(&sandbox);
        midway += usize::from(!whole.contains(&left));
        for (path, text) in left {
            let torn = !path.ends_with(".talosmith-tmp") && whole.iter().all(|whole| whole.get(&path) != Some(&text));
            assert!(!torn, "run {run}: {path} has a part of its content:\n{text}");
        }
        if run % 10 == 9 {
            assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
            assert_eq!(generated(&sandbox), whole[usize::try_from(run % 2).expect("0 or 1")]);
        }
    }
    assert!(midway > 0, "no run was killed between its first file and its last, so the test shows nothing");
    eprintln!("{midway} of {runs} runs were killed midway");
}

/// Pseudo-random moments between the start of a run and its end.
struct Delays {
    state: u64,
    /// How long two runs took, on this machine and under its load.
    longest: Duration,
}

impl Delays {
    /// The next moment, by xorshift.
    fn next(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.longest * u32::try_from(self.state % 1000).expect("below 1000") / 1000
    }
}

#[test]
fn two_runs_at_once_are_safe() {
    let sandbox = Sandbox::of_this_repository();
    for _ in 0..10 {
        let start = || {
            let mut command = sandbox.command(&["generate", "--tracked-only"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
        };
        let mut runs = [start(), start()];
        for run in &mut runs {
            assert_eq!(run.wait().expect("it ends").code(), Some(0));
        }
        assert_eq!(sandbox.run(&["check"]).status, 0);
        fs::remove_dir_all(sandbox.path("argocd")).expect("the folder can be removed");
    }
}
