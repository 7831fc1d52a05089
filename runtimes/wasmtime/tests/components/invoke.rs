//! Invocations, successful and failing, in each mode.

use std::time::Instant;

use lumos_model::phase::Phase;
use lumos_model::wire::{Status, envelope};
use lumos_runtime::{Instance, InvokeError, Marks};

use crate::common::{Fixture, LONG, MODES, SHORT, ask};

#[test]
fn requests_are_echoed() {
    let fixture = Fixture::new();
    for mode in MODES {
        let mut instance = fixture.instance(mode, None);
        for request in [&b"e"[..], b"echo", &vec![b'e'; 300_000]] {
            assert_eq!(ask(&mut instance, request, LONG).unwrap(), request, "{mode}");
        }
    }
}

#[test]
fn large_copies_are_timed_and_small_ones_are_not() {
    let mut instance = Fixture::new().instance("jit", None);
    let mut phases = |request: &[u8]| {
        let mut marks = Marks::default();
        instance.invoke(request, LONG, &mut Vec::new(), &mut marks).unwrap();
        [Phase::Request, Phase::Response].map(|phase| marks.phases().get(phase) > 0)
    };
    assert_eq!(phases(&[b'e'; 100]), [false, false]);
    assert_eq!(phases(&vec![b'e'; 1 << 20]), [true, true]);
}

#[test]
fn an_error_of_the_function_is_an_envelope_and_the_instance_lives() {
    let mut instance = Fixture::new().instance("aot", None);
    let answer = ask(&mut instance, b"x marks an error", LONG).unwrap();
    let envelope = envelope::open(&answer).unwrap();
    assert_eq!((envelope.status, envelope.body), (Status::Error, &b"x marks an error"[..]));
    assert!(ask(&mut instance, b"e", LONG).is_ok());
}

#[test]
fn a_trap_kills_its_instance() {
    let fixture = Fixture::new();
    for mode in MODES {
        let mut instance = fixture.instance(mode, None);
        let InvokeError::Trap(text) = ask(&mut instance, b"t", LONG).unwrap_err() else {
            panic!("{mode}: no trap")
        };
        assert!(text.contains("unreachable"), "{mode}: {text}");
        assert!(matches!(ask(&mut instance, b"e", LONG), Err(InvokeError::Failed(_))), "{mode}");
    }
}

#[test]
fn computing_and_sleeping_guests_stop_at_their_deadline() {
    let fixture = Fixture::new();
    for mode in MODES {
        for request in [b"s", b"z"] {
            let mut instance = fixture.instance(mode, None);
            let start = Instant::now();
            let outcome = ask(&mut instance, request, SHORT);
            assert!(matches!(outcome, Err(InvokeError::Timeout(_))), "{mode}: {outcome:?}");
            assert!(start.elapsed() >= SHORT, "{mode}");
            assert!(matches!(ask(&mut instance, b"e", LONG), Err(InvokeError::Failed(_))));
        }
    }
}

#[test]
fn the_deadline_of_one_instance_does_not_affect_another() {
    let fixture = Fixture::new();
    let mut steady = fixture.instance("aot", None);
    std::thread::scope(|scope| {
        let spinner = scope.spawn(|| ask(&mut fixture.instance("aot", None), b"s", SHORT));
        while !spinner.is_finished() {
            assert_eq!(ask(&mut steady, b"e", LONG).unwrap(), b"e");
        }
        assert!(matches!(spinner.join().unwrap(), Err(InvokeError::Timeout(_))));
    });
    assert_eq!(ask(&mut steady, b"e", LONG).unwrap(), b"e");
}

#[test]
fn memory_is_bounded_and_its_lack_is_reported() {
    let fixture = Fixture::new();
    for mode in MODES {
        let mut instance = fixture.instance(mode, Some(100 << 20));
        assert_eq!(instance.memory_bytes(), 64 << 10);
        assert!(ask(&mut instance, b"g", LONG).is_ok(), "{mode}");
        assert_eq!(instance.memory_bytes(), (64 << 20) + (64 << 10));
        let InvokeError::OutOfMemory(text) = ask(&mut instance, b"g", LONG).unwrap_err() else {
            panic!("{mode}: not out of memory")
        };
        assert!(text.contains("104857600"), "{text}");
    }
}

#[test]
fn instances_may_move_to_another_thread() {
    let mut instance = Fixture::new().instance("aot", None);
    let outcome = std::thread::spawn(move || ask(&mut instance, b"z", SHORT)).join().unwrap();
    assert!(matches!(outcome, Err(InvokeError::Timeout(_))));
}
