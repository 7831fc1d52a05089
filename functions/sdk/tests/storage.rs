//! Storage: files, a real Redis server, and servers that misbehave.
//!
//! An instance reads its environment once, so each case runs in its own process: this test
//! executable, started again for one ignored test.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lumos_function::wire::{
    CONNECTION, DATA_FOLDER, GuestPhase, GuestPhases, IO_TIMEOUT_MS, REDIS_URL, Status, envelope,
};
use lumos_function::{Context, Error, Function, Sink, Source, Stored, invoke_bytes};
use serde::Deserialize;

/// Copies data from a source to a sink.
struct Copy;

#[derive(Deserialize)]
struct Request {
    from: Source,
    to: Sink,
}

impl Function for Copy {
    type Request = Request;
    type Output = Stored;

    fn run(request: Request, cx: &mut Context) -> Result<Stored, Error> {
        let bytes = cx.get(request.from)?;
        let bytes = cx.deserialize(|| bytes);
        cx.put(request.to, bytes)
    }
}

fn copy(request: &str) -> (Status, String, GuestPhases) {
    let answer = invoke_bytes::<Copy>(request.as_bytes());
    let envelope = envelope::open(&answer).unwrap();
    let body = String::from_utf8(envelope.body.to_vec()).unwrap();
    (envelope.status, body, envelope.phases)
}

// --- the cases, each in its own process ---

/// Prints the answers to the requests in the environment, one per line.
#[test]
#[ignore = "run by the other tests"]
fn case() {
    for request in std::env::var("CASE").unwrap().lines() {
        let (status, body, phases) = copy(request);
        let phases: Vec<u64> = GuestPhase::ALL.iter().map(|phase| phases.get(*phase)).collect();
        println!("\ncase: {status:?} {body} {phases:?}");
    }
}

/// The lines that [`case`] prints for `requests`.
fn run_case(environment: &[(&str, &str)], requests: &str) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "case", "--ignored", "--nocapture"])
        .env_remove(REDIS_URL)
        .env("CASE", requests)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("case: ").map(str::to_owned))
        .collect()
}

// --- a Redis server ---

struct Redis {
    process: Child,
    address: SocketAddr,
}

impl Redis {
    fn start() -> Self {
        // The port is free again when the server binds it; no other process asks for it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need redis-server on the PATH: apt-get install redis-server");
        let redis = Self { process, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not listen at {address}");
            std::thread::sleep(Duration::from_millis(5));
        }
        redis
    }

    fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Sends a command as a line and returns the first part of the answer.
    fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// Number of connections so far.
    fn connections(&self) -> u64 {
        let stats = self.ask("INFO stats");
        let (_, rest) = stats.split_once("total_connections_received:").unwrap();
        rest.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const IO: [GuestPhase; 4] =
    [GuestPhase::IoConnect, GuestPhase::IoRead, GuestPhase::IoWrite, GuestPhase::IoProtocol];

fn phase(line: &str, phase: GuestPhase) -> u64 {
    let (_, list) = line.rsplit_once('[').unwrap();
    list.trim_end_matches(']').split(", ").nth(phase as usize).unwrap().parse().unwrap()
}

#[test]
fn reads_and_writes_redis_values() {
    let redis = Redis::start();
    assert_eq!(redis.ask("SET in hola"), "+OK\r\n");
    let requests = [
        r#"{"from":{"redis":"in"},"to":{"redis":"out"}}"#,
        r#"{"from":{"redis":"out"},"to":"inline"}"#,
        r#"{"from":{"redis":"absent"},"to":"inline"}"#,
    ];
    let lines = run_case(&[(REDIS_URL, &redis.url())], &requests.join("\n"));
    assert!(lines[0].starts_with(r#"Ok {"redis":"out","bytes":4}"#), "{}", lines[0]);
    for part in IO {
        assert!(phase(&lines[0], part) > 0, "{part:?} in {}", lines[0]);
    }
    assert!(lines[1].starts_with(r#"Ok {"inline":"aG9sYQ=="}"#), "{}", lines[1]);
    assert!(lines[2].starts_with("Error redis has no value for key `absent`"), "{}", lines[2]);
    assert_eq!(redis.ask("GET out"), "$4\r\nhola\r\n");
}

#[test]
fn transfers_long_values_completely() {
    let redis = Redis::start();
    let long = "corazón ".repeat(300_000);
    let path = std::env::temp_dir().join(format!("lumos-sdk-{}", std::process::id()));
    std::fs::write(&path, &long).unwrap();
    let back = path.with_extension("back");
    let requests = format!(
        "{{\"from\":{{\"local\":{path:?}}},\"to\":{{\"redis\":\"long\"}}}}\n\
         {{\"from\":{{\"redis\":\"long\"}},\"to\":{{\"local\":{back:?}}}}}"
    );
    let lines = run_case(&[(REDIS_URL, &redis.url())], &requests);
    assert!(lines.iter().all(|line| line.starts_with("Ok")), "{lines:?}");
    assert!(std::fs::read(&back).unwrap() == long.as_bytes());
    assert!(phase(&lines[0], GuestPhase::IoWrite) > 0);
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&back).unwrap();
}

#[test]
fn a_connection_lasts_for_a_request_or_for_an_instance() {
    let redis = Redis::start();
    redis.ask("SET in hola");
    let requests = [r#"{"from":{"redis":"in"},"to":"inline"}"#; 5].join("\n");
    let opened_by = |lifetime: &str| {
        let before = redis.connections();
        let lines = run_case(&[(REDIS_URL, &redis.url()), (CONNECTION, lifetime)], &requests);
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| line.starts_with("Ok")), "{lines:?}");
        // The query itself takes a connection too.
        redis.connections() - before - 1
    };
    assert_eq!(opened_by("request"), 5);
    assert_eq!(opened_by("instance"), 1);
}

#[test]
fn replaces_a_broken_kept_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    // Answers one command on each connection, then closes it.
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 256]).unwrap() > 0);
            stream.write_all(b"$4\r\nhola\r\n").unwrap();
        }
    });
    let requests = [r#"{"from":{"redis":"in"},"to":"inline"}"#; 2].join("\n");
    let lines = run_case(&[(REDIS_URL, &url), (CONNECTION, "instance")], &requests);
    assert!(lines.iter().all(|line| line.starts_with("Ok")), "{lines:?}");
    server.join().unwrap();
}

