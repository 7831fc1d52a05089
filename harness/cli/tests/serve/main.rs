//! `lumos serve` as a user runs it, with the real hosts and artifacts that scripts/build.sh
//! makes.

mod answers;
mod ends;
mod refusals;
mod stay_awake;
