//! What every runtime must do, as tests that run the built artifacts.
//!
//! A runtime's crate has one file `tests/conformance.rs` with one [`conformance!`] in it,
//! which makes a `#[test]` of each case for each target and isolation. The cases bind what
//! the rest of lumos relies on: answers are whole, failures have the right outcome, an
//! instance's end is not the next one's, time limits hold, nothing is left behind, and a
//! sample says what was new for it. None of them asserts on speed.
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
pub use subject::{Subject, every_offer_is_tested};

/// Makes the tests of a runtime's crate.
///
/// `processes` is how many instances `nothing_is_left` makes with process isolation: 100,
/// or fewer where each process spends long on compiling.
///
/// ```ignore
/// crate::conformance! {
///     runtime: lumos_host_x::XRuntime::new(),
///     host: env!("CARGO_BIN_EXE_lumos-host-x"),
///     x_jit: "x-jit", [thread, process], processes: 10;
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    (
        runtime: $runtime:expr,
        host: $host:expr,
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
                fn subject() -> $crate::conformance::Subject<impl $crate::Runtime> {
                    let isolation = stringify!($isolation);
                    $crate::conformance::Subject::new(
                        $runtime, $host, $target, isolation, $processes,
                    )
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
