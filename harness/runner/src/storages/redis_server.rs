//! The storages `redis` and `host`: a Redis server of our own on a free loopback port, or one
//! that the user names.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lumos_model::manifest::RedisFacts;
use lumos_os::pinning::pin;
use lumos_os::spawn::{Attach, Orphan, ProcessCommand, Spawned, spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;

use super::object_store::ObjectStore;
use crate::interrupt;
use crate::programs::find_program;
use crate::sync::lock;

/// How long a new server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to accept a connection, and to reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many ports to try: another process may take a free port before the server binds it.
const PORTS_TO_TRY: usize = 5;

/// A Redis server that answers.
pub(super) struct RedisServer {
    url: String,
    version: String,
    connection: Mutex<redis::Connection>,
    /// The server's process; `None` when the user started it.
    process: Option<ServerProcess>,
}

impl RedisServer {
    /// Connects to the server at `url`, or starts one, on `core` if one is given.
    pub(super) fn open(url: Option<&str>, core: Option<usize>) -> anyhow::Result<Self> {
        match url {
            Some(url) => Self::connect(url),
            None => Self::start(core),
        }
    }

    fn connect(url: &str) -> anyhow::Result<Self> {
        let hint = "name a server that answers, such as redis://127.0.0.1:6379, or leave out \
                    --redis-url to have one started";
        let address = url.strip_prefix("redis://").unwrap_or("").trim_end_matches('/');
        if address.parse::<SocketAddr>().is_err() {
            bail!(
                "--redis-url {url}: functions have no resolver, so the address must be numeric: \
                 {hint}"
            );
        }
        let connection =
            open_connection(url).with_context(|| format!("--redis-url {url}: {hint}"))?;
        Self::new(format!("redis://{address}"), connection, None)
    }

    fn start(core: Option<usize>) -> anyhow::Result<Self> {
        let program = find_program("redis-server").context(
            "redis storage needs redis-server: apt-get install redis-server, or give --redis-url",
        )?;
        let mut attempt = Self::start_on(&program, free_port()?, core);
        for _ in 1..PORTS_TO_TRY {
            if attempt.is_err() {
                attempt = Self::start_on(&program, free_port()?, core);
            }
        }
        attempt
    }

    fn start_on(program: &Path, port: u16, core: Option<usize>) -> anyhow::Result<Self> {
        // A file in memory: it leaves nothing behind, however this process ends.
        let log = memfd_create(c"lumos-redis-log", MFdFlags::MFD_CLOEXEC)
            .context("create a file for the Redis server's log")?;
        let process = ServerProcess::spawn(program, port, &log)?;
        pin(process.0.pid, core).context("pin the Redis server to its core")?;
        let url = format!("redis://127.0.0.1:{port}");
        let connection = connect_when_ready(&url)
            .with_context(|| format!("{} said: {}", program.display(), last_line(log)))?;
        Self::new(url, connection, Some(process))
    }

    fn new(
        url: String,
        mut connection: redis::Connection,
        process: Option<ServerProcess>,
    ) -> anyhow::Result<Self> {
        let info: String = redis::cmd("INFO").arg("server").query(&mut connection)?;
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let version = version.unwrap_or("unknown").trim().to_owned();
        Ok(Self { url, version, connection: Mutex::new(connection), process })
    }

    /// The server's URL, for functions.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The server in a manifest.
    pub(super) fn facts(&self) -> RedisFacts {
        RedisFacts { version: self.version.clone(), own: self.process.is_some() }
    }
}

impl ObjectStore for RedisServer {
    fn put(&self, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let command = redis::cmd("SET").arg(key).arg(bytes).exec(&mut *lock(&self.connection));
        command.with_context(|| format!("store {key} in Redis"))
    }

    fn get(&self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let value = redis::cmd("GET").arg(key).query(&mut *lock(&self.connection));
        value.with_context(|| format!("read {key} from Redis"))
    }

    fn delete(&self, key: &str) -> anyhow::Result<()> {
        let command = redis::cmd("DEL").arg(key).exec(&mut *lock(&self.connection));
        command.with_context(|| format!("delete {key} in Redis"))
    }
}

/// A server that `lumos` started; killed when this is dropped.
struct ServerProcess(Spawned);

impl ServerProcess {
    fn spawn(program: &Path, port: u16, log: &OwnedFd) -> anyhow::Result<Self> {
        let args = [
            ("--port", port.to_string()),
            ("--bind", Ipv4Addr::LOCALHOST.to_string()),
            ("--save", String::new()),
            ("--appendonly", "no".to_owned()),
            ("--dir", std::env::temp_dir().display().to_string()),
            ("--logfile", "/proc/self/fd/2".to_owned()),
            ("--daemonize", "no".to_owned()),
        ];
        let command = ProcessCommand {
            program: program.to_owned(),
            args: args.into_iter().flat_map(|(key, value)| [key.to_owned(), value]).collect(),
            env: Vec::new(),
        };
        let spawned = spawn(&command, &Attach::default(), log.as_raw_fd(), Orphan::Killed);
        spawned.map(Self).with_context(|| format!("start {}", program.display()))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = kill(self.0.pid, Signal::SIGKILL);
        let _ = waitpid(self.0.pid, None);
    }
}

fn connect_when_ready(url: &str) -> anyhow::Result<redis::Connection> {
    let begin = Instant::now();
    loop {
        match open_connection(url) {
            Ok(connection) => return Ok(connection),
            Err(error) if begin.elapsed() > START_TIMEOUT => return Err(error.into()),
            Err(_) => {
                interrupt::check()?;
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn open_connection(url: &str) -> redis::RedisResult<redis::Connection> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_connection_with_timeout(REPLY_TIMEOUT)?;
    // A server that accepts and stays silent is not a Redis server.
    connection.set_read_timeout(Some(REPLY_TIMEOUT))?;
    redis::cmd("PING").exec(&mut connection)?;
    Ok(connection)
}

fn last_line(log: OwnedFd) -> String {
    let (mut file, mut text) = (File::from(log), String::new());
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text.lines().last().unwrap_or("nothing").to_owned()
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
