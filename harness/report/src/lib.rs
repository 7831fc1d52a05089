//! A summary as text for a terminal, as Markdown, as JSON.
//!
//! | file | what it does |
//! |---|---|
//! | [`info`] | what a report says besides numbers |
//! | `group` | cells as tables: rows of functions, columns of targets |
//! | `numbers` | times, sizes and ratios as people read them |
//! | `notes` | failures, refusals and noise in words |
//! | `load` | cells under load as tables, for all renderers |
//! | [`text`], [`markdown`], [`json`] | one renderer each |

#![forbid(unsafe_code)]

pub mod comparison;
mod group;
pub mod info;
pub mod json;
mod load;
pub mod markdown;
mod notes;
pub mod numbers;
pub mod text;
pub mod warnings;

pub use info::RunInfo;
