//! Requests that go to no function: `/healthz`, `/metrics` and unknown paths.

use hyper::body::Incoming;
use hyper::{Method, Request as HttpRequest, StatusCode};

use super::cause::ResponseCause;
use super::metrics;
use super::response::{self, HttpResponse};
use super::route::{RESERVED, function_name};
use super::state::GatewayState;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn respond(gateway: &GatewayState, request: &HttpRequest<Incoming>) -> HttpResponse {
    let name = function_name(request);
    if !RESERVED.contains(&name) {
        return unknown_function(gateway, name);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let response = response::error(ResponseCause::MethodNotAllowed, "use GET", None);
        return response::allowing(response, "GET, HEAD");
    }
    match name {
        "metrics" => response::text(gateway.metrics.text(), metrics::CONTENT_TYPE),
        _ => health(gateway),
    }
}

fn health(gateway: &GatewayState) -> HttpResponse {
    if !gateway.is_draining() {
        return response::text("ok\n", PLAIN_TEXT);
    }
    let mut response = response::text("draining\n", PLAIN_TEXT);
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

fn unknown_function(gateway: &GatewayState, name: &str) -> HttpResponse {
    let names: Vec<_> = gateway.routes.iter().map(|route| route.service.name()).collect();
    let message =
        format!("there is no function `{name}`; POST to one of these: /{}", names.join(", /"));
    response::error(ResponseCause::UnknownFunction, &message, None)
}
