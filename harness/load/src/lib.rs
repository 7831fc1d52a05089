//! Load: when requests are to be sent, sending them at that time, and what came of them.
//!
//! | module | what it does |
//! |---|---|
//! | [`arrivals`] | from a description and a seed to intended times, the same on every machine |
//! | [`trace`] | recorded arrivals, read as a stream |
//! | [`pacer`] | waits until a time, exactly, and says how late it was |
//! | [`http`] | the load generator: sends HTTP requests at their times |
//! | [`clock`] | the clock that all of them read |
#![forbid(unsafe_code)]

pub mod arrivals;
pub mod clock;
pub mod http;
pub mod pacer;
pub mod trace;
