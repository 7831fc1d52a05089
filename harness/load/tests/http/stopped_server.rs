//! A server that is stopped for 500 ms during 10 s at 1,000 requests a second. The requests of
//! that half second wait 0 to 500 ms, so the 99th percentile of all is near 400 ms. A tool that
//! waits for the server before it sends the next request, or that counts from the actual
//! sending, sees a handful of slow requests and a small percentile.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lumos_load::http::{LoadOptions, Outcome, Target};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::server::{HELLO, Server, Then, constant, load};

const SERVER: &str = "LUMOS_LOAD_TEST_SERVER";

/// Not a test: the server process of the test below, which starts this executable again.
#[test]
fn serve_until_killed() {
    if std::env::var_os(SERVER).is_none() {
        return;
    }
    let server = Server::saying(HELLO, || Then::KeepOpen);
    println!("\nlistening on {}", server.addr);
    let _ = std::io::stdout().flush();
    // Standard input closes when the test ends.
    let _ = std::io::stdin().read_line(&mut String::new());
    std::process::exit(0);
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stopped_server_shows_in_the_latency_from_the_intended_time() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["stopped_server::serve_until_killed", "--exact", "--nocapture"])
        .env(SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let addr = lines.filter_map(|line| line.strip_prefix("listening on ")?.parse().ok()).next();
    let target = Target::new(addr.expect("the server's address"), "/".parse().unwrap());
    let pid = Pid::from_raw(child.0.id() as i32);

    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(4));
        kill(pid, Signal::SIGSTOP).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        kill(pid, Signal::SIGCONT).unwrap();
    });
    let options = LoadOptions { connections: 4, ..LoadOptions::default() };
    let (report, _) = load(&target, &constant(1000.0), 10_000, options).unwrap();
    stopper.join().unwrap();

    assert_eq!(report.outcome(Outcome::Ok), 10_000, "{:?}", report.errors);
    let p99_ms =
        |histogram: &hdrhistogram::Histogram<u64>| histogram.value_at_quantile(0.99) as f64 / 1e6;
    let (latency, service) = (p99_ms(&report.latency), p99_ms(&report.service));
    println!("p99 from the intended time {latency:.1} ms, from the sending {service:.2} ms");
    assert!((300.0..500.0).contains(&latency), "p99 from the intended time is {latency} ms");
    assert!(service < latency / 4.0, "p99 from the sending is {service} ms");
}
