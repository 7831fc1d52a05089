//! The existing instances of a pool, and the changes of their states.

use std::collections::{BTreeMap, VecDeque};

use lumos_model::pool::InstanceState as State;

use super::action::InstanceId;
use super::convert::count;
use super::events::Events;
use super::standing::Standing;

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Provisioning,
    Idle,
    Busy,
}

/// An idle instance, and since when it is idle.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdleInstance {
    pub(super) id: InstanceId,
    pub(super) since_ns: u64,
}

/// An instance that was taken for a request.
pub(super) struct Taken {
    pub(super) instance: InstanceId,
    /// It has never served before.
    pub(super) fresh: bool,
}

/// All instances of a pool.
#[derive(Debug, Default)]
pub(super) struct Instances {
    existing: BTreeMap<InstanceId, Activity>,
    /// Idle instances that have served, the most recently used last.
    used: VecDeque<IdleInstance>,
    /// Idle instances that have never served, the youngest last.
    unused: VecDeque<IdleInstance>,
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

    /// Idle and busy instances.
    pub(super) fn ready(&self) -> u32 {
        self.idle() + self.busy
    }

    /// All instances, including those that are being provisioned.
    pub(super) fn total(&self) -> u32 {
        count(self.existing.len())
    }

    /// Everything but the queue.
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

    /// Adds an instance that is being provisioned.
    pub(super) fn provision(&mut self, now_ns: u64) -> InstanceId {
        let mut instance = self.next;
        // Numbers wrap around after four thousand million instances.
        while self.existing.contains_key(&instance) {
            instance = instance.wrapping_add(1);
        }
        self.next = instance.wrapping_add(1);
        self.existing.insert(instance, Activity::Provisioning);
        self.provisioning += 1;
        self.events.record(instance, State::Requested, now_ns);
        self.events.record(instance, State::Provisioning, now_ns);
        instance
    }

    /// A provisioning instance becomes ready.
    pub(super) fn provisioned(&mut self, instance: InstanceId, now_ns: u64) {
        self.change(instance, Activity::Provisioning, Activity::Idle);
        self.provisioning -= 1;
        self.made += 1;
        self.unused.push_back(IdleInstance { id: instance, since_ns: now_ns });
        self.events.record(instance, State::Ready, now_ns);
    }

    /// Removes an instance that could not be provisioned.
    pub(super) fn provisioning_failed(&mut self, instance: InstanceId, now_ns: u64) {
        self.remove(instance, &[Activity::Provisioning]);
        self.failed += 1;
        self.events.record(instance, State::Failed, now_ns);
    }

    /// Takes the idle instance that serves next.
    pub(super) fn take(&mut self, now_ns: u64) -> Option<Taken> {
        let used = self.used.pop_back();
        let instance = used.or_else(|| self.unused.pop_back())?.id;
        self.change(instance, Activity::Idle, Activity::Busy);
        self.busy += 1;
        self.events.record(instance, State::Busy, now_ns);
        Some(Taken { instance, fresh: used.is_none() })
    }

    /// A busy instance becomes idle.
    pub(super) fn served(&mut self, instance: InstanceId, now_ns: u64) {
        self.change(instance, Activity::Busy, Activity::Idle);
        self.busy -= 1;
        self.used.push_back(IdleInstance { id: instance, since_ns: now_ns });
        self.events.record(instance, State::Idle, now_ns);
    }

    /// Removes a busy or idle instance that has died.
    pub(super) fn died(&mut self, instance: InstanceId, now_ns: u64) {
        self.remove(instance, &[Activity::Busy, Activity::Idle]);
        self.failed += 1;
        self.events.record(instance, State::Failed, now_ns);
    }

    /// Removes an idle instance that is no longer wanted.
    pub(super) fn reclaim(&mut self, instance: InstanceId, now_ns: u64) {
        self.remove(instance, &[Activity::Idle]);
        self.reclaimed += 1;
        self.events.record(instance, State::Reclaimed, now_ns);
    }

    /// The instance that has been idle longest. The first `reserve` of those that never
    /// served do not count.
    pub(super) fn longest_idle(&self, reserve: u32) -> Option<IdleInstance> {
        let used = self.used.front();
        let unused = self.unused.front().filter(|_| self.unused.len() > reserve as usize);
        match (used, unused) {
            (Some(used), Some(unused)) => {
                Some(if unused.since_ns < used.since_ns { *unused } else { *used })
            }
            (one, other) => one.or(other).copied(),
        }
    }

    fn remove(&mut self, instance: InstanceId, from: &[Activity]) {
        match self.existing.remove(&instance) {
            Some(activity) if !from.contains(&activity) => {
                panic!("instance {instance} is {activity:?} and none of {from:?}")
            }
            None => panic!("instance {instance} does not exist"),
            Some(Activity::Provisioning) => self.provisioning -= 1,
            Some(Activity::Busy) => self.busy -= 1,
            Some(Activity::Idle) => {
                for idle in [&mut self.used, &mut self.unused] {
                    if let Some(index) = idle.iter().position(|idle| idle.id == instance) {
                        idle.remove(index);
                    }
                }
            }
        }
    }

    fn change(&mut self, instance: InstanceId, from: Activity, to: Activity) {
        match self.existing.get_mut(&instance) {
            Some(activity) if *activity == from => *activity = to,
            Some(activity) => panic!("instance {instance} is {activity:?} and not {from:?}"),
            None => panic!("instance {instance} does not exist"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_numbers_wrap_around_and_skip_existing_ones() {
        let mut instances = Instances { next: InstanceId::MAX, ..Instances::default() };
        assert_eq!([(); 3].map(|()| instances.provision(0)), [InstanceId::MAX, 0, 1]);
        instances.provisioning_failed(0, 1);
        instances.next = InstanceId::MAX;
        assert_eq!([(); 2].map(|()| instances.provision(2)), [0, 2]);
    }
}
