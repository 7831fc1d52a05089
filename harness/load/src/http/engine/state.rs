//! The state of the event loop.

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::http::connection::{Connection, Request};
use crate::http::error::LoadError;
use crate::http::options::LoadOptions;
use crate::http::record::Hasher;
use crate::http::request::RequestBytes;
use crate::http::response::{Bodies, ResponseReader};
use crate::http::schedule::Schedule;
use crate::http::tally::Tally;
use crate::http::target::Target;
use crate::pacer::LoopPacer;
use crate::random::{Purpose, Random};
use crate::time::whole_ns;

/// The timer's token in the poll; a connection's token is its slot.
pub(super) const TIMER: Token = Token(usize::MAX);
/// The longest time between two checks of the stop flag.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Requests that are sent, and events that are handled, in one turn.
pub(super) const BATCH: usize = 64;
/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// Sends one load.
pub(crate) struct Engine<'a> {
    pub(super) poll: Poll,
    pub(super) pacer: LoopPacer,
    pub(super) target: &'a Target,
    pub(super) request: RequestBytes,
    pub(super) options: &'a LoadOptions<'a>,
    pub(super) schedule: Schedule,
    pub(super) connections: Vec<Connection>,
    /// Slots of idle connections.
    pub(super) idle: Vec<usize>,
    /// Slots without a connection.
    pub(super) vacant: Vec<usize>,
    /// Number of connections that are being made.
    pub(super) connecting: usize,
    /// Requests that are due and have no connection.
    pub(super) waiting: VecDeque<Request>,
    pub(super) tally: Tally<'a>,
    pub(super) buffer: Vec<u8>,
    pub(super) hasher: Hasher,
    pub(super) injection: Random,
    /// Number of requests that have been due.
    pub(super) issued: u64,
    /// Number of requests that have an outcome.
    pub(super) ended: u64,
    /// No timeout passes before this time.
    pub(super) next_expiry_ns: u64,
    pub(super) timeout_ns: u64,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        target: &'a Target,
        request: RequestBytes,
        options: &'a LoadOptions<'a>,
        seed: u64,
        connections: usize,
        tally: Tally<'a>,
    ) -> Result<Self, LoadError> {
        let poll = Poll::new().map_err(LoadError::Poll)?;
        let pacer = LoopPacer::new().map_err(|errno| LoadError::Poll(errno.into()))?;
        let timer = pacer.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&timer), TIMER, Interest::READABLE)
            .map_err(LoadError::Poll)?;
        let bodies = if options.hash_bodies { Bodies::Keep } else { Bodies::Count };
        let reader = || ResponseReader::new(&target.method, bodies);
        Ok(Self {
            poll,
            pacer,
            target,
            request,
            options,
            schedule: Schedule::empty(),
            connections: (0..connections).map(|_| Connection::vacant(reader())).collect(),
            idle: Vec::with_capacity(connections),
            vacant: (0..connections).rev().collect(),
            connecting: 0,
            waiting: VecDeque::new(),
            tally,
            buffer: vec![0; BUFFER],
            hasher: Hasher::default(),
            injection: Random::new(seed, Purpose::Injection),
            issued: 0,
            ended: 0,
            next_expiry_ns: u64::MAX,
            timeout_ns: whole_ns(options.timeout),
        })
    }

    pub(super) fn poll_events(
        &mut self,
        events: &mut Events,
        wait: Duration,
    ) -> Result<(), LoadError> {
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => other.map_err(LoadError::Poll),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}
