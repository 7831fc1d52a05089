//! The event loop: sends what is due, reads what is there.

mod connecting;
mod ending;

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::arrivals::random::{Purpose, Random};
use crate::clock::now_ns;
use crate::http::connection::{Connection, Reading, Request, State};
use crate::http::record::{Hasher, Outcome};
use crate::http::report::Tally;
use crate::http::response::{Malformed, ResponseReader};
use crate::http::source::Source;
use crate::http::target::{RequestBytes, Target};
use crate::http::{LoadError, LoadOptions};
use crate::pacer::LoopPacer;

/// The timer's place in the poll; connections have their number.
const TIMER: Token = Token(usize::MAX);
/// How often the stop flag is looked at when nothing happens.
const LOOK: Duration = Duration::from_millis(50);
/// Requests that are sent before events are looked at again.
const BATCH: usize = 64;
/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

pub(in crate::http) struct Engine<'a> {
    poll: Poll,
    pacer: LoopPacer,
    target: &'a Target,
    request: RequestBytes,
    options: &'a LoadOptions<'a>,
    source: Source,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    vacant: Vec<usize>,
    connecting: usize,
    /// Requests that are due and have no connection.
    waiting: VecDeque<Request>,
    tally: Tally<'a>,
    buffer: Vec<u8>,
    hasher: Hasher,
    injection: Random,
    issued: u64,
    ended: u64,
    /// No timeout passes before this time.
    next_expiry_ns: u64,
    timeout_ns: u64,
}

