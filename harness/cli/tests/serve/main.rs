//! `lumos serve` as a user calls it: with the real hosts and artifacts, which
//! scripts/build.sh makes.

mod answers;
mod awake;
mod ends;
mod refusals;
