//! From a summary to reports.

mod comparison;
mod load;
mod render;
