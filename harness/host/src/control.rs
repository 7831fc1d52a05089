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
    let cleanup: Arc<Mutex<Option<String>>> = Arc::default();
    let requests = read_ahead(from, cleanup.clone());
    let mut base: Option<Arc<Base>> = None;
    let mut pending: Option<Prepare> = None;
    let mut serving: Option<Serving<R>> = None;
    // The outer loop ends a cell's borrow of its base before the next one is prepared.
    loop {
        let current: Option<Arc<Base>>;
        let (mut prepared, answer) = match pending.take() {
            None => (None, None),
            Some(prepare) => {
                let opened = open_base(&mut base, &prepare, &cleanup);
                current = base.clone();
                let made = opened.and_then(|()| {
                    let processes = Processes { host: None, base: current.as_deref() };
                    Prepared::new(runtime.as_ref(), prepare, processes)
                });
                match made {
                    Ok((prepared, warmup)) => (Some(prepared), Some(FromHost::Prepared { warmup })),
                    Err(error) => (None, Some(failed(&error))),
                }
            }
        };
        if let Some(answer) = answer {
            write_message(&mut to, &answer)?;
        }
        loop {
            let Ok(request) = requests.recv() else { return Ok(()) };
            let answer = match request? {
                ToHost::Prepare(prepare) => {
                    pending = Some(*prepare);
                    break;
                }
                ToHost::Capabilities => FromHost::Capabilities(runtime.capabilities()),
                ToHost::ProveMode { target, artifact } => prepared
                    .as_ref()
                    .and_then(|cell| cell.prove_mode(&target, &artifact))
                    .unwrap_or_else(|| runtime.prove_mode(&target, &artifact, None))
                    .map_or_else(|error| failed(&error), FromHost::Proof),
                ToHost::Block { samples, keep_output, budget } => match &mut prepared {
                    Some(cell) => {
                        FromHost::Block(cell.block(samples, keep_output, budget.map(|b| b.0)))
                    }
                    None => failed(&HostError::engine("no cell is prepared")),
                },
                ToHost::Load(load) => {
                    let driven =
                        open_base(&mut base, &load.function.prepare, &cleanup).and_then(|()| {
                            let home = Home { host: None, base: base.clone() };
                            drive::drive(runtime.clone(), &load, home)
                        });
                    driven.map_or_else(|error| failed(&error), FromHost::Loaded)
                }
                ToHost::Serve(serve) => match &serving {
                    Some(_) => failed(&HostError::engine("a gateway is open already")),
                    None => {
                        let first = serve.functions.first().map(|function| &function.prepare);
                        let opened = first
                            .map_or(Ok(()), |prepare| open_base(&mut base, prepare, &cleanup))
                            .and_then(|()| {
                                let home = Home { host: None, base: base.clone() };
                                Serving::open(&runtime, &serve, &home)
                            });
                        match opened {
                            Ok(opened) => {
                                let address = serving.insert(opened).address();
                                FromHost::Serving { address }
                            }
                            Err(error) => failed(&error),
                        }
                    }
                },
                ToHost::TakeRecords => match &mut serving {
                    Some(serving) => FromHost::Records(serving.take_records()),
                    None => failed(&no_gateway()),
                },
                ToHost::Drain { within } => match serving.take() {
                    Some(serving) => FromHost::Drained(serving.drain(within.0)),
                    None => failed(&no_gateway()),
                },
            };
            write_message(&mut to, &answer)?;
        }
    }
}

fn no_gateway() -> HostError {
    HostError::engine("no gateway is open")
}

fn failed(error: &HostError) -> FromHost {
    FromHost::Failed { error: error.to_string() }
}

/// Makes the folder for the cell's cgroups unless it stands already.
fn open_base(
    base: &mut Option<Arc<Base>>,
    prepare: &Prepare,
    cleanup: &Mutex<Option<String>>,
) -> Result<(), HostError> {
    let wanted = prepare.cgroup.as_ref().map(|cgroup| cgroup.path.as_str());
    if base.as_ref().map(|base| base.path()) != wanted {
        // Known before it is made: the input may end at any moment.
        *cleanup.lock().expect("no thread panics with it") = wanted.map(str::to_owned);
        *base = wanted.map(Base::create).transpose()?.map(Arc::new);
    }
    Ok(())
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
