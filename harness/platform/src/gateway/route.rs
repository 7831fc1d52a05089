//! The paths of the gateway.

use std::sync::Arc;

use hyper::Request as HttpRequest;
use hyper::body::Incoming;
use lumos_runtime::error::HostError;

use super::metrics::FunctionMetrics;
use crate::service::Service;

/// Names that no function may have, because the gateway serves these paths itself.
pub(super) const RESERVED: [&str; 2] = ["healthz", "metrics"];

/// A function and its metrics.
pub(super) struct Route {
    pub(super) service: Arc<dyn Service>,
    pub(super) metrics: FunctionMetrics,
}

/// Checks that each service has a path of its own.
pub(super) fn check_names(services: &[Arc<dyn Service>]) -> Result<(), HostError> {
    for (index, service) in services.iter().enumerate() {
        let name = service.name();
        if RESERVED.contains(&name) {
            let message = format!("a function cannot be served at /{name}: the path is reserved");
            return Err(HostError::unsupported(message));
        }
        if services[..index].iter().any(|other| other.name() == name) {
            return Err(HostError::unsupported(format!("two functions are named {name}")));
        }
    }
    Ok(())
}

/// The path without its first slash.
pub(super) fn function_name(request: &HttpRequest<Incoming>) -> &str {
    request.uri().path().strip_prefix('/').unwrap_or_default()
}
