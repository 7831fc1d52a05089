//! The serverless platform.

pub mod drive;
pub mod gateway;
pub(crate) mod pool;
pub mod service;
pub mod serving;
mod threads;
