//! `lumos compare`: what it refuses, how it ends.

mod command;
mod refusals;
