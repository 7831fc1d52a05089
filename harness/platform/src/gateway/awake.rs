//! Keeping cores from halting while requests follow each other quickly.
//!
//! Where few clients send one request after the other, most of the time of a request is spent
//! on waking cores up: one that has halted takes some 60 us to come back, a virtual one on a
//! busy machine 300. So the gateway asks the kernel for a wake-up latency of zero as long as
//! requests follow each other, by `/dev/cpu_dma_latency`, as cyclictest does: idle cores look
//! for work then instead of halting, if the machine has a driver for its idle states
//! (Documentation/power/pm_qos_interface.rst and admin-guide/pm/cpuidle.rst of the kernel).
//! This holds for the whole machine, its clients too. The kernel takes it back when the file
//! is closed, so it ends with this process, however that ends.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use tokio::runtime::Handle;

/// Where the kernel takes a bound on the latency of wake-ups, in microseconds.
const DEVICE: &str = "/dev/cpu_dma_latency";
/// What chooses an idle core's state by that bound; without it cores halt as they always do.
const DRIVER: &str = "/sys/devices/system/cpu/cpuidle/current_driver";
/// No core may take any time to wake up.
const HOLD: i32 = 0;
/// `PM_QOS_DEFAULT_VALUE`: any core may take what it likes.
const RELEASE: i32 = -1;
/// Requests are noted this many times within the time that they keep cores awake, at most.
const NOTES: u64 = 8;

/// Keeps cores awake from the second of two requests that follow each other within some time,
/// until so long after the last.
#[derive(Debug)]
pub struct Awake {
    device: File,
    for_ns: u64,
    last_ns: AtomicU64,
    held: AtomicBool,
}

impl Awake {
    /// Cores stay awake for so long after a request.
    ///
    /// # Errors
    /// When the kernel does not offer it, or only to another user; in words.
    pub fn open(time: Duration) -> Result<Arc<Self>, String> {
        Self::at(Path::new(DEVICE), Path::new(DRIVER), time)
    }

    fn at(device: &Path, driver: &Path, time: Duration) -> Result<Arc<Self>, String> {
        let driven = std::fs::read_to_string(driver).is_ok_and(|name| name.trim() != "none");
        if !driven {
            return Err("idle cores halt: the kernel has no driver for their states".to_owned());
        }
        let opened = OpenOptions::new().write(true).open(device);
        let device =
            opened.map_err(|e| format!("idle cores halt: open {}: {e}", device.display()))?;
        Ok(Arc::new(Self {
            device,
            for_ns: time.as_nanos() as u64,
            last_ns: AtomicU64::new(0),
            held: AtomicBool::new(false),
        }))
    }

    /// A request came at `now_ns`; on `threads` it is seen to that cores may halt again.
    pub fn note(self: &Arc<Self>, now_ns: u64, threads: &Handle) {
        let quiet_ns = self.quiet_ns(now_ns);
        if quiet_ns > self.for_ns / NOTES {
            self.last_ns.store(now_ns, Ordering::Relaxed);
        }
        let follows = quiet_ns < self.for_ns;
        if follows && !self.held.load(Ordering::Relaxed) && !self.held.swap(true, Ordering::AcqRel)
        {
            self.ask_for(HOLD);
            threads.spawn(Arc::clone(self).release());
        }
    }

    fn quiet_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.last_ns.load(Ordering::Relaxed))
    }

    /// Waits until requests follow each other no more.
    async fn release(self: Arc<Self>) {
        loop {
            let left_ns = self.for_ns.saturating_sub(self.quiet_ns(monotonic_ns()));
            if left_ns == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_nanos(left_ns)).await;
        }
        self.ask_for(RELEASE);
        self.held.store(false, Ordering::Release);
    }

    fn ask_for(&self, latency_us: i32) {
        // The kernel refuses no number of this size.
        let _ = (&self.device).write_all(&latency_us.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_millis(20);

    fn asked(file: &Path) -> Vec<i32> {
        let bytes = std::fs::read(file).unwrap();
        bytes.chunks_exact(4).map(|four| i32::from_ne_bytes(four.try_into().unwrap())).collect()
    }

    #[tokio::test]
    async fn cores_are_held_while_requests_follow_each_other_and_not_longer() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let awake = Awake::at(file.path(), driver("haltpoll\n").path(), TIME).unwrap();
        let threads = Handle::current();
        let begin_ns = monotonic_ns();
        awake.note(begin_ns, &threads);
        assert!(asked(file.path()).is_empty(), "one request does not follow another");
        let apart_ns = TIME.as_nanos() as u64;
        awake.note(begin_ns + apart_ns, &threads);
        assert!(asked(file.path()).is_empty(), "they do not follow so quickly");
        (1..=5).for_each(|n| awake.note(begin_ns + apart_ns + n * apart_ns / 2, &threads));
        assert_eq!(asked(file.path()), [HOLD], "asked for once");
        while awake.held.load(Ordering::Acquire) {
            tokio::time::sleep(TIME / 10).await;
        }
        let last_ns = begin_ns + apart_ns + 5 * apart_ns / 2;
        assert!(monotonic_ns() >= last_ns + apart_ns, "the last request keeps them awake too");
        assert_eq!(asked(file.path()), [HOLD, RELEASE]);
        let again_ns = monotonic_ns();
        awake.note(again_ns, &threads);
        awake.note(again_ns + 1, &threads);
        assert_eq!(asked(file.path()), [HOLD, RELEASE, HOLD]);
    }

    fn driver(name: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), name).unwrap();
        file
    }

    #[test]
    fn where_it_cannot_be_done_it_says_why() {
        let nowhere = Path::new("/nowhere/latency");
        let why = |driver: &Path| Awake::at(nowhere, driver, TIME).unwrap_err();
        let error = why(driver("acpi_idle\n").path());
        assert!(error.contains("open /nowhere/latency: No such file"), "{error}");
        for error in [why(driver("none\n").path()), why(nowhere)] {
            assert!(error.contains("no driver"), "{error}");
        }
    }
}
