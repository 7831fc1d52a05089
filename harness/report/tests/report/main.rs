//! From a summary to reports.

mod load;
mod render;
