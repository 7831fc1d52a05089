//! When the next request is due: at the times of an open loop, or when a client of a closed
//! loop has its response.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::arrivals::{Arrivals, Gaps, Times};
use crate::time::whole_ns;
use crate::trace::TraceError;

/// How long a client of a closed loop waits after a failed connection. Without a pause it would
/// retry in a tight loop.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// The requests still to be sent.
#[derive(Debug)]
pub(super) struct Schedule {
    kind: Kind,
    left: u64,
    capped: bool,
}

/// A request that is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) intended_ns: u64,
    /// The client that sends it; 0 in an open loop.
    pub(super) client: u32,
}

#[derive(Debug)]
enum Kind {
    Open { times: Box<Times>, begin_ns: u64, next: Option<u64> },
    Closed { gaps: Vec<Gaps>, waiting: BinaryHeap<Reverse<(u64, u32)>>, end_ns: u64 },
}

impl Schedule {
    /// The requests of `arrivals` from `begin_ns` until `end_ns`, at most `most`.
    pub(super) fn new(
        arrivals: Arrivals,
        begin_ns: u64,
        end_ns: u64,
        most: Option<u64>,
    ) -> Result<Self, TraceError> {
        let kind = match arrivals {
            Arrivals::Open(mut times) => {
                let next = times.next().transpose()?.map(|at| begin_ns.saturating_add(at));
                Kind::Open { times, begin_ns, next }
            }
            Arrivals::Closed(clients) => {
                let gaps: Vec<_> = (0..clients.concurrency()).map(|i| clients.gaps(i)).collect();
                let waiting = BinaryHeap::with_capacity(gaps.len());
                let mut kind = Kind::Closed { gaps, waiting, end_ns };
                (0..clients.concurrency()).for_each(|client| kind.ready(client, begin_ns));
                kind
            }
        };
        Ok(Self { kind, left: most.unwrap_or(u64::MAX), capped: false })
    }

    /// No requests.
    pub(super) fn empty() -> Self {
        let kind = Kind::Closed { gaps: Vec::new(), waiting: BinaryHeap::new(), end_ns: 0 };
        Self { kind, left: 0, capped: false }
    }

    /// When the next request is due. `None` if there is none, or none until another has ended.
    pub(super) fn due_ns(&self) -> Option<u64> {
        match &self.kind {
            _ if self.left == 0 => None,
            Kind::Open { next, .. } => *next,
            Kind::Closed { waiting, .. } => waiting.peek().map(|Reverse((at, _))| *at),
        }
    }

    /// Takes the next request, which must be due.
    pub(super) fn take(&mut self) -> Result<Option<Due>, TraceError> {
        if self.left == 0 {
            return Ok(None);
        }
        let due = match &mut self.kind {
            Kind::Open { times, begin_ns, next } => {
                let Some(intended_ns) = *next else { return Ok(None) };
                *next = times.next().transpose()?.map(|at| begin_ns.saturating_add(at));
                Due { intended_ns, client: 0 }
            }
            Kind::Closed { waiting, .. } => match waiting.pop() {
                Some(Reverse((intended_ns, client))) => Due { intended_ns, client },
                None => return Ok(None),
            },
        };
        self.left -= 1;
        if self.left == 0 {
            self.capped = match &self.kind {
                Kind::Open { next, .. } => next.is_some(),
                Kind::Closed { .. } => true,
            };
        }
        Ok(Some(due))
    }

    /// A request of `client` has ended.
    pub(super) fn ended(&mut self, client: u32, at_ns: u64) {
        self.kind.ready(client, at_ns);
    }

    /// No connection could be made for a request of `client`.
    pub(super) fn connection_failed(&mut self, client: u32, at_ns: u64) {
        self.kind.ready(client, at_ns + whole_ns(AFTER_FAILURE));
    }

    /// Ends the schedule.
    pub(super) fn stop(&mut self) {
        self.left = 0;
    }

    /// Whether the limit on the number of requests ended it.
    pub(super) fn is_capped(&self) -> bool {
        self.capped
    }
}

impl Kind {
    /// In a closed loop, schedules the next request of `client` after its gap, if that is
    /// before the end.
    fn ready(&mut self, client: u32, at_ns: u64) {
        let Kind::Closed { gaps, waiting, end_ns } = self else { return };
        let gap = gaps[client as usize].next_gap();
        let at_ns = at_ns.saturating_add(whole_ns(gap));
        if at_ns < *end_ns {
            waiting.push(Reverse((at_ns, client)));
        }
    }
}
