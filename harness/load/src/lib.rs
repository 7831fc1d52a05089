//! Load: when requests are to be sent, sending them at that time, and what came of them.
//!
//! | module | what it does |
//! |---|---|
//! | [`arrivals`] | from a description and a seed to intended times, the same on every machine |
//! | [`trace`] | recorded arrivals, read as a stream |
//! | [`pacer`] | waits until a time, exactly, and says how late it was |
//! | [`clock`] | the clock that all of them read |
#![forbid(unsafe_code)]

pub mod arrivals;
pub mod clock;
pub mod pacer;
pub mod trace;
