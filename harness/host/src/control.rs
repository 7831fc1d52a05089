//! The host's conversation with `lumos`: it answers each request with one message.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use lumos_model::cell::Target;
use lumos_model::codec::{read_message, write_message};
use lumos_model::protocol::{FromHost, Load, Prepare, Serve, ToHost};
use lumos_platform::serving::Serving;
use lumos_runtime::error::HostError;
use lumos_runtime::sample::Output;

use crate::backend::Backend;
use crate::instance_groups::{Cleanup, InstanceGroups};
use crate::prepared_cell::PreparedCell;

/// Answers requests until the input ends. The process then stops everything that runs,
/// removes the control groups that it created, and exits.
///
/// # Errors
/// When a stream fails or a message is malformed.
pub fn serve(
    backend: &dyn Backend,
    from: impl Read + Send + 'static,
    mut to: impl Write,
) -> Result<(), HostError> {
    let mut conversation = Conversation::new(backend);
    let requests = read_ahead(from, conversation.groups.cleanup());
    while let Ok(request) = requests.recv() {
        let answer = conversation.answer(request?);
        let answer = answer.unwrap_or_else(|error| FromHost::Failed { error: error.to_string() });
        write_message(&mut to, &answer)
            .map_err(|error| HostError::system("write a message", error))?;
    }
    Ok(())
}

/// What a host keeps from one request to the next.
struct Conversation<'b> {
    backend: &'b dyn Backend,
    cell: Option<PreparedCell>,
    serving: Option<Serving>,
    // Dropped last: the others have instances in it.
    groups: InstanceGroups,
}

impl<'b> Conversation<'b> {
    fn new(backend: &'b dyn Backend) -> Self {
        Self { backend, cell: None, serving: None, groups: InstanceGroups::default() }
    }

    fn answer(&mut self, request: ToHost) -> Result<FromHost, HostError> {
        match request {
            ToHost::Capabilities => Ok(FromHost::Capabilities(self.backend.capabilities())),
            ToHost::ProveMode { target, artifact } => self.prove_mode(&target, &artifact),
            ToHost::Prepare(prepare) => self.prepare(*prepare),
            ToHost::Block { samples, keep_output, budget } => {
                let output = if keep_output { Output::Kept } else { Output::Hashed };
                self.measure(samples, output, budget.map(|budget| budget.0))
            }
            ToHost::Load(load) => self.drive(&load),
            ToHost::Serve(serve) => self.open_gateway(&serve),
            ToHost::TakeRecords => {
                let serving = self.serving.as_mut().ok_or_else(no_gateway)?;
                Ok(FromHost::Records(serving.take_records()))
            }
            ToHost::Drain { within } => {
                let serving = self.serving.take().ok_or_else(no_gateway)?;
                Ok(FromHost::Drained(serving.drain(within.0)))
            }
        }
    }

    /// Proves the mode of the prepared cell if that is what is asked for, and otherwise of a
    /// module that is loaded for the proof.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<FromHost, HostError> {
        let resident = self.cell.as_ref().and_then(|cell| cell.prove_mode(target, artifact));
        let proof = resident.unwrap_or_else(|| self.backend.prove_mode(target, artifact));
        proof.map(FromHost::Proof)
    }

    fn prepare(&mut self, prepare: Prepare) -> Result<FromHost, HostError> {
        // The previous cell ends first.
        self.cell = None;
        let groups = self.groups.folder(&prepare)?;
        let (cell, warmup) = self.backend.prepare(prepare, groups)?;
        self.cell = Some(cell);
        Ok(FromHost::Prepared { warmup })
    }

    fn measure(
        &mut self,
        samples: u32,
        output: Output,
        budget: Option<Duration>,
    ) -> Result<FromHost, HostError> {
        let cell = self.cell.as_mut().ok_or_else(|| HostError::engine("no cell is prepared"))?;
        Ok(FromHost::Block(cell.block(samples, output, budget)))
    }

    fn drive(&mut self, load: &Load) -> Result<FromHost, HostError> {
        let groups = self.groups.folder(&load.function.prepare)?;
        self.backend.drive(load, groups).map(FromHost::Loaded)
    }

    fn open_gateway(&mut self, serve: &Serve) -> Result<FromHost, HostError> {
        if self.serving.is_some() {
            return Err(HostError::engine("a gateway is open already"));
        }
        let Some(first) = serve.functions.first() else {
            return Err(HostError::engine("there is no function to serve"));
        };
        let groups = self.groups.folder(&first.prepare)?;
        let backend = self.backend;
        let opened = Serving::open(serve, |function, threads| {
            backend.service(function, groups.clone(), threads)
        })?;
        let serving = self.serving.insert(opened);
        let warnings = serving.warnings().to_vec();
        Ok(FromHost::Serving { address: serving.address(), warnings })
    }
}

fn no_gateway() -> HostError {
    HostError::engine("no gateway is open")
}

/// Reads requests on a thread of its own, so that the end of the input is noticed even while
/// an invocation runs. Nothing of this host may be left then.
fn read_ahead(
    mut from: impl Read + Send + 'static,
    cleanup: Cleanup,
) -> Receiver<Result<ToHost, HostError>> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        loop {
            let message = read_message(&mut from)
                .map_err(|error| HostError::system("read a message", error))
                .transpose();
            let Some(message) = message else {
                cleanup.run();
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
