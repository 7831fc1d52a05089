//! From a request of HTTP to one of a function, and back.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request as HttpRequest, Response, StatusCode};
use lumos_load::http::SEQ_HEADER;
use lumos_model::cell::Start;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::Sample;
use lumos_os::clock::monotonic_ns;

use super::Shared;
use super::ending::Ending;
use super::event_loop::EventLoop;
use super::metrics::{self, Meters};
use super::reply::{self, Reply};
use crate::service::{Answer, Cause, Request, Service};

/// A function and what is counted of it.
pub struct Route {
    /// What serves it.
    pub service: Arc<dyn Service>,
    /// What is counted of it.
    pub meters: Meters,
}

/// Paths that are the gateway's own.
pub const OWN: [&str; 2] = ["healthz", "metrics"];

/// Answers one request; `unread` is set when a part of its body is left.
///
/// The request counts from this call on: when its client is gone already, the future is
/// dropped before it is polled.
pub fn answer(
    shared: Arc<Shared>,
    event_loop: Arc<EventLoop>,
    unread: Arc<AtomicBool>,
    request: HttpRequest<Incoming>,
) -> impl Future<Output = Reply> {
    let account = Account::open(&shared, &request);
    async move {
        let reply = match account {
            Some(account) => ask(&shared, &event_loop, account, &unread, request).await,
            None => answer_itself(&shared, &unread, &request),
        };
        if shared.is_draining() { reply::closing(reply) } else { reply }
    }
}

fn function_name(request: &HttpRequest<Incoming>) -> &str {
    request.uri().path().strip_prefix('/').unwrap_or_default()
}

/// Answers what is for no function.
fn answer_itself(shared: &Shared, unread: &AtomicBool, request: &HttpRequest<Incoming>) -> Reply {
    note_unread(unread, request.body());
    match function_name(request) {
        "healthz" | "metrics" if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            let mut reply = reply::error(Ending::MethodNotAllowed, "GET it", None);
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            reply
        }
        "healthz" if shared.is_draining() => {
            let mut reply = text("draining\n", "text/plain; charset=utf-8");
            *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            reply
        }
        "healthz" => text("ok\n", "text/plain; charset=utf-8"),
        "metrics" => text(shared.metrics.text(), metrics::CONTENT_TYPE),
        name => {
            let names: Vec<_> = shared.routes.iter().map(|route| route.service.name()).collect();
            let message = format!(
                "there is no function `{name}`; POST to one of these: /{}",
                names.join(", /")
            );
            reply::error(Ending::UnknownFunction, &message, None)
        }
    }
}

