//! `lumos compare`: refusals, output, exit codes.

mod command;
mod refusals;