#[test]
fn a_silent_server_times_out() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let request = r#"{"from":{"redis":"in"},"to":"inline"}"#;
    let lines = run_case(&[(REDIS_URL, &url), (IO_TIMEOUT_MS, "20")], request);
    assert!(lines[0].starts_with("Error timed out"), "{}", lines[0]);
}

#[test]
fn reports_errors_of_a_server_and_foreign_protocols() {
    for (answer, expected) in [
        ("-LOADING wait\r\n", "BusyLoading: wait"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "redis"),
        (":1\r\n", "redis answered GET with"),
        ("$4\r\nho", "redis"),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 256]).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let request = r#"{"from":{"redis":"in"},"to":"inline"}"#;
        let lines = run_case(&[(REDIS_URL, &url)], request);
        assert!(lines[0].starts_with("Error") && lines[0].contains(expected), "{}", lines[0]);
        server.join().unwrap();
    }
}

#[test]
fn reports_bad_settings_in_the_environment() {
    let request = r#"{"from":{"redis":"in"},"to":"inline"}"#;
    for (environment, expected) in [
        (&[][..], "needs the variable REDIS_URL"),
        (&[(REDIS_URL, "redis://localhost:1")], "expected `redis://ip:port`"),
        (&[(REDIS_URL, "redis://127.0.0.1:1"), (CONNECTION, "forever")], "`forever`"),
        (&[(REDIS_URL, "redis://127.0.0.1:1"), (IO_TIMEOUT_MS, "soon")], "`soon`"),
        (&[(REDIS_URL, "redis://127.0.0.1:1")], "connect to 127.0.0.1:1"),
    ] {
        let lines = run_case(environment, request);
        assert!(lines[0].starts_with("Error") && lines[0].contains(expected), "{}", lines[0]);
    }
}

// --- without a server ---

#[test]
fn reads_and_writes_files_and_inline_data() {
    let path = std::env::temp_dir().join(format!("lumos-sdk-file-{}", std::process::id()));
    let path = path.to_str().unwrap();
    let (status, body, phases) =
        copy(&format!(r#"{{"from":{{"inline":"hola"}},"to":{{"local":{path:?}}}}}"#));
    assert_eq!((status, body), (Status::Ok, format!(r#"{{"local":{path:?},"bytes":4}}"#)));
    assert!(phases.get(GuestPhase::IoWrite) > 0);
    assert_eq!(phases.get(GuestPhase::IoRead), 0);

    let (_, body, phases) = copy(&format!(r#"{{"from":{{"local":{path:?}}},"to":"inline"}}"#));
    assert_eq!(body, r#"{"inline":"aG9sYQ=="}"#);
    assert!(phases.get(GuestPhase::IoRead) > 0);
    std::fs::remove_file(path).unwrap();

    let (status, message, _) = copy(&format!(r#"{{"from":{{"local":{path:?}}},"to":"inline"}}"#));
    assert_eq!(status, Status::Error);
    assert!(message.contains(path) && message.contains("No such file"), "{message}");
}

#[test]
fn file_names_are_relative_to_the_data_folder() {
    let folder = std::env::temp_dir().join(format!("lumos-sdk-data-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let requests = [
        r#"{"from":{"inline":"hola"},"to":{"local":"file.txt"}}"#,
        r#"{"from":{"local":"file.txt"},"to":"inline"}"#,
    ];
    let lines = run_case(&[(DATA_FOLDER, folder.to_str().unwrap())], &requests.join("\n"));
    assert_eq!(std::fs::read(folder.join("file.txt")).unwrap(), b"hola");
    assert!(lines[0].starts_with(r#"Ok {"local":"file.txt","bytes":4}"#), "{}", lines[0]);
    assert!(lines[1].starts_with(r#"Ok {"inline":"aG9sYQ=="}"#), "{}", lines[1]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn native_functions_report_that_there_is_no_host() {
    for request in
        [r#"{"from":{"host":"x"},"to":"inline"}"#, r#"{"from":{"inline":"x"},"to":{"host":"x"}}"#]
    {
        let (status, message, _) = copy(request);
        assert_eq!(status, Status::Error);
        assert!(message.contains("a native function has no host to call"), "{message}");
    }
}

/// Storage and deserialisation do not count as compute: the phases of an invocation add up to no
/// more than its time.
#[test]
fn phases_do_not_overlap() {
    struct Slow;
    impl Function for Slow {
        type Request = ();
        type Output = ();
        fn run((): (), cx: &mut Context) -> Result<(), Error> {
            cx.deserialize(|| std::thread::sleep(Duration::from_millis(50)));
            Ok(())
        }
    }
    let started = Instant::now();
    let answer = invoke_bytes::<Slow>(b"null");
    let all = started.elapsed().as_nanos() as u64;
    let phases = envelope::open(&answer).unwrap().phases;
    assert!(phases.get(GuestPhase::Deserialize) >= 50_000_000);
    assert!(phases.total() <= all, "{phases:?} of {all} ns");
}
