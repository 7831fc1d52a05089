//! A runtime that computes nothing, on a clock that only it moves: what lumos makes of
//! durations and failures can be told to the nanosecond, and takes no time.
//!
//! ```
//! use std::time::Duration;
//! use lumos_host::Runtime;
//! use lumos_host::mock::{Act, MockRuntime, Script, SimulatedClock};
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

pub mod clock;
mod runtime;
mod script;
#[cfg(test)]
mod tests;

pub use clock::{Entered, SimulatedClock};
pub use runtime::{Event, MockInstance, MockModule, MockRuntime};
pub use script::{Act, Costs, Script};
