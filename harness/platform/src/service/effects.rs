//! The work that follows from a decision and is done after the lock is released.

use std::sync::mpsc::SyncSender;

use lumos_model::cell::Start;

use super::pooled_instance::PooledInstance;
use super::request::{Answer, Request};
use crate::pool::Ticket;

/// Receives the answer to a request that a worker thread serves.
pub(super) type Callback = Box<dyn FnOnce(Answer) + Send>;

/// What a thread gets for its request: an instance to serve it with, or the answer that refuses
/// it.
pub(super) type Turn<I> = Result<Assignment<I>, Box<Answer>>;

/// A request with the instance that serves it.
pub(super) struct Assignment<I> {
    pub ticket: Ticket,
    /// The instance's number.
    pub number: u32,
    pub instance: Box<PooledInstance<I>>,
    pub request: Request,
    pub start: Start,
}

/// The work that follows from one decision.
pub(super) struct Effects<I> {
    /// The turn of the request that arrives.
    pub turn: Option<Turn<I>>,
    /// Turns of requests whose threads are blocked.
    pub turns: Vec<(SyncSender<Turn<I>>, Turn<I>)>,
    /// Answers that refuse the requests of worker threads.
    pub answers: Vec<(Callback, Answer)>,
    /// Requests for worker threads.
    pub assignments: Vec<Assignment<I>>,
    /// Numbers of instances to create.
    pub provision: Vec<u32>,
    pub free: Vec<Box<PooledInstance<I>>>,
    pub wake_timer: bool,
}

impl<I> Default for Effects<I> {
    fn default() -> Self {
        Self {
            turn: None,
            turns: Vec::new(),
            answers: Vec::new(),
            assignments: Vec::new(),
            provision: Vec::new(),
            free: Vec::new(),
            wake_timer: false,
        }
    }
}
