//! The phases that only the guest can measure.

/// A part of an invocation, measured inside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GuestPhase {
    /// The request is decoded.
    Request,
    /// The connection to the storage is opened, and closed again.
    IoConnect,
    /// Bytes are read from the storage's socket or file.
    IoRead,
    /// Bytes are written to the storage's socket or file.
    IoWrite,
    /// The storage protocol is encoded and decoded.
    IoProtocol,
    /// Stored bytes become the function's data.
    Deserialize,
    /// The function does its own work.
    Compute,
    /// The result becomes bytes.
    Serialize,
}

impl GuestPhase {
    /// All guest phases, in the order of the trailer.
    pub const ALL: [GuestPhase; 8] = [
        GuestPhase::Request,
        GuestPhase::IoConnect,
        GuestPhase::IoRead,
        GuestPhase::IoWrite,
        GuestPhase::IoProtocol,
        GuestPhase::Deserialize,
        GuestPhase::Compute,
        GuestPhase::Serialize,
    ];
}

/// Time spent in each guest phase, in nanoseconds of the guest's monotonic clock. Zero means that
/// the phase did not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuestPhases([u64; GuestPhase::ALL.len()]);

impl GuestPhases {
    /// Size of the encoded phases in bytes.
    pub const BYTES: usize = GuestPhase::ALL.len() * 8;

    /// Adds `ns` nanoseconds to `phase`.
    pub fn add(&mut self, phase: GuestPhase, ns: u64) {
        let slot = &mut self.0[phase as usize];
        *slot = slot.saturating_add(ns);
    }

    /// Nanoseconds spent in `phase`.
    pub fn get(&self, phase: GuestPhase) -> u64 {
        self.0[phase as usize]
    }

    /// Sum over all phases, in nanoseconds.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, ns| sum.saturating_add(*ns))
    }

    /// The encoded phases: one little-endian `u64` per phase.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (chunk, ns) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&ns.to_le_bytes());
        }
        bytes
    }

    /// The inverse of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let mut phases = Self::default();
        for (slot, chunk) in phases.0.iter_mut().zip(bytes.chunks_exact(8)) {
            *slot = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        phases
    }
}
