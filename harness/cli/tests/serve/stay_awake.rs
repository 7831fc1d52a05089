//! Cores are kept awake while a client sends one request after another.

use std::fs::File;
use std::os::unix::fs::FileExt;

use lumos_testkit::scratch::wait_until;
use lumos_testkit::server::{SUBJECTS, Server};
use nix::sys::signal::Signal;

const DEVICE: &str = "/dev/cpu_dma_latency";
const DRIVER: &str = "/sys/devices/system/cpu/cpuidle/current_driver";

/// The wake-up latency, in microseconds, that the kernel allows for all processes together.
fn latency_bound_us(device: &File) -> i32 {
    let mut bytes = [0; 4];
    device.read_exact_at(&mut bytes, 0).unwrap();
    i32::from_ne_bytes(bytes)
}

#[test]
fn cores_stay_awake_between_requests_or_a_warning_is_printed() {
    for subject in SUBJECTS {
        let mut server = Server::start(&["noop"], subject, &["--stay-awake", "50ms"]);
        let mut client = server.client();
        let has_driver = std::fs::read_to_string(DRIVER).is_ok_and(|name| name.trim() != "none");
        let device = File::open(DEVICE).ok().filter(|_| has_driver);
        if let Some(device) = &device {
            wait_until("cores to be kept awake", || {
                assert_eq!(client.post("/noop", "{}").status, 200);
                latency_bound_us(device) == 0
            });
            // Other tests may keep cores awake meanwhile.
            wait_until("cores to be allowed to halt", || latency_bound_us(device) > 0);
        }
        server.signal(Signal::SIGTERM);
        let ended = server.ended().expect(0);
        let warned = ended.stdout.contains("\nwithout   idle cores halt: ");
        assert_eq!(warned, device.is_none(), "{}", ended.stdout);
    }
}
