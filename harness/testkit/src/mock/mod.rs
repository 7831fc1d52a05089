//! An engine that computes nothing, on a clock that only it moves. Samples of it are known to
//! the nanosecond and take no time.
//!
//! ```
//! use std::time::Duration;
//! use lumos_runtime::Engine;
//! use lumos_testkit::mock::{Act, MockEngine, Script, SimulatedClock};
//!
//! let clock = SimulatedClock::new();
//! let _entered = clock.enter();
//! let script = Script::default()
//!     .then(Act::answer("1").taking(Duration::from_micros(3)))
//!     .then(Act::trap("unreachable"));
//! let engine = MockEngine::new(&clock).with("f.wasm", script);
//! assert_eq!(engine.instances(), 0);
//! # assert_eq!(engine.capabilities().runtime, "mock");
//! ```

mod engine;
mod script;

pub use engine::{Event, MockEngine, MockInstance, MockModule};
pub use lumos_os::simulated::{Entered, SimulatedClock};
pub use script::{Act, Costs, Script};
