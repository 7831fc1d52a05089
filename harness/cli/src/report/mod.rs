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

mod group;
pub mod info;
pub mod json;
mod load;
pub mod markdown;
mod notes;
pub mod numbers;
pub mod text;

use clap::ValueEnum;

pub use info::{Refused, RunInfo};

use crate::summary::Summary;

/// In which form a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for a terminal
    #[default]
    Text,
    /// All numbers, as Markdown
    Md,
    /// The summary itself
    Json,
}

/// Renders `summary`; `width` is that of the terminal and bears on text only.
pub fn render(format: Format, summary: &Summary, info: &RunInfo, width: usize) -> String {
    match format {
        Format::Text => text::render(summary, info, width),
        Format::Md => markdown::render(summary, info),
        Format::Json => json::render(summary),
    }
}
