//! A scenario: an experiment as its TOML file describes it. `scenarios/README.md` documents
//! every key.
//!
//! | module | contents |
//! |---|---|
//! | `schema` | the scenario and its tables |
//! | `load` | the load on the cells' pools |

mod load;
mod schema;

pub use self::load::{LoadSettings, expected_requests, traffic_from};
pub use self::schema::{Connection, Exclude, Matrix, Pinning, Sampling, Scenario, Targets};
pub use crate::error::{Problem, ScenarioError};
