//! Calls of `lumos`: in a folder of a test's own, to their end or until something happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long something that must happen may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often to look whether it has happened.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// The executable `lumos` that cargo built with this test.
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

/// A folder of a test's own. The processes of its runs are recognised by it.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Creates the folder.
    ///
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

    /// Writes a scenario: the settings in `top`, then the table `matrix`, each as TOML.
    pub fn scenario(&self, top: &str, matrix: &str) -> PathBuf {
        let text = format!("name = \"test\"\ngap = \"1ms\"\n{top}\n[matrix]\n{matrix}\n");
        let path = self.path("test.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// `lumos` with these arguments. It works in this folder, which also holds the temporary
    /// files of all processes that it starts.
    pub fn lumos(&self, args: &[&str]) -> Command {
        let mut command = Command::new(lumos());
        command.args(args).env("TMPDIR", self.0.path()).current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs `lumos` to its end.
    pub fn call(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.lumos(args))
    }

    /// Runs a scenario to its end, into the folder `out`.
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

/// How a call of `lumos` ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal killed it.
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
    /// Runs `command` to its end.
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Asserts the exit code; a failure shows both streams.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        self
    }

    /// Asserts that standard error contains each of `words`.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
        self
    }
}

/// A run in progress; killed when it is dropped.
pub struct Running {
    /// `None` once it has ended.
    child: Option<Child>,
    dir: PathBuf,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it has not ended").id()
    }

    /// Waits until this number of rows is written. Returns whether the run is still in progress.
    pub fn wait_for_rows(&mut self, rows: usize) -> bool {
        let file = self.dir.join("invocations.jsonl");
        self.wait_for(|| fs::read(&file).is_ok_and(|text| line_feeds(&text) >= rows))
    }

    /// Waits until the run directory can be resumed. Returns whether the run is still in
    /// progress.
    pub fn wait_for_begin(&mut self) -> bool {
        let file = self.dir.join("scenario.toml");
        self.wait_for(|| file.is_file())
    }

    fn wait_for(&mut self, mut done: impl FnMut() -> bool) -> bool {
        let mut has_ended = false;
        let child = self.child.as_mut().expect("it has not ended");
        wait_until("the run to come this far", || {
            has_ended = child.try_wait().unwrap().is_some();
            has_ended || done()
        });
        !has_ended
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        let child = self.child.take().expect("it has not ended");
        Ended::from(child.wait_with_output().unwrap())
    }

    /// Kills it, as the kernel does when memory runs out.
    pub fn kill(mut self) {
        let mut child = self.child.take().expect("it has not ended");
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

/// Waits for `what`, which must happen: until `done` returns true.
///
/// # Panics
/// When it takes longer than a minute.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < TIMEOUT, "waited {TIMEOUT:?} for {what}");
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn line_feeds(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}