impl<'a> Engine<'a> {
    pub(in crate::http) fn new(
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
        let reader = || ResponseReader::new(&target.method, options.hash_bodies);
        Ok(Self {
            poll,
            pacer,
            target,
            request,
            options,
            source: Source::none(),
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
            timeout_ns: u64::try_from(options.timeout.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// Sends what `source` gives and waits for all outcomes.
    pub(in crate::http) fn run(mut self, source: Source) -> Result<(Tally<'a>, Ended), LoadError> {
        self.source = source;
        let mut events = Events::with_capacity(BATCH);
        loop {
            self.send_due()?;
            let now = now_ns();
            self.expire(now);
            let stopped = self.is_stopped();
            if stopped {
                self.cancel(now);
            }
            if self.ended == self.issued && self.source.due_ns().is_none() {
                let capped = self.source.is_capped();
                return Ok((self.tally, Ended { capped, stopped }));
            }
            let paced = self.pacer.poll_for(now, self.source.due_ns());
            let paced = paced.map_err(|errno| LoadError::Poll(errno.into()))?;
            let until_expiry = Duration::from_nanos(self.next_expiry_ns.saturating_sub(now));
            self.poll_events(&mut events, paced.unwrap_or(LOOK.min(until_expiry)))?;
            for event in events.iter().filter(|event| event.token() != TIMER) {
                self.on_event(event);
                // Many responses at a time must not keep a request from being sent at its.
                self.send_due()?;
            }
        }
    }

    fn poll_events(&mut self, events: &mut Events, wait: Duration) -> Result<(), LoadError> {
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => other.map_err(LoadError::Poll),
        }
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn state(&self, event: &Event) -> Option<State> {
        self.connections.get(event.token().0).map(|connection| connection.state)
    }

    fn send_due(&mut self) -> Result<(), LoadError> {
        for _ in 0..BATCH {
            let Some(due_ns) = self.source.due_ns() else { return Ok(()) };
            let now = now_ns();
            if due_ns > now {
                return Ok(());
            }
            let Some(due) = self.source.take()? else { return Ok(()) };
            let request = Request {
                seq: self.issued,
                client: due.client,
                intended_ns: due.intended_ns,
                sent_ns: None,
            };
            self.issued += 1;
            let deadline = due.intended_ns.saturating_add(self.timeout_ns);
            self.next_expiry_ns = self.next_expiry_ns.min(deadline);
            match self.idle.pop() {
                Some(slot) => {
                    self.tally.sent(now.saturating_sub(due.intended_ns));
                    self.send(slot, request, now);
                }
                None => {
                    self.waiting.push_back(request);
                    self.connect_for_waiting(now);
                }
            }
        }
        Ok(())
    }

    /// Sends on an idle connection.
    fn send(&mut self, slot: usize, request: Request, now: u64) {
        let request = Request { sent_ns: Some(now), ..request };
        let connection = &mut self.connections[slot];
        connection.state = State::Busy(request);
        if let Err(error) = connection.send(self.request.of(request.seq)) {
            self.on_write_failure(slot, &error);
        } else if self.disconnects() {
            let now = now_ns();
            self.end_unanswered(request, Outcome::Disconnected, now);
            self.replace(slot, now);
        }
    }

    /// Whether the client of this request is to leave without waiting for the response.
    fn disconnects(&mut self) -> bool {
        let share = self.options.disconnect.get();
        share > 0.0 && self.injection.chance(share)
    }

    /// The server takes no more of a request. It may have answered before it closed.
    fn on_write_failure(&mut self, slot: usize, error: &io::Error) {
        let State::Busy(request) = self.connections[slot].state else { return };
        self.on_readable(slot, true);
        match self.connections[slot].state {
            State::Busy(still) if still.seq == request.seq => {
                let now = now_ns();
                self.tally.error(error);
                self.end_unanswered(request, Outcome::Reset, now);
                self.replace(slot, now);
            }
            _ => {}
        }
    }

    fn on_event(&mut self, event: &Event) {
        let slot = event.token().0;
        match self.state(event) {
            None | Some(State::Vacant) => {}
            Some(State::Connecting { .. }) => match self.finish_connecting(slot) {
                Ok(()) => {}
                Err(error) => {
                    let now = now_ns();
                    self.fail_waiting(&error, now);
                    self.connect_for_waiting(now);
                }
            },
            Some(State::Idle | State::Busy(_)) => {
                if event.is_writable()
                    && let Err(error) = self.connections[slot].send_rest()
                {
                    return self.on_write_failure(slot, &error);
                }
                self.on_readable(slot, event.is_read_closed() || event.is_error());
            }
        }
    }

    fn on_readable(&mut self, slot: usize, closing: bool) {
        let connection = &mut self.connections[slot];
        let reading = connection.read(&mut self.buffer, closing, &mut self.tally.bytes_read);
        if matches!(reading, Reading::Blocked) {
            return;
        }
        let now = now_ns();
        let State::Busy(request) = connection.state else {
            // Nobody waits for it: the server closed it, or talks without being asked.
            self.idle.retain(|idle| *idle != slot);
            self.close(slot);
            return self.connect_for_waiting(now);
        };
        let outcome = match reading {
            Reading::Blocked => return,
            Reading::Complete { reusable } => {
                self.end_answered(slot, request, now);
                return if reusable { self.on_free(slot, now) } else { self.replace(slot, now) };
            }
            Reading::Closed => {
                self.tally.error(
                    &"the server closed the connection before the response was \
                    complete",
                );
                Outcome::Closed
            }
            Reading::Broken(error) => {
                self.tally.error(&error);
                Outcome::Reset
            }
            Reading::Malformed(what) => {
                self.tally.error(&Malformed(what));
                Outcome::Malformed
            }
        };
        self.end_unanswered(request, outcome, now);
        self.replace(slot, now);
    }

    /// The connection may be used by the next.
    fn on_free(&mut self, slot: usize, now: u64) {
        self.connections[slot].state = State::Idle;
        match self.waiting.pop_front() {
            Some(request) => {
                self.tally.sent_after_waiting(now.saturating_sub(request.intended_ns));
                self.send(slot, request, now);
            }
            None => self.idle.push(slot),
        }
    }
}

/// Why it was over.
pub(in crate::http) struct Ended {
    pub(in crate::http) capped: bool,
    pub(in crate::http) stopped: bool,
}
