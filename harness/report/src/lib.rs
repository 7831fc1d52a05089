//! Reports: typed facts become text that people read and JSON that programs read.
//!
//! This is the last step of a run. The crate takes a [`Summary`](lumos_analysis::summary::Summary)
//! with a [`RunInfo`], or a [`Comparison`](lumos_analysis::compare::Comparison), and returns a
//! string: for a terminal of a given width ([`text`], [`comparison`]), as Markdown
//! ([`markdown`]), or as JSON ([`json`]). It computes no statistics and writes no files; the
//! commands do the latter.
//!
//! Cells become tables as values first. `grid` makes a table of functions by targets from the
//! cells that were measured one invocation at a time, and `load` makes tables of the cells
//! under load. The renderers share these tables and the lines of `notes`.
//!
//! | module | what it does |
//! |---|---|
//! | [`text`], [`markdown`], [`json`] | a run's report, one renderer each |
//! | [`comparison`] | the report on two runs |
//! | `load` | tables and notes of cells under load |
//! | `marks` | marks before ratios |
//! | `grid` | cells as functions by targets |
//! | [`info`] | facts of a run in words |
//! | `notes` | failures, noise and missing cells in words |
//! | `fairness`, [`warnings`] | checks of fairness and warnings in words |
//! | `terminal` | fits tables and lists into a width |
//! | `table` | tables as values |
//! | `names` | names of cells, and words of the model |
//! | `order` | the order of targets |
//! | `lists` | lists that are cut short |
//! | [`numbers`] | times, sizes and ratios in few digits |
#![forbid(unsafe_code)]

pub mod comparison;
mod fairness;
mod grid;
pub mod info;
pub mod json;
mod lists;
mod load;
pub mod markdown;
mod marks;
mod names;
mod notes;
pub mod numbers;
mod order;
mod table;
mod terminal;
pub mod text;
pub mod warnings;

pub use info::RunInfo;
