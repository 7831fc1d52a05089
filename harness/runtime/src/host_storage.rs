//! Storage that the host accesses for its guest: Redis, over a connection of the host's own.
//!
//! The client works as the guest's does (`functions/sdk/src/redis.rs`): it uses the same
//! packed commands and the same parser. The instance's environment says whether each
//! command gets a new connection or the connection is kept. The only difference is that the
//! host waits for the socket.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lumos_model::wire::{CONNECTION, IO_TIMEOUT_MS, REDIS_URL};
use redis::{Cmd, Parser, RedisError, RedisResult, Value, cmd};

/// The storage of one instance. Creating one is cheap: it reads and connects nothing
/// before the first call.
#[derive(Default)]
pub struct HostStorage {
    url: Option<String>,
    timeout_ms: Option<String>,
    keep: bool,
    kept: Option<TcpStream>,
}

impl HostStorage {
    /// The storage that an instance's environment describes.
    pub fn new(env: &[(String, String)]) -> Self {
        let find = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        Self {
            url: find(REDIS_URL).cloned(),
            timeout_ms: find(IO_TIMEOUT_MS).cloned(),
            keep: find(CONNECTION).is_some_and(|lifetime| lifetime == "instance"),
            kept: None,
        }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When there is no value, or the server does not answer. The message is for the guest.
    pub fn get(&mut self, key: &str) -> Result<Vec<u8>, String> {
        match self.execute(cmd("GET").arg(key))? {
            Value::BulkString(bytes) => Ok(bytes),
            Value::Nil => Err(format!("the host's storage has no value for key `{key}`")),
            _ => Err(unexpected("GET")),
        }
    }

    /// Stores `value` under `key`.
    ///
    /// # Errors
    /// When the server refuses or does not answer. The message is for the guest.
    pub fn put(&mut self, key: &str, value: &[u8]) -> Result<(), String> {
        match self.execute(cmd("SET").arg(key).arg(value))? {
            Value::Okay => Ok(()),
            _ => Err(unexpected("SET")),
        }
    }

    fn execute(&mut self, command: &Cmd) -> Result<Value, String> {
        let request = command.get_packed_command();
        let (stream, value) = self.exchange_with_reconnect(&request)?;
        if self.keep {
            self.kept = Some(stream);
        }
        value.extract_error().map_err(|error| explain(&error))
    }

    /// Uses the kept connection or a new one. A kept connection that is broken, for example
    /// because the server closed it, is replaced once.
    fn exchange_with_reconnect(&mut self, request: &[u8]) -> Result<(TcpStream, Value), String> {
        if let Some(kept) = self.kept.take() {
            match exchange(kept, request) {
                Ok(answered) => return Ok(answered),
                Err(error) if error.is_timeout() => return Err(explain(&error)),
                Err(_) => {}
            }
        }
        exchange(self.connect()?, request).map_err(|error| explain(&error))
    }

    fn connect(&self) -> Result<TcpStream, String> {
        let address = self.address()?;
        let timeout = self.timeout()?;
        let open = || {
            let stream = match timeout {
                Some(timeout) => TcpStream::connect_timeout(&address, timeout)?,
                None => TcpStream::connect(address)?,
            };
            stream.set_nodelay(true)?;
            stream.set_read_timeout(timeout)?;
            stream.set_write_timeout(timeout)?;
            Ok(stream)
        };
        open().map_err(|error: std::io::Error| format!("connect to {address}: {error}"))
    }

    fn address(&self) -> Result<SocketAddr, String> {
        let url = self
            .url
            .as_ref()
            .ok_or_else(|| format!("storage `host` needs the variable {REDIS_URL}"))?;
        url.strip_prefix("redis://")
            .and_then(|rest| rest.trim_end_matches('/').parse().ok())
            .ok_or_else(|| format!("{REDIS_URL} is `{url}`: `redis://ip:port` is needed"))
    }

    fn timeout(&self) -> Result<Option<Duration>, String> {
        let Some(text) = &self.timeout_ms else { return Ok(None) };
        match text.parse() {
            Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
            _ => Err(format!("{IO_TIMEOUT_MS} is `{text}`: a positive number is needed")),
        }
    }
}

/// Sends a packed command and reads its reply.
fn exchange(mut stream: TcpStream, request: &[u8]) -> RedisResult<(TcpStream, Value)> {
    stream.write_all(request)?;
    let value = Parser::new().parse_value(&mut stream)?;
    Ok((stream, value))
}

fn explain(error: &RedisError) -> String {
    let doing = if error.is_timeout() { "timed out: redis" } else { "redis" };
    format!("{doing}: {error}")
}

fn unexpected(command: &str) -> String {
    format!("redis answered {command} with something of another kind")
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    /// A storage at a server that accepts `connections` one after the other and answers the
    /// commands on each with the given replies.
    fn storage(
        connections: &'static [&'static [&'static str]],
        lifetime: &str,
    ) -> (HostStorage, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for answers in connections {
                let (mut stream, _) = listener.accept().unwrap();
                for answer in *answers {
                    let mut request = [0; 256];
                    let length = stream.read(&mut request).unwrap();
                    requests.push(String::from_utf8_lossy(&request[..length]).into_owned());
                    stream.write_all(answer.as_bytes()).unwrap();
                }
            }
            requests
        });
        let env = [(REDIS_URL, url.as_str()), (CONNECTION, lifetime), (IO_TIMEOUT_MS, "20000")];
        let env = env.map(|(key, value)| (key.to_owned(), value.to_owned()));
        (HostStorage::new(&env), server)
    }

    #[test]
    fn each_command_gets_a_connection_of_its_own_by_default() {
        let (mut storage, server) = storage(&[&["$4\r\nhola\r\n"], &["+OK\r\n"]], "request");
        assert_eq!(storage.get("in"), Ok(b"hola".to_vec()));
        assert_eq!(storage.put("out", b"adios"), Ok(()));
        let requests = server.join().unwrap();
        assert_eq!(requests[0], "*2\r\n$3\r\nGET\r\n$2\r\nin\r\n");
        assert_eq!(requests[1], "*3\r\n$3\r\nSET\r\n$3\r\nout\r\n$5\r\nadios\r\n");
    }

    #[test]
    fn a_kept_connection_is_replaced_when_it_breaks() {
        let (mut storage, server) =
            storage(&[&["+OK\r\n", "$-1\r\n"], &["$0\r\n\r\n"]], "instance");
        assert_eq!(storage.put("out", b""), Ok(()));
        assert!(storage.get("absent").unwrap_err().contains("no value for key `absent`"));
        assert_eq!(storage.get("empty"), Ok(Vec::new()));
        assert_eq!(server.join().unwrap().len(), 3);
    }

    #[test]
    fn errors_name_the_variable_or_the_address() {
        let env = |value: &str| vec![(REDIS_URL.to_owned(), value.to_owned())];
        let error = |env: Vec<_>| HostStorage::new(&env).get("x").unwrap_err();
        assert!(error(Vec::new()).contains("needs the variable REDIS_URL"));
        assert!(error(env("redis://localhost:1")).contains("`redis://ip:port` is needed"));
        assert!(error(env("redis://127.0.0.1:1")).contains("connect to 127.0.0.1:1"));
    }
}
