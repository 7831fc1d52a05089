//! Responses: a function's output, or an error that names its cause.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use lumos_model::row::Sample;
use serde::Serialize;

use super::cause::ResponseCause;
use super::server_timing::{SERVER_TIMING, server_timing};

/// A response whose body is in memory.
pub(super) type HttpResponse = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A function's output.
pub(super) fn output(body: Bytes, sample: &Sample) -> HttpResponse {
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(SERVER_TIMING, server_timing(sample));
    response
}

/// An error; with a `sample`, its times too.
pub(super) fn error(cause: ResponseCause, message: &str, sample: Option<&Sample>) -> HttpResponse {
    let mut response = Response::new(Full::new(error_body(cause, message).into()));
    *response.status_mut() = cause.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(sample) = sample {
        headers.insert(SERVER_TIMING, server_timing(sample));
    }
    if cause.is_transient() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A text of the gateway's own.
pub(super) fn text(body: impl Into<Bytes>, content_type: &'static str) -> HttpResponse {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Adds the methods that the path allows.
pub(super) fn allowing(mut response: HttpResponse, methods: &'static str) -> HttpResponse {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Asks the client to send no further request on this connection.
pub(super) fn closing(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A complete response in bytes, for a connection whose request head did not arrive in time:
/// the HTTP library has no request to respond to.
pub(super) fn slow_head() -> Vec<u8> {
    let body = error_body(ResponseCause::SlowHead, "the request's head did not arrive in time");
    let mut response = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        ResponseCause::SlowHead.status(),
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(&body);
    response
}

#[derive(Serialize)]
struct ErrorBody<'m> {
    error: Error<'m>,
}

#[derive(Serialize)]
struct Error<'m> {
    cause: &'static str,
    message: &'m str,
    status: u16,
}

fn error_body(cause: ResponseCause, message: &str) -> Vec<u8> {
    let status = cause.status().as_u16();
    let error = Error { cause: cause.as_str(), message, status };
    serde_json::to_vec(&ErrorBody { error }).expect("strings and a number are valid JSON")
}
