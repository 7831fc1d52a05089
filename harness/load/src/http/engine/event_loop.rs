//! The event loop itself: one turn after another until every request has its outcome.

use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use mio::Events;
use mio::event::Event;

use super::state::{BATCH, CHECK_INTERVAL, Engine, TIMER};
use crate::http::connection::{Peer, State};
use crate::http::error::LoadError;
use crate::http::schedule::Schedule;
use crate::http::tally::{Ended, Tally};

impl<'a> Engine<'a> {
    /// Sends the requests of `schedule` and waits for all outcomes.
    pub(crate) fn run(mut self, schedule: Schedule) -> Result<(Tally<'a>, Ended), LoadError> {
        self.schedule = schedule;
        let mut events = Events::with_capacity(BATCH);
        loop {
            self.send_due()?;
            let now = monotonic_ns();
            self.expire(now);
            let stopped = self.is_stopped();
            if stopped {
                self.cancel(now);
            }
            if self.ended == self.issued && self.schedule.due_ns().is_none() {
                let capped = self.schedule.is_capped();
                return Ok((self.tally, Ended { capped, stopped }));
            }
            let paced = self.pacer.poll_for(now, self.schedule.due_ns());
            let paced = paced.map_err(|errno| LoadError::Poll(errno.into()))?;
            let until_expiry = Duration::from_nanos(self.next_expiry_ns.saturating_sub(now));
            self.poll_events(&mut events, paced.unwrap_or(CHECK_INTERVAL.min(until_expiry)))?;
            for event in events.iter().filter(|event| event.token() != TIMER) {
                self.on_event(event);
                // Many responses at once must not delay a request that is due.
                self.send_due()?;
            }
        }
    }

    fn on_event(&mut self, event: &Event) {
        let slot = event.token().0;
        match self.connections.get(slot).map(|connection| connection.state) {
            None | Some(State::Vacant) => {}
            Some(State::Connecting { .. }) => match self.finish_connecting(slot) {
                Ok(()) => {}
                Err(error) => {
                    let now = monotonic_ns();
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
                let closed = event.is_read_closed() || event.is_error();
                self.on_readable(slot, if closed { Peer::Closed } else { Peer::Open });
            }
        }
    }
}
