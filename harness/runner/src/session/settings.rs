//! What applies to every instance of a session.

use lumos_model::protocol::Limits;
use lumos_model::units::Span;
use lumos_scenario::Scenario;
use lumos_scenario::scenario::Connection;

/// What applies to every instance of a session.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seed of the inputs.
    pub seed: u64,
    /// Bounds on an instance.
    pub limits: Limits,
    /// How long a connection to the storage lives.
    pub connection: Connection,
    /// Invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// The core that hosts, instances and a Redis server of our own share.
    pub core: Option<usize>,
    /// The Redis server to use; `None`: one is started when a cell needs it.
    pub redis_url: Option<String>,
}

impl Settings {
    /// The settings of a scenario.
    pub fn of(scenario: &Scenario, redis_url: Option<String>) -> Self {
        Self {
            seed: scenario.seed,
            limits: scenario.limits.clone(),
            connection: scenario.connection,
            warmup: scenario.warmup,
            gap: scenario.gap,
            core: scenario.pinning.core(),
            redis_url,
        }
    }
}
