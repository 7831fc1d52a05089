//! The host's conversation with `lumos`: requests in, one answer each.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use lumos_model::protocol::{FromHost, Prepare, ToHost};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cgroup::{self, Base};
use crate::drive;
use crate::error::HostError;
use crate::lane::{Prepared, Processes};
use crate::runtime::Runtime;
use crate::service::Home;
use crate::serving::Serving;

/// The longest message that is accepted, in bytes.
const MAX_MESSAGE: u32 = 1 << 30;

/// Reads one message; `None` at the end of the stream.
///
/// # Errors
/// When the stream fails or holds no message.
pub fn read_message<T: DeserializeOwned>(from: &mut impl Read) -> Result<Option<T>, HostError> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(HostError::system("read a message", e)),
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_MESSAGE {
        return Err(HostError::engine(format!("a message of {length} bytes is too long")));
    }
    let mut bytes = Vec::new();
    from.take(length.into())
        .read_to_end(&mut bytes)
        .map_err(|e| HostError::system("read a message", e))?;
    if bytes.len() < length as usize {
        return Ok(None);
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| HostError::engine(format!("a message that this version does not know: {e}")))
}

/// Writes one message.
///
/// # Errors
/// When the stream fails.
pub fn write_message<T: Serialize>(to: &mut impl Write, message: &T) -> Result<(), HostError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message).map_err(HostError::engine)?;
    let length = (bytes.len() - 4) as u32;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    to.write_all(&bytes)
        .and_then(|()| to.flush())
        .map_err(|e| HostError::system("write a message", e))
}

/// Answers requests until the input ends; then stops what runs, removes the cgroups that
/// were made, and returns.
///
/// # Errors
/// When a stream fails or a message is none.
pub fn serve<R: Runtime>(
    runtime: Arc<R>,
    from: impl Read + Send + 'static,
    mut to: impl Write,
) -> Result<(), HostError> {
    let mut groups = Groups::default();
    let requests = read_ahead(from, groups.cleanup.clone());
    let mut pending: Option<Prepare> = None;
    let mut serving: Option<Serving<R>> = None;
    // The outer loop ends a cell's borrow of its folder before the next one is prepared.
    loop {
        let home = pending.as_ref().map(|prepare| groups.home(prepare));
        let mut prepared = None;
        if let (Some(prepare), Some(home)) = (pending.take(), &home) {
            let made = home.as_ref().map_err(ToString::to_string).and_then(|home| {
                let processes = Processes { host: None, base: home.base.as_deref() };
                let made = Prepared::new(runtime.as_ref(), prepare, processes);
                made.map_err(|error| error.to_string())
            });
            let answer = match made {
                Ok((cell, warmup)) => {
                    prepared = Some(cell);
                    FromHost::Prepared { warmup }
                }
                Err(error) => FromHost::Failed { error },
            };
            write_message(&mut to, &answer)?;
        }
        loop {
            let Ok(request) = requests.recv() else { return Ok(()) };
            let answer = match request? {
                ToHost::Prepare(prepare) => {
                    pending = Some(*prepare);
                    break;
                }
                ToHost::Capabilities => Ok(FromHost::Capabilities(runtime.capabilities())),
                ToHost::ProveMode { target, artifact } => prepared
                    .as_ref()
                    .and_then(|cell| cell.prove_mode(&target, &artifact))
                    .unwrap_or_else(|| runtime.prove_mode(&target, &artifact, None))
                    .map(FromHost::Proof),
                ToHost::Block { samples, keep_output, budget } => match &mut prepared {
                    Some(cell) => {
                        let budget = budget.map(|budget| budget.0);
                        Ok(FromHost::Block(cell.block(samples, keep_output, budget)))
                    }
                    None => Err(HostError::engine("no cell is prepared")),
                },
                ToHost::Load(load) => groups
                    .home(&load.function.prepare)
                    .and_then(|home| drive::drive(runtime.clone(), &load, home))
                    .map(FromHost::Loaded),
                ToHost::Serve(serve) => match (&serving, serve.functions.first()) {
                    (Some(_), _) => Err(HostError::engine("a gateway is open already")),
                    (None, None) => Err(HostError::engine("there is no function to serve")),
                    (None, Some(first)) => groups
                        .home(&first.prepare)
                        .and_then(|home| Serving::open(&runtime, &serve, &home))
                        .map(|opened| {
                            let opened = serving.insert(opened);
                            let warnings = opened.warnings().to_vec();
                            FromHost::Serving { address: opened.address(), warnings }
                        }),
                },
                ToHost::TakeRecords => serving
                    .as_mut()
                    .map(|serving| FromHost::Records(serving.take_records()))
                    .ok_or_else(no_gateway),
                ToHost::Drain { within } => serving
                    .take()
                    .map(|serving| FromHost::Drained(serving.drain(within.0)))
                    .ok_or_else(no_gateway),
            };
            write_message(&mut to, &answer.unwrap_or_else(|error| failed(&error)))?;
        }
    }
}

fn no_gateway() -> HostError {
    HostError::engine("no gateway is open")
}

fn failed(error: &HostError) -> FromHost {
    FromHost::Failed { error: error.to_string() }
}

/// The folder in which instances get their cgroups, and who removes it.
#[derive(Default)]
struct Groups {
    base: Option<Arc<Base>>,
    /// Removed at the end of the input, whatever runs then.
    cleanup: Arc<Mutex<Option<String>>>,
}

impl Groups {
    /// Where the instances of `prepare` go; makes their folder unless it stands already.
    fn home(&mut self, prepare: &Prepare) -> Result<Home, HostError> {
        let wanted = prepare.cgroup.as_ref().map(|cgroup| cgroup.path.as_str());
        if self.base.as_ref().map(|base| base.path()) != wanted {
            // Known before it is made: the input may end at any moment.
            *self.cleanup.lock().expect("no thread panics with it") = wanted.map(str::to_owned);
            self.base = wanted.map(Base::create).transpose()?.map(Arc::new);
        }
        Ok(Home { host: None, base: self.base.clone() })
    }
}

/// Reads requests on a thread of its own, which sees the end of the input even while an
/// invocation runs: then nothing of this host may be left.
fn read_ahead(
    mut from: impl Read + Send + 'static,
    cleanup: Arc<Mutex<Option<String>>>,
) -> Receiver<Result<ToHost, HostError>> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        loop {
            let message = read_message(&mut from).transpose();
            let Some(message) = message else {
                if let Some(path) = &*cleanup.lock().expect("no thread panics with it") {
                    cgroup::leave(path);
                }
                // Instances die with this process (PR_SET_PDEATHSIG).
                std::process::exit(0);
            };
            let ended = message.is_err();
            if sender.send(message).is_err() || ended {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_pass_a_stream() {
        let mut stream = Vec::new();
        write_message(&mut stream, &ToHost::Capabilities).unwrap();
        let mut from = &stream[..];
        assert_eq!(read_message(&mut from).unwrap(), Some(ToHost::Capabilities));
        assert_eq!(read_message::<ToHost>(&mut from).unwrap(), None);
    }

    #[test]
    fn a_stranger_is_refused() {
        assert!(read_message::<ToHost>(&mut &b"\xff\xff\xff\xffhello"[..]).is_err());
        assert!(read_message::<ToHost>(&mut &b"\x02\0\0\0{}"[..]).is_err());
        assert_eq!(read_message::<ToHost>(&mut &b"\x09\0\0\0{}"[..]).unwrap(), None);
    }
}
