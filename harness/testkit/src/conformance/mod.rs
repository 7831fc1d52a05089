//! The conformance suite: what every runtime must do, as tests that run the built artifacts.
//!
//! A runtime's crate has one file `tests/conformance.rs` with one [`conformance!`] in it, which
//! creates a `#[test]` of each case for each target and isolation. The cases check what the
//! rest of lumos relies on: answers are complete, failures have the right outcome, the end of
//! one instance does not affect the next, time limits hold, nothing is left behind, and a
//! sample reports what was new for it. No case asserts on speed.
//!
//! | module | subject |
//! |---|---|
//! | `answers` | outputs and errors of the function |
//! | `failures` | traps, panics, exits and lack of memory |
//! | `deadlines` | time limits |
//! | `starts` | start kinds and their phases |
//! | `counters`, `attribution` | CPU time and memory |
//! | `footprint` | what instances leave behind |
//! | `subject` | a runtime's target, and cells of it |
//! | `requests` | requests to the guest `conformance` |
//! | `artifacts`, `groups`, `host` | fixtures: built functions, control groups, a host process |
//!
//! [`conformance!`]: crate::conformance!

mod answers;
mod artifacts;
mod attribution;
mod counters;
mod deadlines;
mod failures;
mod footprint;
mod groups;
mod host;
mod requests;
mod starts;
mod subject;

pub use answers::{echo, errors_leave_the_instance};
pub use attribution::{attributed_cpu, attributed_memory};
pub use counters::{cpu_time, memory};
pub use deadlines::{blocked_guest, spinning_guest};
pub use failures::{exits, out_of_memory, panics, traps};
pub use footprint::nothing_is_left;
pub use starts::starts;
pub use subject::{Runtime, Subject, every_offer_is_tested};

/// Creates the tests of a runtime's crate, for an `engine` or a `launcher`.
///
/// `processes` is how many instances `nothing_is_left` creates with process isolation: 100, or
/// fewer if each process compiles for a long time.
///
/// ```ignore
/// lumos_testkit::conformance! {
///     engine: lumos_host_x::XRuntime::new(),
///     host: env!("CARGO_BIN_EXE_lumos-host-x"),
///     x_jit: "x-jit", [thread, process], processes: 10;
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    (engine: $engine:expr, host: $host:expr, $($targets:tt)+) => {
        $crate::conformance! {
            @targets $crate::conformance::Runtime::of_engine($engine, $host), $($targets)+
        }
    };
    (launcher: $launcher:expr, host: $host:expr, $($targets:tt)+) => {
        $crate::conformance! {
            @targets $crate::conformance::Runtime::of_launcher($launcher, $host), $($targets)+
        }
    };
    (
        @targets $runtime:expr,
        $($module:ident: $target:literal, [$($isolation:ident),+], processes: $processes:literal;)+
    ) => {
        #[test]
        fn every_offer_is_tested() {
            let tested = [$($((
                $target,
                stringify!($isolation),
            )),+),+];
            $crate::conformance::every_offer_is_tested(&$runtime, &tested);
        }

        $(mod $module {
            $(mod $isolation {
                fn subject() -> $crate::conformance::Subject {
                    let isolation = stringify!($isolation);
                    $crate::conformance::Subject::new($runtime, $target, isolation, $processes)
                }

                $crate::conformance! { @cases
                    echo, errors_leave_the_instance, traps, panics, exits, out_of_memory,
                    spinning_guest, blocked_guest, nothing_is_left, starts, memory, cpu_time,
                    attributed_cpu, attributed_memory
                }
            })+
        })+
    };
    (@cases $($case:ident),+) => {
        $(#[test]
        fn $case() {
            $crate::conformance::$case(&subject());
        })+
    };
}
