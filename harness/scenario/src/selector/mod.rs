//! Patterns over cells: the cells that `--filter` keeps and that `[[exclude]]` removes.
//!
//! | module | contents |
//! |---|---|
//! | `axis` | the axes of an experiment, and a cell's word on each |
//! | `pattern` | words with wildcards |
//! | `filter` | patterns by axis, as `key=value,..` |

mod axis;
mod filter;
mod pattern;

pub use self::axis::Axis;
pub use self::filter::{BadSelector, Selector};
pub(crate) use self::pattern::Pattern;
