//! The functions' storage: a server of our own on a free loopback port, or any by URL.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lumos_inputs::InputFile;
use lumos_model::manifest::RedisFacts;
use lumos_os::pinning::pin;
use lumos_os::spawn::ProcessCommand;
use lumos_os::spawn::{Attach, Orphan, Spawned, spawn};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;

use crate::interrupt;

/// How long a new server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server may take for a connection or a reply.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);
/// Another process may take the port between our look and the server's start.
const PORTS_TO_TRY: usize = 5;

/// A Redis server that answers.
pub struct RedisServer {
    url: String,
    version: String,
    connection: redis::Connection,
    /// The server itself, if it is ours.
    process: Option<Spawned>,
}

impl RedisServer {
    /// Uses the server at `url`, or starts one, on `core` if one is given.
    ///
    /// # Errors
    /// When there is none at the URL, or none can be started.
    pub fn open(url: Option<&str>, core: Option<usize>) -> anyhow::Result<Self> {
        match url {
            Some(url) => Self::connect(url),
            None => Self::start(core),
        }
    }

    fn connect(url: &str) -> anyhow::Result<Self> {
        let hint = "give a server that answers, such as redis://127.0.0.1:6379, or leave \
                    --redis-url out to have one started";
        let address = url.strip_prefix("redis://").unwrap_or("").trim_end_matches('/');
        if address.parse::<std::net::SocketAddr>().is_err() {
            bail!(
                "--redis-url {url}: guests have no resolver, so the address must be numeric: {hint}"
            );
        }
        let connection =
            open_connection(url).with_context(|| format!("--redis-url {url}: {hint}"))?;
        let mut server = Self {
            url: format!("redis://{address}"),
            version: String::new(),
            connection,
            process: None,
        };
        server.version = server.read_version()?;
        Ok(server)
    }

    fn start(core: Option<usize>) -> anyhow::Result<Self> {
        let program = find_program("redis-server").context(
            "redis storage needs redis-server: apt-get install redis-server, or give --redis-url",
        )?;
        let mut last = None;
        for _ in 0..PORTS_TO_TRY {
            match Self::start_on(&program, free_port()?, core) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("at least one port was tried"))
    }

    fn start_on(program: &Path, port: u16, core: Option<usize>) -> anyhow::Result<Self> {
        // No file of it is left behind, however this process ends.
        let log = memfd_create(c"lumos-redis-log", MFdFlags::MFD_CLOEXEC)
            .context("a file for the Redis server's log")?;
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
        let process = spawn(&command, &Attach::default(), log.as_raw_fd(), Orphan::Killed)
            .with_context(|| format!("start {}", program.display()))?;
        pin(process.pid, core).context("pin the Redis server to its core")?;
        let mut guard = ProcessGuard(Some(process));
        let url = format!("redis://127.0.0.1:{port}");
        let begin = Instant::now();
        let connection = loop {
            match open_connection(&url) {
                Ok(connection) => break connection,
                Err(error) if begin.elapsed() > PATIENCE => {
                    let mut file = File::from(log);
                    let mut log = String::new();
                    let _ = file.rewind().and_then(|()| file.read_to_string(&mut log));
                    let last = log.lines().last().unwrap_or("nothing").to_owned();
                    return Err(error).context(format!("{} said: {last}", program.display()));
                }
                Err(_) => {
                    interrupt::check()?;
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        };
        let mut server = Self { url, version: String::new(), connection, process: guard.0.take() };
        server.version = server.read_version()?;
        Ok(server)
    }

    /// The server's URL, as guests are given it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a manifest says of the server.
    pub fn facts(&self) -> RedisFacts {
        RedisFacts { version: self.version.clone(), own: self.process.is_some() }
    }

    /// Stores an input under its key.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn seed(&mut self, input: &InputFile) -> anyhow::Result<()> {
        redis::cmd("SET")
            .arg(&input.key)
            .arg(&input.bytes)
            .exec(&mut self.connection)
            .with_context(|| format!("store {} in Redis", input.key))
    }

    /// Forgets what is under `key`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn forget(&mut self, key: &str) -> anyhow::Result<()> {
        let command = redis::cmd("DEL").arg(key).exec(&mut self.connection);
        command.with_context(|| format!("delete {key} in Redis"))
    }

    /// What is under `key`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn get(&mut self, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let value = redis::cmd("GET").arg(key).query(&mut self.connection);
        value.with_context(|| format!("read {key} from Redis"))
    }

    fn read_version(&mut self) -> anyhow::Result<String> {
        let info: String = redis::cmd("INFO").arg("server").query(&mut self.connection)?;
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.unwrap_or("unknown").trim().to_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(ProcessGuard(self.process.take()));
    }
}

/// Ends a server whose start was given up.
struct ProcessGuard(Option<Spawned>);

impl Drop for ProcessGuard {
    fn drop(&mut self) {
        if let Some(process) = &self.0 {
            let _ = kill(process.pid, Signal::SIGKILL);
            let _ = waitpid(process.pid, None);
        }
    }
}

fn open_connection(url: &str) -> redis::RedisResult<redis::Connection> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_connection_with_timeout(REPLY_PATIENCE)?;
    // What accepts and stays silent is no Redis server.
    connection.set_read_timeout(Some(REPLY_PATIENCE))?;
    redis::cmd("PING").exec(&mut connection)?;
    Ok(connection)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
