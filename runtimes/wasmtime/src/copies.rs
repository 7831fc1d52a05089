//! Bytes that cross the boundary of a component, with the time of the copy.
//!
//! Wasmtime copies arguments in and results out inside its call, so the caller cannot time the
//! copies apart from the function. These two types are the engine's `&[u8]` and `Vec<u8>` with
//! a stopwatch around the copy. Small copies take less time than two clock reads and are not
//! timed; they are part of `other`.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lumos_os::clock::monotonic_ns;
use wasmtime::Result;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentType, Lift, Lower};

/// Shorter copies are not timed: they take less than a microsecond.
const TIMED: usize = 16 * 1024;

/// A request that is copied into the guest. The time includes the guest's allocation.
pub struct Inbound<'a> {
    pub bytes: &'a [u8],
    pub copy_ns: &'a AtomicU64,
}

/// An answer that is copied out of the guest.
pub struct Outbound {
    pub bytes: Vec<u8>,
    pub copy_ns: u64,
}

// SAFETY: every method and constant is that of `[u8]`, for the same value.
unsafe impl ComponentType for Inbound<'_> {
    type Lower = <[u8] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[u8] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <[u8] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: lowering is that of `[u8]`, for the same value.
unsafe impl Lower for Inbound<'_> {
    #[inline]
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> Result<()> {
        if self.bytes.len() < TIMED {
            return self.bytes.linear_lower_to_flat(cx, ty, dst);
        }
        let start = monotonic_ns();
        let lowered = self.bytes.linear_lower_to_flat(cx, ty, dst);
        self.copy_ns.store(monotonic_ns() - start, Relaxed);
        lowered
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        self.bytes.linear_lower_to_memory(cx, ty, offset)
    }
}

// SAFETY: every method and constant is that of `Vec<u8>`, for the same value.
unsafe impl ComponentType for Outbound {
    type Lower = <Vec<u8> as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <Vec<u8> as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <Vec<u8> as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: lifting is that of `Vec<u8>`.
unsafe impl Lift for Outbound {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Self::Lower,
    ) -> Result<Self> {
        Ok(Self { bytes: Vec::linear_lift_from_flat(cx, ty, src)?, copy_ns: 0 })
    }

    /// An answer is always lifted from memory, because a function cannot return its two words.
    #[inline]
    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        // A list is stored as its address and its length, 32 bits each.
        let length = bytes.get(4..8).map_or(0, |len| {
            u32::from_le_bytes(len.try_into().expect("a slice of four bytes")) as usize
        });
        if length < TIMED {
            return Ok(Self { bytes: Vec::linear_lift_from_memory(cx, ty, bytes)?, copy_ns: 0 });
        }
        let start = monotonic_ns();
        let bytes = Vec::linear_lift_from_memory(cx, ty, bytes)?;
        Ok(Self { bytes, copy_ns: monotonic_ns() - start })
    }
}
