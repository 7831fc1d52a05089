//! The host's conversation with `lumos`: requests in, one answer each.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use lumos_model::codec::{read_message, write_message};
use lumos_model::protocol::{FromHost, Prepare, ToHost};
use lumos_os::cgroup::{self, Base};
use lumos_platform::drive;
use lumos_platform::service::Home;
use lumos_platform::serving::Serving;
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::HostError;

use crate::sampler::{Prepared, Processes};

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
            answer_with(&mut to, &answer)?;
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
            answer_with(&mut to, &answer.unwrap_or_else(|error| failed(&error)))?;
        }
    }
}

fn answer_with(to: &mut impl Write, answer: &FromHost) -> Result<(), HostError> {
    write_message(to, answer).map_err(|error| HostError::system("write a message", error))
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
            let message = read_message(&mut from)
                .map_err(|error| HostError::system("read a message", error))
                .transpose();
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
