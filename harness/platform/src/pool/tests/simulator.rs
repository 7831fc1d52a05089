//! A simulated world around the pool with prescribed arrivals, provisioning times and
//! service times.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::*;

/// A future event. Simultaneous events happen in the order in which they were scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(Ticket),
    Provisioned(InstanceId),
    Served(InstanceId),
}

/// How a request was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) instance: InstanceId,
    pub(super) fresh: bool,
    pub(super) waited: bool,
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
}

/// The outcome of a simulation.
pub(super) struct History {
    pub(super) served: BTreeMap<Ticket, Served>,
    pub(super) rejected: BTreeMap<Ticket, (u64, Rejection)>,
    pub(super) events: Vec<(u64, InstanceId, InstanceState)>,
}

impl History {
    pub(super) fn cold(&self) -> usize {
        self.served.values().filter(|served| served.fresh).count()
    }
}

/// When the pool's ticks are called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ticks {
    /// As soon as they are due.
    Timely,
    /// Never: the pool is called only for other events.
    Never,
}

/// Runs requests that arrive at `arrivals`, numbered from 0, until no event is left.
pub(super) fn run(
    config: PoolConfig,
    arrivals: &[u64],
    provision_ns: u64,
    service_ns: impl Fn(Ticket) -> u64,
    ticks: Ticks,
) -> History {
    let mut pool = Pool::new(config);
    let mut actions = Vec::new();
    let mut world = World::new(provision_ns, service_ns);
    for (ticket, at_ns) in (0..).zip(arrivals) {
        world.schedule(*at_ns, Event::Arrive(ticket));
    }
    pool.start(0, &mut actions);
    loop {
        world.carry_out(&mut actions);
        let events = pool.take_events().into_iter().map(|e| (e.at_ns, e.instance, e.state));
        world.history.events.extend(events);
        let tick_ns = match ticks {
            Ticks::Timely => pool.next_tick_ns(),
            Ticks::Never => None,
        };
        if let Some(tick_ns) = tick_ns.filter(|tick_ns| world.is_before_next_event(*tick_ns)) {
            assert!(tick_ns > world.now_ns, "the tick at {} was incomplete", world.now_ns);
            world.now_ns = tick_ns;
            pool.tick(tick_ns, &mut actions);
            continue;
        }
        let Some(event) = world.next_event() else { return world.history };
        match event {
            Event::Arrive(ticket) => pool.arrive(ticket, world.now_ns, &mut actions),
            Event::Provisioned(instance) => {
                pool.provisioned(instance, world.now_ns, &mut actions);
            }
            Event::Served(instance) => pool.served(instance, true, world.now_ns, &mut actions),
        }
    }
}

/// Carries out actions in simulated time.
struct World<S> {
    now_ns: u64,
    provision_ns: u64,
    service_ns: S,
    scheduled: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    history: History,
}

impl<S: Fn(Ticket) -> u64> World<S> {
    fn new(provision_ns: u64, service_ns: S) -> Self {
        let history =
            History { served: BTreeMap::new(), rejected: BTreeMap::new(), events: Vec::new() };
        let scheduled = BinaryHeap::new();
        Self { now_ns: 0, provision_ns, service_ns, scheduled, order: 0, history }
    }

    fn schedule(&mut self, at_ns: u64, event: Event) {
        self.order += 1;
        self.scheduled.push(Reverse((at_ns, self.order, event)));
    }

    fn is_before_next_event(&self, at_ns: u64) -> bool {
        self.scheduled.peek().is_none_or(|Reverse((next_ns, ..))| at_ns < *next_ns)
    }

    /// Advances to the next event.
    fn next_event(&mut self) -> Option<Event> {
        let Reverse((at_ns, _, event)) = self.scheduled.pop()?;
        self.now_ns = at_ns;
        Some(event)
    }

    fn carry_out(&mut self, actions: &mut Vec<Action>) {
        for action in actions.drain(..) {
            match action {
                Action::Provision { instance } => {
                    self.schedule(self.now_ns + self.provision_ns, Event::Provisioned(instance));
                }
                Action::Assign { ticket, instance, fresh, waited } => {
                    let begin_ns = self.now_ns;
                    let end_ns = begin_ns + (self.service_ns)(ticket);
                    let served = Served { instance, fresh, waited, begin_ns, end_ns };
                    assert_eq!(self.history.served.insert(ticket, served), None);
                    self.schedule(end_ns, Event::Served(instance));
                }
                Action::Reclaim { .. } => {}
                Action::Reject { ticket, why } => {
                    let before = self.history.rejected.insert(ticket, (self.now_ns, why));
                    assert_eq!(before, None);
                }
            }
        }
    }
}

/// Arrivals with exponentially distributed gaps of mean `mean_ns`, determined by the seed.
pub(super) fn poisson(n: usize, mean_ns: f64, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut at_ns = 0;
    let mut arrivals = Vec::with_capacity(n);
    for _ in 0..n {
        let unit = (splitmix(&mut state) >> 11) as f64 / (1_u64 << 53) as f64;
        at_ns += (-mean_ns * (1.0 - unit).ln()) as u64;
        arrivals.push(at_ns);
    }
    arrivals
}

/// Sebastiano Vigna's splitmix64.
pub(super) fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
