//! Scenarios, calls of `lumos`, and what they leave in a run directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The executable `lumos` that cargo built beside this test.
///
/// # Panics
/// When it was not built.
pub fn lumos() -> PathBuf {
    let test = std::env::current_exe().expect("a test is an executable");
    // target/release/deps/test-0123abcd
    let lumos = test.ancestors().nth(2).expect("cargo's folders").join("lumos");
    assert!(lumos.is_file(), "{} is missing: run scripts/build.sh", lumos.display());
    lumos
}

/// A folder of a test's own; also what marks the processes that its runs start.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// # Panics
    /// When the hosts or the artifacts were not built.
    #[expect(clippy::new_without_default, reason = "it panics")]
    pub fn new() -> Self {
        let lumos = lumos();
        let needed = ["lumos-host-native", "lumos-host-wasmtime", "../artifacts/artifacts.json"];
        for file in needed.map(|name| lumos.with_file_name(name)) {
            assert!(file.is_file(), "{} is missing: run scripts/build.sh", file.display());
        }
        Self(tempfile::tempdir().unwrap())
    }

    /// A path in this folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a scenario: `top` with settings, then `matrix`, each as TOML.
    pub fn scenario(&self, top: &str, matrix: &str) -> PathBuf {
        let text = format!("name = \"test\"\ngap = \"1ms\"\n{top}\n[matrix]\n{matrix}\n");
        let path = self.path("test.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// `lumos` with these arguments. Its temporary files, and those of all that it
    /// starts, are in this folder.
    pub fn lumos(&self, args: &[&str]) -> Command {
        let mut command = Command::new(lumos());
        command.args(args).env("TMPDIR", self.0.path()).current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs `lumos` to its end.
    pub fn call(&self, args: &[&str]) -> Ended {
        Ended::from(self.lumos(args).output().unwrap())
    }

    /// Runs a scenario into the folder `out`.
    pub fn run(&self, scenario: &Path, out: &str, more: &[&str]) -> Ended {
        let scenario = scenario.to_str().unwrap();
        self.call(&[&["run", scenario, "--out", out][..], more].concat())
    }

    /// Starts a run into the folder `out`.
    pub fn start(&self, scenario: &Path, out: &str) -> Running {
        let args = ["run", scenario.to_str().unwrap(), "--out", out];
        let mut command = self.lumos(&args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child), dir: self.path(out) }
    }
}

/// What a call of `lumos` came to.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Asserts the exit code; shows all that was said otherwise.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        self
    }

    /// Asserts that standard error holds each of `words`.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
        self
    }
}

/// A run at work; killed when it is dropped.
pub struct Running {
    child: Option<Child>,
    dir: PathBuf,
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it was not ended yet").id()
    }

    /// Waits until that many rows are written. Returns whether the run is still at work.
    pub fn wait_for_rows(&mut self, rows: usize) -> bool {
        let file = self.dir.join("invocations.jsonl");
        self.wait_for(|| fs::read(&file).is_ok_and(|text| lines(&text) >= rows))
    }

    /// Waits until the folder can be resumed. Returns whether the run is still at work.
    pub fn wait_for_begin(&mut self) -> bool {
        let file = self.dir.join("scenario.toml");
        self.wait_for(|| file.is_file())
    }

    fn wait_for(&mut self, mut done: impl FnMut() -> bool) -> bool {
        let mut ended = false;
        let child = self.child.as_mut().expect("it was not ended yet");
        wait_until("the run to come that far", || {
            ended = child.try_wait().unwrap().is_some();
            ended || done()
        });
        !ended
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.pid() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        let child = self.child.take().expect("it was not ended yet");
        Ended::from(child.wait_with_output().unwrap())
    }

    /// Ends it as the kernel does when memory runs out.
    pub fn kill(mut self) {
        let mut child = self.child.take().expect("it was not ended yet");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for something that must happen.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}
