//! `lumos compare`: how often it is right, what it refuses, how it ends.

mod command;
mod power;
mod refusals;
mod runs;
