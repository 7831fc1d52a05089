//! The contiguous parts of an invocation (DESIGN: phases).

use std::fmt;

use lumos_wire::{GuestPhase, GuestPhases};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

crate::words! {
    /// A named, contiguous part of an invocation.
    Phase, "phase" {
        /// Intended arrival until an instance is assigned.
        Queue = "queue",
        /// Creation of cgroup and process, until the runtime has control.
        Provision = "provision",
        /// Artifact bytes read and validated.
        Load = "load",
        /// JIT compilation, or AoT code mapped.
        Compile = "compile",
        /// Imports linked, memory made, initialised: ready to serve.
        Instantiate = "instantiate",
        /// Request bytes into the guest and decoded.
        Request = "request",
        /// Connection to the storage made.
        IoConnect = "io_connect",
        /// Bytes from the storage.
        IoRead = "io_read",
        /// Bytes to the storage.
        IoWrite = "io_write",
        /// Storage protocol encoded and decoded.
        IoProtocol = "io_protocol",
        /// Stored bytes to the function's data.
        Deserialize = "deserialize",
        /// The function's own work.
        Compute = "compute",
        /// Result to bytes.
        Serialize = "serialize",
        /// Response bytes out of the guest.
        Response = "response",
        /// What no other phase covers: calls across borders, clock reads.
        Other = "other",
    }
}

impl Phase {
    /// The phases that only a cold start has; their sum is `cold_start`.
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

/// Time spent in each phase, in nanoseconds. Zero: the phase did not occur.
///
/// A fixed array, so that filling it in between two clock reads allocates nothing;
/// in files it is an object that holds the phases that occurred.
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

    /// Adds what the guest measured.
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

    /// Sets [`Phase::Other`] to what the phases leave of `total_ns`.
    ///
    /// # Errors
    /// The excess in nanoseconds when the phases add up to more than the total: two
    /// clocks disagree or a phase was counted twice.
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

    /// The phases that occurred, in their natural order.
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
                f.write_str("an object of phases in nanoseconds")
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
    fn other_is_what_is_left() {
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
    fn absent_phases_are_absent_in_files() {
        let mut phases = Phases::default();
        phases.add(Phase::IoRead, 3);
        let json = serde_json::to_string(&phases).unwrap();
        assert_eq!(json, r#"{"io_read":3}"#);
        assert_eq!(serde_json::from_str::<Phases>(&json).unwrap(), phases);
        assert!(serde_json::from_str::<Phases>(r#"{"io_reed":3}"#).is_err());
    }
}
