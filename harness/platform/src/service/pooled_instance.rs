//! An instance of a pool with the buffer of its answers.

use bytes::Bytes;
use lumos_model::counters::Counters;
use nix::unistd::Pid;

use super::provider::{CpuClocks, Invocation, PoolInstance, Provisioning};

/// Outputs up to this size are copied out of the buffer.
const COPIED: usize = 16 << 10;

/// An instance with the buffer of its answers, which is kept from one invocation to the next.
pub(super) struct PooledInstance<I> {
    instance: I,
    answer: Vec<u8>,
    /// The readings around its creation; `None`: it has served since.
    pub provisioned: Option<Provisioning>,
}

impl<I: PoolInstance> PooledInstance<I> {
    pub fn new(instance: I, provisioned: Provisioning) -> Self {
        Self { instance, answer: Vec::new(), provisioned: Some(provisioned) }
    }

    /// Serves `request` until `deadline_ns`. The [`envelope`](Self::envelope) stays here.
    pub fn invoke(&mut self, request: &[u8], deadline_ns: u64, clocks: CpuClocks) -> Invocation {
        self.instance.invoke(request, deadline_ns, clocks, &mut self.answer)
    }

    /// The envelope of the last invocation, unless that failed.
    pub fn envelope(&self) -> &[u8] {
        &self.answer[I::ENVELOPE_AT..]
    }

    /// The first `bytes` of the envelope, which are the output. A long output takes the
    /// buffer with it.
    pub fn take_output(&mut self, bytes: usize) -> Bytes {
        let output = I::ENVELOPE_AT..I::ENVELOPE_AT + bytes;
        if bytes <= COPIED {
            return Bytes::copy_from_slice(&self.answer[output]);
        }
        Bytes::from(std::mem::take(&mut self.answer)).slice(output)
    }

    pub fn pid(&self) -> Option<Pid> {
        self.instance.pid()
    }

    pub fn counters(&self) -> Option<Counters> {
        self.instance.counters()
    }
}
