//! From a [`Traffic`](lumos_model::arrival::Traffic) and a seed to intended arrivals, the same
//! ones on every machine.
//!
//! | module | contents |
//! |---|---|
//! | `build` | from a description to arrivals |
//! | `times`, `clients` | the times of an open loop; the clients of a closed loop |
//! | `poisson` | Poisson arrivals at a rate that changes with time |
//! | `gaps` | idle gaps before requests |
//! | `error` | values out of range, unreadable traces |
//!
//! ```
//! use lumos_load::arrivals::Arrivals;
//! use lumos_model::arrival::{Arrival, Rate, Traffic};
//! use std::time::Duration;
//!
//! let rate = Rate::new(4.0).unwrap();
//! let traffic = Traffic { arrival: Arrival::Constant { rate }, delayed: None };
//! let Arrivals::Open(times) = Arrivals::new(&traffic, 1, Duration::from_secs(1)).unwrap() else {
//!     unreachable!("a constant rate is an open loop");
//! };
//! let times: Vec<u64> = times.collect::<Result<_, _>>().unwrap();
//! assert_eq!(times, [0, 250_000_000, 500_000_000, 750_000_000]);
//! ```

mod build;
mod clients;
mod error;
mod gaps;
mod poisson;
mod times;

pub use self::build::Arrivals;
pub use self::clients::Clients;
pub use self::error::ArrivalError;
pub use self::gaps::Gaps;
pub use self::times::Times;
