//! Scenarios, calls of `lumos`, and what they leave in a run directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lumos_record::rows::Rows;
use lumos_record::store::BlockTelemetry;
use lumos_model::row::Row;
use serde_json::Value;

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of a test's own; also what marks the processes that its runs start.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Self {
        let lumos = Path::new(env!("CARGO_BIN_EXE_lumos"));
        let needed = ["lumos-host-native", "lumos-host-wasmtime", "../artifacts/artifacts.json"];
        for file in needed.map(|name| lumos.with_file_name(name)) {
            assert!(file.is_file(), "{} is missing: run scripts/build.sh", file.display());
        }
        Self(tempfile::tempdir().unwrap())
    }

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
        let mut command = Command::new(env!("CARGO_BIN_EXE_lumos"));
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
    pub code: Option<i32>,
    pub stdout: String,
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

/// The rows of a run; each must parse.
pub fn rows(dir: &Path) -> Vec<Row> {
    Rows::open(dir).unwrap().map(Result::unwrap).collect()
}

/// The rows as text, without the last line if it was cut short.
pub fn complete_lines(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("invocations.jsonl")).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(str::to_owned).collect()
}

pub fn telemetry(dir: &Path) -> Vec<BlockTelemetry> {
    let text = fs::read_to_string(dir.join("telemetry.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What a run's summary counts: samples and failures of each cell, by the cell.
pub fn counts(dir: &Path) -> BTreeMap<String, (u64, Value)> {
    let summary = json(&dir.join("summary.json"));
    let cells = summary["cells"].as_array().unwrap().iter();
    let count = |cell: &Value| (cell["n"].as_u64().unwrap(), cell["failures"].clone());
    cells.map(|cell| (cell["cell"].to_string(), count(cell))).collect()
}

/// Asserts that no invocation has two rows.
#[track_caller]
pub fn assert_no_doubles(dir: &Path) {
    let mut seen = std::collections::HashSet::new();
    for row in rows(dir) {
        let key = (row.cell, row.block, row.control, row.sample.seq);
        assert!(seen.insert(key.clone()), "two rows of {key:?}");
    }
}
