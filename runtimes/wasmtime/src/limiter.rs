//! The bound on an instance's linear memory.

use wasmtime::ResourceLimiter;

/// The most elements in all tables of an instance. A function table has one element for each
/// function, and each element is a pointer in host memory.
const TABLE_ELEMENTS: usize = 1 << 20;

/// Counts and bounds linear memory. It remembers a denied growth, because the trap of a guest
/// that got no memory looks like any other `unreachable`.
#[derive(Debug, Default)]
pub struct Limiter {
    limit: Option<u64>,
    bytes: u64,
    table_elements: usize,
    granted: u64,
    denied: Option<Denied>,
}

/// A growth that was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Bytes in use when the growth was denied.
    pub bytes: u64,
    /// Bytes that were asked for.
    pub desired: u64,
    /// The bound; `None`: the memory's own maximum or the operating system denied it.
    pub limit: Option<u64>,
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Denied { bytes, desired, limit } = self;
        write!(f, "the linear memory of {bytes} bytes could not grow to {desired}: ")?;
        match limit {
            Some(limit) => write!(f, "the limit is {limit} bytes"),
            None => {
                f.write_str("the maximum of its type is reached, or the system has no more memory")
            }
        }
    }
}

impl Limiter {
    pub fn new(limit: Option<u64>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Linear memory in use, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The last growth that was denied since [`forget`](Self::forget).
    pub fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// Forgets the denied growth: a guest that continued without it is not out of memory.
    #[inline]
    pub fn forget(&mut self) {
        self.denied = None;
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = (desired - current) as u64;
        let total = self.bytes + growth;
        let limit = self.limit.filter(|limit| total > *limit);
        if limit.is_some() || maximum.is_some_and(|maximum| desired > maximum) {
            self.denied = Some(Denied { bytes: self.bytes, desired: total, limit });
            return Ok(false);
        }
        (self.bytes, self.granted) = (total, growth);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        let desired = self.bytes;
        // Without an error of the system the growth exceeded the memory's type, and
        // `memory_growing` was not called for it.
        if error.downcast_ref::<std::io::Error>().is_some() {
            self.bytes -= std::mem::take(&mut self.granted);
        }
        self.denied = Some(Denied { bytes: self.bytes, desired, limit: None });
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements + (desired - current);
        let granted = total <= TABLE_ELEMENTS;
        if granted {
            self.table_elements = total;
        }
        Ok(granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_share_one_bound() {
        let mut limiter = Limiter::new(Some(300));
        assert!(limiter.memory_growing(0, 100, None).unwrap());
        assert!(limiter.memory_growing(0, 100, None).unwrap());
        assert!(!limiter.memory_growing(100, 250, None).unwrap());
        assert_eq!(limiter.bytes(), 200);
        let denied = Denied { bytes: 200, desired: 350, limit: Some(300) };
        assert_eq!(limiter.denied(), Some(denied));
        limiter.forget();
        assert_eq!(limiter.denied(), None);
    }

    #[test]
    fn a_growth_that_the_system_denies_is_not_counted() {
        let mut limiter = Limiter::new(None);
        assert!(limiter.memory_growing(0, 100, None).unwrap());
        assert!(limiter.memory_growing(100, 500, None).unwrap());
        let no_memory = std::io::Error::from(std::io::ErrorKind::OutOfMemory);
        limiter.memory_grow_failed(no_memory.into()).unwrap();
        assert_eq!(limiter.bytes(), 100);
        assert!(limiter.denied().is_some());
    }
}
