//! Cores that are kept awake for a client that sends one request after the other.

use std::fs::File;
use std::os::unix::fs::FileExt;

use lumos_testkit::scratch::wait_until;
use lumos_testkit::server::{SUBJECTS, Server};
use nix::sys::signal::Signal;

const DEVICE: &str = "/dev/cpu_dma_latency";
const DRIVER: &str = "/sys/devices/system/cpu/cpuidle/current_driver";

/// How many microseconds a core may take to wake up, as the kernel has it from everyone.
fn bound(device: &File) -> i32 {
    let mut bytes = [0; 4];
    device.read_exact_at(&mut bytes, 0).unwrap();
    i32::from_ne_bytes(bytes)
}

#[test]
fn cores_are_kept_awake_between_requests_or_it_is_said_that_they_are_not() {
    for subject in SUBJECTS {
        let mut server = Server::start(&["noop"], subject, &["--stay-awake", "50ms"]);
        let mut client = server.client();
        let driver = std::fs::read_to_string(DRIVER).is_ok_and(|name| name.trim() != "none");
        let device = File::open(DEVICE).ok().filter(|_| driver);
        if let Some(device) = &device {
            wait_until("cores to be kept awake", || {
                assert_eq!(client.post("/noop", "{}").status, 200);
                bound(device) == 0
            });
            // Other tests may keep them awake in between.
            wait_until("cores to be let go", || bound(device) > 0);
        }
        server.signal(Signal::SIGTERM);
        let ended = server.ended().expect(0);
        let said = ended.stdout.contains("\nwithout   idle cores halt: ");
        assert_eq!(said, device.is_none(), "{}", ended.stdout);
    }
}