fn text(body: impl Into<Bytes>, content_type: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

fn note_unread(unread: &AtomicBool, body: &Incoming) {
    if !body.is_end_stream() {
        unread.store(true, Ordering::Relaxed);
    }
}

/// Asks a function.
async fn ask(
    shared: &Shared,
    event_loop: &EventLoop,
    account: Account,
    unread: &AtomicBool,
    request: HttpRequest<Incoming>,
) -> Reply {
    if let Some((ending, message)) = refusal(shared, &request) {
        note_unread(unread, request.body());
        let mut reply = account.refuse(ending, message);
        if ending == Ending::MethodNotAllowed {
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        return reply;
    }
    let limits = &shared.limits;
    let body = match read(request.into_body(), limits.body.0, limits.idle.0).await {
        Ok(body) => body,
        Err(BodyError::TooLong) => {
            unread.store(true, Ordering::Relaxed);
            let message = format!("the body is longer than the {} that are accepted", limits.body);
            return reply::closing(account.refuse(Ending::BodyTooLong, message));
        }
        Err(BodyError::Slow) => {
            unread.store(true, Ordering::Relaxed);
            let message = format!("the body did not come within {}", limits.idle);
            return reply::closing(account.refuse(Ending::SlowBody, message));
        }
        // Nobody reads the answer.
        Err(BodyError::Broken(error)) => {
            return account.refuse(Ending::Pool(Cause::ClientLeft), error.to_string());
        }
    };
    shared.metrics.bytes_in.inc_by(body.len() as u64);
    let request = Request { body, intended_ns: account.intended_ns, seq: account.seq };
    let answer = serve(event_loop, &account.route().service, request).await;
    // The times are taken: what it costs to ask for this is in none of them.
    if let Some(awake) = &shared.awake {
        awake.note(account.intended_ns, &event_loop.threads);
    }
    account.close(answer)
}

/// Why a request is answered before its body is read.
fn refusal(shared: &Shared, request: &HttpRequest<Incoming>) -> Option<(Ending, String)> {
    if request.method() != Method::POST {
        let message = format!("{}: a function is asked by POST", request.method());
        return Some((Ending::MethodNotAllowed, message));
    }
    if shared.is_draining() {
        let message = "the gateway takes no more requests: it is about to end".to_owned();
        return Some((Ending::Pool(Cause::Draining), message));
    }
    if shared.checks_heads && head_bytes(request) > shared.limits.headers.0 {
        let most = shared.limits.headers;
        return Some((
            Ending::HeadTooLong,
            format!("the head is longer than the {most} that are accepted"),
        ));
    }
    None
}

/// About what the head took on the wire.
fn head_bytes(request: &HttpRequest<Incoming>) -> u64 {
    let line = request.method().as_str().len() + request.uri().path().len() + 12;
    let fields =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    (line + fields.sum::<usize>()) as u64
}

fn sequence(headers: &HeaderMap) -> u32 {
    let text = headers.get(SEQ_HEADER).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// On this thread if that is short and another one can go on with the event loop, or
/// elsewhere.
async fn serve(event_loop: &EventLoop, service: &Arc<dyn Service>, request: Request) -> Answer {
    let request = match event_loop.enter() {
        Some(permit) => {
            let served = service.serve_here(request);
            drop(permit);
            match served {
                Ok(answer) => return answer,
                Err(request) => request,
            }
        }
        None => request,
    };
    Arc::clone(service).submit(request).await
}

enum BodyError {
    TooLong,
    Slow,
    Broken(hyper::Error),
}

/// The whole body, if it comes within the time and is no longer than `most` bytes.
async fn read(body: Incoming, most: u64, within: Duration) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // The length that the client has announced; nothing for a chunked body.
    if body.size_hint().lower() > most {
        return Err(BodyError::TooLong);
    }
    tokio::time::timeout(within, collect(body, most)).await.unwrap_or(Err(BodyError::Slow))
}

async fn collect(mut body: Incoming, most: u64) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // What is no data is a trailer, which means nothing here.
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        if (first.len() + all.len() + data.len()) as u64 > most {
            return Err(BodyError::TooLong);
        }
        if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which needs no copy.
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(first.len() + data.len() + body.size_hint().lower() as usize);
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Sees to it that a request is counted once, whatever becomes of it: when it is dropped
/// before an answer, the client has left.
struct Account {
    shared: Arc<Shared>,
    /// Its function's place among the routes.
    route: usize,
    seq: u32,
    intended_ns: u64,
    open: bool,
}

impl Account {
    /// `None`: the request is for no function.
    fn open(shared: &Arc<Shared>, request: &HttpRequest<Incoming>) -> Option<Self> {
        let intended_ns = monotonic_ns();
        let name = function_name(request);
        let Some(route) = shared.routes.iter().position(|route| route.service.name() == name)
        else {
            if !OWN.contains(&name) {
                shared.metrics.unknown.inc();
            }
            return None;
        };
        let seq = sequence(request.headers());
        Some(Self { shared: Arc::clone(shared), route, seq, intended_ns, open: true })
    }

    fn route(&self) -> &Route {
        &self.shared.routes[self.route]
    }

    /// The request has been through its pool.
    fn close(mut self, answer: Answer) -> Reply {
        let Answer { cause, sample, body } = answer;
        let ending = Ending::Pool(cause);
        let reply = match cause {
            Cause::Answered => {
                self.shared.metrics.bytes_out.inc_by(body.len() as u64);
                reply::output(body, &sample)
            }
            _ => {
                let message = sample.error.as_deref().unwrap_or(cause.as_str());
                reply::error(ending, message, Some(&sample))
            }
        };
        self.count(ending, sample);
        reply
    }

    /// The request does not get to its pool.
    fn refuse(mut self, ending: Ending, message: String) -> Reply {
        let reply = reply::error(ending, &message, None);
        self.count(ending, self.unserved(ending, message));
        reply
    }

    fn count(&mut self, ending: Ending, sample: Sample) {
        self.open = false;
        self.route().meters.count(ending, &sample);
        self.shared.records.keep(|| sample);
    }

    fn unserved(&self, ending: Ending, message: String) -> Sample {
        let total_ns = monotonic_ns().saturating_sub(self.intended_ns);
        let mut phases_ns = Phases::default();
        phases_ns.add(Phase::Other, total_ns);
        Sample {
            seq: self.seq,
            start_kind: Start::Mixed,
            outcome: ending.outcome(),
            error: Some(message),
            intended_ns: self.intended_ns,
            total_ns,
            phases_ns,
            provision_spans: None,
            gap_ns: None,
            evicted_pages: None,
            resident_pages_after: None,
            instance: None,
            late_ns: None,
            platform_ns: None,
            teardown_ns: None,
            cpu_ns: None,
            memory_peak_bytes: None,
            linear_memory_bytes: None,
            output_bytes: None,
            output_sha256: None,
            output: None,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.open {
            let ending = Ending::Pool(Cause::ClientLeft);
            let message = "the client left before the answer".to_owned();
            self.count(ending, self.unserved(ending, message));
        }
    }
}
