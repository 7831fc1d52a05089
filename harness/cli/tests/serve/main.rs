//! `lumos serve` as a user calls it: with the real hosts and artifacts, which
//! scripts/build.sh makes.

mod answers;
mod awake;
mod client;
mod common;
mod ends;
#[path = "../run/leftovers.rs"]
#[allow(dead_code)]
mod leftovers;
mod openmetrics;
mod refusals;
