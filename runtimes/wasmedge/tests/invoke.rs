//! Invocations, successful and failing, in every mode.

mod common;

use std::path::PathBuf;

use common::{AMPLE, ask, instance, instance_with, module};
use lumos_host_wasmedge::mode::Mode;
use lumos_model::phase::Phase;
use lumos_runtime::{Engine, Instance as _, InstanceConfig, InvokeError, Marks};

#[test]
fn requests_of_any_size_are_echoed() {
    for mode in Mode::ALL {
        let mut instance = instance(&module(mode));
        for size in [0, 1, 100, 65_535, 65_536, 3_000_000] {
            let request = vec![b'e'; size];
            assert_eq!(ask(&mut instance, &request, AMPLE).unwrap(), request, "{mode:?} {size}");
        }
        assert!(instance.memory_bytes() > 3_000_000, "{mode:?}");
    }
}

#[test]
fn each_step_has_its_phases() {
    for mode in Mode::ALL {
        let (runtime, mut marks) = (common::runtime(), Marks::default());
        let module = runtime.load(&mode.target(), &common::artifact(mode), &mut marks).unwrap();
        assert!(marks.phases().get(Phase::Load) > 0);
        assert_eq!(marks.phases().get(Phase::Compile), 0);

        marks.clear();
        let config = InstanceConfig::default();
        drop(runtime.instantiate(&module, &config, &mut marks).unwrap());
        assert_eq!(marks.phases().get(Phase::Compile) > 0, mode == Mode::Jit, "{mode:?}");

        marks.clear();
        let mut second = runtime.instantiate(&module, &config, &mut marks).unwrap();
        assert!(marks.phases().get(Phase::Instantiate) > 0);
        assert_eq!(marks.phases().get(Phase::Compile), 0, "{mode:?}: compiled code is reused");

        marks.clear();
        second.invoke(b"echo", AMPLE, &mut Vec::new(), &mut marks).unwrap();
        assert!(marks.phases().get(Phase::Request) > 0);
        assert!(marks.phases().get(Phase::Response) > 0);
    }
}

#[test]
fn instances_of_a_module_run_concurrently() {
    for mode in Mode::ALL {
        let module = module(mode);
        let threads: Vec<_> = (0..2)
            .map(|_| instance(&module))
            .map(|mut instance| {
                std::thread::spawn(move || {
                    for _ in 0..100 {
                        assert_eq!(ask(&mut instance, b"echo", AMPLE).unwrap(), b"echo");
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn a_trap_names_its_cause() {
    for mode in Mode::ALL {
        let module = module(mode);
        for (request, expected) in [
            (b"t", "unreachable"),
            (b"l", "out of bounds memory access"),
            (b"d", "divide by zero"),
            (b"x", "proc_exit"),
        ] {
            match ask(&mut instance(&module), request, AMPLE) {
                Err(InvokeError::Trap(message)) => {
                    assert!(message.contains(expected), "{mode:?}: {message}");
                }
                other => panic!("{mode:?}: {other:?} instead of a trap"),
            }
        }
        assert_eq!(ask(&mut instance(&module), b"echo", AMPLE).unwrap(), b"echo");
    }
}

#[test]
fn a_guest_without_memory_is_out_of_memory() {
    let config = InstanceConfig { memory_bytes: Some(4 << 20), ..InstanceConfig::default() };
    for mode in Mode::ALL {
        let module = module(mode);
        let mut greedy = instance_with(&module, &config);
        let Err(InvokeError::OutOfMemory(message)) = ask(&mut greedy, b"o", AMPLE) else {
            panic!("{mode:?}: the bound did not hold")
        };
        assert!(message.contains("no memory beyond"), "{mode:?}: {message}");
        assert!(greedy.memory_bytes() <= 4 << 20, "{mode:?}");
        // A request that exceeds the memory fails in the guest's allocator.
        let mut other = instance_with(&module, &config);
        let request = vec![b'e'; 5 << 20];
        assert!(matches!(ask(&mut other, &request, AMPLE), Err(InvokeError::OutOfMemory(_))));
    }
}

#[test]
fn a_bound_below_the_first_page_is_refused() {
    let config = InstanceConfig { memory_bytes: Some(64 << 10), ..InstanceConfig::default() };
    for mode in Mode::ALL {
        let made = common::runtime().instantiate(&module(mode), &config, &mut Marks::default());
        let error = made.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("within the limit"), "{mode:?}: {error}");
    }
}

#[test]
fn a_guest_gets_its_environment_and_no_folder_by_default() {
    let env = vec![("KEY".to_owned(), "a value".to_owned()), ("EMPTY".to_owned(), String::new())];
    let config = InstanceConfig { env, ..InstanceConfig::default() };
    for mode in Mode::ALL {
        let module = module(mode);
        // Twice, because the second instance of a VM must not see the first one's environment.
        assert_eq!(ask(&mut instance(&module), b"v", AMPLE).unwrap(), b"", "{mode:?}");
        let mut instance = instance_with(&module, &config);
        assert_eq!(ask(&mut instance, b"v", AMPLE).unwrap(), b"KEY=a value\0EMPTY=\0");
        const BADF: [u8; 4] = 8_u32.to_le_bytes();
        assert_eq!(ask(&mut instance, b"f", AMPLE).unwrap(), BADF, "{mode:?}");
    }
}

#[test]
fn a_guest_gets_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let given = |folder: PathBuf| InstanceConfig { folder: Some(folder), ..Default::default() };
    for mode in Mode::ALL {
        let module = module(mode);
        let mut with = instance_with(&module, &given(folder.path().to_owned()));
        assert_eq!(ask(&mut with, b"v", AMPLE).unwrap(), b"LUMOS_DATA=/data\0", "{mode:?}");
        assert_eq!(ask(&mut with, b"f", AMPLE).unwrap(), [0; 4], "{mode:?}");
        for wrong in ["with:colon", "absent"] {
            let config = given(folder.path().join(wrong));
            let made = common::runtime().instantiate(&module, &config, &mut Marks::default());
            let error = made.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(wrong), "{mode:?}: {error}");
        }
    }
}

#[test]
fn dropped_instances_leave_the_files_of_the_host_open() {
    for mode in Mode::ALL {
        let module = module(mode);
        for _ in 0..3 {
            assert_eq!(ask(&mut instance(&module), b"print", AMPLE).unwrap(), b"print");
        }
    }
    for fd in 0..3 {
        assert!(std::fs::read_link(format!("/proc/self/fd/{fd}")).is_ok(), "{fd} was closed");
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 30, "{open} descriptors are open");
}
