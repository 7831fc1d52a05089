//! `lumos serve`, for tests of its gateway.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::http_client::Client;
use crate::openmetrics::Metrics;
use crate::scratch::{Ended, Scratch};

/// Targets with their isolations, for tests of every combination.
pub const SUBJECTS: [(&str, &str); 3] =
    [("native", "process"), ("wasmtime-aot", "process"), ("wasmtime-aot", "thread")];

/// `lumos serve` at a free port; killed when it is dropped.
pub struct Server {
    /// Its folder.
    pub scratch: Scratch,
    /// Where it listens.
    pub address: SocketAddr,
    child: Option<Child>,
    pid: u32,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts it, and waits until it listens.
    #[track_caller]
    pub fn start(functions: &[&str], (target, isolation): (&str, &str), more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let fixed = ["--target", target, "--isolation", isolation, "--listen", "127.0.0.1:0"];
        let args = [&["serve"][..], functions, &fixed[..], more].concat();
        let mut command = scratch.lumos(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = read_to_end(child.stderr.take().unwrap());
        let mut said = String::new();
        // The announcement ends with how to stop the server.
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

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// What it exposes at `/metrics`.
    pub fn metrics(&self) -> Metrics {
        let reply = self.client().get("/metrics");
        assert_eq!(reply.status, 200);
        let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(reply.headers["content-type"], media);
        Metrics::parse(&reply.body)
    }

    /// How many requests to `function` ended with `cause`.
    pub fn count(&self, function: &str, cause: &str) -> f64 {
        let labels = [("function", function), ("cause", cause)];
        self.metrics().value("lumos_requests_total", &labels).unwrap_or(0.0)
    }

    /// How many instances of `function` are busy.
    pub fn busy(&self, function: &str) -> f64 {
        let labels = [("function", function), ("state", "busy")];
        self.metrics().value("lumos_instances", &labels).expect("it is always exposed")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid as i32), signal).unwrap();
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Ended {
        let status = self.child.take().expect("it has not ended").wait().unwrap();
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended { code: status.code(), stdout, stderr }
    }

    /// The host that it started.
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

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn read_to_end(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}
