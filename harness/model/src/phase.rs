//! The contiguous parts of an invocation.

use std::fmt;

use lumos_wire::{GuestPhase, GuestPhases};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

crate::words! {
    /// A named, contiguous part of an invocation.
    Phase, "phase" {
        /// From the intended arrival until an instance is assigned.
        Queue = "queue",
        /// The cgroup and the process are created, until the runtime has control.
        Provision = "provision",
        /// The artifact is read and validated.
        Load = "load",
        /// The module is compiled (JIT), or its AoT code is mapped.
        Compile = "compile",
        /// Imports are linked, memory is allocated, the guest is initialised: ready to serve.
        Instantiate = "instantiate",
        /// The request is copied into the guest and decoded.
        Request = "request",
        /// The connection to the storage is opened, and closed again.
        IoConnect = "io_connect",
        /// Bytes are read from the storage.
        IoRead = "io_read",
        /// Bytes are written to the storage.
        IoWrite = "io_write",
        /// The storage protocol is encoded and decoded.
        IoProtocol = "io_protocol",
        /// Stored bytes become the function's data.
        Deserialize = "deserialize",
        /// The function does its own work.
        Compute = "compute",
        /// The result becomes bytes.
        Serialize = "serialize",
        /// The response is copied out of the guest.
        Response = "response",
        /// The rest of the total: calls between host and guest, clock reads.
        Other = "other",
    }
}

impl Phase {
    /// The phases that occur in cold starts only; their sum is `cold_start`.
    pub const COLD_START: [Phase; 4] =
        [Phase::Provision, Phase::Load, Phase::Compile, Phase::Instantiate];
}

impl From<GuestPhase> for Phase {
    fn from(phase: GuestPhase) -> Self {
        match phase {
            GuestPhase::Request => Phase::Request,
            GuestPhase::IoConnect => Phase::IoConnect,
            GuestPhase::IoRead => Phase::IoRead,
            GuestPhase::IoWrite => Phase::IoWrite,
            GuestPhase::IoProtocol => Phase::IoProtocol,
            GuestPhase::Deserialize => Phase::Deserialize,
            GuestPhase::Compute => Phase::Compute,
            GuestPhase::Serialize => Phase::Serialize,
        }
    }
}

/// Time spent in each phase, in nanoseconds. Zero means that the phase did not occur.
///
/// The values are in a fixed array, because they are set between two clock reads, where nothing
/// may allocate. In files they are an object with the phases that occurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases([u64; Phase::ALL.len()]);

impl Phases {
    /// Adds `ns` nanoseconds to `phase`.
    pub fn add(&mut self, phase: Phase, ns: u64) {
        let slot = &mut self.0[phase as usize];
        *slot = slot.saturating_add(ns);
    }

    /// Nanoseconds spent in `phase`.
    pub fn get(&self, phase: Phase) -> u64 {
        self.0[phase as usize]
    }

    /// Adds the phases that the guest measured.
    pub fn add_guest(&mut self, guest: &GuestPhases) {
        for phase in GuestPhase::ALL {
            self.add(phase.into(), guest.get(phase));
        }
    }

    /// Sum over all phases, in nanoseconds.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, ns| sum.saturating_add(*ns))
    }

    /// Sum of the phases of [`Phase::COLD_START`], in nanoseconds.
    pub fn cold_start(&self) -> u64 {
        Phase::COLD_START.iter().map(|phase| self.get(*phase)).sum()
    }

    /// Sets [`Phase::Other`] to the part of `total_ns` that no other phase covers.
    ///
    /// # Errors
    /// The excess in nanoseconds, if the other phases add up to more than the total: two clocks
    /// disagree, or a phase was counted twice.
    pub fn close(&mut self, total_ns: u64) -> Result<(), u64> {
        self.0[Phase::Other as usize] = 0;
        match total_ns.checked_sub(self.total()) {
            Some(rest) => {
                self.0[Phase::Other as usize] = rest;
                Ok(())
            }
            None => Err(self.total() - total_ns),
        }
    }

    /// The phases that occurred, in the order of [`Phase::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Phase, u64)> + '_ {
        Phase::ALL.iter().map(|phase| (*phase, self.get(*phase))).filter(|(_, ns)| *ns > 0)
    }
}

impl Serialize for Phases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (phase, ns) in self.iter() {
            map.serialize_entry(phase.as_str(), &ns)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Phases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PhasesVisitor;

        impl<'de> Visitor<'de> for PhasesVisitor {
            type Value = Phases;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with phases in nanoseconds")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Phases, A::Error> {
                let mut phases = Phases::default();
                while let Some((phase, ns)) = map.next_entry::<Phase, u64>()? {
                    phases.add(phase, ns);
                }
                Ok(phases)
            }
        }

        deserializer.deserialize_map(PhasesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_is_the_rest_of_the_total() {
        let mut phases = Phases::default();
        phases.add(Phase::Compute, 70);
        phases.add(Phase::Load, 10);
        assert_eq!(phases.close(100), Ok(()));
        assert_eq!(phases.get(Phase::Other), 20);
        assert_eq!(phases.total(), 100);
        assert_eq!(phases.cold_start(), 10);
        assert_eq!(phases.close(79), Err(1));
    }

    #[test]
    fn phases_that_did_not_occur_are_absent_in_files() {
        let mut phases = Phases::default();
        phases.add(Phase::IoRead, 3);
        let json = serde_json::to_string(&phases).unwrap();
        assert_eq!(json, r#"{"io_read":3}"#);
        assert_eq!(serde_json::from_str::<Phases>(&json).unwrap(), phases);
        assert!(serde_json::from_str::<Phases>(r#"{"io_reed":3}"#).is_err());
    }
}
