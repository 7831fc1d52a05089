//! The load generator against real TCP servers.

mod answers;
mod failures;
mod pace;
mod server;
mod stopped_server;
