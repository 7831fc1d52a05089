//! Bounds on an instance and on a gateway.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, Span};

/// Resource limits of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// CPU bandwidth in cores; absent: all cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Memory; absent: unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Longest duration of one invocation, with its cold start.
    #[serde(default = "Limits::default_timeout")]
    pub timeout: Span,
}

impl Limits {
    /// 60 seconds.
    pub const fn default_timeout() -> Span {
        Span(Duration::from_secs(60))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpus: None, memory: None, timeout: Self::default_timeout() }
    }
}

/// Limits of a gateway's connections and requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpLimits {
    /// Longest request body.
    pub body: ByteSize,
    /// Longest request head.
    pub headers: ByteSize,
    /// Highest number of open connections; further ones wait to be accepted.
    pub connections: u32,
    /// How long a connection may take to send the head of its next request; the same time again
    /// applies to the body.
    pub idle: Span,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body: ByteSize(16 << 20),
            headers: ByteSize(16 << 10),
            connections: 1024,
            idle: Span(Duration::from_secs(60)),
        }
    }
}
