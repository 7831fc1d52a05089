//! A runtime that computes nothing, on a clock that only it moves: what lumos makes of
//! durations and failures can be told to the nanosecond, and takes no time.
//!
//! ```
//! use std::time::Duration;
//! use lumos_runtime::Runtime;
//! use crate::mock::{Act, MockRuntime, Script, SimulatedClock};
//!
//! let clock = SimulatedClock::new();
//! let _entered = clock.enter();
//! let script = Script::default()
//!     .then(Act::answer("1").taking(Duration::from_micros(3)))
//!     .then(Act::trap("unreachable"));
//! let runtime = MockRuntime::new(&clock).with("f.wasm", script);
//! assert_eq!(runtime.instances(), 0);
//! # assert_eq!(runtime.capabilities().runtime, "mock");
//! ```

mod runtime;
mod script;

pub use lumos_os::simulated::{Entered, SimulatedClock};
pub use runtime::{Event, MockInstance, MockModule, MockRuntime};
pub use script::{Act, Costs, Script};
