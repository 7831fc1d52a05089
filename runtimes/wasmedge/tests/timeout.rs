//! Deadlines, in every mode and for every kind of guest that does not return.

mod common;

use std::time::{Duration, Instant};

use common::{AMPLE, ask, instance, module};
use lumos_host_wasmedge::mode::Mode;
use lumos_runtime::InvokeError;

const SHORT: Duration = Duration::from_millis(20);

/// Requests for which the test guest never returns.
const STUCK: [(&[u8], &str); 3] =
    [(b"s", "spin"), (b"c", "clock reads"), (b"w", "waits in host calls")];

fn assert_stopped(mode: Mode, what: &str, answer: &Result<Vec<u8>, InvokeError>) {
    assert!(matches!(answer, Err(InvokeError::Timeout(_))), "{mode:?}, {what}: {answer:?}");
}

#[test]
fn a_guest_that_does_not_return_is_stopped() {
    for mode in Mode::ALL {
        let module = module(mode);
        for (request, what) in STUCK {
            let mut instance = instance(&module);
            let start = Instant::now();
            assert_stopped(mode, what, &ask(&mut instance, request, SHORT));
            let took = start.elapsed();
            println!("{mode:?}, {what}: stopped after {took:?}");
            assert!(took >= SHORT, "{mode:?}, {what}: stopped before its time, after {took:?}");
        }
    }
}

#[test]
fn a_nap_that_exceeds_the_deadline_is_interrupted() {
    for mode in Mode::ALL {
        // The guest answers after its nap, which the signal interrupts.
        assert_stopped(mode, "nap", &ask(&mut instance(&module(mode)), b"z", SHORT));
    }
}

#[test]
fn repeated_stops_work_and_take_no_memory() {
    for mode in Mode::ALL {
        let module = module(mode);
        // Other tests of this process run at the same time, and their memory counts too.
        let mut before = 0;
        for round in 0..120 {
            let mut stuck = instance(&module);
            let timeout = Duration::from_micros(500 + 37 * round);
            assert_stopped(mode, "spin", &ask(&mut stuck, b"s", timeout));
            drop(stuck);
            assert_eq!(ask(&mut instance(&module), b"echo", AMPLE).unwrap(), b"echo");
            if round == 20 {
                before = common::resident_bytes();
            }
        }
        let grown = common::resident_bytes().saturating_sub(before);
        assert!(grown < 16 << 20, "{mode:?}: {grown} bytes more after 100 timeouts");
    }
}

#[test]
fn a_trap_between_timeouts_is_a_trap() {
    for mode in Mode::ALL {
        let module = module(mode);
        for _ in 0..10 {
            assert_stopped(mode, "spin", &ask(&mut instance(&module), b"s", SHORT));
            let trapped = ask(&mut instance(&module), b"l", AMPLE);
            assert!(matches!(trapped, Err(InvokeError::Trap(_))), "{mode:?}: {trapped:?}");
        }
    }
}

#[test]
fn only_the_instance_whose_deadline_passed_is_stopped() {
    for mode in Mode::ALL {
        let module = module(mode);
        let mut neighbour = instance(&module);
        let mut stuck = instance(&module);
        let stopped = std::thread::spawn(move || ask(&mut stuck, b"s", SHORT));
        while !stopped.is_finished() {
            assert_eq!(ask(&mut neighbour, b"echo", AMPLE).unwrap(), b"echo", "{mode:?}");
        }
        assert_stopped(mode, "spin", &stopped.join().unwrap());
        assert_eq!(ask(&mut neighbour, b"echo", AMPLE).unwrap(), b"echo", "{mode:?}");
    }
}

/// Deadlines that pass about when invocations end. Either the answer is complete or the
/// invocation timed out, and the next instance is not affected.
#[test]
fn a_deadline_at_the_end_of_an_invocation_does_not_affect_others() {
    for mode in Mode::ALL {
        let module = module(mode);
        let mut current = instance(&module);
        let request = vec![b'e'; 1000];
        let (mut served, mut late) = (0, 0);
        for round in 0..5_000_u64 {
            match ask(&mut current, &request, Duration::from_nanos(500 + 20 * (round % 1000))) {
                Ok(body) => {
                    assert_eq!(body, request);
                    served += 1;
                }
                Err(InvokeError::Timeout(_)) => {
                    current = instance(&module);
                    late += 1;
                }
                Err(other) => panic!("{mode:?}, round {round}: {other:?}"),
            }
        }
        println!("{mode:?}: {served} served, {late} late");
        assert!(late > 0, "{mode:?}: no deadline was short enough");
    }
}
