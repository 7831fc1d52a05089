//! A world around the pool, on its own time: requests come when they are to, making and
//! serving take what they are to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::*;

/// Something that will happen. Of two things at one time the one that was known first
/// happens first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrive(Ticket),
    Provisioned(InstanceId),
    Served(InstanceId),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) instance: InstanceId,
    pub(super) fresh: bool,
    pub(super) waited: bool,
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
}

/// What became of all of them.
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

/// Lets requests come at `arrivals`, numbered from 0, until nothing happens any more.
/// Without `ticks` the pool is called only when something else happens.
pub(super) fn run(
    config: PoolConfig,
    arrivals: &[u64],
    provision_ns: u64,
    service_ns: impl Fn(Ticket) -> u64,
    ticks: bool,
) -> History {
    let mut pool = Pool::new(config);
    let mut actions = Vec::new();
    let mut history =
        History { served: BTreeMap::new(), rejected: BTreeMap::new(), events: Vec::new() };
    let mut order = 0_u64;
    let mut coming = BinaryHeap::new();
    let mut known = |coming: &mut BinaryHeap<_>, at_ns: u64, next| {
        order += 1;
        coming.push(Reverse((at_ns, order, next)));
    };
    for (ticket, at_ns) in (0..).zip(arrivals) {
        known(&mut coming, *at_ns, Next::Arrive(ticket));
    }
    pool.start(0, &mut actions);
    let mut now_ns = 0;
    loop {
        for action in actions.drain(..) {
            match action {
                Action::Provision { instance } => {
                    known(&mut coming, now_ns + provision_ns, Next::Provisioned(instance));
                }
                Action::Assign { ticket, instance, fresh, waited } => {
                    let end_ns = now_ns + service_ns(ticket);
                    let served = Served { instance, fresh, waited, begin_ns: now_ns, end_ns };
                    assert_eq!(history.served.insert(ticket, served), None);
                    known(&mut coming, end_ns, Next::Served(instance));
                }
                Action::Reclaim { .. } => {}
                Action::Reject { ticket, why } => {
                    assert_eq!(history.rejected.insert(ticket, (now_ns, why)), None);
                }
            }
        }
        history.events.extend(pool.take_events().iter().map(|e| (e.at_ns, e.instance, e.state)));
        let tick_ns = pool.next_tick_ns().filter(|_| ticks);
        let next_ns = coming.peek().map(|Reverse((at_ns, ..))| *at_ns);
        now_ns = match (tick_ns, next_ns) {
            (None, None) => break,
            (Some(tick_ns), next_ns) if next_ns.is_none_or(|next_ns| tick_ns < next_ns) => {
                assert!(tick_ns > now_ns, "a tick at {now_ns} left something to do");
                pool.tick(tick_ns, &mut actions);
                now_ns = tick_ns;
                continue;
            }
            (_, Some(next_ns)) => next_ns,
            (Some(_), None) => unreachable!("the tick is next"),
        };
        let Some(Reverse((_, _, next))) = coming.pop() else { break };
        match next {
            Next::Arrive(ticket) => pool.arrive(ticket, now_ns, &mut actions),
            Next::Provisioned(instance) => pool.provisioned(instance, now_ns, &mut actions),
            Next::Served(instance) => pool.served(instance, true, now_ns, &mut actions),
        }
    }
    history
}

/// Exponentially distributed gaps of `mean_ns`, always the same ones for a seed.
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
