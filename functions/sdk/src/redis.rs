//! Values of a Redis server. The time of the socket and the time of the protocol are separate
//! phases.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use ::redis::{Cmd, Parser, RedisError, RedisResult, Value, cmd};
use lumos_wire::phases::{GuestPhase, GuestPhases};
use lumos_wire::{CONNECTION, REDIS_URL};

use crate::error::Error;
use crate::socket;
use crate::time::nanoseconds_since;

/// Fetches the value of `key`.
pub(crate) fn get(key: &str, phases: &mut GuestPhases) -> Result<Vec<u8>, Error> {
    match execute(cmd("GET").arg(key), phases)? {
        Value::BulkString(bytes) => Ok(bytes),
        Value::Nil => Err(Error::new(format!("redis has no value for key `{key}`"))),
        _ => Err(unexpected("GET")),
    }
}

/// Sets the value of `key`.
pub(crate) fn set(key: &str, bytes: &[u8], phases: &mut GuestPhases) -> Result<(), Error> {
    match execute(cmd("SET").arg(key).arg(bytes), phases)? {
        Value::Okay => Ok(()),
        _ => Err(unexpected("SET")),
    }
}

/// The server's address, from the environment variable [`REDIS_URL`].
///
/// # Errors
/// When the variable is missing or is not of the form `redis://ip:port`.
pub fn address() -> Result<SocketAddrV4, Error> {
    let url = std::env::var(REDIS_URL)
        .map_err(|_| Error::new(format!("storage `redis` needs the variable {REDIS_URL}")))?;
    url.strip_prefix("redis://")
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .ok_or_else(|| {
            Error::new(format!("{REDIS_URL} is `{url}`: expected `redis://ip:port`, ip numeric"))
        })
}

/// The settings in the environment, read at the first command of an instance.
#[derive(Clone, Copy)]
struct Settings {
    address: SocketAddrV4,
    timeout: Option<Duration>,
    keep: bool,
}

impl Settings {
    fn read() -> Result<Self, Error> {
        let keep = match std::env::var(CONNECTION).as_deref() {
            Err(_) | Ok("" | "request") => false,
            Ok("instance") => true,
            Ok(other) => {
                return Err(Error::new(format!(
                    "{CONNECTION} is `{other}`: expected `request` or `instance`"
                )));
            }
        };
        Ok(Self { address: address()?, timeout: socket::timeout()?, keep })
    }
}

thread_local! {
    static SETTINGS: RefCell<Option<Settings>> = const { RefCell::new(None) };
    static KEPT: RefCell<Option<TcpStream>> = const { RefCell::new(None) };
}

fn settings() -> Result<Settings, Error> {
    SETTINGS.with_borrow_mut(|settings| match settings {
        Some(settings) => Ok(*settings),
        None => Ok(*settings.insert(Settings::read()?)),
    })
}

/// Runs one command, on the open connection if there is one.
fn execute(command: &Cmd, phases: &mut GuestPhases) -> Result<Value, Error> {
    let settings = settings()?;
    let started = Instant::now();
    let before = phases.total();

    let request = command.get_packed_command();
    let answered = exchange_with_retry(&settings, &request, phases);

    let elsewhere = phases.total() - before;
    phases.add(GuestPhase::IoProtocol, nanoseconds_since(started).saturating_sub(elsewhere));
    let (stream, value) = answered?;
    if settings.keep {
        KEPT.set(Some(stream));
    } else {
        // On some engines, closing takes as long as opening.
        let started = Instant::now();
        drop(stream);
        phases.add(GuestPhase::IoConnect, nanoseconds_since(started));
    }
    value.extract_error().map_err(explain)
}

/// If the kept connection is broken, for example because the server closed it, a new one replaces
/// it once.
fn exchange_with_retry(
    settings: &Settings,
    request: &[u8],
    phases: &mut GuestPhases,
) -> Result<(TcpStream, Value), Error> {
    if let Some(kept) = KEPT.take() {
        match exchange(kept, request, phases) {
            Ok(answered) => return Ok(answered),
            Err(error) if error.is_timeout() => return Err(explain(error)),
            Err(_) => {}
        }
    }
    let started = Instant::now();
    let stream = socket::connect(settings.address, settings.timeout)?;
    phases.add(GuestPhase::IoConnect, nanoseconds_since(started));
    exchange(stream, request, phases).map_err(explain)
}

/// Sends a packed command and reads its answer.
fn exchange(
    stream: TcpStream,
    request: &[u8],
    phases: &mut GuestPhases,
) -> RedisResult<(TcpStream, Value)> {
    let mut timed = Timed { stream, phases };
    timed.write_all(request)?;
    let value = Parser::new().parse_value(&mut timed)?;
    Ok((timed.stream, value))
}

/// A connection whose reads and writes count as `io_read` and `io_write`.
struct Timed<'a> {
    stream: TcpStream,
    phases: &'a mut GuestPhases,
}

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let started = Instant::now();
        let result = self.stream.read(into);
        self.phases.add(GuestPhase::IoRead, nanoseconds_since(started));
        result
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let started = Instant::now();
        let result = self.stream.write(from);
        self.phases.add(GuestPhase::IoWrite, nanoseconds_since(started));
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn explain(error: RedisError) -> Error {
    let subject = if error.is_timeout() { "timed out: redis" } else { "redis" };
    Error::new(format!("{subject}: {error}"))
}

/// The message leaves out the answer itself, because `Debug` of every possible answer takes 30 KB
/// of code.
fn unexpected(command: &str) -> Error {
    Error::new(format!("redis answered {command} with a value of another type"))
}
