//! The clients of a closed loop.

use lumos_model::arrival::Delayed;

use super::error::ArrivalError;
use super::gaps::Gaps;
use crate::random::Purpose;

/// The clients of a closed loop. Each sends its next request after the response to its last.
#[derive(Clone, Debug)]
pub struct Clients {
    concurrency: u32,
    delayed: Option<Delayed>,
    seed: u64,
}

impl Clients {
    pub(super) fn new(
        concurrency: u32,
        delayed: Option<Delayed>,
        seed: u64,
    ) -> Result<Self, ArrivalError> {
        if concurrency == 0 {
            let must = "at least 1 client is needed";
            return Err(ArrivalError::out_of_range("concurrency", 0, must));
        }
        Ok(Self { concurrency, delayed, seed })
    }

    /// The number of clients.
    pub const fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// The pauses of a client, numbered from 0, before each of its requests.
    pub fn gaps(&self, client: u32) -> Gaps {
        Gaps::new(self.delayed, self.seed, Purpose::Client(client))
    }
}
