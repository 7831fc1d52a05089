//! Text that fits the width of a terminal.
//!
//! | file | what it fits |
//! |---|---|
//! | `layout` | tables |
//! | `wrap` | lines and lists |

mod layout;
mod wrap;

pub(crate) use layout::layout;
pub(crate) use wrap::{LabelledLists, paragraph};
