//! A request to a function, from its head to its response.

use hyper::Request as HttpRequest;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use lumos_load::http::SEQ_HEADER;
use lumos_model::cell::Start;
use lumos_model::row::{Sample, Times};
use lumos_os::clock::monotonic_ns;

use super::cause::ResponseCause;
use super::response::{self, HttpResponse};
use super::route::{Route, function_name};
use super::state::GatewayState;
use crate::service::{Answer, Cause};

/// A request that has not been answered. It is counted exactly once: when it is answered or
/// refused, or as [`Cause::ClientLeft`] when it is dropped before.
pub(super) struct InFlightRequest<'g> {
    gateway: &'g GatewayState,
    pub(super) route: &'g Route,
    pub(super) seq: u32,
    /// When the head was read, nanoseconds of `CLOCK_MONOTONIC`: the intended arrival.
    pub(super) intended_ns: u64,
    counted: bool,
}

impl<'g> InFlightRequest<'g> {
    /// Takes the time of arrival; `None` if the path belongs to no function.
    pub(super) fn new(gateway: &'g GatewayState, request: &HttpRequest<Incoming>) -> Option<Self> {
        let intended_ns = monotonic_ns();
        let name = function_name(request);
        let route = gateway.routes.iter().find(|route| route.service.name() == name)?;
        let seq = sequence_number(request.headers());
        Some(Self { gateway, route, seq, intended_ns, counted: false })
    }

    /// Ends the request with the answer of its service.
    pub(super) fn answer(mut self, answer: Answer) -> HttpResponse {
        let Answer { cause, sample, body } = answer;
        let response = match cause {
            Cause::Answered => {
                self.gateway.metrics.bytes_out.inc_by(body.len() as u64);
                response::output(body, &sample)
            }
            _ => {
                let message = sample.error.as_deref().unwrap_or(cause.as_str());
                response::error(ResponseCause::Service(cause), message, Some(&sample))
            }
        };
        self.count(ResponseCause::Service(cause), sample);
        response
    }

    /// Ends the request before it reaches its service.
    pub(super) fn refuse(mut self, cause: ResponseCause, message: String) -> HttpResponse {
        let response = response::error(cause, &message, None);
        self.count(cause, self.unserved_sample(cause, message));
        response
    }

    fn count(&mut self, cause: ResponseCause, sample: Sample) {
        self.counted = true;
        self.route.metrics.count(cause, &sample);
        self.gateway.records.keep(|| sample);
    }

    fn unserved_sample(&self, cause: ResponseCause, message: String) -> Sample {
        let total_ns = monotonic_ns().saturating_sub(self.intended_ns);
        let times = Times { intended_ns: self.intended_ns, total_ns };
        let sample = Sample::unserved(self.seq, Start::Mixed, cause.outcome(), times);
        Sample { error: Some(message), ..sample }
    }
}

impl Drop for InFlightRequest<'_> {
    fn drop(&mut self) {
        if !self.counted {
            let cause = ResponseCause::Service(Cause::ClientLeft);
            let message = "the client left before the response".to_owned();
            self.count(cause, self.unserved_sample(cause, message));
        }
    }
}

fn sequence_number(headers: &HeaderMap) -> u32 {
    let text = headers.get(SEQ_HEADER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}
