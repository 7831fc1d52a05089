//! What the rows of a run say: summary, fairness, comparison.
//!
//! This crate comes between the record of a run and its report. [`Analysis::of`] takes an
//! open [`Run`](lumos_record::Run), reads its rows and telemetry once, and returns typed facts:
//! the [`Summary`](summary::Summary) that becomes `summary.json`, the
//! [`Fairness`](fairness::Fairness) checks, and [`Warning`](lumos_model::warning::Warning)s.
//! [`Comparison::new`](compare::Comparison::new) takes two runs and returns what changed. Both
//! are computed from the same gathered blocks, and from rows and manifest alone: the same
//! directory gives the same result at any time and on any machine.
//!
//! The crate writes no files and no reports: `lumos-report` puts the facts into words. Only the
//! evidence of fairness checks, and the reasons why a number is missing, are text already.
//!
//! | module | what it holds |
//! |---|---|
//! | `analysis` | the one pass over a run |
//! | [`compare`] | two runs, compared |
//! | [`fairness`] | the checks of a run's fairness |
//! | [`summary`] | the numbers of a run, cell by cell |
//! | `scenario` | the scenario of a run |
//! | [`gather`] | rows by cell, metric and block |
//! | `pairing` | blocks that lie close in time |
//! | [`method`] | the settings of the statistics |
//! | [`metric`] | the quantities |
//!
//! A module imports only from modules below it.
#![forbid(unsafe_code)]

mod analysis;
pub mod compare;
pub mod fairness;
pub mod gather;
pub mod method;
pub mod metric;
mod pairing;
mod scenario;
pub mod summary;

pub use analysis::Analysis;
