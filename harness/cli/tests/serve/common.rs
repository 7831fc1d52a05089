//! A server at work.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::Client;
use crate::openmetrics::Metrics;

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can be served: targets with their isolations.
pub const SUBJECTS: [(&str, &str); 3] =
    [("native", "process"), ("wasmtime-aot", "process"), ("wasmtime-aot", "thread")];

/// A folder of a test's own; also what marks the processes that it starts.
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

    pub fn lumos(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lumos"));
        command.args(args).env("TMPDIR", self.0.path()).current_dir(self.0.path());
        command.stdin(Stdio::null());
        command
    }
}

/// `lumos serve` at a free port; killed when it is dropped.
pub struct Server {
    pub scratch: Scratch,
    pub address: SocketAddr,
    child: Option<Child>,
    pid: u32,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// How a server came to its end.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Server {
    #[track_caller]
    pub fn start(functions: &[&str], (target, isolation): (&str, &str), more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let fixed = ["--target", target, "--isolation", isolation, "--listen", "127.0.0.1:0"];
        let args = [&["serve"][..], functions, &fixed[..], more].concat();
        let mut command = scratch.lumos(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = read_on(child.stderr.take().unwrap());
        let mut said = String::new();
        // The block that says what is served ends with how to stop it.
        while !said.contains("\nstop ") {
            if stdout.read_line(&mut said).unwrap() == 0 {
                panic!("{args:?}: {}", stderr.join().unwrap());
            }
        }
        let address = said.split("http://").nth(1).unwrap().split(": ").next().unwrap();
        Self {
            address: address.parse().unwrap(),
            pid: child.id(),
            scratch,
            child: Some(child),
            stdout: Some(std::thread::spawn(move || {
                stdout.read_to_string(&mut said).unwrap();
                said
            })),
            stderr: Some(stderr),
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    pub fn metrics(&self) -> Metrics {
        let reply = self.client().get("/metrics");
        assert_eq!(reply.status, 200);
        let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(reply.headers["content-type"], media);
        Metrics::parse(&reply.body)
    }

    /// Requests to `function` that ended for `cause`.
    pub fn count(&self, function: &str, cause: &str) -> f64 {
        let labels = [("function", function), ("cause", cause)];
        self.metrics().value("lumos_requests_total", &labels).unwrap_or(0.0)
    }

    /// Instances of `function` that serve.
    pub fn busy(&self, function: &str) -> f64 {
        let labels = [("function", function), ("state", "busy")];
        self.metrics().value("lumos_instances", &labels).expect("it is always there")
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid as i32), signal).unwrap();
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Ended {
        let status = self.child.take().expect("it was not ended yet").wait().unwrap();
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended { code: status.code(), stdout, stderr }
    }

    /// The host that it has started.
    pub fn host(&self) -> Pid {
        let is_host = |pid: &i32| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let marker = self.scratch.path("");
            let marker = marker.to_str().unwrap().trim_end_matches('/');
            command.ends_with(b"\0control\0")
                && String::from_utf8_lossy(&environment).contains(marker)
        };
        let mut pids = crate::leftovers::processes().map(|process| process.pid);
        Pid::from_raw(pids.find(is_host).expect("it has a host"))
    }
}

impl Ended {
    /// Asserts the exit code; shows all that was said otherwise.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read_on(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}

/// Waits for something that must happen.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
