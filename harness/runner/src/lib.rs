//! Carries out a plan.
#![forbid(unsafe_code)]

pub mod artifacts;
pub mod block;
pub mod data_folder;
pub mod discovery;
pub mod doctor;
pub mod gate;
pub mod host_client;
pub mod interrupt;
pub mod observer;
pub mod redis_server;
pub mod run;
pub mod session;
