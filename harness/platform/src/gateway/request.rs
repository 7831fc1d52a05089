//! The way of one request: from its head through its function to the response.

use std::future::Future;
use std::sync::Arc;

use hyper::body::{Body, Incoming};
use hyper::{Method, Request as HttpRequest};

use super::body::{BodyError, read_body};
use super::cause::ResponseCause;
use super::endpoints;
use super::event_loop::EventLoop;
use super::in_flight::InFlightRequest;
use super::response::{self, HttpResponse};
use super::route::{RESERVED, function_name};
use super::state::{ConnectionState, GatewayState};
use crate::service::{Answer, Cause, Request, Service};

/// Responds to one request, whose head was just read.
///
/// The request counts from this call on, not from the first poll: if the client is gone
/// already, the HTTP library drops the future without polling it.
pub(super) fn handle<'c>(
    connection: &'c ConnectionState<'c>,
    request: HttpRequest<Incoming>,
) -> impl Future<Output = HttpResponse> + Send + 'c {
    let gateway = connection.gateway;
    connection.note_request();
    let in_flight = InFlightRequest::new(gateway, &request);
    if in_flight.is_none() && !RESERVED.contains(&function_name(&request)) {
        gateway.metrics.unknown_paths.inc();
    }
    async move {
        let response = match in_flight {
            Some(in_flight) => call_function(connection, in_flight, request).await,
            None => {
                note_unread_body(connection, request.body());
                endpoints::respond(gateway, &request)
            }
        };
        if gateway.is_draining() { response::closing(response) } else { response }
    }
}

async fn call_function(
    connection: &ConnectionState<'_>,
    in_flight: InFlightRequest<'_>,
    request: HttpRequest<Incoming>,
) -> HttpResponse {
    let (gateway, event_loop) = (connection.gateway, connection.event_loop);
    if let Some((cause, message)) = refusal(gateway, &request) {
        note_unread_body(connection, request.body());
        let response = in_flight.refuse(cause, message);
        return match cause {
            ResponseCause::MethodNotAllowed => response::allowing(response, "POST"),
            _ => response,
        };
    }
    let limits = &gateway.limits;
    let body = match read_body(request.into_body(), limits.body.0, limits.idle.0).await {
        Ok(body) => body,
        Err(error) => return refuse_body(connection, in_flight, error),
    };
    gateway.metrics.bytes_in.inc_by(body.len() as u64);
    let intended_ns = in_flight.intended_ns;
    let request = Request { body, intended_ns, seq: in_flight.seq };
    let answer = invoke(event_loop, &in_flight.route.service, request).await;
    // All times of the sample are taken, so the cost of this is in none of them.
    if let Some(stay_awake) = &gateway.stay_awake {
        stay_awake.request_arrived(intended_ns, &event_loop.runtime);
    }
    in_flight.answer(answer)
}

/// Why a request is refused before its body is read.
fn refusal(
    gateway: &GatewayState,
    request: &HttpRequest<Incoming>,
) -> Option<(ResponseCause, String)> {
    if request.method() != Method::POST {
        let message = format!("{} is not allowed: call a function by POST", request.method());
        return Some((ResponseCause::MethodNotAllowed, message));
    }
    if gateway.is_draining() {
        let message = "the gateway is draining and accepts no further requests".to_owned();
        return Some((ResponseCause::Service(Cause::Draining), message));
    }
    if gateway.checks_heads() && head_bytes(request) > gateway.limits.headers.0 {
        let message = format!("the head exceeds the limit of {}", gateway.limits.headers);
        return Some((ResponseCause::HeadTooLong, message));
    }
    None
}

/// Approximately the length of the head on the wire.
fn head_bytes(request: &HttpRequest<Incoming>) -> u64 {
    let line = request.method().as_str().len() + request.uri().path().len() + 12;
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    (line + fields.sum::<usize>()) as u64
}

fn refuse_body(
    connection: &ConnectionState<'_>,
    in_flight: InFlightRequest<'_>,
    error: BodyError,
) -> HttpResponse {
    let limits = &connection.gateway.limits;
    let (cause, message) = match error {
        BodyError::TooLong => {
            let message = format!("the body exceeds the limit of {}", limits.body);
            (ResponseCause::BodyTooLong, message)
        }
        BodyError::Slow => {
            let message = format!("the body did not arrive within {}", limits.idle);
            (ResponseCause::SlowBody, message)
        }
        // Nobody receives this response.
        BodyError::Broken(error) => {
            return in_flight.refuse(ResponseCause::Service(Cause::ClientLeft), error.to_string());
        }
    };
    connection.note_unread_body();
    response::closing(in_flight.refuse(cause, message))
}

fn note_unread_body(connection: &ConnectionState<'_>, body: &Incoming) {
    if !body.is_end_stream() {
        connection.note_unread_body();
    }
}

/// Invokes the function: inline on this thread if the service expects that to be short and a
/// stand-by thread can take over the event loop, otherwise on a thread of the service.
async fn invoke(event_loop: &EventLoop, service: &Arc<dyn Service>, request: Request) -> Answer {
    let request = match event_loop.begin_inline_call() {
        Some(inline_call) => {
            let served = service.serve_here(request);
            drop(inline_call);
            match served {
                Ok(answer) => return answer,
                Err(request) => request,
            }
        }
        None => request,
    };
    Arc::clone(service).submit(request).await
}
