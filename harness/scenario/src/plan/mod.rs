//! From a scenario to cells and blocks. Pure: the same scenario, hosts and filter give the same
//! plan.
//!
//! | module | contents |
//! |---|---|
//! | `schema` | plan, cells and blocks as types |
//! | `build` | a plan from a scenario |
//! | `cells` | the product of the axes |
//! | `refusal` | why a cell cannot run |
//! | `blocks` | the blocks of all cells in their order, and the control pair |
//! | `shuffle` | a seeded shuffle |
//! | `estimate` | time, requests and disk space that a plan needs |

mod blocks;
mod build;
mod cells;
mod estimate;
mod refusal;
mod schema;
mod shuffle;

pub use self::blocks::shuffled_blocks;
pub use self::estimate::{Capped, Estimate, disk_bytes};
pub use self::schema::{Block, Plan, PlannedCell};
