//! The instances that exist or are on their way, and the changes of their states.

use std::collections::{BTreeMap, VecDeque};

use lumos_model::pool::InstanceState as State;

use super::events::Events;
use super::standing::Standing;
use super::{InstanceId, count};

/// An idle instance and since when it is idle.
type Idle = (InstanceId, u64);

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Provisioning,
    Idle,
    Busy,
}

/// All instances of a pool.
#[derive(Debug, Default)]
pub(super) struct Instances {
    living: BTreeMap<InstanceId, Doing>,
    /// Idle instances that have served, the most recently used last.
    used: VecDeque<Idle>,
    /// Idle instances that have not, the youngest last.
    unused: VecDeque<Idle>,
    provisioning: u32,
    busy: u32,
    next: InstanceId,
    made: u64,
    reclaimed: u64,
    failed: u64,
    pub(super) events: Events,
}

impl Instances {
    pub(super) fn provisioning(&self) -> u32 {
        self.provisioning
    }

    pub(super) fn busy(&self) -> u32 {
        self.busy
    }

    pub(super) fn idle(&self) -> u32 {
        count(self.used.len() + self.unused.len())
    }

    /// Idle or busy ones.
    pub(super) fn ready(&self) -> u32 {
        self.idle() + self.busy
    }

    pub(super) fn total(&self) -> u32 {
        count(self.living.len())
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            provisioning: self.provisioning,
            idle: self.idle(),
            busy: self.busy,
            queued: 0,
            made: self.made,
            reclaimed: self.reclaimed,
            failed: self.failed,
        }
    }

    /// A new one is on its way.
    pub(super) fn request(&mut self, now_ns: u64) -> InstanceId {
        let mut instance = self.next;
        // Numbers come round after four thousand million instances.
        while self.living.contains_key(&instance) {
            instance = instance.wrapping_add(1);
        }
        self.next = instance.wrapping_add(1);
        self.living.insert(instance, Doing::Provisioning);
        self.provisioning += 1;
        self.events.note(instance, State::Requested, now_ns);
        self.events.note(instance, State::Provisioning, now_ns);
        instance
    }

    /// One that was on its way is ready.
    pub(super) fn made(&mut self, instance: InstanceId, now_ns: u64) {
        self.change(instance, Doing::Provisioning, Doing::Idle);
        self.provisioning -= 1;
        self.made += 1;
        self.unused.push_back((instance, now_ns));
        self.events.note(instance, State::Ready, now_ns);
    }

    /// One that was on its way will not come.
    pub(super) fn not_made(&mut self, instance: InstanceId, now_ns: u64) {
        self.end(instance, &[Doing::Provisioning]);
        self.failed += 1;
        self.events.note(instance, State::Failed, now_ns);
    }

    /// The idle instance that serves next is busy, and whether it never served before.
    pub(super) fn take(&mut self, now_ns: u64) -> Option<(InstanceId, bool)> {
        let used = self.used.pop_back();
        let (instance, _) = used.or_else(|| self.unused.pop_back())?;
        self.change(instance, Doing::Idle, Doing::Busy);
        self.busy += 1;
        self.events.note(instance, State::Busy, now_ns);
        Some((instance, used.is_none()))
    }

    /// A busy one is idle.
    pub(super) fn served(&mut self, instance: InstanceId, now_ns: u64) {
        self.change(instance, Doing::Busy, Doing::Idle);
        self.busy -= 1;
        self.used.push_back((instance, now_ns));
        self.events.note(instance, State::Idle, now_ns);
    }

    /// A busy or an idle one is gone.
    pub(super) fn died(&mut self, instance: InstanceId, now_ns: u64) {
        self.end(instance, &[Doing::Busy, Doing::Idle]);
        self.failed += 1;
        self.events.note(instance, State::Failed, now_ns);
    }

    /// An idle one is given up.
    pub(super) fn reclaim(&mut self, instance: InstanceId, now_ns: u64) {
        self.end(instance, &[Doing::Idle]);
        self.reclaimed += 1;
        self.events.note(instance, State::Reclaimed, now_ns);
    }

    /// The instance that is idle for the longest time, without the first `reserve` of those
    /// that never served.
    pub(super) fn longest_idle(&self, reserve: u32) -> Option<Idle> {
        let used = self.used.front();
        let unused = self.unused.front().filter(|_| self.unused.len() > reserve as usize);
        match (used, unused) {
            (Some(used), Some(unused)) => Some(if unused.1 < used.1 { *unused } else { *used }),
            (one, other) => one.or(other).copied(),
        }
    }

    fn end(&mut self, instance: InstanceId, from: &[Doing]) {
        match self.living.remove(&instance) {
            Some(doing) if !from.contains(&doing) => {
                panic!("instance {instance} is {doing:?} and none of {from:?}")
            }
            None => panic!("instance {instance} does not exist"),
            Some(Doing::Provisioning) => self.provisioning -= 1,
            Some(Doing::Busy) => self.busy -= 1,
            Some(Doing::Idle) => {
                for idle in [&mut self.used, &mut self.unused] {
                    if let Some(place) = idle.iter().position(|(idle, _)| *idle == instance) {
                        idle.remove(place);
                    }
                }
            }
        }
    }

    fn change(&mut self, instance: InstanceId, from: Doing, to: Doing) {
        match self.living.get_mut(&instance) {
            Some(doing) if *doing == from => *doing = to,
            Some(doing) => panic!("instance {instance} is {doing:?} and not {from:?}"),
            None => panic!("instance {instance} does not exist"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_round_and_pass_over_those_that_live() {
        let mut instances = Instances { next: InstanceId::MAX, ..Instances::default() };
        assert_eq!([(); 3].map(|()| instances.request(0)), [InstanceId::MAX, 0, 1]);
        instances.not_made(0, 1);
        instances.next = InstanceId::MAX;
        assert_eq!([(); 2].map(|()| instances.request(2)), [0, 2]);
    }
}
