//! Keeps idle CPU cores from halting while requests follow each other closely.
//!
//! When few clients send one request after another, most of a request's time is spent waking
//! cores up: a halted core takes some 60 us to resume, a virtual one on a busy machine 300 us.
//! While requests follow each other, the gateway therefore asks the kernel for a wake-up
//! latency of zero through `/dev/cpu_dma_latency`, as cyclictest does. Idle cores then poll for
//! work instead of halting, if the machine has a driver for its idle states
//! (Documentation/power/pm_qos_interface.rst and admin-guide/pm/cpuidle.rst of the kernel).
//! This affects the whole machine, including the clients. The kernel drops the request when
//! the file is closed, so it ends with this process however the process ends.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use tokio::runtime::Handle;

/// Takes an upper bound on the wake-up latency, in microseconds.
const DEVICE: &str = "/dev/cpu_dma_latency";
/// Names the driver that selects idle states by this bound; without one, cores always halt.
const DRIVER: &str = "/sys/devices/system/cpu/cpuidle/current_driver";
/// No core may take any time to wake up.
const NO_LATENCY: i32 = 0;
/// `PM_QOS_DEFAULT_VALUE`: no bound.
const ANY_LATENCY: i32 = -1;
/// The time of the last request is stored at most this many times per holding time.
const UPDATES: u64 = 8;

/// Keeps cores awake from the second of two requests that follow each other within the
/// holding time, until one holding time after the last request.
#[derive(Debug)]
pub(super) struct StayAwake {
    device: File,
    hold_ns: u64,
    last_ns: AtomicU64,
    holding: AtomicBool,
}

impl StayAwake {
    /// `hold`: how long cores stay awake after a request.
    ///
    /// # Errors
    /// If the kernel does not support it or denies access; the error is a warning for people.
    pub(super) fn open(hold: Duration) -> Result<Arc<Self>, String> {
        Self::open_at(Path::new(DEVICE), Path::new(DRIVER), hold)
    }

    fn open_at(device: &Path, driver: &Path, hold: Duration) -> Result<Arc<Self>, String> {
        let has_driver = std::fs::read_to_string(driver).is_ok_and(|name| name.trim() != "none");
        if !has_driver {
            return Err("idle cores halt: the kernel has no driver for their states".to_owned());
        }
        let opened = OpenOptions::new().write(true).open(device);
        let device =
            opened.map_err(|e| format!("idle cores halt: open {}: {e}", device.display()))?;
        Ok(Arc::new(Self {
            device,
            hold_ns: hold.as_nanos() as u64,
            last_ns: AtomicU64::new(0),
            holding: AtomicBool::new(false),
        }))
    }

    /// Records a request that arrived at `now_ns`. A task on `runtime` lets cores halt again.
    pub(super) fn request_arrived(self: &Arc<Self>, now_ns: u64, runtime: &Handle) {
        let quiet_ns = self.quiet_ns(now_ns);
        if quiet_ns > self.hold_ns / UPDATES {
            self.last_ns.store(now_ns, Ordering::Relaxed);
        }
        let follows = quiet_ns < self.hold_ns;
        if follows
            && !self.holding.load(Ordering::Relaxed)
            && !self.holding.swap(true, Ordering::AcqRel)
        {
            self.bound_latency(NO_LATENCY);
            runtime.spawn(Arc::clone(self).release());
        }
    }

    fn quiet_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed))
    }

    /// Waits until no request has come for the holding time, then lets cores halt.
    async fn release(self: Arc<Self>) {
        loop {
            let left_ns = self.hold_ns.saturating_sub(self.quiet_ns(monotonic_ns()));
            if left_ns == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_nanos(left_ns)).await;
        }
        self.bound_latency(ANY_LATENCY);
        self.holding.store(false, Ordering::Release);
    }

    fn bound_latency(&self, latency_us: i32) {
        // The kernel accepts every write of four bytes.
        let _ = (&self.device).write_all(&latency_us.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_millis(20);

    fn written(file: &Path) -> Vec<i32> {
        let bytes = std::fs::read(file).unwrap();
        bytes.chunks_exact(4).map(|four| i32::from_ne_bytes(four.try_into().unwrap())).collect()
    }

    #[tokio::test]
    async fn cores_stay_awake_only_while_requests_follow_each_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let awake = StayAwake::open_at(file.path(), driver("haltpoll\n").path(), HOLD).unwrap();
        let runtime = Handle::current();
        let begin_ns = monotonic_ns();
        awake.request_arrived(begin_ns, &runtime);
        assert!(written(file.path()).is_empty(), "the first request follows none");
        let hold_ns = HOLD.as_nanos() as u64;
        awake.request_arrived(begin_ns + hold_ns, &runtime);
        assert!(written(file.path()).is_empty(), "the second follows too late");
        (1..=5).for_each(|n| awake.request_arrived(begin_ns + hold_ns + n * hold_ns / 2, &runtime));
        assert_eq!(written(file.path()), [NO_LATENCY], "written once");
        while awake.holding.load(Ordering::Acquire) {
            tokio::time::sleep(HOLD / 10).await;
        }
        let last_ns = begin_ns + hold_ns + 5 * hold_ns / 2;
        assert!(monotonic_ns() >= last_ns + hold_ns, "the last request keeps cores awake too");
        assert_eq!(written(file.path()), [NO_LATENCY, ANY_LATENCY]);
        let again_ns = monotonic_ns();
        awake.request_arrived(again_ns, &runtime);
        awake.request_arrived(again_ns + 1, &runtime);
        assert_eq!(written(file.path()), [NO_LATENCY, ANY_LATENCY, NO_LATENCY]);
    }

    fn driver(name: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), name).unwrap();
        file
    }

    #[test]
    fn unsupported_machine_is_an_error_with_its_reason() {
        let nowhere = Path::new("/nowhere/latency");
        let reason = |driver: &Path| StayAwake::open_at(nowhere, driver, HOLD).unwrap_err();
        let error = reason(driver("acpi_idle\n").path());
        assert!(error.contains("open /nowhere/latency: No such file"), "{error}");
        for error in [reason(driver("none\n").path()), reason(nowhere)] {
            assert!(error.contains("no driver"), "{error}");
        }
    }
}
